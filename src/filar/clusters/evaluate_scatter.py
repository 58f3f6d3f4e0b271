"""How far parameters are from the truth: rms, bias, scatter and coverage, in parts and bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.evaluate_posterior import INTERVALS

FloatArray = NDArray[np.float64]

LEAST = 20
"""Clusters below which a part is not judged."""

_SIDES = (0.158655, 0.841345)
_SIDES_ERR = 0.962  # standard error of half their distance, Gaussian, in sigma / sqrt(n)


@dataclass(frozen=True, eq=False)
class Misses:
    """What one method said of n clusters, compared with the truth.

    Parameters
    ----------
    miss : (n, p) array
        Point estimate minus truth.
    pull : (n, p) array
        The same over the predicted error; NaN where there is none.
    inside : (n, p, 2) array
        1 where the truth lies in the central interval of `INTERVALS`, 0 where not, NaN unknown.
    """

    miss: FloatArray
    pull: FloatArray
    inside: FloatArray

    def select(self, rows: NDArray[Any]) -> Misses:
        """Some of the clusters."""
        return Misses(self.miss[rows], self.pull[rows], self.inside[rows])


@dataclass(frozen=True, eq=False)
class Scatter:
    """Figures of a part of the clusters, (p,) arrays: one value per parameter.

    Attributes
    ----------
    low, high : float
        Ends of the part in the quantity that chose it; NaN for all clusters.
    number : int
        Clusters.
    rms, rms_err : (p,) array
        Of the misses about zero, and its standard error.
    bias, bias_err : (p,) array
        Mean miss.
    half68, half68_err : (p,) array
        Half of the range that holds the middle 68.3% of the misses.
    pull_mean, pull : (p,) array
        Mean and standard deviation of the pulls.
    inside68, inside95 : (p,) array
        Parts of the true values in the central intervals.
    """

    low: float
    high: float
    number: int
    rms: FloatArray
    rms_err: FloatArray
    bias: FloatArray
    bias_err: FloatArray
    half68: FloatArray
    half68_err: FloatArray
    pull_mean: FloatArray
    pull: FloatArray
    inside68: FloatArray
    inside95: FloatArray

    @property
    def enough(self) -> bool:
        """Whether there are clusters enough to judge."""
        return self.number >= LEAST

    @property
    def centre(self) -> float:
        """Middle of the part."""
        return (self.low + self.high) / 2

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def scatter(
    misses: Misses, low: float = float("nan"), high: float = float("nan"), least: int = 2
) -> Scatter:
    """Judge clusters together.

    Parameters
    ----------
    misses : Misses
        Of n clusters; values that are NaN are left out.
    low, high : float
        Ends of the part, to be told.
    least : int
        With fewer clusters all figures are NaN.

    Returns
    -------
    Scatter
    """
    miss, p = misses.miss, misses.miss.shape[1]
    known = np.isfinite(miss)
    number = int(known.any(1).sum())
    if number < max(least, 2):
        return Scatter(low, high, number, *(np.full(p, np.nan) for _ in range(10)))
    n = np.maximum(known.sum(0), 1)
    bias, square = _mean(miss), _mean(miss**2)
    rms = np.sqrt(square)
    # By error propagation from the standard error of the mean square.
    rms_err = np.sqrt(np.maximum(_mean(miss**4) - square**2, 0) / n) / (2 * np.maximum(rms, 1e-30))
    spread = np.sqrt(np.maximum(square - bias**2, 0))
    sides = np.stack([_sides(column) for column in miss.T], axis=1)
    half68 = (sides[1] - sides[0]) / 2
    pull_mean = _mean(misses.pull)
    pull = np.sqrt(np.maximum(_mean(misses.pull**2) - pull_mean**2, 0))
    inside = [_mean(misses.inside[:, :, k]) for k in range(len(INTERVALS))]
    return Scatter(
        low, high, number, rms, rms_err, bias, spread / np.sqrt(n), half68,
        _SIDES_ERR * half68 / np.sqrt(n), pull_mean, pull, *inside,
    )  # fmt: skip


def scatter_bins(misses: Misses, quantity: FloatArray, edges: FloatArray) -> list[Scatter]:
    """Judge clusters in bins of some quantity.

    Parameters
    ----------
    misses : Misses
        Of n clusters.
    quantity : (n,) array
        That chooses the bin; where it is NaN the cluster is in none.
    edges : (k + 1,) array
        Increasing; the last bin contains its upper end.

    Returns
    -------
    list of Scatter
        k, NaN where there are fewer than `LEAST` clusters.
    """
    last = len(edges) - 2
    place = np.searchsorted(edges, quantity, side="right") - 1
    place = np.where(quantity == edges[-1], last, place)
    return [
        scatter(misses.select(place == k), float(edges[k]), float(edges[k + 1]), LEAST)
        for k in range(last + 1)
    ]


def quarter_edges(quantity: FloatArray, parts: int = 4) -> FloatArray:
    """Edges of equally full parts.

    Parameters
    ----------
    quantity : (n,) array
        Values that are not finite are left out.
    parts : int
        How many.

    Returns
    -------
    (k + 1,) array
        k is smaller than `parts` where values repeat; (0,) without values or a single one.
    """
    good = quantity[np.isfinite(quantity)]
    edges = np.unique(np.quantile(good, np.linspace(0, 1, parts + 1))) if len(good) else good
    return edges if len(edges) > 1 else np.zeros(0)


def even_edges(quantity: FloatArray, bins: int) -> FloatArray:
    """Edges of bins of equal width that hold 99% of the values.

    Parameters
    ----------
    quantity : (n,) array
        Values that are not finite are left out.
    bins : int
        How many.

    Returns
    -------
    (bins + 1,) array
        (0,) without values or a single one.
    """
    good = quantity[np.isfinite(quantity)]
    if not len(good):
        return np.zeros(0)
    low, high = np.quantile(good, (0.005, 0.995))
    return np.linspace(low, high, bins + 1) if high > low else np.zeros(0)


def parts(
    misses: Misses, chosen: Mapping[str, FloatArray], edges: Mapping[str, FloatArray]
) -> dict[str, Sequence[Scatter]]:
    """Judge clusters in bins of several quantities.

    Parameters
    ----------
    misses : Misses
        Of n clusters.
    chosen : mapping of str to (n,) array
        The quantities.
    edges : mapping of str to (k + 1,) array
        Their bins.

    Returns
    -------
    dict of str to list of Scatter
        Quantities without edges are left out.
    """
    return {
        name: scatter_bins(misses, values, edges[name])
        for name, values in chosen.items()
        if len(edges[name])
    }


def _mean(values: FloatArray) -> FloatArray:
    """Mean of each column without its NaNs."""
    known = np.isfinite(values)
    number = known.sum(0)
    total = np.where(known, values, 0.0).sum(0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _sides(values: FloatArray) -> FloatArray:
    good = values[np.isfinite(values)]
    return np.quantile(good, _SIDES) if len(good) else np.full(2, np.nan)
