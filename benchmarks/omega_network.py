"""The packaged network on a real exposure: omega Cen, WFPC2, F555W (u40x010hm).

Per chip: flatness of the pixel phases of well-measured stars with the default PSF, the fitted one
and the packaged network that is told the fitted one; how far network and fit lie apart over their
quoted errors; stars outside of the network's domain. Draws network minus fit against magnitude.

    python -m benchmarks.omega_network [FILE] [--figure docs/omega_network.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.omega_cen import FILE, MAX_Q, MIN_SNR
from filar.flags import Flag
from filar.measure import Measurement, Settings, measure_file
from filar.phases import phase_histogram
from filar.robust import robust_rms

BINS = np.arange(-14.0, -5.9, 0.5)
COLOURS = {"PC": "#0072B2", "WF2": "#D55E00", "WF3": "#009E73", "WF4": "#CC79A7"}


def main() -> None:
    """Measure the file in three ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    parser.add_argument("--figure", type=Path)
    given = parser.parse_args()
    if not given.file.exists():
        print(f"skipped: {given.file} is not there")
        return
    ways = {"default": ("default", "psf"), "fit": ("fit", "psf"), "network": ("fit", "network")}
    found = {
        name: measure_file(given.file, Settings(psf=psf, method=method))[0]
        for name, (psf, method) in ways.items()
    }
    print("chip   stars  phase chi2 x, y: default      fit   network   "
          "network - fit over the fit's error   by network   outside")  # fmt: skip
    for default, fit, network in zip(*found.values(), strict=True):
        print(line(default, fit, network))
    if given.figure:
        draw(found["fit"], found["network"], given.figure)


def line(default: Measurement, fit: Measurement, network: Measurement) -> str:
    """Figures of a chip; all three are judged by the same stars."""
    tables = [m.catalog for m in (default, fit, network)]
    chi2 = []
    for table in tables:
        well = well_measured(table)
        chi2 += [phase_histogram(table[name].value[well])[1] for name in ("x_fit", "y_fit")]
    _, fitted, net = tables
    pull = (
        difference(fitted, net)[well_measured(fitted)]
        / np.stack([fitted["x_err"].value, fitted["y_err"].value], 1)[well_measured(fitted)]
    )
    by_network = int((np.asarray(net["method"]) == "network").sum())
    outside = int(((np.asarray(net["flags"]) & Flag.OUTSIDE_DOMAIN) != 0).sum())
    phases = "   ".join(f"{a:5.2f} {b:5.2f}" for a, b in zip(chi2[::2], chi2[1::2], strict=True))
    return (f"{fit.exposure.chip:4s} {len(net):6d}                   {phases}   "
            f"{robust_rms(pull.ravel()):34.2f}   {by_network:10d}   {outside:7d}")  # fmt: skip


def well_measured(table: object) -> np.ndarray:
    """Stars with nothing against them but the network's domain: bool array."""
    clean = (np.asarray(table["flags"]) & ~int(Flag.OUTSIDE_DOMAIN)) == 0
    return clean & (table["snr"] > MIN_SNR) & (table["qfit"] < MAX_Q)


def difference(fit: object, network: object) -> np.ndarray:
    """Network minus fit of the same stars: (n, 2) pixels."""
    return np.stack([network[n].value - fit[n].value for n in ("x_fit", "y_fit")], 1)


def draw(fits: list[Measurement], networks: list[Measurement], path: Path) -> None:
    """Network minus fit against magnitude: scatter of both axes, the fit's formal error dashed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(fits), sharey=True)
    for panel, fit, network in zip(panels, fits, networks, strict=True):
        table = fit.catalog
        clean = (np.asarray(table["flags"]) & ~int(Flag.OUTSIDE_DOMAIN)) == 0
        clean &= np.asarray(network.catalog["method"]) == "network"
        mag, apart = table["mag"].value[clean], 1000 * difference(table, network.catalog)[clean]
        formal = 1000 * table["x_err"].value[clean]
        panel.plot(mag, apart[:, 0], ".", ms=1.5, alpha=0.3, color=COLOURS[fit.exposure.chip])
        number = np.digitize(mag, BINS)
        rows = [(np.median(mag[number == k]), robust_rms(apart[number == k].ravel()),
                 np.median(formal[number == k])) for k in np.unique(number)
                if (number == k).sum() >= 20]  # fmt: skip
        at, scatter, error = np.array(rows).T
        for sign in (-1, 1):
            panel.plot(at, sign * scatter, "k-", lw=1.5, label="scatter" if sign > 0 else None)
            panel.plot(at, sign * error, "k--", lw=1, label="fit's error" if sign > 0 else None)
        panel.set(title=fit.exposure.chip, xlabel="instrumental magnitude", ylim=(-60, 60))
        panel.invert_xaxis()
    panels[0].set_ylabel("network minus fit, x (mpix)")
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
