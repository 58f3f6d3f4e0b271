"""The main job on a real exposure: omega Cen, WFPC2, F555W (u40x010hm).

Per chip: stars, saturated stars, detections in the vignetted edge, flatness of the pixel phases and
the median q of isolated bright stars, with the fitted and with the default PSF; time and peak
memory of the whole. Draws the figure of the README.

    python -m benchmarks.omega_cen [FILE] [--figure docs/phases.png]
"""

from __future__ import annotations

import argparse
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from filar.flags import Flag
from filar.instruments import read_exposures
from filar.measure import Measurement, Settings, measure_file
from filar.phases import phase_histogram

SHARED = Path(os.environ.get("FILAR_SHARED", Path(__file__).parents[2] / "shared"))
FILE = SHARED / "data/wfpc2/u40x010hm_c0f.fits"
# what the issue and the first sketch call well measured, isolated and bright
MIN_SNR, MAX_Q = 30.0, 0.15
ISOLATED, BRIGHT = 7.0, 6000.0
FLAT = 1.7  # reduced chi-square
SHOWN = ("target", "programme", "program", "proposal", "investigator", "PI")
ILL = Flag.SATURATED | Flag.MASKED | Flag.COSMIC_RAY | Flag.EDGE | Flag.NOT_CONVERGED | Flag.NO_FIT


@dataclass(frozen=True)
class ChipFigures:
    """What is asked of a chip."""

    stars: int
    saturated: int
    lost_centres: int
    in_edge: int
    counts: tuple[np.ndarray, np.ndarray]
    flatness: tuple[float, float]
    q: float


def figures(measurement: Measurement) -> ChipFigures:
    """Numbers of one chip."""
    table, edge = measurement.catalog, measurement.exposure.edge
    flags = np.asarray(table["flags"])
    x, y = table["x_fit"].value, table["y_fit"].value
    saturated = (flags & Flag.SATURATED) != 0
    rows = np.clip(np.rint(np.nan_to_num(y)).astype(int), 0, edge.shape[0] - 1)
    columns = np.clip(np.rint(np.nan_to_num(x)).astype(int), 0, edge.shape[1] - 1)
    well = (flags == 0) & (table["snr"] > MIN_SNR) & (table["qfit"] < MAX_Q)
    isolated = ((flags & ILL) == 0) & (table["isolation"].value > ISOLATED)
    isolated &= table["flux_fit"].value > BRIGHT
    tests = [phase_histogram(p[well]) for p in (x, y)]
    return ChipFigures(
        stars=len(table),
        saturated=int(saturated.sum()),
        lost_centres=int((~np.isfinite(x[saturated] + y[saturated])).sum()),
        in_edge=int(edge[rows, columns].sum()),
        counts=(tests[0][0], tests[1][0]),
        flatness=(tests[0][1], tests[1][1]),
        q=float(np.median(table["qfit"][isolated])),
    )


def draw(results: dict[str, dict[str, ChipFigures]], path: Path) -> None:
    """Histograms of pixel phases, default and fitted PSF, all chips."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    chips = list(results["fit"])
    fig, axes = plt.subplots(2, len(chips), figsize=(2.6 * len(chips), 4.4), sharex=True)
    edges = np.linspace(-0.5, 0.5, 11)
    for column, chip in enumerate(chips):
        for row, name in enumerate("xy"):
            axis = axes[row, column]
            for kind, color, width in (("default", "#D55E00", 1.3), ("fit", "#0072B2", 2.2)):
                counts = results[kind][chip].counts[row]
                label = "default PSF" if kind == "default" else "PSF fitted to the exposure"
                axis.stairs(counts / counts.mean(), edges, color=color, lw=width, label=label)
            fitted = results["fit"][chip].counts[row]
            noise = 1 / np.sqrt(fitted.mean())
            axis.axhspan(1 - noise, 1 + noise, color="0.88", zorder=0, label="counting noise")
            axis.set(ylim=(0, 2.3), xlabel=f"{name} phase (pixel)")
            if row == 0:
                axis.set_title(chip)
        axes[row, column].set_xlim(-0.5, 0.5)
    axes[0, 0].set_ylabel("stars / mean")
    axes[1, 0].set_ylabel("stars / mean")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="lower center", ncol=3, frameon=False)
    fig.tight_layout(rect=(0, 0.06, 1, 1))
    fig.savefig(path, dpi=110)


def main() -> None:
    """Measure the file twice and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    if not args.file.exists():
        print(f"skipped: {args.file} is not there")
        return
    header = read_exposures(args.file)[0]
    facts = ", ".join(f"{name} {value}" for name, value in header.meta.items() if name in SHOWN)
    print(f"{header.name}, {header.filter}, {facts}")
    results: dict[str, dict[str, ChipFigures]] = {}
    print("psf      chip  stars  saturated (no centre)  in edge  phase chi2 x  y   q      seconds")
    for kind in ("fit", "default"):
        start = perf_counter()
        measurements, errors = measure_file(args.file, Settings(psf=kind, method="psf"))
        elapsed = perf_counter() - start
        results[kind] = {}
        for m in measurements:
            f = results[kind][m.exposure.chip] = figures(m)
            seconds = ", ".join(f"{name} {t:.1f}" for name, t in m.seconds.items())
            counts = f"{f.stars:6d} {f.saturated:6d} ({f.lost_centres}) {f.in_edge:15d}"
            quality = f"{f.flatness[0]:13.2f} {f.flatness[1]:5.2f} {f.q:.4f}"
            own = f", {m.psf_fit.n_stars} PSF stars" if m.psf_fit else ""
            own += f", model error {m.psf_fit.model_error:.3f}" if m.psf_fit else ""
            print(f"{kind:8s} {m.exposure.chip:4s} {counts} {quality} {seconds}{own}")
            for name, counts, chi2 in zip("xy", f.counts, f.flatness, strict=True):
                if m.own_psf and chi2 > FLAT:
                    print(f"         {m.exposure.chip} phases of {name}: {counts.tolist()}")
        total = sum(f.stars for f in results[kind].values())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{kind:8s} all  {total:6d} in {elapsed:.1f} s, peak memory {peak:.0f} MB")
        for error in errors:
            print(f"  {error}")
    if args.figure:
        draw(results, args.figure)


if __name__ == "__main__":
    main()
