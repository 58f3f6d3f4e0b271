"""How far off a model's answers are, and whether its intervals are honest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.data import Truth
from filar.clusters.evaluate import Estimates, Judgement, evaluate, judged_rows
from filar.clusters.evaluate_posterior import INTERVALS
from filar.clusters.evaluate_scatter import scatter

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Figures of one variant; (4,) arrays have one value for each parameter.

    Attributes
    ----------
    name, about : str
        Of the variant.
    clusters : int
        Judged.
    bias, bias_err, rms, rms_err : (4,) array
        Mean and rms of answer (posterior mean) minus truth.
    change, change_err : (4,) array
        Of the bias against the same clusters as trained: surer than biases themselves.
    width : (4,) array
        Mean half of the 68% interval.
    inside68, inside68_err, inside95 : (4,) array
        Parts of true values inside the intervals.
    bright_change, bright_inside68 : (4,) array
        Change of bias and coverage of the better seen half of the clusters, whose errors are small.
    accuracy, accuracy_err, completeness, false_alarms : float
        Of the class: told rightly; clusters found; backgrounds taken for clusters.
    in_domain : float
        Part of the clusters that the model holds to be like those it was trained on.
    """

    name: str
    about: str
    clusters: int
    bias: FloatArray
    bias_err: FloatArray
    rms: FloatArray
    rms_err: FloatArray
    change: FloatArray
    change_err: FloatArray
    width: FloatArray
    inside68: FloatArray
    inside68_err: FloatArray
    inside95: FloatArray
    bright_change: FloatArray
    bright_inside68: FloatArray
    accuracy: float
    accuracy_err: float
    completeness: float
    false_alarms: float
    in_domain: float

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def judge(
    name: str, about: str, truth: Truth, found: Estimates, first: tuple[Truth, Estimates]
) -> Judged:
    """Judge one variant.

    Parameters
    ----------
    name, about : str
        Of the variant.
    truth, found : Truth, Estimates
        Of its n cutouts.
    first : (Truth, Estimates)
        Of those as trained: the same clusters in the same order.

    Returns
    -------
    Judged
    """
    one: Judgement = evaluate(truth, {name: found})[0]
    whole, rows = one.whole, judged_rows(truth)
    low, high = found.intervals[INTERVALS[0]]
    seen = np.where(rows, truth.log_snr, -np.inf)
    bright = rows & (seen >= np.median(seen[rows]))
    change, change_err = _change(truth, found, first, rows)
    inside, n = whole.inside68, len(one.point)
    kind = one.detection
    nan = float("nan")
    return Judged(
        name, about, n, whole.bias, whole.bias_err, whole.rms, whole.rms_err, change, change_err,
        np.asarray((high - low)[rows].mean(axis=0) / 2), inside,
        np.sqrt(inside * (1 - inside) / n), whole.inside95,
        _change(truth, found, first, bright)[0],
        scatter(one.misses.select(bright[rows])).inside68,
        kind.accuracy if kind else nan, kind.accuracy_err if kind else nan,
        kind.completeness if kind else nan, kind.false_alarms if kind else nan, one.in_domain,
    )  # fmt: skip


def _change(
    truth: Truth, found: Estimates, first: tuple[Truth, Estimates], rows: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Mean of how much more clusters are missed than as trained, and its standard error."""
    pairs = rows & judged_rows(first[0])
    if pairs.sum() < 2:
        return np.full(4, np.nan), np.full(4, np.nan)
    more = (found.value - truth.values)[pairs] - (first[1].value - first[0].values)[pairs]
    return more.mean(axis=0), more.std(axis=0, ddof=1) / np.sqrt(len(more))


def harm(one: Judged, trained: Judged) -> float:
    """How much a variant matters: the largest change of bias over the interval's half width.

    Parameters
    ----------
    one, trained : Judged
        The variant, and what was trained on.

    Returns
    -------
    float
        1 where the mean answer moves by as much as the model says it may be off.
    """
    return float(np.max(np.abs(one.change) / trained.width))
