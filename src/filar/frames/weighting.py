"""Weighted means: the measures of a star are not equally good at all pixel phases.

An undersampled star is measured several times better near the edge of a pixel than at its centre.
The quoted error of a measure must not be its weight: it knows on which side of the truth the
measure fell. So the error is modelled as star times exposure times phase, the phase being that of
the mean, and what the measures of bright stars scatter beyond it is added.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filar.frames.clipping import Means, group_median
from filar.frames.starlist import FloatArray
from filar.phases import pixel_phase

PHASE_BINS = 20
FEWEST = 5
"""Measures below which a star's are averaged alike."""

_FLOOR = 1e-4
_BRIGHT_SHARE = 0.25
_MEDIAN_SQUARE = 0.4549  # of a Gaussian of unit variance


@dataclass(frozen=True, eq=False)
class Quality:
    """What is known of m measures along one axis.

    Parameters
    ----------
    star, tie : (m,) int arrays
        Star and exposure of each.
    place : (m,) float64 array
        Coordinate of the star's mean in the exposure, pixels.
    error : (m,) float64 array
        Quoted error, pixels; NaN where unknown.
    """

    star: NDArray[np.int64]
    tie: NDArray[np.int64]
    place: FloatArray
    error: FloatArray


def expected_errors(quality: Quality, stars: int, ties: int) -> FloatArray:
    """Model the errors of measures by star, exposure and pixel phase.

    Parameters
    ----------
    quality : Quality
        Of m measures.
    stars, ties : int
        How many there are.

    Returns
    -------
    (m,) float64 array
        Pixels; NaN for stars without quoted errors.
    """
    typical = group_median(quality.star, quality.error, stars)[quality.star]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = quality.error / typical
    of_tie = group_median(quality.tie, ratio, ties)[quality.tie]
    phase = pixel_phase(np.where(np.isfinite(quality.place), quality.place, 0.0))
    number = np.minimum(((phase + 0.5) * PHASE_BINS).astype(np.int64), PHASE_BINS - 1)
    of_phase = group_median(number, ratio / of_tie, PHASE_BINS)
    of_phase = np.where(np.isfinite(of_phase), of_phase, 1.0)
    middles = (np.arange(PHASE_BINS) + 0.5) / PHASE_BINS - 0.5
    return np.asarray(typical * of_tie * np.interp(phase, middles, of_phase, period=1.0))


def excess_variance(residual: FloatArray, error: FloatArray) -> float:
    """Variance beyond the errors that the better measures show.

    Parameters
    ----------
    residual : (m,) array
        Measure minus mean, pixels.
    error : (m,) array
        Its error, pixels.

    Returns
    -------
    float
        Square pixels, 0 or more: with it the median of the squared residuals over the variance is
        that of a Gaussian, for the quarter of the measures with the smallest errors.
    """
    good = np.isfinite(residual) & np.isfinite(error)
    if np.count_nonzero(good) < 20:
        return 0.0
    residual, error = residual[good], error[good]
    best = error <= np.quantile(error, _BRIGHT_SHARE)
    squares, variance = residual[best] ** 2, error[best] ** 2
    low, high = 0.0, float(np.median(squares)) / _MEDIAN_SQUARE
    for _ in range(40):
        middle = 0.5 * (low + high)
        above = np.median(squares / (variance + middle)) > _MEDIAN_SQUARE
        low, high = (middle, high) if above else (low, middle)
    return 0.5 * (low + high)


def weighted_means(
    means: Means,
    x: FloatArray,
    y: FloatArray,
    quality_x: Quality,
    quality_y: Quality,
    ties: int,
) -> Means:
    """Average the measures that clipping has left, by their expected errors.

    Parameters
    ----------
    means : Means
        Of n stars, unweighted.
    x, y : (m,) arrays
        Measures in the frame, pixels.
    quality_x, quality_y : Quality
        What is known of them.
    ties : int
        Number of exposures.

    Returns
    -------
    Means
        Weighted, with errors from the residuals; stars with fewer than five measures, or without
        quoted errors, stay as they are.
    """
    n = len(means.x)
    columns = {}
    for axis, values, quality in (("x", x, quality_x), ("y", y, quality_y)):
        mean = getattr(means, axis)
        residual = values - mean[quality.star]
        error = expected_errors(quality, n, ties)
        used = means.used & np.isfinite(error)
        extra = excess_variance(residual[used], error[used])
        weight = np.where(used, 1 / (error**2 + extra + _FLOOR**2), 0.0)
        total = np.bincount(quality.star, weight, n)
        apply = (means.n_used >= FEWEST) & (total > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = np.bincount(quality.star[used], (weight * residual)[used], n) / total
            left = (weight * (residual - shift[quality.star]))[used] ** 2
            scatter = np.sqrt(np.bincount(quality.star[used], left, n)) / total
            scatter *= np.sqrt(means.n_used / np.maximum(means.n_used - 1, 1))
        columns[axis] = np.where(apply, mean + shift, mean)
        name = f"{axis}_err"
        columns[name] = np.where(apply, scatter, getattr(means, name))
    return replace(means, **columns)
