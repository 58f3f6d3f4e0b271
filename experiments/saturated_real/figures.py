"""Figures of the experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.saturated_real.omega import log_light
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.saturated_real.m2 import Judged
    from experiments.saturated_real.omega import Relation

COLOURS = {"aperture, 6 pixels": "0.6", "wing fit": "C0", "ours": "C3", "trail": "C2"}


def _save(figure: Figure, path: Path) -> None:
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def m2_figure(judged: Judged, places: str, path: Path) -> None:
    """Measured minus true magnitude against R, with the stars where found and where catalogued."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 9), layout="constrained")
    wide, found, given = figure.subplots(3, 1, sharex=True)
    for name in ("aperture, 6 pixels", "wing fit", "ours"):
        style: dict[str, Any] = {"color": COLOURS[name], "label": name, "fmt": "o", "ms": 4}
        for axes, label in ((wide, name), (found, name), (given, name + places)):
            if label in judged.error and (axes is wide or label in judged.sigma):
                sigma = judged.sigma.get(label) if axes is not wide else None
                axes.errorbar(judged.known.R, judged.error[label], sigma, lw=0.8, **style)
    for axes, title in (
        (wide, "Saturated stars of M 2 in SDSS frame r 2583-2-136"),
        (found, "close up"),
        (given, "stars at the catalogue's places"),
    ):
        axes.axhline(0, color="k", lw=0.6)
        axes.set_ylabel("measured - R (mag)")
        axes.set_title(title)
    for axes in (found, given):
        axes.axhspan(-0.2, 0.2, color="0.92", zorder=0)
        axes.set_ylim(-0.9, 0.9)
    given.set_xlabel("R of Stetson (mag)")
    wide.legend(loc="upper right")
    _save(figure, path)


def kepler_figure(image: np.ndarray[Any, Any], found: dict[str, Any], path: Path) -> None:
    """The star with its trail, and its light by every method over the sum along the trail."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    left.imshow(np.arcsinh(image / 300.0), origin="lower", cmap="gray_r")
    left.set_title("Kepler full-frame image, 31 x 31 pixels")
    names = ("trail", "aperture", "wings", "ours")
    for k, name in enumerate(names):
        ratio = found[name] / found["expected"]
        right.errorbar(k, ratio, ratio * found[f"{name}_error"], fmt="o", color=f"C{k}")
    right.axhspan(0.95, 1.05, color="0.92", zorder=0)
    right.axhline(1, color="k", lw=0.6)
    right.set_xticks(range(len(names)), names)
    right.set_ylabel("light over the sum along the trail")
    _save(figure, path)


def omega_figure(relation: Relation, found: dict[str, Any], path: Path) -> None:
    """Light in a far ring against the star's whole light, and what departs from the relation."""
    from matplotlib.figure import Figure

    constant, saturated = found["relation"]["constant"], relation.saturated
    ring, ring_err = log_light(relation)
    figure = Figure(figsize=(8, 8), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(1.3, 1))
    free = ~saturated & np.isfinite(ring)
    style = {"lw": 0.5, "ms": 3, "fmt": "o", "alpha": 0.8}
    top.errorbar(
        relation.log_n["psf"][free], ring[free], ring_err[free],
        color="0.6", label="unsaturated, PSF fit", **style,
    )  # fmt: skip
    bottom.plot(
        relation.log_n["psf"][free],
        2.5 * (relation.log_n["psf"] + constant - ring)[free], "o", color="0.6", ms=3,
    )  # fmt: skip
    labels = {"wings": "wing fit", "trail": "charge of the blob", "ours": "network"}
    for k, (name, label) in enumerate(labels.items()):
        x = relation.log_n[name][saturated]
        top.errorbar(
            x, ring[saturated], ring_err[saturated],
            relation.log_n_err[name][saturated], color=f"C{k}",
            label=f"saturated, {label}", **style,
        )  # fmt: skip
        rest = 2.5 * (x + constant - ring[saturated])
        bottom.errorbar(
            x, rest, 2.5 * np.hypot(relation.log_n_err[name], ring_err)[saturated],
            color=f"C{k}", **style,
        )  # fmt: skip
    line = np.array([4.6, 7.2])
    top.plot(line, line + constant, "k-", lw=0.8)
    bottom.axhline(0, color="k", lw=0.8)
    bottom.set_ylim(-1.0, 1.0)
    top.set_xlim(*line)
    top.set_ylabel("log10 electrons, ring of 7-11 pixels")
    bottom.set_ylabel("from the relation (mag)")
    bottom.set_xlabel("log10 electrons of the star")
    top.legend()
    top.set_title("omega Cen, WFPC2 WF3, F555W")
    _save(figure, path)
