"""Figures over the colour-magnitude diagram, and of the number of artificial stars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.completeness.learning_curve import LearningCurve, LearningPoint
from filar.completeness.reliability import FractionBins
from filar.completeness.table import ArtificialStars
from filar.report.completeness_facts import (
    CLASSIC,
    CompletenessFacts,
    cmd_cells,
    cmd_edges,
)
from filar.report.completeness_figures import PERCENT, dash, pairs
from filar.report.frames_panels import (
    GREY,
    Cells,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
)

LEAST_IN_CELL = 4
"""Stars below which a cell is left empty."""

_PULLS = 4.0
_EXCESS = "excess"  # of the log loss, relative
_LEAST_EXCESS, _TOLERABLE = 1e-4, 0.08
_SHOWN = 5  # panels of the learning curve's diagrams, besides the truth


def cmd_figures(facts: CompletenessFacts) -> list[Figure]:
    """True and predicted fractions over the colour-magnitude diagram, a row per model.

    Parameters
    ----------
    facts : CompletenessFacts
        What was judged.

    Returns
    -------
    list of Figure
        Empty with a single band.
    """
    rows = []
    for one in facts.models:
        if one.cells is None:
            continue
        kind = one.given.magnitudes
        pulls = _filled(one.cells, one.cells.pull)
        pull = Cells(*_edges(one.cells), pulls, "(predicted - true) / error", -_PULLS, _PULLS,
                     signed=True)  # fmt: skip
        rows.append((
            _panel("recovered fraction", facts.stars, kind, _fraction(one.cells, "true")),
            _panel(f"predicted: {one.name}", facts.stars, kind,
                   _fraction(one.cells, "predicted")),
            _panel(f"difference / error: rms {one.cell_pull_rms:.2f}", facts.stars, kind, pull),
        ))  # fmt: skip
    if not rows:
        return []
    note = (
        "As H24's figures 12, 16 and 17. The errors of the differences are what chance makes if "
        "the probabilities are honest; their rms, over cells in which the outcome is open, is 1 "
        "then. Where two bands are asked for, the limit has two segments: the bluer stars' is set "
        f"by the redder band and the other way round. Cells with fewer than {LEAST_IN_CELL} stars "
        "are grey."
    )
    return [Figure("cmd", "Colour-magnitude diagram", note, tuple(rows))]


def curve_figures(curve: LearningCurve) -> list[Figure]:
    """Measures against the number of artificial stars, and diagrams for some of the numbers.

    Parameters
    ----------
    curve : LearningCurve
        Its points.

    Returns
    -------
    list of Figure
    """
    numbers = _colours(curve)
    panels = [
        _curve_panel(curve, numbers, name, label, error, scale, log)
        for name, label, error, scale, log in (
            ("accuracy", "accuracy (percent)", "accuracy_err", PERCENT, False),
            ("log_loss", "log loss", "log_loss_err", 1.0, False),
            (_EXCESS, "log loss above the best (percent)", "", PERCENT, True),
            ("calibration_error", "expected calibration error (percent)", "", PERCENT, True),
            ("seconds", "training time (s)", "", 1.0, True),
        )
    ]
    note = (
        "As H24's figure 20: each training set holds the smaller ones; all models are judged by "
        f"the same {len(curve.test)} held-out stars. Error bars: of a single model on these stars; "
        "between models most of that is common. Dotted: best of all models; in the panel of the "
        "calibration error, what chance gives perfect probabilities; 8 percent above the best."
    )
    figures = [Figure("learning_curve", "How many artificial stars are enough", note,
                      pairs(panels))]  # fmt: skip
    diagrams = _curve_diagrams(curve)
    return [*figures, diagrams] if diagrams else figures


def _colours(curve: LearningCurve) -> dict[str, int]:
    others = [name for name in curve.names if name != CLASSIC]
    return {CLASSIC: 0} | {name: number for number, name in enumerate(others, 1)}


def _curve_panel(
    curve: LearningCurve, numbers: dict[str, int], name: str, label: str, error: str,
    scale: float, log: bool,
) -> Panel:  # fmt: skip
    layers: list[Layer] = []
    values = []
    best = min(point.scores.log_loss for point in curve.points)
    for recipe in curve.names:
        points, number = curve.of(recipe), numbers[recipe]
        x = np.log10([point.number for point in points])
        y = scale * np.array([_value(point, name, best) for point in points])
        bars = None
        if error:
            bars = scale * np.array([_value(point, error, best) for point in points])
        values.append(y)
        layers.append(Line(x, y, "", style(number)[0], dash(number), 1.0))
        layers.append(Marks(x, y, recipe, number, bars))
    level = _level(curve, name, scale)
    if np.isfinite(level):
        layers.insert(0, Level(level, dash="dotted", colour=GREY))
    return Panel("", "log10 of the number of artificial stars", label, tuple(layers), log=log,
                 y_range=_limits(values, level, log))  # fmt: skip


def _value(point: LearningPoint, name: str, lowest: float) -> float:
    """A measure of a point; the excess over the lowest log loss, NaN where there is none."""
    if name == "seconds":
        return point.seconds
    if name == _EXCESS:
        excess = point.scores.log_loss / lowest - 1
        return excess if excess > _LEAST_EXCESS else float("nan")
    return float(getattr(point.scores, name))


def _level(curve: LearningCurve, name: str, scale: float) -> float:
    if name == "seconds":
        return float("nan")
    if name == _EXCESS:
        return scale * _TOLERABLE
    if name == "calibration_error":
        last = [curve.of(recipe)[-1].scores.chance_calibration_error for recipe in curve.names]
        return scale * float(np.median(last))
    best = max if name == "accuracy" else min
    return scale * best(_value(point, name, 1.0) for point in curve.points)


def _limits(values: Sequence[FloatArray], level: float, log: bool) -> tuple[float, float]:
    every = np.concatenate([*values, [level]])
    every = every[np.isfinite(every)]
    low, high = float(every.min()), float(every.max())
    if log:
        return max(low, 1e-3) / 1.5, max(high, 1e-3) * 1.5
    # A model of very few stars may be so bad that the others could not be told apart.
    middle = float(np.median(every))
    reach = 4 * float(np.median(np.abs(every - middle))) or 1.0
    low, high = max(low, middle - 3 * reach), min(high, middle + 3 * reach)
    margin = 0.08 * (high - low) or 0.01
    return low - margin, high + margin


def _curve_diagrams(curve: LearningCurve) -> Figure | None:
    """Predicted fractions over the diagram for some numbers of stars, as H24's figure 21."""
    best = min(curve.points, key=lambda point: (point.name == CLASSIC, point.scores.log_loss))
    main, points = best.name, curve.of(best.name)
    inputs = getattr(best.model, "inputs_", None)
    kind = "input" if inputs is None else str(inputs.magnitudes)
    edges = cmd_edges(curve.test, kind)
    if edges is None:
        return None
    places = np.unique(np.rint(np.linspace(0, len(points) - 1, _SHOWN)).astype(int))
    panels: list[Panel] = []
    for point in [points[place] for place in places]:
        cells = cmd_cells(curve.test, point.p, kind, edges)
        assert cells is not None
        if not panels:
            panels.append(_panel("recovered fraction", curve.test, kind, _fraction(cells, "true")))
        panels.append(_panel(f"{point.number} stars", curve.test, kind,
                             _fraction(cells, "predicted")))  # fmt: skip
    rows = tuple(tuple(panels[i : i + 3]) for i in range(0, len(panels), 3))
    note = f"As H24's figure 21: what {main} has learnt from so many artificial stars."
    return Figure("learning_cmd", "Diagrams learnt from few and many stars", note, rows)


def _edges(cells: FractionBins) -> tuple[FloatArray, FloatArray]:
    return cells.edges[0], cells.edges[1]


def _filled(cells: FractionBins, values: FloatArray) -> FloatArray:
    return np.where(cells.number >= LEAST_IN_CELL, values, np.nan)


def _fraction(cells: FractionBins, name: str) -> Cells:
    title = "recovered fraction" if name == "true" else "mean probability"
    return Cells(*_edges(cells), _filled(cells, getattr(cells, name)), title)


def _panel(title: str, stars: ArtificialStars, kind: str, cells: Cells) -> Panel:
    """A colour-magnitude diagram, the bright stars above."""
    first, last = stars.bands[0], stars.bands[-1]
    x, y = cells.x_edges, cells.y_edges
    return Panel(title, f"{kind} {first} - {last} (mag)", f"{kind} {last} (mag)", (cells,),
                 (float(x[0]), float(x[-1])), (float(y[-1]), float(y[0])))  # fmt: skip
