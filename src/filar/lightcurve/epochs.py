"""Exposures gathered into epochs: which belong together, their value and its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.frames.clipping import group_median
from filar.lightcurve.images import FloatArray, IntArray
from filar.robust import MAD_TO_SIGMA

MINUTE = 1 / 1440
_SLACK = 1e-9  # days: the rounding of dates is no gap

# Variance of the median of n Gaussian values in units of one value's (integrals over the order
# statistics; checked by random numbers in the tests); beyond, by their limit.
_MEDIAN_VARIANCE = np.array(
    [np.nan, 1.0, 0.5, 0.4487, 0.2982, 0.2868, 0.2147, 0.2104, 0.1682, 0.1661, 0.1383, 0.1372]
)
# Of the median absolute deviation of n values about their median, so that its mean is sigma's
# (Croux & Rousseeuw 1992).
_FEW = np.array([1.0, 1.0, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107])
# Medians of chi-square per degree of freedom, by degrees of freedom.
_CHI2_MEDIAN = np.array([np.nan, 0.4549, 0.6931, 0.7887, 0.8392, 0.8703, 0.8914, 0.9066])
_PRIOR = 8.0
_PRIOR_EPOCHS = 3.0
_FREEDOM = 0.37  # what a median absolute deviation tells, in parts of a standard deviation


def epoch_numbers(mjd: FloatArray, group: IntArray, gap: float) -> IntArray:
    """Number the epochs of images.

    An epoch begins with an image and takes all later ones of its camera and filter within the gap,
    counted from the first: a night of continuous exposures is not one epoch.

    Parameters
    ----------
    mjd : (m,) array
        Times, days.
    group : (m,) int array
        Camera and filter of each image.
    gap : float
        Minutes; 0: only images of the same time are one epoch.

    Returns
    -------
    (m,) int array
        From 0, in the order of the epochs' first times.
    """
    epoch = np.zeros(len(mjd), np.int64)
    first: list[float] = []
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        rows = rows[np.argsort(mjd[rows], kind="stable")]
        while len(rows):
            stop = int(np.searchsorted(mjd[rows], mjd[rows[0]] + gap * MINUTE + _SLACK, "right"))
            epoch[rows[:stop]] = len(first)
            first.append(float(mjd[rows[0]]))
            rows = rows[stop:]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[epoch] if len(first) else epoch


@dataclass(frozen=True, eq=False)
class Epochs:
    """Epochs of stars: k rows, sorted by star and time.

    Parameters
    ----------
    star, group, epoch : (k,) int64 arrays
        Row of the star, number of camera and filter, number of the epoch.
    mjd : (k,) array
        Mean time of the exposures used, MJD (UTC).
    mag, mag_err : (k,) arrays
        Median of the exposures, and its error.
    n_exposures : (k,) int32 array
        Exposures with a magnitude.
    flags : (k,) int32 array
        Bits that any of them has.
    """

    star: IntArray
    group: IntArray
    epoch: IntArray
    mjd: FloatArray
    mag: FloatArray
    mag_err: FloatArray
    n_exposures: NDArray[np.int32]
    flags: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.star)


def median_variance(number: NDArray[np.integer]) -> FloatArray:
    """Variance of the median of Gaussian values in units of one value's: array."""
    few = _MEDIAN_VARIANCE[np.minimum(number, len(_MEDIAN_VARIANCE) - 1)]
    many = np.pi / 2 / (number + np.where(number % 2, 0.47, 1.37))
    return np.asarray(np.where(number < len(_MEDIAN_VARIANCE), few, many))


def gather_epochs(
    star: IntArray,
    image: NDArray[np.integer],
    mag: FloatArray,
    mag_err: FloatArray,
    flags: NDArray[np.int32],
    *,
    mjd: FloatArray,
    group: IntArray,
    epoch: IntArray,
) -> Epochs:
    """Epoch values of all stars: the median of the exposures, as in W24 (the mean of two).

    The error of one exposure is taken from what was quoted, from how much exposures of the same
    camera and star differ within epochs, and a little from how much these differ.

    Parameters
    ----------
    star, image : (n,) int arrays
        Star and image of each measure.
    mag, mag_err : (n,) arrays
        Measures; rows that are not finite are left out; errors that are not count as unknown.
    flags : (n,) int32 array
        See `filar.flags`.
    mjd, group, epoch : (m,) arrays
        Time, camera and filter, and epoch of each image.

    Returns
    -------
    Epochs
        One row for each star and epoch with a magnitude.
    """
    rows = np.flatnonzero(np.isfinite(mag) & (star >= 0))
    star, image, flags = star[rows], image[rows], flags[rows]
    mag, err = mag[rows], mag_err[rows]
    key = star * (int(epoch.max(initial=0)) + 1) + epoch[image]
    unique, first, whose = np.unique(key, return_index=True, return_inverse=True)
    k = len(unique)
    count = np.bincount(whose, minlength=k)
    value = group_median(whose, mag, k)
    time = np.bincount(whose, mjd[image], k) / np.maximum(count, 1)
    mine, its = star[first], group[image[first]]
    _, pair = np.unique(mine * (int(its.max(initial=0)) + 1) + its, return_inverse=True)
    error = _error_of_one(whose, pair, mag, err, count) * np.sqrt(median_variance(count))
    bits = np.zeros(k, np.int32)
    np.bitwise_or.at(bits, whose, flags)
    number = epoch[image[first]]
    order = np.lexsort([its, time, mine])
    return Epochs(
        mine[order], its[order], number[order], time[order], value[order], error[order],
        count[order].astype(np.int32), bits[order],
    )  # fmt: skip


def _error_of_one(
    whose: IntArray, pair: IntArray, mag: FloatArray, err: FloatArray, count: IntArray
) -> FloatArray:
    """Error of one exposure in each epoch: (k,) array; ``pair`` is star and camera of the epoch."""
    k = len(count)
    known = np.isfinite(err) & (err > 0)
    quoted = np.sqrt(_group_mean(whose[known], err[known] ** 2, k))
    few = np.where(count < len(_FEW), _FEW[np.minimum(count, len(_FEW) - 1)], 1.0)
    away = np.abs(mag - group_median(whose, mag, k)[whose])
    own = np.where(count > 1, MAD_TO_SIGMA * few * group_median(whose, away, k), np.nan)
    # By how much the quoted errors of a star are wrong, its exposures within all epochs tell.
    squares = np.bincount(whose, (mag - _group_mean(whose, mag, k)[whose]) ** 2, k)
    freedom = np.maximum(count - 1, 1)
    typical = _CHI2_MEDIAN[np.minimum(freedom, len(_CHI2_MEDIAN) - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = squares / freedom / quoted**2 / typical
    told = np.isfinite(excess) & (count > 1)
    n = int(pair.max(initial=-1)) + 1
    number = np.bincount(pair[told], minlength=n)
    factor = np.nan_to_num(group_median(pair[told], excess[told], n), nan=1.0)
    factor = ((_PRIOR_EPOCHS + number * factor) / (_PRIOR_EPOCHS + number))[pair]
    expected = np.where(np.isfinite(quoted), quoted**2 * factor, own**2)
    weight = np.where(np.isfinite(own), _FREEDOM * (count - 1), 0.0)
    squares = _PRIOR * expected + weight * np.nan_to_num(own) ** 2
    return np.asarray(np.sqrt(squares / (_PRIOR + weight)))


def _group_mean(which: IntArray, values: FloatArray, n: int) -> FloatArray:
    count = np.bincount(which, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.bincount(which, values, n) / count)
