"""Means of many stars at once, each star's outlying measures clipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.frames.starlist import BoolArray, FloatArray
from filar.robust import MAD_TO_SIGMA

StarArray = NDArray[np.integer]

# Of the median absolute deviation for 2 ... 9 values, so that its mean is the standard deviation
# (Croux & Rousseeuw 1992); n / (n - 0.8) beyond.
_FEW = np.array([1.0, 1.0, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107])
_PEERS_WEIGHT = 4
# What a median absolute deviation tells, in parts of what a standard deviation tells.
_MEDIAN_FREEDOM = 0.37
_MOST_ROUNDS = 10


@dataclass(frozen=True, eq=False)
class Means:
    """Clipped means of n stars.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Means; NaN for stars without measures.
    x_rms, y_rms : (n,) float64 arrays
        Standard deviations of the measures used (n - 1); NaN for fewer than two.
    x_err, y_err : (n,) float64 arrays
        Standard errors of the means.
    n_used : (n,) int32 array
        Measures used.
    used : (m,) bool array
        Which they are.
    """

    x: FloatArray
    y: FloatArray
    x_rms: FloatArray
    y_rms: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    n_used: NDArray[np.int32]
    used: BoolArray


def group_median(star: StarArray, values: FloatArray, n: int) -> FloatArray:
    """Median of the finite values of each star.

    Parameters
    ----------
    star : (m,) int array
        Star of each value, 0 to n - 1, in any order.
    values : (m,) array
        Values; those that are not finite are ignored.
    n : int
        Number of stars.

    Returns
    -------
    (n,) array
        NaN for stars without values.
    """
    finite = np.isfinite(values)
    star, values = star[finite], values[finite]
    values = values[_sorted_by(star, values, n)]
    count = np.bincount(star, minlength=n)
    start = np.cumsum(count) - count
    median = np.full(n, np.nan)
    some = count > 0
    low, high = start[some] + (count[some] - 1) // 2, start[some] + count[some] // 2
    median[some] = (values[low] + values[high]) / 2
    return median


def _sorted_by(star: StarArray, values: FloatArray, n: int) -> NDArray[np.int64]:
    order = np.argsort(values)
    # Numbers of 16 bits are sorted in one pass.
    short = star.astype(np.uint16) if n <= np.iinfo(np.uint16).max else star
    return np.asarray(order[np.argsort(short[order], kind="stable")])


def group_mean(star: StarArray, values: FloatArray, n: int) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation (n - 1) of each star's values.

    Parameters
    ----------
    star : (m,) int array
        Star of each value, 0 to n - 1, in any order.
    values : (m,) array
        Finite values.
    n : int
        Number of stars.

    Returns
    -------
    mean, deviation : (n,) arrays
        NaN for stars without values, and with a single one.
    """
    count = np.bincount(star, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(star, values, n) / count
        squares = np.bincount(star, (values - mean[star]) ** 2, n)
        return mean, np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)


def clipped_means(
    star: StarArray,
    x: FloatArray,
    y: FloatArray,
    n: int,
    *,
    allowed: BoolArray,
    mag: FloatArray,
    clip: float = 3.0,
) -> Means:
    """Average the measures of each star, those far from the others left out.

    The first round measures distance from the median, the later ones from the mean. A star's
    scatter is that of its measures together with, as if they were four measures more, that of
    the stars of its magnitude: few measures tell little of their own scatter.

    Parameters
    ----------
    star : (m,) int array
        Star of each measure, 0 to n - 1, in any order.
    x, y : (m,) arrays
        Measures, pixels.
    n : int
        Number of stars.
    allowed : (m,) bool array
        Measures that may enter the mean.
    mag : (n,) array
        Magnitudes of the stars; NaN where unknown.
    clip : float
        Limit of either coordinate, standard deviations.

    Returns
    -------
    Means
        Of all stars.
    """
    rows = np.flatnonzero(allowed)
    whose = star[rows]
    # Deviations from a place near the star keep all digits.
    zero = np.stack([group_median(whose, values[rows], n) for values in (x, y)])
    away = np.stack([x[rows], y[rows]]) - zero[:, whose]
    centre = np.zeros((2, n))
    count = np.bincount(whose, minlength=n)
    scatter = np.stack([_robust_scatter(whose, values, n, count) for values in away])
    peers = np.stack([_of_peers(values, mag) for values in scatter])
    kept = np.ones(len(rows), bool)
    for i in range(_MOST_ROUNDS):
        limit = clip * _pooled(scatter, peers, count, robust=i == 0)
        within = np.asarray((np.abs(away - centre[:, whose]) <= limit[:, whose]).all(axis=0))
        if i and (within == kept).all():
            break
        kept = within
        count = np.bincount(whose[kept], minlength=n)
        both = [group_mean(whose[kept], values[kept], n) for values in away]
        centre = np.stack([mean for mean, _ in both])
        scatter = np.stack([deviation for _, deviation in both])
    used = np.zeros(len(star), bool)
    used[rows[kept]] = True
    mean = zero + centre
    error = scatter / np.sqrt(np.maximum(count, 1))
    return Means(
        mean[0], mean[1], scatter[0], scatter[1], error[0], error[1], count.astype(np.int32), used
    )


def _robust_scatter(
    star: StarArray, away: FloatArray, n: int, count: NDArray[np.integer]
) -> FloatArray:
    few = np.where(count < len(_FEW), _FEW[np.minimum(count, len(_FEW) - 1)], 1.0)
    many = np.where(count >= len(_FEW), count / np.maximum(count - 0.8, 1), 1.0)
    scatter = MAD_TO_SIGMA * few * many * group_median(star, np.abs(away), n)
    return np.where(count > 1, scatter, np.nan)


def _of_peers(scatter: FloatArray, mag: FloatArray) -> FloatArray:
    """Typical scatter of the stars of about the same magnitude: (n,) array."""
    known = np.flatnonzero(np.isfinite(scatter))
    everyone = float(np.median(scatter[known])) if len(known) else 0.0
    typical = np.full(len(mag), everyone)
    known = known[np.isfinite(mag[known])]
    if len(known) < 10:
        return typical
    known = known[np.argsort(mag[known], kind="stable")]
    groups = np.array_split(known, max(len(known) // 50, 1))
    places = [np.median(mag[group]) for group in groups]
    finite = np.isfinite(mag)
    typical[finite] = np.interp(mag[finite], places, [np.median(scatter[g]) for g in groups])
    return typical


def _pooled(
    scatter: FloatArray, peers: FloatArray, count: NDArray[np.integer], robust: bool
) -> FloatArray:
    freedom = np.where(np.isfinite(scatter), count - 1.0, 0.0)
    if robust:
        freedom *= _MEDIAN_FREEDOM
    own = np.where(np.isfinite(scatter), scatter, 0.0)
    squares = _PEERS_WEIGHT * peers**2 + freedom * own**2
    # Exact positions must not be clipped by rounding.
    sigma = np.sqrt(squares / (_PEERS_WEIGHT + freedom))
    if robust:
        # The median of few has an error of its own.
        sigma = sigma * np.sqrt(1 + np.pi / 2 / np.maximum(count, 1))
    return np.asarray(sigma + 1e-9)
