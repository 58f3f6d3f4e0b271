"""Numbers that sum up light curves, for many stars at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filar.lightcurve.images import FloatArray, IntArray

LOW, HIGH = 0.15, 0.85
"""The range whose half W24 calls the dispersion."""


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


def group_quantile(star: IntArray, values: FloatArray, n: int, fraction: float) -> FloatArray:
    """Quantile of each star's values, between them as numpy does: (n,) array, NaN for none."""
    order = np.lexsort([values, star])
    ranked = values[order]
    count = np.bincount(star, minlength=n)
    start = np.cumsum(count) - count
    found = np.full(n, np.nan)
    some = count > 0
    place = fraction * (count[some] - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, count[some] - 1)
    at = start[some]
    found[some] = ranked[at + low] + (place - low) * (ranked[at + high] - ranked[at + low])
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
    width = group_quantile(star, mag, n, HIGH) - group_quantile(star, mag, n, LOW)
    return np.where(np.bincount(star, minlength=n) > 1, width / 2, np.nan)


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
    spread = group_quantile(star, mag, n, 0.975) - group_quantile(star, mag, n, 0.025)
    return Statistics(
        number,
        mean,
        group_quantile(star, mag, n, 0.5),
        dispersions(star, mag, n),
        np.where(number > 1, spread, np.nan),
        np.where(number > 1, chi2, np.nan),
        group_quantile(star, err, n, 0.5),
    )
