"""Whether posteriors are honest: ranks of the truth, coverage, and tests of uniformity.

Of an honest posterior the truth is one draw more: its rank among the draws is uniform, for every
parameter (simulation-based calibration: Talts et al. 2018), and so is the rank of its distance to a
point chosen without looking (tests of accuracy with random points: Lemos et al. 2023), which sees
wrong shapes and correlations that no single parameter shows. Both hold over all mocks of the prior
together, and over any part chosen by what was measured. Over a part chosen by the truth, they do
not: the lowest quarter of true ages is told too old by the best of posteriors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]

LEVELS = np.linspace(0.05, 0.95, 19)
"""Nominal coverages at which intervals are counted."""

INTERVALS = (0.6827, 0.95)
"""Those that tables and criteria show: of a Gaussian, within 1 and 1.96 errors."""

RANK_BINS = 20
_BATCH = 4_000_000  # numbers of the samples that are looked at together


@dataclass(frozen=True, eq=False)
class Uniformity:
    """How uniform ranks are.

    Attributes
    ----------
    number : int
        Ranks.
    counts : (k,) int array
        In equal bins from 0 to 1.
    chi2, p : float
        Of the counts against equal ones (Pearson), and the probability of more by chance; NaN
        without ranks.
    deviation : float
        Largest distance of their cumulative distribution from the diagonal: how far, where `p`
        tells how surely.
    """

    number: int
    counts: NDArray[np.int64]
    chi2: float
    p: float
    deviation: float

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def ranks(samples: NDArray[Any], values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Rank of the truth among the draws, parameter by parameter.

    Parameters
    ----------
    samples : (n, draws, p) array
        Of n posteriors.
    values : (n, p) array
        True values.
    rng : numpy.random.Generator
        Places the truth within its rank and among equal draws, which makes the ranks of an honest
        posterior uniform, not only nearly so.

    Returns
    -------
    (n, p) array
        0 to 1: near 0 where the truth lies below all draws; NaN where something is not finite.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """
    samples, values = _checked(samples, values)
    less, equal = (np.zeros(values.shape) for _ in range(2))
    for rows in _batches(samples):
        own = samples[rows]
        # In the samples' precision, or draws that are the truth itself would not count as equal.
        truth = values[rows, None, :].astype(own.dtype)
        less[rows], equal[rows] = (own < truth).sum(1), (own == truth).sum(1)
        bad = ~(np.isfinite(own).all(1) & np.isfinite(values[rows]))
        less[rows] = np.where(bad, np.nan, less[rows])
    return np.asarray((less + rng.random(values.shape) * (equal + 1)) / (samples.shape[1] + 1))


def joint_ranks(samples: NDArray[Any], values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Rank of the truth's distance from a random point among those of the draws.

    Parameters
    ----------
    samples : (n, draws, p) array
        Of n posteriors.
    values : (n, p) array
        True values.
    rng : numpy.random.Generator
        Chooses a point for each posterior, from the true values of another.

    Returns
    -------
    (n,) array
        0 to 1: near 0 where all draws are farther from the point; NaN where something is not
        finite.

    Raises
    ------
    ParameterError
        If the shapes do not fit.

    References
    ----------
    Lemos, P., et al. 2023, "Sampling-based accuracy testing of posterior estimators for general
    inference", ICML (algorithm 2).
    """
    samples, values = _checked(samples, values)
    good = np.flatnonzero(np.isfinite(values).all(1))
    found = np.full(len(values), np.nan)
    if len(good) < 2:
        return found
    scale = np.std(values[good], axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    # Never its own truth, which would be at no distance.
    other = (np.arange(len(good)) + rng.integers(1, len(good), len(good))) % len(good)
    point = np.full(values.shape, np.nan)
    point[good] = values[good][other]
    ties = rng.random(len(values))
    for rows in _batches(samples):
        far = np.sum(((samples[rows] - point[rows, None]) / scale) ** 2, axis=2)
        own = np.sum(((values[rows] - point[rows]) / scale) ** 2, axis=1)
        bad = ~(np.isfinite(far).all(1) & np.isfinite(own))
        less = (far < own[:, None]).sum(1)
        found[rows] = np.where(bad, np.nan, (less + ties[rows]) / (samples.shape[1] + 1))
    return found


def uniformity(rank: FloatArray, bins: int = RANK_BINS) -> Uniformity:
    """Test whether ranks are uniform.

    Parameters
    ----------
    rank : (n,) array
        0 to 1; those that are NaN are left out.
    bins : int
        Of the chi-square test.

    Returns
    -------
    Uniformity

    Raises
    ------
    ParameterError
        If there are fewer than two bins.
    """
    from scipy.stats import chisquare

    if bins < 2:
        raise ParameterError("bins", bins, "2 or more")
    good = np.sort(rank[np.isfinite(rank)])
    counts = np.histogram(good, bins, (0.0, 1.0))[0]
    if not len(good):
        return Uniformity(0, counts, float("nan"), float("nan"), float("nan"))
    found = chisquare(counts)
    steps = np.arange(len(good) + 1) / len(good)
    deviation = max(np.max(steps[1:] - good), np.max(good - steps[:-1]))
    return Uniformity(
        len(good), counts, float(found.statistic), float(found.pvalue), float(deviation)
    )


def coverage(rank: FloatArray, levels: NDArray[Any] | float = LEVELS) -> FloatArray:
    """Part of the true values inside of central intervals.

    Parameters
    ----------
    rank : (n, ...) array
        Of the truth, 0 to 1; those that are NaN are left out.
    levels : (k,) array
        Nominal coverages.

    Returns
    -------
    (k, ...) array
        NaN without ranks.
    """
    away = 2 * np.abs(rank - 0.5)
    known = np.isfinite(rank)
    number = known.sum(0)
    inside = np.stack([((away <= level) & known).sum(0) for level in np.atleast_1d(levels)])
    return np.where(number > 0, inside / np.maximum(number, 1), np.nan)


def coverage_error(level: NDArray[Any] | float, number: NDArray[Any] | int) -> FloatArray:
    """Standard error, by chance, of an honest coverage found from so many values."""
    level = np.asarray(level, float)
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt(level * (1 - level) / np.asarray(number, float)))


def widths(samples: NDArray[Any]) -> FloatArray:
    """Standard deviation of each parameter within each posterior.

    Parameters
    ----------
    samples : (n, draws, p) array
        Of n posteriors.

    Returns
    -------
    (n, p) array
    """
    found = np.empty((len(samples), samples.shape[2]))
    for rows in _batches(samples):
        found[rows] = samples[rows].std(axis=1, dtype=np.float64)
    return found


def correlations(samples: NDArray[Any], first: int, second: int) -> FloatArray:
    """Correlation of two parameters within each posterior.

    Parameters
    ----------
    samples : (n, draws, p) array
        Of n posteriors.
    first, second : int
        Which parameters.

    Returns
    -------
    (n,) array
        -1 to 1; NaN where one does not vary.
    """
    found = np.empty(len(samples))
    for rows in _batches(samples):
        a, b = (_away(samples[rows, :, k]) for k in (first, second))
        with np.errstate(divide="ignore", invalid="ignore"):
            found[rows] = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return found


def bimodality(samples: NDArray[Any], parameter: int) -> FloatArray:
    """Sarle's coefficient of a parameter within each posterior: (skewness² + 1) / kurtosis.

    Parameters
    ----------
    samples : (n, draws, p) array
        Of n posteriors.
    parameter : int
        Which parameter.

    Returns
    -------
    (n,) array
        1/3 of a Gaussian, 5/9 of a flat posterior, 1 of two points; NaN where nothing varies.
    """
    found = np.empty(len(samples))
    for rows in _batches(samples):
        away = _away(samples[rows, :, parameter])
        square = away**2
        second, third, fourth = square.mean(1), (square * away).mean(1), (square**2).mean(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[rows] = (third**2 / second**3 + 1) / (fourth / second**2)
    return found


def _away(draws: NDArray[Any]) -> FloatArray:
    """Draws (n, draws) less their means."""
    values = np.asarray(draws, float)
    return np.asarray(values - values.mean(1, keepdims=True))


def _checked(samples: NDArray[Any], values: FloatArray) -> tuple[NDArray[Any], FloatArray]:
    samples, values = np.asarray(samples), np.asarray(values, float)
    if samples.ndim != 3 or values.shape != (samples.shape[0], samples.shape[2]):
        found = f"{samples.shape} of values {values.shape}"
        raise ParameterError("samples", found, "(n, draws, p) of values (n, p)")
    if not samples.shape[1]:
        raise ParameterError("samples", samples.shape, "one draw or more")
    return samples, values


def _batches(samples: NDArray[Any]) -> list[slice]:
    """Rows to be looked at together, so that memory does not grow with their number."""
    step = max(1, _BATCH // max(1, samples.shape[1] * samples.shape[2]))
    return [slice(k, k + step) for k in range(0, len(samples), step)]
