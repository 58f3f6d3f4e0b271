"""Figures of the magnitudes' errors: bias and scatter of recovered stars, and what models say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from filar.completeness.evaluate_errors import INNER, OUTER, ErrorBins
from filar.report.completeness_figures import PERCENT, dash
from filar.report.frames_panels import (
    BLACK,
    TRUTH,
    Figure,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
)

_MEDIAN = 2  # place among the levels


def error_figures(
    errors: Mapping[str, Sequence[ErrorBins]], numbers: Mapping[str, int]
) -> list[Figure]:
    """Quantiles of the errors against magnitude, and their coverage.

    Parameters
    ----------
    errors : dict
        From the models' names to their bins, by band.
    numbers : mapping of str to int
        From the models' names to the numbers of their styles.

    Returns
    -------
    list of Figure
        Empty without models that predict errors.
    """
    if not errors:
        return []
    count = len(next(iter(errors.values())))
    rows = tuple(
        (_quantile_panel({name: bins[k] for name, bins in errors.items()}, numbers),
         _coverage_panel({name: bins[k] for name, bins in errors.items()}, numbers))
        for k in range(count)
    )  # fmt: skip
    note = (
        "Output minus input magnitude of recovered stars that no model has seen: median (filled), "
        "and the quantiles of 1 and 1.96 sigma (open); lines: those of errors that the model draws "
        "for the same stars. Right: part of the stars between each star's own predicted quantiles, "
        "68.3% (filled) and 95% (open) if honest."
    )
    return [Figure("magnitude_errors", "Errors of the magnitudes", note, rows)]


def error_numbers(errors: Mapping[str, Sequence[ErrorBins]]) -> list[dict[str, Any]]:
    """Coverage of predicted errors, for tables and JSON.

    Parameters
    ----------
    errors : dict
        See `error_figures`.

    Returns
    -------
    list of dict
        One per model and band.
    """
    return [
        {
            "model": name,
            "band": bins.band,
            "stars": int(bins.number.sum()),
            "below_median": bins.below,
            "inside68": bins.all_inner,
            "inside95": bins.all_outer,
        }
        for name, every in errors.items()
        for bins in every
    ]


def _quantile_panel(by_model: Mapping[str, ErrorBins], numbers: Mapping[str, int]) -> Panel:
    layers: list[Layer] = [Level(0.0, dash="solid")]
    first = next(iter(by_model.values()))
    for k in range(len(first.true)):
        middle = k == _MEDIAN
        label = "true" if middle else ""
        layers.append(Marks(first.middle, first.true[k], label, TRUTH, size=4, hollow=not middle))
        for name, bins in by_model.items():
            number = numbers[name]
            layers.append(Line(bins.middle, bins.predicted[k], name if middle else "",
                               style(number)[0], dash(number), 1.8 if middle else 1.0))  # fmt: skip
    every = np.abs(np.concatenate([first.true.ravel(), *(b.predicted.ravel() for b in
                                                         by_model.values())]))  # fmt: skip
    top = 1.1 * float(np.quantile(every, 0.99)) if len(every) else 1.0
    return Panel(first.band, f"input {first.band} (mag)", "output - input (mag)", tuple(layers),
                 y_range=(-top, top))  # fmt: skip


def _coverage_panel(by_model: Mapping[str, ErrorBins], numbers: Mapping[str, int]) -> Panel:
    layers: list[Layer] = [
        Level(PERCENT * part, dash="solid", colour=BLACK) for part in (INNER, OUTER)
    ]
    for name, bins in by_model.items():
        number = numbers[name]
        for values, error, hollow in (
            (bins.inner, bins.inner_err, False), (bins.outer, bins.outer_err, True),
        ):  # fmt: skip
            layers.append(Line(bins.middle, PERCENT * values, "", style(number)[0], width=0.8))
            layers.append(Marks(bins.middle, PERCENT * values, "", number, PERCENT * error,
                                hollow=hollow, size=4))  # fmt: skip
    band = next(iter(by_model.values())).band
    return Panel(band, f"input {band} (mag)", "stars within (percent)", tuple(layers),
                 y_range=(40.0, 102.0))  # fmt: skip
