"""Figures of centres held out of training: errors by flux, phase and place on the chip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from filar.centering.evaluate import INSIDE, FluxBin
from filar.frames.accuracy import field_map
from filar.frames.curves import AXES
from filar.report.centering_facts import BOTH, CenteringFacts, Judged
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
from filar.report.frames_truth import BOUND, arrows

_FLUX = "log10 of the flux (electrons)"
_MOST = 3000
_SHIFT = 0.03  # dex between the marks of methods
Draw = Callable[[Sequence[Judged], str], Panel]


def error_figures(facts: CenteringFacts) -> list[Figure]:
    """Everything about the errors of single measures.

    Parameters
    ----------
    facts : CenteringFacts
        What was judged.

    Returns
    -------
    list of Figure
        Empty if nothing was judged.
    """
    known = {
        label: methods
        for label, methods in facts.judged.items()
        if any(m.bins[BOTH] for m in methods)
    }
    if not known:
        return []
    against = next(iter(known.values()))[0].errors.against
    what = "true positions" if against == "truth" else "labels"
    extra = (
        "after a cubic map per exposure"
        if against == "truth"
        else "the labels' own errors are part of the bound that is drawn"
    )
    drawn: list[tuple[str, str, str, Draw]] = [
        ("errors_magnitude", "Errors against magnitude",
         f"Centres minus {what} of stars held out of the training, {extra} (a random part of the "
         "measures). Black lines: plus and minus the Cramér-Rao bound.", _scatter),
        ("errors_flux", "Size of the errors against flux",
         "Robust rms of the same errors in bins of half a dex. No unbiased centre can lie below "
         "the bound.", _sizes),
        ("errors_bound", "Errors over the bound",
         "Robust rms of error over bound, measure by measure: 1 at best.", _ratios),
        ("errors_pulls", "Pulls",
         "Robust rms of error over the error that the method quotes: 1 if it is honest. Dotted: "
         "0.9 and 1.1.", _pulls),
        ("errors_coverage", "Coverage of the quoted errors",
         "Part of the measures within 1 (filled) and 1.96 quoted errors (open); black lines: 68% "
         "and 95%, where honest errors lie.", _coverage),
        ("errors_phase", "Errors against pixel phase",
         "Mean error of well-measured stars against where in the pixel they lie, and the first "
         "harmonic, whose semi-amplitude is in the title: the pixel-phase bias itself.", _phases),
    ]  # fmt: skip
    figures = [
        Figure(name, title, note, tuple(
            tuple(draw(methods, axis) for axis in AXES) for methods in known.values()))
        for name, title, note, draw in drawn
    ]  # fmt: skip
    found = [one for one in figures if _shown(one)]
    return [*found, _field_figure(known), *_domain_figure(known)]


def _shown(figure: Figure) -> bool:
    """Whether a figure has any marks, which it lacks where nothing is quoted."""
    marks = (layer for row in figure.rows for panel in row for layer in panel.layers)
    return any(isinstance(layer, Marks) and np.isfinite(layer.y).any() for layer in marks)


def _scatter(methods: Sequence[Judged], axis: str) -> Panel:
    layers: list[Layer] = []
    widest = 20.0
    for judged in methods:
        errors = judged.errors
        d = getattr(errors, f"d{axis}") * MPIX
        good = np.flatnonzero(np.isfinite(d) & np.isfinite(errors.mag) & errors.judged)
        some = good[thinned(len(good), _MOST)]
        if len(good):
            widest = max(widest, 4 * float(np.quantile(np.abs(d[good]), 0.68)))
        layers.append(Marks(errors.mag[some], d[some], judged.method, judged.number, size=2,
                            alpha=0.35))  # fmt: skip
    bins = methods[0].bins[axis]
    mag = np.array([-2.5 * one.middle for one in bins])
    bound = _column(bins, "bound") * MPIX
    for sign, label in ((1, BOUND), (-1, "")):
        layers.append(Line(mag, sign * bound, label, BLACK))
    return Panel(f"{methods[0].label}, {axis}", "instrumental magnitude, -2.5 log10(electrons)",
                 f"error of {axis} (mpix)", tuple(layers), y_range=(-widest, widest))  # fmt: skip


def _column(bins: Sequence[FluxBin], name: str) -> FloatArray:
    return np.array([getattr(one, name) for one in bins], float)


def _by_flux(
    methods: Sequence[Judged], axis: str, values: str, scale: float = 1.0, *, hollow: bool = False
) -> list[Layer]:
    """A column of the bins, method by method, side by side so that error bars do not overlap."""
    layers: list[Layer] = []
    for i, judged in enumerate(methods):
        bins = judged.bins[axis]
        flux = _column(bins, "middle") + (i - (len(methods) - 1) / 2) * _SHIFT
        found = _column(bins, values) * scale
        error = None
        if bins and hasattr(bins[0], f"{values}_err"):
            error = _column(bins, f"{values}_err") * scale
        layers.append(Line(flux, found, colour=style(judged.number)[0], width=0.8))
        label = "" if hollow else judged.method
        layers.append(Marks(flux, found, label, judged.number, error=error, hollow=hollow))
    return layers


def _sizes(methods: Sequence[Judged], axis: str) -> Panel:
    bins = methods[0].bins[axis]
    bound = Line(_column(bins, "middle"), _column(bins, "bound") * MPIX, BOUND, BLACK, "dashed")
    layers = (bound, *_by_flux(methods, axis, "rms", MPIX))
    return Panel(f"{methods[0].label}, {axis}", _FLUX, f"rms of {axis} (mpix)", layers, log=True)


def _ratios(methods: Sequence[Judged], axis: str) -> Panel:
    layers = (Level(1.0, colour=BLACK, label=BOUND), *_by_flux(methods, axis, "ratio"))
    return Panel(f"{methods[0].label}, {axis}", _FLUX, f"rms of error over bound, {axis}", layers,
                 y_range=_range(methods, axis, "ratio", 0.8, 1.6), log=True)  # fmt: skip


def _pulls(methods: Sequence[Judged], axis: str) -> Panel:
    levels = (Level(1.0, colour=BLACK, label="honest errors"), Level(0.9, dash="dotted"),
              Level(1.1, dash="dotted"))  # fmt: skip
    layers = (*levels, *_by_flux(methods, axis, "pull"))
    return Panel(f"{methods[0].label}, {axis}", _FLUX, f"rms of error over quoted error, {axis}",
                 layers, y_range=_range(methods, axis, "pull", 0.7, 1.5), log=True)  # fmt: skip


def _range(
    methods: Sequence[Judged], axis: str, name: str, low: float, high: float
) -> tuple[float, float]:
    """Limits that show all values and at least this range."""
    every = np.concatenate([_column(judged.bins[axis], name) for judged in methods])
    every = every[np.isfinite(every) & (every > 0)]
    return float(min(low, 0.9 * every.min(initial=low))), float(
        max(high, 1.1 * every.max(initial=high))
    )


def _coverage(methods: Sequence[Judged], axis: str) -> Panel:
    levels = [Level(value, colour=BLACK, label="" if i else "honest errors")
              for i, value in enumerate(INSIDE)]  # fmt: skip
    layers = (*levels, *_by_flux(methods, axis, "inside68"),
              *_by_flux(methods, axis, "inside95", hollow=True))  # fmt: skip
    return Panel(f"{methods[0].label}, {axis}", _FLUX, f"part within the error, {axis}", layers,
                 y_range=(0.0, 1.05))  # fmt: skip


def _phases(methods: Sequence[Judged], axis: str) -> Panel:
    layers: list[Layer] = [Level(0.0, dash="solid")]
    span = np.linspace(-0.5, 0.5, 101)
    widest, found = 3.0, []
    for judged in methods:
        bins, wave = judged.phase[axis], judged.wave[axis]
        angle = 2 * np.pi * span
        model = (wave.sine * np.sin(angle) + wave.cosine * np.cos(angle)) * MPIX
        layers.append(Line(span, model, colour=style(judged.number)[0], width=1.2))
        layers.append(Marks(bins.centre, bins.median * MPIX, judged.method, judged.number,
                            error=bins.median_err * MPIX))  # fmt: skip
        values = np.abs(bins.median[np.isfinite(bins.median)]) * MPIX
        widest = max(widest, 1.2 * float(values.max(initial=0.0)))
        found.append(f"{wave.amplitude * MPIX:.1f}")
    return Panel(
        f"{methods[0].label}, {axis}: {', '.join(found)} mpix",
        f"pixel phase of {axis} (pixels)",
        f"mean error of {axis} (mpix)",
        tuple(layers),
        x_range=(-0.5, 0.5),
        y_range=(-widest, widest),
    )


def _field_figure(known: dict[str, Sequence[Judged]]) -> Figure:
    rows: list[tuple[Panel, ...]] = []
    for methods in known.values():
        panels = []
        for judged in methods:
            parts = field_map(judged.errors)
            layers, unit = arrows(parts.x, parts.y, parts.dx, parts.dy, judged.number)
            title = f"{judged.label}, {judged.method}: 80 pixels of arrow = {unit:g} mpix"
            panels.append(Panel(title, "x (pixels)", "y (pixels)", layers, equal=True))
        rows += [tuple(panels[i : i + 2]) for i in range(0, len(panels), 2)]
    note = (
        "Median error of all well-measured stars in parts of the chip, as arrows from the dots. "
        "The arrow's scale is in the title."
    )
    return Figure("errors_field", "Errors over the chip", note, tuple(rows))


def _domain_figure(known: dict[str, Sequence[Judged]]) -> list[Figure]:
    panels = []
    for label, methods in known.items():
        layers: list[Layer] = []
        top = 10.0
        for judged in methods[1:]:
            flux, _, outside = np.array(judged.outside, float).reshape(-1, 3).T
            top = max(top, 110 * float(outside.max(initial=0.0)))
            layers.append(Line(flux, 100 * outside, colour=style(judged.number)[0], width=0.8))
            layers.append(Marks(flux, 100 * outside, judged.method, judged.number))
        if layers:
            panels.append(Panel(label, _FLUX, "stars out of domain (%)", tuple(layers),
                                y_range=(-0.03 * top, top)))  # fmt: skip
    if not panels:
        return []
    note = (
        "Share of the stars that lie outside of what the network was trained on: magnitude, place, "
        "sky, or state of the PSF."
    )
    rows = tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))
    return [Figure("domain", "Stars out of domain", note, rows)]
