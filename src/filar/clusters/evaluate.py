"""How good a method's ages, extinctions, masses and sizes of clusters are.

Any method can be judged: one that gives draws from the joint posterior, or one that gives values
with or without intervals. Parameters are judged on the clusters, probabilities on everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.data import Truth
from filar.clusters.evaluate_detection import Detection, judge_detection
from filar.clusters.evaluate_posterior import (
    INTERVALS,
    LEVELS,
    Uniformity,
    coverage,
    joint_ranks,
    ranks,
    uniformity,
    widths,
)
from filar.clusters.evaluate_scatter import (
    Misses,
    Scatter,
    even_edges,
    parts,
    quarter_edges,
    scatter,
)
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

VISIBILITY = "log_snr"
QUANTITIES = (*PARAMETERS, VISIBILITY)
"""What quarters and bins are made of."""

BINS = 8
_NEAR = 0.01  # of a nominal coverage, within which an interval counts as that one
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a method without joint posteriors says of n cutouts.

    Parameters
    ----------
    value : (n, 4) float array
        `PARAMETERS`; NaN where it says nothing.
    intervals : dict of float to (low, high)
        From the probability inside to the ends, (n, 4) arrays each; 0.68 and 0.95 are looked at.
    p_cluster, log_snr : (n,) float arrays, optional
        Probability of being a cluster, visibility.
    in_domain : (n,) bool array, optional
        False outside of what the method was trained on.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other.
    """

    value: FloatArray
    intervals: Mapping[float, tuple[FloatArray, FloatArray]] = field(default_factory=dict)
    p_cluster: FloatArray | None = None
    log_snr: FloatArray | None = None
    in_domain: BoolArray | None = None

    def __post_init__(self) -> None:
        shape = (len(self.value), len(PARAMETERS))
        ends = [side for both in self.intervals.values() for side in both]
        for name, values in [("value", self.value), *(("intervals", side) for side in ends)]:
            if np.shape(values) != shape:
                raise ParameterError(name, f"an array of {np.shape(values)}", f"one of {shape}")
        for name in ("p_cluster", "log_snr", "in_domain"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != shape[:1]:
                raise ParameterError(name, f"an array of {np.shape(values)}", f"{shape[0]} values")

    def __len__(self) -> int:
        return len(self.value)


Answer = Predictions | Estimates
"""What a method says."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """One method, judged on n cutouts with m clusters among them.

    Parameters
    ----------
    name : str
        Of the method.
    answer : Predictions or Estimates
        What it said of all cutouts.
    point : (m, 4) array
        Posterior means, or the method's values, of the clusters.
    misses : Misses
        Of the clusters.
    ranks : (m, 4) array
        Of the truth in each posterior, see `filar.clusters.evaluate_posterior`; NaN without.
    whole : Scatter
        All clusters.
    quarters, bins : dict of str to list of Scatter
        By the true value of `QUANTITIES`: equally full quarters, and bins of equal width.
    told_quarters, told_bins : dict of str to list of Scatter
        By what the method itself said: there, not in parts chosen by the truth, an honest
        posterior has no bias and its nominal coverage.
    curve : (k, 4) array
        Coverage of central intervals at `LEVELS`; NaN without posteriors.
    uniform : dict of str to Uniformity
        Of the ranks, by parameter, and "joint".
    detection : Detection or None
        None if it gave no probabilities or there was nothing to tell apart.
    snr_miss : (m,) array
        Its visibility minus the true one, dex; NaN where it gives none.
    in_domain : float
        Part of the clusters in its domain; NaN if it says nothing about it.
    """

    name: str
    answer: Answer
    point: FloatArray
    misses: Misses
    ranks: FloatArray
    whole: Scatter
    quarters: Mapping[str, Sequence[Scatter]]
    bins: Mapping[str, Sequence[Scatter]]
    told_quarters: Mapping[str, Sequence[Scatter]]
    told_bins: Mapping[str, Sequence[Scatter]]
    curve: FloatArray
    uniform: Mapping[str, Uniformity]
    detection: Detection | None
    snr_miss: FloatArray
    in_domain: float

    @property
    def has_posterior(self) -> bool:
        """Whether it gives draws."""
        return isinstance(self.answer, Predictions)


def quantities(truth: Truth) -> dict[str, FloatArray]:
    """What clusters are binned by.

    Parameters
    ----------
    truth : Truth
        Of n cutouts.

    Returns
    -------
    dict of str to (m,) array
        `QUANTITIES` of the m clusters.
    """
    own = truth.select(judged_rows(truth))
    return {name: own.values[:, k] for k, name in enumerate(PARAMETERS)} | {
        VISIBILITY: np.asarray(own.log_snr, float)
    }


def judged_rows(truth: Truth) -> BoolArray:
    """Cutouts whose parameters can be judged: clusters with known ones."""
    return np.asarray(truth.cluster & np.isfinite(truth.values).all(1))


def evaluate(truth: Truth, answers: Mapping[str, Answer], *, seed: int = 0) -> list[Judgement]:
    """Judge methods on the same cutouts.

    Parameters
    ----------
    truth : Truth
        Of n cutouts.
    answers : mapping of str to Predictions or Estimates
        By method; any number of them.
    seed : int
        Of the places within ranks and the random points, the same for all methods.

    Returns
    -------
    list of Judgement
        In the given order.

    Raises
    ------
    ParameterError
        If there is no method or no cluster, or an answer has another length.
    """
    if not answers:
        raise ParameterError("answers", "none", "one method or more")
    if not judged_rows(truth).any():
        raise ParameterError("truth", "no cluster with known parameters", "one or more")
    for name, answer in answers.items():
        if len(answer) != len(truth):
            raise ParameterError(f"answers of {name}", len(answer), f"{len(truth)}")
    return [_judge(name, answer, truth, seed) for name, answer in answers.items()]


def _judge(name: str, answer: Answer, truth: Truth, seed: int) -> Judgement:
    rows = judged_rows(truth)
    values, true = truth.values[rows], quantities(truth)
    point, misses, rank, joint = _misses(answer, values, rows, seed)
    known = np.asarray(np.isfinite(point).any(0))
    told_snr = np.full(len(values), np.nan)
    if answer.log_snr is not None:
        told_snr = np.asarray(answer.log_snr, float)[rows]
    told = {one: point[:, k] for k, one in enumerate(PARAMETERS) if known[k]}
    told[VISIBILITY] = told_snr
    uniform = {one: uniformity(rank[:, k]) for k, one in enumerate(PARAMETERS)}
    domain = answer.in_domain
    return Judgement(
        name, answer, point, misses, rank, scatter(misses),
        parts(misses, true, {one: quarter_edges(v) for one, v in true.items()}),
        parts(misses, true, {one: even_edges(v, BINS) for one, v in true.items()}),
        parts(misses, told, {one: quarter_edges(v) for one, v in told.items()}),
        parts(misses, told, {one: even_edges(v, BINS) for one, v in told.items()}),
        coverage(rank, LEVELS), uniform | {"joint": uniformity(joint)},
        _detection(answer, truth), told_snr - true[VISIBILITY],
        float("nan") if domain is None else float(np.mean(np.asarray(domain)[rows])),
    )  # fmt: skip


def _misses(
    answer: Answer, values: FloatArray, rows: BoolArray, seed: int
) -> tuple[FloatArray, Misses, FloatArray, FloatArray]:
    """Point estimates of the clusters, their misses, ranks by parameter and joint ones."""
    if isinstance(answer, Predictions):
        own = answer.select(rows)
        rng = np.random.default_rng(seed)
        rank, joint = ranks(own.samples, values, rng), joint_ranks(own.samples, values, rng)
        point, error = own.mean(), widths(own.samples)
        away = 2 * np.abs(rank - 0.5)
        inside = [np.where(np.isfinite(rank), away <= level, np.nan) for level in INTERVALS]
    else:
        rank, joint = np.full(values.shape, np.nan), np.full(len(values), np.nan)
        point, error = np.asarray(answer.value, float)[rows], np.full(values.shape, np.nan)
        inside = []
        for level in INTERVALS:
            ends = _interval(answer, level)
            if ends is None:
                inside.append(np.full(values.shape, np.nan))
                continue
            low, high = (np.asarray(side, float)[rows] for side in ends)
            known = np.isfinite(low) & np.isfinite(high)
            inside.append(np.where(known, (low <= values) & (values <= high), np.nan))
            if level == INTERVALS[0]:
                error = (high - low) / 2
    miss = point - values
    pull = np.where(error > _TINY, miss / np.maximum(error, _TINY), np.nan)
    return point, Misses(miss, pull, np.stack(inside, axis=2)), rank, joint


def _interval(answer: Estimates, level: float) -> tuple[FloatArray, FloatArray] | None:
    """The interval whose probability is nearest to a nominal one, if any is near."""
    near = [one for one in answer.intervals if abs(one - level) < _NEAR]
    return answer.intervals[min(near, key=lambda one: abs(one - level))] if near else None


def _detection(answer: Answer, truth: Truth) -> Detection | None:
    p: Any = answer.p_cluster
    if p is None:
        return None
    p = np.asarray(p, float)
    asked = np.asarray(truth.cluster[np.isfinite(p)], bool)
    if np.all(asked) or not np.any(asked):
        return None
    return judge_detection(p, truth.cluster, truth.log_snr)
