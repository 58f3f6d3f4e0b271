"""How good magnitudes of saturated stars are: bias, scatter, pulls, by method and magnitude.

The figures are those of Winecki & Kochanek (2024, figure 3 and section 3): the median, the ranges
that hold 68% and 95%, the rms; and, since here every magnitude has an error, pulls and coverage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from filar.errors import ParameterError
from filar.saturation.bins import DRAWS, Scatter, bin_edges, scatter, scatter_bins
from filar.saturation.data import CLASSIC, Samples, classic
from filar.saturation.judged import DEX, BoolArray, FloatArray, Judged

FINE, COARSE = 0.25, 0.5
"""Widths of bins, magnitudes: the paper's, and those in which bias and pulls are judged."""

ERROR_BINS = 12
DEVIATIONS = np.linspace(0.25, 3, 12)
"""Predicted errors within which coverage is counted."""


class Answer(NamedTuple):
    """What one method says of n stamps: log10 of the electrons and its error in dex, (n,) each."""

    log_n: FloatArray
    log_n_err: FloatArray


@dataclass(frozen=True, eq=False)
class Judgement:
    """One method, judged.

    Parameters
    ----------
    name : str
        Of the method.
    answer : Answer
        What it said.
    whole : Scatter
        All stamps together.
    parts : dict of str to Scatter
        Saturated and not, by camera and filter.
    fine, coarse : list of Scatter
        Bins of a quarter and of half a magnitude.
    by_error : list of Scatter
        Bins of the predicted error, equally full, whose ends are errors in magnitudes.
    inside : (k,) array
        Parts of the pulls within `DEVIATIONS`.
    """

    name: str
    answer: Answer
    whole: Scatter
    parts: Mapping[str, Scatter]
    fine: Sequence[Scatter]
    coarse: Sequence[Scatter]
    by_error: Sequence[Scatter]
    inside: FloatArray


def classic_answers(samples: Samples) -> dict[str, Answer]:
    """What the classic estimators say, those that say anything.

    Parameters
    ----------
    samples : Samples
        n stamps.

    Returns
    -------
    dict of str to Answer
        In the order of `filar.saturation.data.CLASSIC`.
    """
    found = {}
    for name in CLASSIC:
        if name in samples.columns:
            log_n, error = classic(samples, name)
            if np.isfinite(log_n).any():
                found[name] = Answer(np.asarray(log_n, float), np.asarray(error, float))
    return found


def parts_of(judged: Judged) -> dict[str, BoolArray]:
    """The parts of the stamps that are judged apart.

    Parameters
    ----------
    judged : Judged
        n stamps.

    Returns
    -------
    dict of str to (n,) bool array
        "saturated", "unsaturated", and every camera and filter if there are several.
    """
    found = {"saturated": judged.saturated, "unsaturated": ~judged.saturated}
    for what, names in (("camera", judged.cameras), ("filter", judged.filters)):
        kinds = list(dict.fromkeys(names))
        if len(kinds) > 1:
            own = np.array(names, np.str_)[judged.image]
            found |= {f"{what} {name}": own == name for name in kinds}
    return {name: rows for name, rows in found.items() if rows.any()}


def evaluate(
    judged: Judged, answers: Mapping[str, Answer], *, draws: int = DRAWS, seed: int = 0
) -> list[Judgement]:
    """Judge methods on the same stamps.

    Parameters
    ----------
    judged : Judged
        n stamps.
    answers : mapping of str to Answer
        By method.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    list of Judgement
        In the given order.

    Raises
    ------
    ParameterError
        If there is no stamp or no method, or an answer has another length.
    """
    if not answers:
        raise ParameterError("answers", "none", "one method or more")
    if not len(judged):
        raise ParameterError("judged", "no stamp", "one or more")
    for name, (log_n, error) in answers.items():
        if not np.shape(log_n) == np.shape(error) == (len(judged),):
            found = f"{np.shape(log_n)} and {np.shape(error)} of {name}"
            raise ParameterError("answers", found, f"({len(judged)},) twice")
    fine, coarse = bin_edges(judged.mag, FINE), bin_edges(judged.mag, COARSE)
    chosen = parts_of(judged)
    return [
        _judge(judged, name, Answer(*answer), (fine, coarse), chosen, draws, seed)
        for name, answer in answers.items()
    ]


def _judge(
    judged: Judged,
    name: str,
    answer: Answer,
    edges: tuple[FloatArray, FloatArray],
    chosen: Mapping[str, BoolArray],
    draws: int,
    seed: int,
) -> Judgement:
    miss, pull, star = judged.miss(answer.log_n), judged.pull(*answer), judged.star
    options = {"draws": draws, "seed": seed}
    parts = {
        part: scatter(star[rows], miss[rows], pull[rows], **options)
        for part, rows in chosen.items()
    }
    fine, coarse = (scatter_bins(judged.mag, star, miss, pull, e, **options) for e in edges)
    error = DEX * np.asarray(answer.log_n_err, float)
    known = np.isfinite(error) & np.isfinite(miss)
    by_error: list[Scatter] = []
    if known.any():
        ends = np.unique(np.quantile(error[known], np.linspace(0, 1, ERROR_BINS + 1)))
        # The largest error belongs to the last bin, although bins do not contain their upper ends.
        ends = np.append(ends[:-1] if len(ends) > 1 else ends, np.nextafter(ends[-1], np.inf))
        by_error = scatter_bins(error, star, miss, pull, ends, **options)
    size = np.abs(pull[np.isfinite(pull)])
    inside = np.array([np.mean(size <= d) if len(size) else np.nan for d in DEVIATIONS])
    whole = scatter(star, miss, pull, **options)
    return Judgement(name, answer, whole, parts, fine, coarse, by_error, inside)
