"""Whether recovery probabilities are honest: predicted and true fractions in bins of anything.

All take arrays alone: the probabilities `p` that a model gave and whether each star was recovered.
Of stars with honest probabilities a fraction as large as their mean is recovered, but for chance,
whose size follows from the probabilities themselves and is given with every bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

BINS = 20
"""Bins of probability, of equal width, of the reliability diagram and the calibration error."""

_LEAST_VARIANCE = 0.25
# Where chance is nearly excluded a single star that goes the other way is no miracle: half a star.


@dataclass(frozen=True, eq=False)
class FractionBins:
    """Recovered fractions in bins, which may have any shape.

    Parameters
    ----------
    number : array
        Stars per bin.
    true, true_err : arrays
        Recovered fraction and its binomial (Wilson) standard error; NaN in empty bins.
    predicted : array
        Mean probability.
    chance : array
        Standard error of the true fraction if the probabilities are honest.
    edges : tuple of arrays
        Of the bins, along each axis; empty where the bins have none (tenths of the stars).
    middle : array
        Mean of the binned quantity; NaN where there are several.
    """

    number: IntArray
    true: FloatArray
    true_err: FloatArray
    predicted: FloatArray
    chance: FloatArray
    edges: tuple[FloatArray, ...]
    middle: FloatArray

    @property
    def difference(self) -> FloatArray:
        """Predicted minus true fraction."""
        return self.predicted - self.true

    @property
    def pull(self) -> FloatArray:
        """The difference over what chance makes of it: standard normal if honest."""
        return self.difference / self.chance


def checked(p: NDArray[Any], recovered: NDArray[Any]) -> tuple[FloatArray, BoolArray]:
    """Probabilities and outcomes that make sense.

    Parameters
    ----------
    p : (n,) array
        Recovery probabilities.
    recovered : (n,) array of bool
        Outcomes.

    Returns
    -------
    p, recovered : (n,) arrays

    Raises
    ------
    ParameterError
        If the shapes differ, there is no star, or a probability is none.
    """
    p, recovered = np.asarray(p, float), np.asarray(recovered, bool)
    if p.ndim != 1 or p.shape != recovered.shape:
        found = f"shapes {p.shape} and {recovered.shape}"
        raise ParameterError("p and recovered", found, "one number and one outcome per star")
    if not len(p):
        raise ParameterError("p", "no star", "one star or more")
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        text = f"{p[bad][0]} in {np.count_nonzero(bad)} of {len(p)} rows"
        raise ParameterError("p", text, "probabilities from 0 to 1")
    return p, recovered


def binomial_error(recovered: NDArray[Any], number: NDArray[Any]) -> FloatArray:
    """Standard error of fractions, half the width of Wilson's interval: never 0.

    Parameters
    ----------
    recovered, number : arrays
        Counts.

    Returns
    -------
    array
        NaN where the number is 0.
    """
    k, n = np.asarray(recovered, float), np.asarray(number, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = k / n
        return np.asarray(np.sqrt(f * (1 - f) / n + 0.25 / n**2) / (1 + 1 / n))


def reliability(p: NDArray[Any], recovered: NDArray[Any], bins: int = BINS) -> FractionBins:
    """Reliability diagram: bins of probability of equal width.

    Parameters
    ----------
    p, recovered
        See `checked`.
    bins : int
        Their number.

    Returns
    -------
    FractionBins
        Of shape (bins,).
    """
    p, recovered = checked(p, recovered)
    edges = np.linspace(0, 1, bins + 1)
    return _gathered(_place(p, bins), (bins,), p, recovered, (edges,), p)


def deciles(p: NDArray[Any], recovered: NDArray[Any], parts: int = 10) -> FractionBins:
    """Bins with equal numbers of stars, ordered by probability.

    Parameters
    ----------
    p, recovered
        See `checked`.
    parts : int
        Their number.

    Returns
    -------
    FractionBins
        Of shape (parts,), with no edges.
    """
    p, recovered = checked(p, recovered)
    index = np.empty(len(p), np.int64)
    index[np.argsort(p, kind="stable")] = np.arange(len(p)) * parts // len(p)
    return _gathered(index, (parts,), p, recovered, (), p)


def fraction_bins(
    quantity: NDArray[Any], p: NDArray[Any], recovered: NDArray[Any], edges: NDArray[Any]
) -> FractionBins:
    """Fractions in bins of a quantity such as a magnitude.

    Parameters
    ----------
    quantity : (n,) array
        Stars without (NaN) or beyond the edges do not count.
    p, recovered
        See `checked`.
    edges : (k + 1,) array
        Increasing; the last bin holds its upper edge.

    Returns
    -------
    FractionBins
        Of shape (k,).

    Raises
    ------
    ParameterError
        If the edges do not increase.
    """
    p, recovered = checked(p, recovered)
    index = _index(np.asarray(quantity, float), np.asarray(edges, float))
    return _gathered(index, (len(edges) - 1,), p, recovered, (np.asarray(edges, float),), quantity)


def fraction_cells(
    x: NDArray[Any],
    y: NDArray[Any],
    p: NDArray[Any],
    recovered: NDArray[Any],
    edges: tuple[NDArray[Any], NDArray[Any]],
) -> FractionBins:
    """Fractions in cells of two quantities, such as colour and magnitude.

    Parameters
    ----------
    x, y : (n,) arrays
        Stars without (NaN) or beyond the edges do not count.
    p, recovered
        See `checked`.
    edges : (array, array)
        Along x and y, increasing.

    Returns
    -------
    FractionBins
        Of shape (ny, nx).
    """
    p, recovered = checked(p, recovered)
    along_x, along_y = (np.asarray(one, float) for one in edges)
    nx, ny = len(along_x) - 1, len(along_y) - 1
    i, j = _index(np.asarray(x, float), along_x), _index(np.asarray(y, float), along_y)
    index = np.where((i >= 0) & (j >= 0), j * nx + i, -1)
    return _gathered(index, (ny, nx), p, recovered, (along_x, along_y), np.full(len(p), np.nan))


def even_edges(values: NDArray[Any], bins: int, share: float = 0.999) -> FloatArray:
    """Edges of bins of equal width.

    Parameters
    ----------
    values : (n,) array
        What is to be binned; NaN do not count.
    bins : int
        Their number.
    share : float
        Part of the values within the edges; the rest are stragglers.

    Returns
    -------
    (bins + 1,) array

    Raises
    ------
    ParameterError
        If no value is finite.
    """
    low, high = _limits(values, share)
    return np.linspace(low, high, bins + 1)


def equal_edges(values: NDArray[Any], bins: int) -> FloatArray:
    """Edges of bins that hold equal numbers of values, fewer of them where values repeat.

    Parameters
    ----------
    values : (n,) array
        What is to be binned; NaN do not count.
    bins : int
        Their largest number.

    Returns
    -------
    (k + 1,) array

    Raises
    ------
    ParameterError
        If no value is finite.
    """
    low, high = _limits(values, 1.0)
    good = np.asarray(values, float)
    edges = np.unique(np.quantile(good[np.isfinite(good)], np.linspace(0, 1, bins + 1)))
    return edges if len(edges) > 1 else np.array([low, high])


def calibration_error(p: NDArray[Any], recovered: NDArray[Any], bins: int = BINS) -> float:
    """Expected calibration error: mean of abs(predicted - true fraction) over the stars' bins.

    Parameters
    ----------
    p, recovered
        See `checked`.
    bins : int
        Bins of equal width.

    Returns
    -------
    float
        Between 0 and 1; positive by chance even for perfect probabilities, see
        `chance_calibration_error`.
    """
    p, recovered = checked(p, recovered)
    surplus = np.bincount(_place(p, bins), p - recovered, bins)
    return float(np.abs(surplus).sum() / len(p))


def chance_calibration_error(
    p: NDArray[Any], bins: int = BINS, *, draws: int = 200, seed: int = 0
) -> FloatArray:
    """Calibration errors of the same probabilities, were they perfect.

    Parameters
    ----------
    p : (n,) array
        Recovery probabilities.
    bins : int
        As for `calibration_error`.
    draws : int
        Number of simulated sets of outcomes.
    seed : int
        Of the simulation.

    Returns
    -------
    (draws,) array
        One calibration error per draw, in no order.
    """
    p, _ = checked(p, np.zeros(len(p), bool))
    rng = np.random.default_rng(seed)
    place = _place(p, bins)
    # Sorted by bin, a draw's counts are sums of slices, faster than counting anew.
    order = np.argsort(place, kind="stable")
    sorted_p = p[order].astype(np.float32)
    starts = np.flatnonzero(np.bincount(place, minlength=bins))
    at = np.searchsorted(place[order], starts)
    expected = np.bincount(place, p, bins)[starts]
    found = np.empty(draws)
    for draw in range(draws):
        drawn = (rng.random(len(p), np.float32) < sorted_p).astype(np.int64)
        found[draw] = np.abs(np.add.reduceat(drawn, at) - expected).sum() / len(p)
    return found


def _place(p: FloatArray, bins: int) -> IntArray:
    """Bin of each probability, 1 in the last."""
    return np.minimum((p * bins).astype(np.int64), bins - 1)


def _index(values: FloatArray, edges: FloatArray) -> IntArray:
    """Bin of each value, -1 outside."""
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ParameterError("edges", edges.tolist(), "two or more increasing numbers")
    index = np.searchsorted(edges, values, side="right") - 1
    index[values == edges[-1]] = len(edges) - 2
    index[~((values >= edges[0]) & (values <= edges[-1]))] = -1
    return np.asarray(index, np.int64)


def _limits(values: NDArray[Any], share: float) -> tuple[float, float]:
    good = np.asarray(values, float)
    good = good[np.isfinite(good)]
    if not len(good):
        raise ParameterError("values", "nothing finite", "finite numbers to be binned")
    low, high = np.quantile(good, ((1 - share) / 2, (1 + share) / 2)).tolist()
    # One value alone has a bin of its own.
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _gathered(
    index: IntArray,
    shape: tuple[int, ...],
    p: FloatArray,
    recovered: BoolArray,
    edges: tuple[FloatArray, ...],
    quantity: NDArray[Any],
) -> FractionBins:
    """Count stars, outcomes and probabilities by flat index; those below 0 are left out."""
    inside = index >= 0
    at, size = index[inside], int(np.prod(shape))

    def total(values: NDArray[Any]) -> FloatArray:
        counted = np.bincount(at, np.asarray(values, float)[inside], size)
        return np.asarray(counted.reshape(shape), float)

    number = np.bincount(at, minlength=size).reshape(shape).astype(np.int64)
    hits, variance = total(recovered), total(p * (1 - p))
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.sqrt(np.maximum(variance, _LEAST_VARIANCE)) / number
        return FractionBins(
            number=number,
            true=hits / number,
            true_err=binomial_error(hits, number),
            predicted=total(p) / number,
            chance=np.where(number > 0, chance, np.nan),
            edges=edges,
            middle=total(quantity) / number,
        )
