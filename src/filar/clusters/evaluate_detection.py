"""How well clusters are told from backgrounds, and which of them are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.evaluate_scatter import even_edges
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

THRESHOLD = 0.5
"""Probability above which something counts as a cluster where one number is to be given."""

PROBABILITY_BINS = 10
SNR_BINS = 10
LEAST_IN_BIN = 10
_POINTS = 300  # of a curve
_TINY = 1e-7


@dataclass(frozen=True, eq=False)
class Fractions:
    """Fractions in bins.

    Attributes
    ----------
    at : (k,) array
        Mean of the quantity in each bin.
    fraction, error : (k,) array
        Part that is (or was found), and its binomial standard error; NaN with fewer than
        `LEAST_IN_BIN`.
    number : (k,) int array
        In each bin.
    """

    at: FloatArray
    fraction: FloatArray
    error: FloatArray
    number: NDArray[np.int64]

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True, eq=False)
class Detection:
    """One method's answers to the question whether there is a cluster.

    Attributes
    ----------
    clusters, backgrounds : int
        What was asked about.
    accuracy, accuracy_err : float
        Part told rightly at `THRESHOLD`, and its binomial standard error.
    balanced : float
        Mean of the parts of clusters and of backgrounds told rightly.
    completeness, precision, false_alarms : float
        Part of the clusters found; of what was found, part that are clusters; part of the
        backgrounds taken for clusters.
    auc, average_precision : float
        Areas below the receiver operating characteristic and precision-completeness curves.
    log_loss, brier : float
        Proper scores of the probabilities.
    false_rate, true_rate : (k,) arrays
        The first curve: backgrounds and clusters above each threshold.
    recall, precisions : (k,) arrays
        The second.
    honest : Fractions
        Part that are clusters against the probability given.
    found : Fractions
        Part of the clusters found against their visibility, log10 of the signal-to-noise ratio.
    half_found : float
        Visibility above which half of the clusters or more are found; NaN if never.
    """

    clusters: int
    backgrounds: int
    accuracy: float
    accuracy_err: float
    balanced: float
    completeness: float
    precision: float
    false_alarms: float
    auc: float
    average_precision: float
    log_loss: float
    brier: float
    false_rate: FloatArray
    true_rate: FloatArray
    recall: FloatArray
    precisions: FloatArray
    honest: Fractions
    found: Fractions
    half_found: float

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        own = dict(vars(self))
        return own | {"honest": self.honest.figures(), "found": self.found.figures()}


def judge_detection(p: FloatArray, cluster: BoolArray, log_snr: FloatArray) -> Detection:
    """Judge probabilities of being a cluster.

    Parameters
    ----------
    p : (n,) array
        Probabilities; what is NaN is left out.
    cluster : (n,) bool array
        What is true.
    log_snr : (n,) array
        Visibility of the clusters; NaN for backgrounds.

    Returns
    -------
    Detection

    Raises
    ------
    ParameterError
        If a probability is none, or there are not both clusters and backgrounds.
    """
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    p, cluster = np.asarray(p, float), np.asarray(cluster, bool)
    known = np.isfinite(p)
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise ParameterError("p_cluster", float(np.nanmax(np.abs(p))), "probabilities, 0 to 1")
    p, cluster, log_snr = p[known], cluster[known], np.asarray(log_snr, float)[known]
    clusters, backgrounds = int(cluster.sum()), int((~cluster).sum())
    if not (clusters and backgrounds):
        found = f"{clusters} clusters and {backgrounds} backgrounds"
        raise ParameterError("cluster", found, "some of both")
    told = p >= THRESHOLD
    right = float(np.mean(told == cluster))
    complete, false = float(told[cluster].mean()), float(told[~cluster].mean())
    sure = np.clip(p, _TINY, 1 - _TINY)
    false_rate, true_rate, _ = roc_curve(cluster, p)
    precisions, recall, _ = precision_recall_curve(cluster, p)
    found_bins = found_fractions(told[cluster], log_snr[cluster])
    return Detection(
        clusters, backgrounds, right, float(np.sqrt(right * (1 - right) / len(p))),
        (complete + 1 - false) / 2, complete,
        float(cluster[told].mean()) if told.any() else float("nan"), false,
        float(roc_auc_score(cluster, p)), float(average_precision_score(cluster, p)),
        float(-np.mean(np.log(np.where(cluster, sure, 1 - sure)))),
        float(np.mean((p - cluster) ** 2)),
        *_thinned(false_rate, true_rate), *_thinned(recall, precisions),
        fractions(p, cluster, np.linspace(0, 1, PROBABILITY_BINS + 1)),
        found_bins, half_found(found_bins),
    )  # fmt: skip


def fractions(quantity: FloatArray, outcome: BoolArray, edges: FloatArray) -> Fractions:
    """Part of the outcomes that are true in bins of a quantity.

    Parameters
    ----------
    quantity : (n,) array
        Where it is NaN or beyond the edges it is in no bin.
    outcome : (n,) bool array
        What happened.
    edges : (k + 1,) array
        Of the bins; the last one contains its upper end.

    Returns
    -------
    Fractions
    """
    inside = np.isfinite(quantity)
    values, happened = quantity[inside], outcome[inside].astype(float)
    number = np.histogram(values, edges)[0]
    sums = [np.histogram(values, edges, weights=w)[0] for w in (values, happened)]
    enough = number >= LEAST_IN_BIN
    some = np.maximum(number, 1)
    part = sums[1] / some
    # Wilson's centre, so that 0 and 1 have errors too.
    centre = (sums[1] + 0.5) / (some + 1)
    error = np.sqrt(centre * (1 - centre) / some)
    at = np.where(number > 0, sums[0] / some, (edges[1:] + edges[:-1]) / 2)
    return Fractions(
        at, np.where(enough, part, np.nan), np.where(enough, error, np.nan), number.astype(np.int64)
    )


def found_fractions(told: BoolArray, log_snr: FloatArray, bins: int = SNR_BINS) -> Fractions:
    """Part of the clusters found against their visibility.

    Parameters
    ----------
    told : (n,) bool array
        Whether each was found.
    log_snr : (n,) array
        Visibility.
    bins : int
        How many.

    Returns
    -------
    Fractions
        Without bins where the visibility is not known.
    """
    edges = even_edges(log_snr, bins)
    if not len(edges):
        nothing = np.zeros(0)
        return Fractions(nothing, nothing, nothing, np.zeros(0, np.int64))
    # The ends' clusters are counted in the outermost bins.
    return fractions(np.clip(log_snr, edges[0], edges[-1]), told, edges)


def half_found(found: Fractions) -> float:
    """Visibility above which half of the clusters or more are found, between bins' means.

    Parameters
    ----------
    found : Fractions
        Part found in bins of visibility.

    Returns
    -------
    float
        log10 of the signal-to-noise ratio; the first bin's if half are found everywhere; NaN if
        they are not in the last bin.
    """
    known = np.isfinite(found.fraction)
    at, part = found.at[known], found.fraction[known]
    if not len(at) or part[-1] < 0.5:
        return float("nan")
    below = np.flatnonzero(part < 0.5)
    if not len(below):
        return float(at[0])
    k = int(below[-1])
    return float(at[k] + (0.5 - part[k]) / (part[k + 1] - part[k]) * (at[k + 1] - at[k]))


def _thinned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A curve by at most so many of its points, ends included."""
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), _POINTS)).round().astype(int))
    return np.asarray(x[chosen], float), np.asarray(y[chosen], float)
