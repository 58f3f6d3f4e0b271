"""Figures of errors against the truth of a simulated set, with the Cramér-Rao bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from filar.frames.accuracy import by_magnitude, field_map
from filar.frames.curves import AXES
from filar.frames.truemean import MeanErrors
from filar.frames.truephase import against_phase
from filar.frames.truth import TruthErrors
from filar.report.frames_facts import FrameFacts, Groups
from filar.report.frames_panels import (
    BLACK,
    MPIX,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
    thinned,
)

MOST = 3000
BOUND = "Cramér-Rao bound"
_MAG = "true instrumental magnitude"
Draw = Callable[[Sequence[FrameFacts], str], Panel]


def truth_figures(groups: Groups) -> list[Figure]:
    """Everything that needs the true positions.

    Parameters
    ----------
    groups : dict
        See `gather`.

    Returns
    -------
    list of Figure
        Empty without truth.
    """
    known = {
        label: [facts for facts in methods if facts.errors is not None]
        for label, methods in groups.items()
    }
    known = {label: methods for label, methods in known.items() if methods}
    if not known:
        return []
    drawn: list[tuple[str, str, str, Draw]] = [
        ("error_magnitude", "Errors against magnitude",
         "Measured minus true positions after a cubic map per exposure, as in C23's figure 6 (a "
         "random part of the measures). Black lines: plus and minus the Cramér-Rao bound.",
         _scatter),
        ("error_rms", "Size of the errors against magnitude",
         "Robust rms of the same errors in bins of half a magnitude. No unbiased centre can lie "
         "below the bound; bright stars lie above it where the PSF is wrong.", _sizes),
        ("error_ratio", "Errors over the bound, and pulls",
         "Filled: robust rms of error over bound, 1 at best. Open: of error over the error that "
         "the method quotes, 1 if it is honest.", _ratios),
        ("error_phase", "Errors against pixel phase",
         "Mean error of well-measured stars against where in the pixel they truly lie, and the "
         "first harmonic: this is the pixel-phase bias itself, averaged over the chip.", _phases),
        ("mean_magnitude", "Errors of the mean catalogue",
         "Robust rms of mean minus true positions after a cubic map, for stars of all magnitudes, "
         "and the bound of one measure over the square root of their number.", _means),
    ]  # fmt: skip
    figures = [
        Figure(name, title, note, tuple(
            tuple(draw(methods, axis) for axis in AXES) for methods in known.values()))
        for name, title, note, draw in drawn
    ]  # fmt: skip
    return [*figures, _field_figure(known)]


def _errors(facts: FrameFacts) -> TruthErrors:
    assert facts.errors is not None
    return facts.errors


def _scatter(methods: Sequence[FrameFacts], axis: str) -> Panel:
    layers: list[Layer] = []
    widest = 20.0
    for facts in methods:
        errors = _errors(facts)
        d = getattr(errors, f"d{axis}") * MPIX
        good = np.flatnonzero(np.isfinite(d) & np.isfinite(errors.mag))
        some = good[thinned(len(good), MOST)]
        widest = max(widest, 3 * float(np.quantile(np.abs(d[good]), 0.8)) if len(good) else 0)
        layers.append(Marks(errors.mag[some], d[some], facts.method, facts.number, size=2,
                            alpha=0.4))  # fmt: skip
    bins = by_magnitude(_errors(methods[0]), axis)
    for sign, label in ((1, BOUND), (-1, "")):
        layers.append(Line(bins.mag, sign * bins.bound * MPIX, label, BLACK))
    return Panel(f"{methods[0].label}, {axis}", _MAG, f"error of {axis} (mpix)",
                 tuple(layers), y_range=(-widest, widest))  # fmt: skip


def _sizes(methods: Sequence[FrameFacts], axis: str) -> Panel:
    return _rms_panel(methods, [_errors(facts) for facts in methods], axis, "error")


def _means(methods: Sequence[FrameFacts], axis: str) -> Panel:
    found = [(facts, facts.means) for facts in methods if facts.means is not None]
    return _rms_panel([f for f, _ in found] or methods, [m for _, m in found], axis, "mean")


def _rms_panel(
    methods: Sequence[FrameFacts],
    errors: Sequence[TruthErrors | MeanErrors],
    axis: str,
    what: str,
) -> Panel:
    layers: list[Layer] = []
    for facts, one in zip(methods, errors, strict=False):
        bins = by_magnitude(one, axis)
        if not layers:
            label = BOUND if what == "error" else "bound of one measure / sqrt(measures)"
            layers.append(Line(bins.mag, bins.bound * MPIX, label, BLACK, "dashed"))
        layers.append(Line(bins.mag, bins.rms * MPIX, colour=style(facts.number)[0], width=0.8))
        layers.append(Marks(bins.mag, bins.rms * MPIX, facts.method, facts.number,
                            error=bins.rms_err * MPIX))  # fmt: skip
    shown = f"rms of {axis} (mpix)" if what == "error" else f"rms of mean {axis} (mpix)"
    return Panel(f"{methods[0].label}, {axis}", _MAG, shown, tuple(layers), log=True)


def _ratios(methods: Sequence[FrameFacts], axis: str) -> Panel:
    layers: list[Layer] = [
        Level(1.0, dash="dashed", colour=BLACK, label="the bound; honest errors")
    ]
    top = 2.0
    for facts in methods:
        bins = by_magnitude(_errors(facts), axis)
        layers.append(Line(bins.mag, bins.ratio, colour=style(facts.number)[0], width=0.8))
        layers.append(Marks(bins.mag, bins.ratio, facts.method, facts.number,
                            error=bins.ratio_err))  # fmt: skip
        layers.append(Marks(bins.mag, bins.pull, "", facts.number, hollow=True))
        values = np.concatenate([bins.ratio, bins.pull])
        values = values[np.isfinite(values)]
        top = max(top, 1.15 * float(values.max(initial=0.0)))
    return Panel(f"{methods[0].label}, {axis}", _MAG, f"rms of ratio, {axis}", tuple(layers),
                 y_range=(0.0, min(top, 10.0)))  # fmt: skip


def _phases(methods: Sequence[FrameFacts], axis: str) -> Panel:
    layers: list[Layer] = [Level(0.0, dash="solid")]
    span = np.linspace(-0.5, 0.5, 101)
    widest = 5.0
    for facts in methods:
        bins, wave = against_phase(_errors(facts), axis)
        angle = 2 * np.pi * span
        model = (wave.sine * np.sin(angle) + wave.cosine * np.cos(angle)) * MPIX
        layers.append(Line(span, model, colour=style(facts.number)[0], width=1.2))
        layers.append(Marks(bins.centre, bins.median * MPIX, facts.method, facts.number,
                            error=bins.median_err * MPIX))  # fmt: skip
        values = np.abs(bins.median[np.isfinite(bins.median)]) * MPIX
        widest = max(widest, 1.2 * float(values.max(initial=0.0)))
    return Panel(
        f"{methods[0].label}, {axis}",
        f"true pixel phase of {axis} (pixels)",
        f"error of {axis} (mpix)",
        tuple(layers),
        x_range=(-0.5, 0.5),
        y_range=(-widest, widest),
    )


def _field_figure(known: Groups) -> Figure:
    rows = tuple(tuple(_field(facts) for facts in methods) for methods in known.values())
    note = (
        "What is left of the errors after the cubic maps, as arrows from each part of the chip "
        "(dots), median of all well-measured stars in it. The arrow's scale is in the title."
    )
    return Figure("error_field", "Errors over the chip", note, rows)


def _field(facts: FrameFacts) -> Panel:
    parts = field_map(_errors(facts))
    layers, unit = arrows(parts.x, parts.y, parts.dx, parts.dy, facts.number)
    title = f"{facts.label}, {facts.method}: 80 pixels of arrow = {unit:g} mpix"
    return Panel(title, "x (pixels)", "y (pixels)", layers, equal=True)


def arrows(
    x: FloatArray, y: FloatArray, dx: FloatArray, dy: FloatArray, number: int
) -> tuple[tuple[Layer, ...], float]:
    """Arrows over a chip.

    Parameters
    ----------
    x, y : (n,) arrays
        Where they begin, with a dot, pixels.
    dx, dy : (n,) arrays
        What they show, pixels.
    number : int
        Of the method, for the colour.

    Returns
    -------
    layers : tuple of Layer
        Lines and dots.
    unit : float
        What 80 pixels of arrow mean, mpix: the longest or a bit more.
    """
    unit = _round_up(float(np.nanmax(np.hypot(dx, dy), initial=0.0)) * MPIX)
    scale = 80.0 / (unit / MPIX)
    gap = np.full(len(x), np.nan)
    along_x = np.stack([x, x + scale * dx, gap], axis=1).ravel()
    along_y = np.stack([y, y + scale * dy, gap], axis=1).ravel()
    lines = Line(along_x, along_y, colour=style(number)[0])
    return (lines, Marks(x, y, method=number, size=3, dot=True)), unit


def _round_up(value: float) -> float:
    """The next of 1, 2, 3, 5, 7, 10, ... above a value."""
    if not value > 0:
        return 1.0
    power = 10 ** np.floor(np.log10(value))
    return float(next(n * power for n in (1, 2, 3, 5, 7, 10) if n * power >= value))


def rows_figure(groups: Groups) -> Figure | None:
    """Draw the error in y against row number within the 34-row pattern.

    Parameters
    ----------
    groups : dict
        See `gather`.

    Returns
    -------
    Figure or None
        None where nothing tells it: small dithers without truth.
    """
    panels = []
    for label, methods in groups.items():
        layers: list[Layer] = [Level(0.0, dash="solid")]
        jumps = []
        for facts in methods:
            if facts.rows is not None:
                bins = facts.rows.bins
                layers.append(Marks(bins.centre, bins.median * MPIX, facts.method, facts.number,
                                    error=bins.median_err * MPIX))  # fmt: skip
                jumps.append(f"{facts.rows.height * MPIX:.1f} ± {facts.rows.height_err * MPIX:.1f}")
        if jumps:
            title = f"{label}: jump {', '.join(jumps)} mpix"
            panels.append(Panel(title, "y modulo 34.1333 (rows)", "error of y (mpix)",
                                tuple(layers)))  # fmt: skip
    if not panels:
        return None
    note = (
        "On WFPC2 every 34th row is about 3% narrower, a saw-tooth of 30 mpix unless it was "
        "corrected. Dithers of a few pixels cannot show it without truth: all measures of a star "
        "carry the same error, and so does its mean."
    )
    rows = tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))
    return Figure("rows", "34th-row error", note, rows)
