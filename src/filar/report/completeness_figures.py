"""Figures of recovery probabilities: thresholds, calibration, fractions against everything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.completeness.reliability import FractionBins
from filar.report.completeness_facts import CLASSIC, CompletenessFacts, JudgedModel, QuantityBins
from filar.report.frames_panels import (
    BLACK,
    TRUTH,
    Dash,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    steps,
    style,
    thinned,
)

PERCENT = 100.0
Binned = Sequence[tuple[JudgedModel, FractionBins]]
_CLOUD = 2500
_DASHES: tuple[Dash, ...] = ("dashed", "solid", "dotted")
HONEST = "honest probabilities"
_DIFFERENCE = "predicted - true (percent)"
_LEAST_RANGE, _MOST_RANGE = 3.0, 25.0  # percent, of the panels of differences
_UNITS = {
    "crowding": "crowding (detections per resolution element)",
    "x": "x (pixels)",
    "y": "y (pixels)",
    "size": "size (pixels)",
}


def calibration_figures(facts: CompletenessFacts) -> list[Figure]:
    """Thresholds, reliability, and fractions against all quantities.

    Parameters
    ----------
    facts : CompletenessFacts
        What was judged.

    Returns
    -------
    list of Figure
    """
    figures = [_threshold_figure(facts), _reliability_figure(facts), _quantity_figure(facts)]
    return [*figures, *_part_figure(facts)]


def axis_label(name: str, kind: str = "") -> str:
    """Label of a quantity's axis, with its unit.

    Parameters
    ----------
    name : str
        As `filar.completeness.evaluate.quantities` names it.
    kind : str
        "input" or "measured" for magnitudes and colours.

    Returns
    -------
    str
    """
    if kind:
        return f"{kind} {name} (mag)"
    for start, text in (("log10 sky_noise", "log10 of the sky noise{} (electrons)"),
                        ("surface_brightness", "surface brightness{} (mag per area)")):  # fmt: skip
        if name.startswith(start):
            band = name.removeprefix(start).removeprefix("_")
            return text.format(f" in {band}" if band else "")
    return _UNITS.get(name, name)


def part_label(part: str) -> str:
    """A part of the stars in words, such as "low crowding" for its lower half."""
    name, _, which = part.rpartition(", ")
    name = axis_label(name).partition(" (")[0].removeprefix("log10 of the ")
    words = {"lower half": "low {}", "upper half": "high {}"}
    # A surface brightness is a magnitude: the lower half is the bright one.
    if name.startswith("surface brightness"):
        words = {"lower half": "bright half of {}", "upper half": "faint half of {}"}
    return words.get(which, f"{{}}, {which}").format(name)


def dash(number: int) -> Dash:
    """How a model's line is drawn."""
    return _DASHES[number % len(_DASHES)]


def pairs(panels: Sequence[Panel]) -> tuple[tuple[Panel, ...], ...]:
    """Rows of two panels."""
    return tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))


def _threshold_figure(facts: CompletenessFacts) -> Figure:
    panels = []
    for name, label, what in (
        ("accuracy", "accuracy", "stars told rightly, of all"),
        ("completeness", "completeness", "told to be recovered, of those that are"),
        ("precision", "precision", "recovered, of those told to be"),
        ("f_score", "F-score", "harmonic mean of completeness and precision"),
    ):
        layers: list[Layer] = [Level(0.5, "x", "dotted")]
        low = 1.0
        for one in facts.models:
            values = getattr(one.thresholds, name)
            inner = values[(one.thresholds.threshold >= 0.1) & (one.thresholds.threshold <= 0.9)]
            low = min(low, float(np.nanmin(inner, initial=1.0)))
            layers.append(Line(one.thresholds.threshold, values, one.name, style(one.number)[0],
                               dash(one.number)))  # fmt: skip
        panels.append(Panel(what, "threshold of probability", label, tuple(layers), (0.0, 1.0),
                            (max(0.0, low - 0.02), 1.005)))  # fmt: skip
    note = (
        "As H24's figure 14: a star counts as recovered if its probability is the threshold or "
        "more. The accuracy is largest near a half (dotted) if probabilities are honest."
    )
    return Figure("thresholds", "Accuracy, completeness, precision, F-score", note, pairs(panels))


def _reliability_figure(facts: CompletenessFacts) -> Figure:
    diagonal = Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), HONEST, BLACK, width=1.0)
    layers: list[Layer] = [diagonal]
    counts: list[Layer] = []
    for one in facts.models:
        bins, colour = one.reliability, style(one.number)[0]
        layers.append(Line(bins.predicted, bins.true, "", colour, width=0.8))
        layers.append(Marks(bins.predicted, bins.true, one.name, one.number, bins.true_err))
        outline = steps(np.maximum(bins.number, 0.5), 0.0, 1.0)
        counts.append(Line(*outline, "", colour, dash(one.number)))
    twentieths = [(one, one.reliability) for one in facts.models]
    rows = (
        (
            Panel("bins of a twentieth", "mean predicted probability", "recovered fraction",
                  tuple(layers), (-0.01, 1.01), (-0.01, 1.01)),
            _difference_panel("bins of a twentieth", twentieths),
        ),
        (
            _tenths_panel("all stars", [(one, one.deciles) for one in facts.models]),
            Panel("stars per bin", "probability", "number of stars", tuple(counts), (0.0, 1.0),
                  log=True),
        ),
    )  # fmt: skip
    note = (
        "Reliability: of the stars with a predicted probability near 0.3, 30% should be recovered. "
        "Errors of the fractions are binomial; those of the differences are what chance makes if "
        "the probabilities are honest."
    )
    return Figure("reliability", "Reliability", note, rows)


def _difference_panel(title: str, bins: Binned) -> Panel:
    """Predicted minus true fraction against probability, model by model."""
    layers = _levels()
    for one, found in bins:
        layers += differences(one, found, found.predicted)
    return Panel(title, "mean predicted probability", _DIFFERENCE, tuple(layers), (-0.02, 1.02),
                 difference_range(bins))  # fmt: skip


def _tenths_panel(title: str, bins: Binned) -> Panel:
    """Predicted minus true fraction in equally full bins: most probabilities are near 0 or 1."""
    layers = _levels()
    for k, (one, found) in enumerate(bins):
        # Side by side, so that error bars do not overlap.
        place = np.arange(1.0, len(found.number) + 1) + 0.14 * (k - (len(bins) - 1) / 2)
        layers += differences(one, found, np.asarray(place, float))
    return Panel(title, "tenth of the stars, by probability", _DIFFERENCE, tuple(layers),
                 (0.4, 10.6), difference_range(bins))  # fmt: skip


def _levels() -> list[Layer]:
    layers: list[Layer] = [Level(0.0, dash="solid", colour=BLACK, label=HONEST)]
    layers += [Level(side, dash="dotted", label="1 percent" if side > 0 else "")
               for side in (1.0, -1.0)]  # fmt: skip
    return layers


def differences(one: JudgedModel, bins: FractionBins, x: FloatArray) -> list[Layer]:
    """Marks of predicted minus true fraction in percent, with the errors by chance."""
    y, error = PERCENT * bins.difference, PERCENT * bins.chance
    return [
        Line(x, y, "", style(one.number)[0], dash(one.number), 0.8),
        Marks(x, y, one.name, one.number, error, size=4),
    ]


def difference_range(bins: Binned) -> tuple[float, float]:
    """Limits of a panel of differences, percent, the same both ways.

    Wide enough for nearly all of the models; of the classic one, which may be so far off that
    nothing could be told of the others, for half.
    """
    top = 0.0
    for one, found in bins:
        size = np.abs(found.difference[found.number >= 20]).ravel()
        size = size[np.isfinite(size)]
        if len(size):
            factor = 0.5 if one.name == CLASSIC and len(bins) > 1 else 1.3
            top = max(top, factor * PERCENT * float(np.quantile(size, 0.97)))
    top = float(np.clip(top, _LEAST_RANGE, _MOST_RANGE))
    return -top, top


def _quantity_figure(facts: CompletenessFacts) -> Figure:
    rows = tuple(
        (_fraction_panel(facts, one), _quantity_difference(facts, one)) for one in facts.quantities
    )
    note = (
        "Recovered fraction (black, binomial errors) and mean probability (lines) in bins, as "
        "H24's figures 15 and 19; faint dots: probabilities of single stars by the model with the "
        "smallest log loss. "
        "Right: predicted minus true with the error that chance makes if probabilities are honest. "
    )
    if any(one.kind == "measured" for one in facts.quantities):
        note += (
            "Measured magnitudes are those put in where a star was lost (H24); only models that "
            "are given measured magnitudes are drawn against them, and only against them can such "
            "models be expected to be honest."
        )
    return Figure("quantities", "Recovered fraction against magnitudes, colour and covariates",
                  note, rows)  # fmt: skip


def _models(facts: CompletenessFacts, one: QuantityBins) -> list[tuple[JudgedModel, FractionBins]]:
    return [(model, one.bins[model.name]) for model in facts.models if model.name in one.bins]


def _fraction_panel(facts: CompletenessFacts, one: QuantityBins) -> Panel:
    layers: list[Layer] = []
    main = facts.best(one.kind)
    models = _models(facts, one)
    low, high = _span(models[0][1])
    inside = np.flatnonzero((one.values >= low) & (one.values <= high))
    some = inside[thinned(len(inside), _CLOUD)]
    layers.append(Marks(one.values[some], main.given.p[some], "", main.number, size=1.5,
                        alpha=0.3, dot=True))  # fmt: skip
    truth = models[0][1]
    layers.append(Marks(truth.middle, truth.true, "true", TRUTH, truth.true_err))
    for model, bins in models:
        layers.append(Line(bins.middle, bins.predicted, model.name, style(model.number)[0],
                           dash(model.number)))  # fmt: skip
    return Panel(_title(one), axis_label(one.name, one.kind), "recovered fraction", tuple(layers),
                 (low, high), (-0.03, 1.03))  # fmt: skip


def _quantity_difference(facts: CompletenessFacts, one: QuantityBins) -> Panel:
    models = _models(facts, one)
    layers: list[Layer] = [Level(0.0, dash="solid", colour=BLACK)]
    for model, bins in models:
        layers += differences(model, bins, bins.middle)
    return Panel(_title(one), axis_label(one.name, one.kind), _DIFFERENCE, tuple(layers),
                 _span(models[0][1]), difference_range(models))  # fmt: skip


def _span(bins: FractionBins) -> tuple[float, float]:
    """Where a panel ends: at the outermost bins' means, and a little more."""
    middle = bins.middle[np.isfinite(bins.middle)]
    margin = 0.03 * float(np.ptp(middle)) or 0.5
    return float(middle.min()) - margin, float(middle.max()) + margin


def _title(one: QuantityBins) -> str:
    return axis_label(one.name, one.kind).partition(" (")[0]


def _part_figure(facts: CompletenessFacts) -> list[Figure]:
    halves = [name for name in facts.models[0].parts if name.endswith("half")]
    if not halves:
        return []
    panels = [
        _tenths_panel(part_label(name), [(one, one.parts[name].deciles) for one in facts.models])
        for name in halves
    ]
    note = (
        "Tenths of the stars, by probability, in the halves of each covariate: a model that does "
        "not know the sky or the crowding is honest on average, but not in either half."
    )
    return [Figure("halves", "Calibration in halves of the covariates", note, pairs(panels))]
