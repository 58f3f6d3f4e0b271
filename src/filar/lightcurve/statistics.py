"""Numbers that sum up light curves, for many stars at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from filar.lightcurve.images import FloatArray, IntArray

LOW, HIGH = 0.15, 0.85
"""The range whose half W24 calls the dispersion."""
_FIVE = (0.025, LOW, 0.5, HIGH, 0.975)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of s stars; NaN where a star has too few epochs.

    Parameters
    ----------
    number : (s,) int array
        Epochs.
    mean, median : (s,) arrays
        Weighted mean and median, magnitudes.
    dispersion : (s,) array
        Half of the range from the 15th to the 85th percentile, magnitudes.
    spread : (s,) array
        Range from the 2.5th to the 97.5th percentile, magnitudes.
    chi2 : (s,) array
        Of no change, about the weighted mean.
    error : (s,) array
        Median error of an epoch, magnitudes.
    """

    number: IntArray
    mean: FloatArray
    median: FloatArray
    dispersion: FloatArray
    spread: FloatArray
    chi2: FloatArray
    error: FloatArray


def group_quantiles(
    star: IntArray, values: FloatArray, n: int, fractions: Sequence[float]
) -> list[FloatArray]:
    """Quantiles of each star's values, between them as numpy does.

    Parameters
    ----------
    star : (k,) int array
        Star of each value, 0 to n - 1.
    values : (k,) array
        Finite values.
    n : int
        Number of stars.
    fractions : sequence of float
        From 0 to 1.

    Returns
    -------
    list of (n,) array
        One for each fraction; NaN for stars without values.
    """
    ranked = values[np.lexsort([values, star])]
    count = np.bincount(star, minlength=n)
    start = np.cumsum(count) - count
    some = count > 0
    at, last = start[some], count[some] - 1
    found = []
    for fraction in fractions:
        place = fraction * last
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, last)
        one = np.full(n, np.nan)
        one[some] = ranked[at + low] + (place - low) * (ranked[at + high] - ranked[at + low])
        found.append(one)
    return found


def dispersions(star: IntArray, mag: FloatArray, n: int) -> FloatArray:
    """Half of the range from the 15th to the 85th percentile of each star: (n,) array.

    Parameters
    ----------
    star : (k,) int array
        Star of each value, 0 to n - 1.
    mag : (k,) array
        Values; those that are not finite are ignored.
    n : int
        Number of stars.
    """
    good = np.isfinite(mag)
    star, mag = star[good], mag[good]
    low, high = group_quantiles(star, mag, n, (LOW, HIGH))
    return np.where(np.bincount(star, minlength=n) > 1, (high - low) / 2, np.nan)


def statistics(star: IntArray, mag: FloatArray, err: FloatArray, n: int) -> Statistics:
    """Sum up the epochs of stars.

    Parameters
    ----------
    star : (k,) int array
        Star of each epoch, 0 to n - 1.
    mag, err : (k,) arrays
        Magnitudes, inter-calibrated, and errors; rows that are not finite are ignored.
    n : int
        Number of stars.

    Returns
    -------
    Statistics
    """
    good = np.isfinite(mag) & (err > 0)
    star, mag, err = star[good], mag[good], err[good]
    weight = 1 / err**2
    total = np.bincount(star, weight, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(star, weight * mag, n) / total
    number = np.bincount(star, minlength=n)
    chi2 = np.bincount(star, weight * (mag - mean[star]) ** 2, n)
    lowest, low, median, high, highest = group_quantiles(star, mag, n, _FIVE)
    several = number > 1
    return Statistics(
        number,
        mean,
        median,
        np.where(several, (high - low) / 2, np.nan),
        np.where(several, highest - lowest, np.nan),
        np.where(several, chi2, np.nan),
        group_quantiles(star, err, n, (0.5,))[0],
    )
