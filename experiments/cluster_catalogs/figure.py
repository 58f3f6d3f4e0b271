"""The figure: observed colours over the mocks' regions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.cluster_catalogs.catalogs import Observed
from experiments.cluster_catalogs.coverage import Density
from filar.populations import Extinction, IsochroneSet, integrated_mags
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Plane = tuple[tuple[str, str], tuple[str, str]]
"""Two colours: of the x axis and of the y axis."""
_ARROW_AGE = 7.5
LINES = (1.6, 1.2, 0.8)
"""Widths of the contours, from the outermost inwards."""


def draw_figure(
    panels: list[tuple[Observed, Plane, Density, Density]], isochrones: IsochroneSet, path: Path
) -> None:
    """Draw one panel for each catalogue and plane.

    Parameters
    ----------
    panels : list
        Catalogue, colours, density of mocks in the model's ranges, density of mocks of all ages.
    isochrones : IsochroneSet
        For the line of simple populations and the arrow of extinction.
    path : Path
        PNG file.
    """
    from matplotlib.figure import Figure

    columns = 2
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(12, 5.5 * rows), layout="constrained")
    for k, panel in enumerate(panels):
        axes = figure.add_subplot(rows, columns, k + 1)
        dots = _panel(axes, *panel, isochrones)
    figure.colorbar(dots, ax=figure.axes, label="log10 age of the catalogue (years)", shrink=0.6)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _panel(
    axes: Axes, observed: Observed, plane: Plane, inner: Density, outer: Density,
    isochrones: IsochroneSet,
) -> Any:  # fmt: skip
    (a, b), (c, d) = plane
    x, y = observed.column(a) - observed.column(b), observed.column(c) - observed.column(d)
    for density, colour in ((outer, "0.6"), (inner, "C3")):
        order = np.argsort(density.levels)
        axes.contour(
            density.x, density.y, density.values, levels=np.array(density.levels)[order],
            colors=colour,
            linewidths=LINES,
        )  # fmt: skip
    dots = axes.scatter(x, y, c=observed.log_age, s=9, cmap="viridis", vmin=6.3, vmax=9.5)
    colours = [_colours(isochrones, observed.z, plane, age, 0.0) for age in isochrones.log_ages]
    axes.plot(*np.array(colours).T, "k-", lw=1, label=f"simple populations, Z = {observed.z:g}")
    start = _colours(isochrones, observed.z, plane, _ARROW_AGE, 0.0)
    end = _colours(isochrones, observed.z, plane, _ARROW_AGE, 1.0)
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "k"})
    axes.annotate("A_V = 1", end, fontsize=8)
    axes.plot([], [], color="C3", label="mocks of the model's ranges: 50, 95, 99%")
    axes.plot([], [], color="0.6", label="mocks of all ages: 50, 95, 99%")
    axes.set_xlabel(f"{a} - {b} (mag)")
    axes.set_ylabel(f"{c} - {d} (mag)")
    axes.set_title(f"{observed.name}, {len(x)} clusters", fontsize=10)
    axes.set_xlim(-1.2, 4.0)
    axes.set_ylim(2.6, -2.6)
    axes.legend(fontsize=7, loc="lower left")
    return dots


def _colours(
    isochrones: IsochroneSet, z: float, plane: Plane, log_age: float, a_v: float
) -> tuple[float, float]:
    dust = Extinction(isochrones.bands)
    mags = integrated_mags(dust.redden(isochrones.at(log_age, z), a_v))
    (ax, bx), (ay, by) = ([isochrones.bands.index(band) for band in pair] for pair in plane)
    return float(mags[ax] - mags[bx]), float(mags[ay] - mags[by])
