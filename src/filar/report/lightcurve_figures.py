"""Figures of light curves: one star before and after inter-calibration, and folded."""

from __future__ import annotations

from typing import Any

import numpy as np

from filar.frames.clipping import group_median
from filar.lightcurve.make import LightCurves
from filar.lightcurve.solve import Solution
from filar.report.frames_panels import (
    STYLES,
    TRUTH,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
)

RED = 0
"""Number of the style of rejected epochs; cameras take the others."""
_MARGIN = 0.12
_CURVE = np.linspace(0, 2, 800)


def camera_style(number: int) -> int:
    """Style of a camera and filter: black, then colours, red left out."""
    return TRUTH if number == 0 else 1 + (number - 1) % (len(STYLES) - 1)


def group_label(curves: LightCurves, group: int) -> str:
    """Camera and filter as text."""
    camera, band = curves.images.groups[group]
    return ", ".join(filter(None, (camera, band))) or "all images"


def star_figure(curves: LightCurves, star: int) -> Figure:
    """One star's light curve, as figure 10 of W24, and folded with its period.

    Parameters
    ----------
    curves : LightCurves
        What was made.
    star : int
        Row of the star; it has epochs.

    Returns
    -------
    Figure
        Magnitudes as the cameras give them, inter-calibrated ones, and folded ones where there is
        a period. Rejected epochs are red, along the bottom where they are outside.
    """
    rows = curves.rows(star)
    solution = curves.solutions[star]
    assert solution is not None
    time, rejected = curves.time[rows], curves.rejected[rows]
    group, error = curves.epochs.group[rows], curves.epochs.mag_err[rows]
    start = np.floor(time.min()) if len(time) else 0.0
    label = f"time - {start:.0f} (days)"
    panels = [
        _panel("as each camera and filter gives it", label, "magnitude", curves, group,
               time - start, curves.epochs.mag[rows], error, rejected),
        _panel("inter-calibrated", label, "magnitude", curves, group,
               time - start, curves.mag[rows], error, rejected),
    ]  # fmt: skip
    if solution.periodic is not None:
        phase = solution.periodic.phase(time)
        both = np.concatenate([phase, phase + 1])
        twice = [np.tile(values, 2) for values in (group, curves.mag[rows], error, rejected)]
        line = _curve(curves, star, solution)
        title = f"folded, period {solution.periodic.period:.6g} d"
        panels.append(_panel(title, "phase", "magnitude", curves, twice[0], both,
                             twice[1], twice[2], twice[3], line))  # fmt: skip
    number = int(curves.stars.id[star])
    return Figure(f"star_{number}", _title(curves, star), _note(curves, star), (tuple(panels),))


def _panel(
    title: str,
    x_label: str,
    y_label: str,
    curves: LightCurves,
    group: Any,
    x: Any,
    mag: Any,
    error: Any,
    rejected: Any,
    line: Line | None = None,
) -> Panel:
    kept = ~np.asarray(rejected, bool)
    shown = mag[kept] if kept.any() else mag
    low, high = float(shown.min()), float(shown.max())
    margin = max(_MARGIN * (high - low), 0.02)
    bottom = high + margin
    layers: list[Layer] = [] if line is None else [line]
    for k in np.unique(group):
        mine = kept & (group == k)
        layers.append(
            Marks(x[mine], mag[mine], group_label(curves, int(k)), camera_style(int(k)),
                  error[mine], size=3.5)
        )  # fmt: skip
    if not kept.all():
        at = np.clip(mag[~kept], low - margin / 2, bottom - margin / 4)
        layers.append(Marks(x[~kept], at, "rejected", RED, size=4.0, dot=True))
    return Panel(title, x_label, y_label, tuple(layers), y_range=(bottom, low - margin))


def _curve(curves: LightCurves, star: int, solution: Solution) -> Line:
    """The periodic curve over two periods."""
    assert solution.periodic is not None
    model = solution.periodic.model
    rows = curves.rows(star)
    kept = ~curves.rejected[rows]
    level = float(np.median((curves.mag[rows] - model(curves.time[rows]))[kept]))
    y = level + model(solution.periodic.start + _CURVE * solution.periodic.period)
    return Line(_CURVE, y, "periodic curve", "#777777")


def _title(curves: LightCurves, star: int) -> str:
    return f"Star {int(curves.stars.id[star])}"


def _note(curves: LightCurves, star: int) -> str:
    solution, found = curves.solutions[star], curves.statistics
    assert solution is not None
    parts = [
        f"Median {found.median[star]:.3f} mag, dispersion {found.dispersion[star]:.4f} mag, "
        f"{int(found.number[star])} epochs used, {int(solution.rejected.sum())} rejected."
    ]
    if len(solution.offsets) > 1:
        told = [
            f"{group_label(curves, int(g))} {offset:+.3f} ± {error:.3f}"
            for g, offset, error in zip(
                solution.groups, solution.offsets, solution.offsets_err, strict=True
            )
        ]
        parts.append("Offsets: " + "; ".join(told) + " mag.")
    if solution.periodic is not None:
        one = solution.periodic
        parts.append(
            f"Period {one.period:.6g} ± {one.period_err:.2g} d, amplitude {one.amplitude:.3f} mag "
            f"({one.kind}{', ' + one.remark if one.remark else ''})."
        )
    elif solution.process.sigma > 0:
        walk = solution.process
        parts.append(f"Damped random walk: sigma {walk.sigma:.3f} mag, tau {walk.tau:.3g} d.")
    return " ".join(parts)


def dispersion_figure(curves: LightCurves, saturated: Any) -> Figure:
    """Dispersion against magnitude, as figure 4 of W24.

    Parameters
    ----------
    curves : LightCurves
        What was made.
    saturated : (s,) bool array
        Stars that are saturated in half of their epochs or more.

    Returns
    -------
    Figure
        Ordinary photometry of the same exposures beside it.
    """
    mag, ours = curves.statistics.median, curves.statistics.dispersion
    plain = curves.plain_dispersion
    constant = ~curves.variable
    layers: list[Layer] = [
        Marks(mag, np.maximum(plain, 1e-4), "ordinary photometry", TRUTH, size=2.5, alpha=0.4)
    ]
    for chosen, label, method in (
        (constant & ~saturated, "unsaturated", 1),
        (constant & saturated, "saturated", 3),
        (~constant, "variable", 4),
    ):
        if chosen.any():
            floor = np.maximum(ours[chosen], 1e-4)
            layers.append(Marks(mag[chosen], floor, label, method, size=3.0, alpha=0.6))
    limit = _saturation_limit(mag, saturated)
    if np.isfinite(limit):
        layers.append(Level(limit, "x", label="half are saturated"))
    both = np.concatenate([ours, plain])
    both = both[np.isfinite(both) & (both > 0)]
    low, high = np.percentile(both, (0.5, 99.8)) if len(both) else (0.005, 1.0)
    panel = Panel("", "median magnitude", "dispersion (mag)", tuple(layers),
                  y_range=(max(float(low) / 1.5, 1e-4), 1.5 * float(high)), log=True)  # fmt: skip
    note = (
        "Half of the range from the 15th to the 85th percentile of the epochs about their median. "
        "Ordinary photometry: the same stars and exposures by flux_fit, nothing rejected."
    )
    return Figure("dispersion", "Dispersion against magnitude", note, ((panel,),))


def _saturation_limit(mag: FloatArray, saturated: Any) -> float:
    """Magnitude at which as many saturated stars are fainter as unsaturated ones are brighter."""
    known = np.isfinite(mag)
    bright, faint = np.sort(mag[known & saturated]), np.sort(mag[known & ~saturated])
    if not len(bright) or not len(faint):
        return float("nan")
    tried = np.concatenate([bright, faint])
    wrong = (len(bright) - np.searchsorted(bright, tried, "right")) + np.searchsorted(faint, tried)
    return float(np.median(tried[wrong == wrong.min()]))


def reference_figure(curves: LightCurves) -> Figure | None:
    """Mean magnitudes less the reference's, with the 68 and 95 % ranges, as figure 3 of W24.

    Parameters
    ----------
    curves : LightCurves
        What was made.

    Returns
    -------
    Figure or None
        None where no reference was given.
    """
    panels = []
    for k in range(len(curves.images.groups)):
        given = curves.expected[:, k]
        rows = curves.epochs.group == k
        mean = group_median(curves.epochs.star[rows], curves.epochs.mag[rows], len(given))
        x, y = given, mean - given
        good = np.isfinite(x) & np.isfinite(y)
        if np.count_nonzero(good) < 10:
            continue
        x, y = x[good], y[good]
        size = float(np.clip(np.percentile(np.abs(y), 98) * 1.3, 0.05, 2))
        layers = [Marks(x, y, "stars", TRUTH, size=2.5, alpha=0.4), *_ranges(x, y), Level(0.0)]
        panels.append(Panel(group_label(curves, k), "reference magnitude", "mean - reference (mag)",
                            tuple(layers), y_range=(-size, size)))  # fmt: skip
    if not panels:
        return None
    rows_of = tuple(tuple(panels[i : i + 3]) for i in range(0, len(panels), 3))
    note = "Lines: median, 68% and 95% ranges in bins of half a magnitude."
    return Figure("reference", "Means against reference magnitudes", note, rows_of)


def _ranges(x: FloatArray, y: FloatArray, width: float = 0.5, fewest: int = 5) -> list[Layer]:
    edges = np.arange(np.floor(x.min()), np.ceil(x.max()) + width, width)
    index = np.digitize(x, edges) - 1
    quantiles = np.full((5, len(edges) - 1), np.nan)
    for k in range(len(edges) - 1):
        if np.count_nonzero(index == k) >= fewest:
            quantiles[:, k] = np.percentile(y[index == k], (2.5, 16, 50, 84, 97.5))
    centre = edges[:-1] + width / 2
    red = STYLES[RED][0]
    return [
        Line(centre, quantiles[2], "median", red),
        Line(centre, quantiles[1], "68%", red, "dashed"),
        Line(centre, quantiles[3], "", red, "dashed"),
        Line(centre, quantiles[0], "95%", red, "dotted"),
        Line(centre, quantiles[4], "", red, "dotted"),
    ]
