"""Counts that were measured turned into those that were there, by Poisson likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MOST_ROUNDS = 3000
_TINY = 1e-12
_LEAST = 1e-2  # Stars in a cell, where logarithms are averaged.
# Directions of the counts that the data determine worse than this, of the best, are left alone.
_CONDITION = 1e-2
_BARELY = 0.1


def maximum_likelihood(
    counts: FloatArray,
    response: FloatArray,
    start: FloatArray,
    *,
    smoothness: FloatArray | None = None,
    tolerance: float = 1e-4,
    rounds: int = MOST_ROUNDS,
) -> tuple[FloatArray, int]:
    """Find the numbers of stars of which counts are most likely, by expectation maximisation.

    Each round shares the stars of each measured cell out among the true cells that they may come
    from, in proportion to the present estimate, and corrects for those that were lost
    (Richardson 1972; Lucy 1974). The likelihood rises in every round and numbers stay positive;
    what the counts do not determine stays as it was at the start.

    Parameters
    ----------
    counts : (m,) array
        Stars measured in each cell.
    response : (m, m) array
        Probability that a star of a true cell (columns) is measured in a cell (rows).
    start : (m,) array
        Positive first estimate.
    smoothness : (m, m) array or None
        Averages the logarithm of the estimate in every round, a row for each cell.
    tolerance : float
        Ends when no cell that is mostly recovered changes by more than this part of its error.
    rounds : int
        At most so many.

    Returns
    -------
    number : (m,) float64 array
    rounds : int
        How many it took.
    """
    efficiency = response.sum(axis=0)
    seen = efficiency > _TINY
    number = np.where(seen, np.maximum(start, _TINY), 0.0)
    for done in range(1, rounds + 1):
        expected = np.maximum(response @ number, _TINY)
        shared = response.T @ (counts / expected)
        new = np.where(seen, number * shared / np.where(seen, efficiency, 1.0), 0.0)
        if smoothness is not None:
            # Of the logarithm: a power law is left as it is.
            new = np.where(seen, np.exp(smoothness @ np.log(np.maximum(new, _LEAST))), 0.0)
        change = np.abs(new - number) * np.sqrt(efficiency) / np.sqrt(np.maximum(new, 1.0))
        number = new
        if np.max(change, initial=0.0) < tolerance:
            return number, done
    return number, rounds


def covariances(
    number: FloatArray, response: FloatArray, tested: FloatArray, freedom: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Covariances of the numbers that `maximum_likelihood` finds.

    Stars of a true cell are shared out among measured ones, or lost, by chance: a multinomial
    distribution. The same holds for the artificial stars, of whose number the response's own
    noise depends.

    Parameters
    ----------
    number : (m,) array
        Stars in each true cell.
    response : (m, m) array
        As in `maximum_likelihood`.
    tested : (m,) array
        Effective number of artificial stars in each true cell.
    freedom : (m,) array
        How far the numbers of cells that are hardly ever recovered may be off.

    Returns
    -------
    field : (m, m) array
        Of the stars that there are in this field: chance of recovery, and artificial stars.
    rate : (m, m) array
        Of the numbers to expect in such a field: with Poisson noise as well.
    """
    expected = response @ number
    scale = np.divide(1.0, expected, out=np.zeros_like(expected), where=expected > _TINY)
    information = response.T @ (scale[:, None] * response)
    # What is hardly ever recovered stays near the start.
    barely = (response.sum(axis=0) < _BARELY) & (freedom > _TINY)
    information[barely, barely] += 1.0 / freedom[barely] ** 2
    # In units of each cell's own error, so that the limit on the condition makes sense.
    unit = np.sqrt(np.maximum(np.diag(information), _TINY))
    values, vectors = np.linalg.eigh(information / unit[:, None] / unit)
    known = values > _CONDITION * values.max(initial=0.0)
    part = vectors[:, known]
    inverse = (part / values[known]) @ part.T
    gain = (inverse / unit[:, None] / unit) @ (response.T * scale)
    # What the counts say nothing about is as uncertain as the start.
    left = np.diag((vectors[:, ~known] ** 2).sum(axis=1) * freedom**2)
    noise = np.divide(number**2, tested, out=np.zeros_like(number), where=tested > 0)
    thinning = _shared_out(number + noise, response)
    poisson = np.diag(expected) + _shared_out(noise, response)
    return gain @ thinning @ gain.T + left, gain @ poisson @ gain.T + left


def _shared_out(number: FloatArray, response: FloatArray) -> FloatArray:
    """Covariance of the counts when each cell's stars are shared out."""
    joint = (response * number) @ response.T
    return np.asarray(np.diag(response @ number) - joint, float)
