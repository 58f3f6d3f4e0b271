"""Figures of saturated stars: misses, bias, pulls and errors against magnitude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.report.frames_panels import (
    BLACK,
    GREY,
    Dash,
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
from filar.report.saturation_facts import SaturationFacts
from filar.saturation.bins import Scatter
from filar.saturation.criteria import BIAS, PULLS
from filar.saturation.evaluate import DEVIATIONS, Judgement

MAG = "true magnitude"
MISS = "predicted - true (mag)"
SATURATION = "saturation limit"
_CLOUD = 4000
_SPAN = 0.65  # magnitudes, of the panels of misses: W24's figure 3
_DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted")
_RANGES: tuple[tuple[str, Dash, str], ...] = (
    ("bias", "solid", "median"), ("low68", "dashed", "68%"), ("high68", "dashed", ""),
    ("low95", "dotted", "95%"), ("high95", "dotted", ""),
)  # fmt: skip


def magnitude_figures(facts: SaturationFacts) -> list[Figure]:
    """Misses, bias, scatter, pulls, coverage and errors.

    Parameters
    ----------
    facts : SaturationFacts
        What was judged.

    Returns
    -------
    list of Figure
    """
    figures = [_miss_figure(facts), _bias_figure(facts), _scatter_figure(facts)]
    if any(np.isfinite(one.whole.pull) for one in facts.methods):
        figures += [_pull_figure(facts), _error_figure(facts)]
    return figures


def pairs(panels: Sequence[Panel]) -> tuple[tuple[Panel, ...], ...]:
    """Rows of two panels."""
    return tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))


def values_of(bins: Sequence[Scatter], name: str) -> FloatArray:
    """One figure of all bins, NaN where there are too few stars."""
    return np.array([getattr(one, name) for one in bins], float)


def centres(bins: Sequence[Scatter]) -> FloatArray:
    """Middles of bins."""
    return np.array([one.centre for one in bins], float)


def limit_level(facts: SaturationFacts) -> list[Layer]:
    """The saturation limit, if it is known."""
    if not np.isfinite(facts.limit):
        return []
    return [Level(facts.limit, "x", "dotted", SATURATION)]


def mag_range(facts: SaturationFacts) -> tuple[float, float]:
    """Ends of all axes of magnitude."""
    mag = facts.judged.mag[np.isfinite(facts.judged.mag)]
    return float(mag.min()) - 0.1, float(mag.max()) + 0.1


def _miss_figure(facts: SaturationFacts) -> Figure:
    panels = [_miss_panel(facts, one) for one in facts.methods]
    note = (
        "As W24's figure 3. Dots: single stamps, in the colour of the method; lines: median "
        "(solid) and the ranges that hold 68% (dashed) and 95% (dotted) in bins of a quarter of a "
        f"magnitude. Beyond {_SPAN:g} mag nothing is shown: the tables tell how far it goes."
    )
    return Figure("misses", "Predicted minus true magnitude", note, pairs(panels))


def _miss_panel(facts: SaturationFacts, one: Judgement) -> Panel:
    miss = facts.judged.miss(one.answer.log_n)
    shown = np.flatnonzero(np.isfinite(miss) & (np.abs(miss) < _SPAN))
    some = shown[thinned(len(shown), _CLOUD)]
    number = facts.number(one.name)
    layers: list[Layer] = [
        Marks(facts.judged.mag[some], miss[some], "", number, size=1.5, alpha=0.25, dot=True),
        Level(0.0, dash="solid", colour=GREY),
        *limit_level(facts),
    ]
    x = centres(one.fine)
    for name, dash, label in _RANGES:
        layers.append(Line(x, values_of(one.fine, name), label, BLACK, dash))
    whole, title = one.whole, one.name
    if np.isfinite(whole.told) and whole.told < 0.9995:
        title += f" ({100 * whole.told:.0f}% told)"
    title += f": {whole.bias:+.3f}, 68% {whole.half68:.3f}, 95% {whole.half95:.3f}"
    return Panel(title, MAG, MISS, tuple(layers), mag_range(facts), (-_SPAN, _SPAN))


def _methods_layers(
    methods: Sequence[Judgement], facts: SaturationFacts, name: str, error: str = ""
) -> list[Layer]:
    """One figure of the half-magnitude bins, method by method."""
    layers: list[Layer] = []
    for k, one in enumerate(methods):
        number = facts.number(one.name)
        # Side by side, so that error bars do not overlap.
        x = centres(one.coarse) + 0.05 * (k - (len(methods) - 1) / 2)
        y = values_of(one.coarse, name)
        bars = values_of(one.coarse, error) if error else None
        layers.append(Line(x, y, "", style(number)[0], _DASHES[k % len(_DASHES)], 1.0))
        layers.append(Marks(x, y, one.name, number, bars))
    return layers


def _bias_figure(facts: SaturationFacts) -> Figure:
    frame: list[Layer] = [Level(0.0, dash="solid", colour=BLACK), *limit_level(facts)]
    sides: list[Layer] = [
        Level(side, dash="dashed", label=f"{BIAS:g} mag" if side > 0 else "")
        for side in (BIAS, -BIAS)
    ]
    rows = [
        [
            Panel("models", MAG, "bias (mag)",
                  (*frame, *sides, *_methods_layers(facts.learnt, facts, "bias", "bias_err")),
                  mag_range(facts), _around(facts.learnt, "bias", 0.03, 0.3)),
            Panel("all methods", MAG, "bias (mag)",
                  (*frame, *_methods_layers(facts.methods, facts, "bias", "bias_err")),
                  mag_range(facts), _around(facts.methods, "bias", 0.1, 3.0)),
        ]
    ]  # fmt: skip
    note = (
        "Median of predicted minus true in bins of half a magnitude. Errors: the stars drawn anew, "
        "since the images of one star are not independent. Bins with too few stars are left out."
    )
    return Figure("bias", "Bias", note, tuple(map(tuple, rows)))


def _around(
    methods: Sequence[Judgement], name: str, least: float, most: float
) -> tuple[float, float]:
    """Limits about zero that hold nearly all bins."""
    size = np.abs(np.concatenate([values_of(one.coarse, name) for one in methods]))
    size = size[np.isfinite(size)]
    top = float(np.clip(1.3 * np.quantile(size, 0.95), least, most)) if len(size) else least
    return -top, top


def _scatter_figure(facts: SaturationFacts) -> Figure:
    panels = [
        Panel(title, MAG, f"{title} (mag)",
              (*limit_level(facts),
               *_methods_layers(facts.methods, facts, name, f"{name}_err")),
              mag_range(facts), log=True)
        for title, name in (("half of the 68% range", "half68"),
                            ("half of the 95% range", "half95"))
    ]  # fmt: skip
    note = "Half widths of the ranges that hold the middle 68% and 95%, in half magnitudes."
    return Figure("scatter", "Scatter", note, pairs(panels))


def _pull_figure(facts: SaturationFacts) -> Figure:
    honest = Level(1.0, dash="solid", colour=BLACK, label="honest errors")
    sides = [Level(side, dash="dashed", label=f"{PULLS[0]:g} and {PULLS[1]:g}" if k else "")
             for k, side in enumerate(PULLS)]  # fmt: skip
    frame: list[Layer] = [honest, *sides, *limit_level(facts)]
    rows = []
    for title, methods in (("models", facts.learnt), ("all methods", facts.methods)):
        known = [one for one in methods if np.isfinite(one.whole.pull)]
        span = (0.5, 1.6) if title == "models" else (0.0, 4.0)
        rows.append(
            Panel(title, MAG, "width of the pulls",
                  (*frame, *_methods_layers(known, facts, "pull", "pull_err")),
                  mag_range(facts), span)
        )  # fmt: skip
    rows.append(
        Panel("median pull", MAG, "median of the pulls",
              (Level(0.0, dash="solid", colour=BLACK), *limit_level(facts),
               *_methods_layers(facts.learnt, facts, "pull_mean")), mag_range(facts), (-1.5, 1.5))
    )  # fmt: skip
    rows.append(_coverage_panel(facts))
    note = (
        "A pull is a miss over its error, that of the label included. Width: 1.4826 times the "
        "median absolute deviation. Coverage: how many percent more stamps than Gaussian ones lie "
        "within so many errors."
    )
    return Figure("pulls", "Pulls and coverage", note, pairs(rows))


def _coverage_panel(facts: SaturationFacts) -> Panel:
    from scipy.special import erf

    layers: list[Layer] = [Level(0.0, dash="solid", colour=BLACK)]
    expected = erf(DEVIATIONS / np.sqrt(2))
    for k, one in enumerate(facts.learnt):
        number = facts.number(one.name)
        more = 100 * (one.inside - expected)
        layers.append(Line(DEVIATIONS, more, "", style(number)[0], _DASHES[k % len(_DASHES)], 1.0))
        layers.append(Marks(DEVIATIONS, more, one.name, number))
    return Panel("coverage", "within so many errors", "more than Gaussian (percent)",
                 tuple(layers))  # fmt: skip


def _error_figure(facts: SaturationFacts) -> Figure:
    scale: list[Layer] = []
    ratio: list[Layer] = [Level(1.0, dash="solid", colour=BLACK, label="honest errors")]
    ends: list[float] = []
    for k, one in enumerate(facts.learnt):
        bins = [b for b in one.by_error if b.enough and b.low > 0 and b.half68 > 0]
        if not bins:
            continue
        number = facts.number(one.name)
        error = np.sqrt([b.low * b.high for b in bins])
        half, half_err = values_of(bins, "half68"), values_of(bins, "half68_err")
        x, dash = np.log10(error), _DASHES[k % len(_DASHES)]
        ends += [float(x.min()), float(x.max())]
        scale.append(Line(x, np.log10(half), "", style(number)[0], dash, 1.0))
        scale.append(Marks(x, np.log10(half), one.name, number, half_err / half / np.log(10)))
        ratio.append(Line(x, values_of(bins, "pull68"), "", style(number)[0], dash, 1.0))
        ratio.append(Marks(x, values_of(bins, "pull68"), one.name, number,
                           values_of(bins, "pull68_err")))  # fmt: skip
    if ends:
        diagonal = np.array([min(ends), max(ends)])
        scale.insert(0, Line(diagonal, diagonal, "honest errors", BLACK, width=1.0))
    label = "log10 of the predicted error (mag)"
    panels = (
        Panel("scatter", label, "log10 of half the 68% range (mag)", tuple(scale)),
        Panel("pulls", label, "half of the pulls' 68% range", tuple(ratio), None, (0.0, 2.5)),
    )
    note = "Equally full bins of the predicted error: where it is small, the scatter must be."
    return Figure("errors", "Predicted error against scatter", note, (panels,))
