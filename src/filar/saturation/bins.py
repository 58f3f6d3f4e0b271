"""Bias, scatter and pulls of magnitudes in bins, with errors from the stars drawn anew.

Images of one star share its label, its neighbours and often its place on the chip, so that they are
not independent. Errors are those of the bootstrap over stars: what other stars would have given.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.learn.calibration import coverage
from filar.robust import MAD_TO_SIGMA, robust_rms

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAST_STARS = 10
"""Stars from which the figures of a bin are told."""

DRAWS = 200
"""Bootstrap samples."""

QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
_AT_ONCE = 4_000_000  # weights that are held at a time


@dataclass(frozen=True)
class Scatter:
    """How far one estimator misses in one bin, magnitudes.

    Attributes
    ----------
    low, high : float
        Ends of the bin.
    stars, stamps : int
        That lie in it, with an estimate or without.
    told : float
        Part of the stamps that have an estimate.
    bias, bias_err : float
        Median of predicted minus true, and its bootstrap error.
    half68, half68_err, half95, half95_err : float
        Half widths of the ranges that hold the middle 68% and 95%, and their errors.
    low95, low68, high68, high95 : float
        Ends of these ranges.
    rms : float
        About zero, nothing clipped.
    pull, pull_err : float
        1.4826 times the median absolute deviation of the pulls; 1 if the errors are honest.
    pull68, pull68_err : float
        Half width of the pulls' middle 68%; 1 if the errors are honest.
    pull_mean : float
        Median pull; 0 without a bias.
    inside68, inside95 : float
        Parts of the pulls within 1 and 1.96.
    enough : bool
        Whether at least `LEAST_STARS` stars have an estimate; all figures are NaN otherwise.
    """

    low: float
    high: float
    stars: int
    stamps: int
    told: float
    bias: float = np.nan
    bias_err: float = np.nan
    half68: float = np.nan
    half68_err: float = np.nan
    half95: float = np.nan
    half95_err: float = np.nan
    low95: float = np.nan
    low68: float = np.nan
    high68: float = np.nan
    high95: float = np.nan
    rms: float = np.nan
    pull: float = np.nan
    pull_err: float = np.nan
    pull68: float = np.nan
    pull68_err: float = np.nan
    pull_mean: float = np.nan
    inside68: float = np.nan
    inside95: float = np.nan
    enough: bool = False

    @property
    def centre(self) -> float:
        """Middle of the bin."""
        return (self.low + self.high) / 2

    def figures(self) -> dict[str, float]:
        """All of them by name."""
        return asdict(self)


def bin_edges(mag: FloatArray, width: float) -> FloatArray:
    """Edges of bins at multiples of their width that hold all magnitudes.

    Parameters
    ----------
    mag : (n,) array
        Those that are not finite do not count.
    width : float
        Magnitudes.

    Returns
    -------
    (k + 1,) array
        Of one bin or more.

    Raises
    ------
    ParameterError
        If the width is not positive or there is no magnitude.
    """
    if not width > 0:
        raise ParameterError("width", width, "a positive number of magnitudes")
    good = mag[np.isfinite(mag)]
    if not len(good):
        raise ParameterError("mag", "no finite value", "one magnitude or more")
    # A little more than the largest: bins do not contain their upper end.
    first, last = np.floor(good.min() / width), np.floor(good.max() / width)
    return np.asarray(width * np.arange(first, last + 1.5))


def scatter_bins(
    quantity: FloatArray,
    star: IntArray,
    miss: FloatArray,
    pull: FloatArray,
    edges: FloatArray,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Scatter]:
    """Judge misses and pulls in bins.

    Parameters
    ----------
    quantity : (n,) array
        What the bins are made of, such as the true magnitude.
    star : (n,) int array
        Whose image a stamp is.
    miss : (n,) array
        Predicted minus true magnitude; NaN without an estimate.
    pull : (n,) array
        Over the errors; NaN without an error.
    edges : (k + 1,) array
        Rising; a bin contains its lower end.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    list of Scatter
        One per bin, the empty ones too.

    Raises
    ------
    ParameterError
        If the edges do not rise.
    """
    edges = np.asarray(edges, float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ParameterError("edges", edges.tolist(), "two or more rising numbers")
    found = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows = (quantity >= low) & (quantity < high)
        own = scatter(star[rows], miss[rows], pull[rows], draws=draws, seed=seed)
        found.append(Scatter(**{**asdict(own), "low": low, "high": high}))
    return found


def scatter(
    star: IntArray, miss: FloatArray, pull: FloatArray, *, draws: int = DRAWS, seed: int = 0
) -> Scatter:
    """Judge misses and pulls of some stamps together.

    Parameters
    ----------
    star, miss, pull, draws, seed
        See `scatter_bins`.

    Returns
    -------
    Scatter
        Its ends are NaN.
    """
    good, stamps = np.isfinite(miss), len(miss)
    facts: dict[str, Any] = {
        "low": float("nan"), "high": float("nan"), "stars": len(np.unique(star)), "stamps": stamps,
        "told": float(good.mean()) if stamps else float("nan"),
    }  # fmt: skip
    if len(np.unique(star[good])) < LEAST_STARS:
        return Scatter(**facts)
    ends = np.quantile(miss[good], QUANTILES)
    boot = bootstrap_quantiles(star[good], miss[good], QUANTILES, draws=draws, seed=seed)
    facts |= dict(zip(("low95", "low68", "bias", "high68", "high95"), ends.tolist(), strict=True))
    facts |= {
        "bias_err": float(boot[:, 2].std()),
        "half68": float(ends[3] - ends[1]) / 2,
        "half68_err": float((boot[:, 3] - boot[:, 1]).std()) / 2,
        "half95": float(ends[4] - ends[0]) / 2,
        "half95_err": float((boot[:, 4] - boot[:, 0]).std()) / 2,
        "rms": float(np.sqrt(np.mean(miss[good] ** 2))),
        "enough": True,
    }
    return Scatter(**facts, **_pulls(star, pull, draws, seed))


def _pulls(star: IntArray, pull: FloatArray, draws: int, seed: int) -> dict[str, Any]:
    good = np.isfinite(pull)
    own, whose = pull[good], star[good]
    if len(np.unique(whose)) < LEAST_STARS:
        return {}
    middle = float(np.median(own))
    low, high = np.quantile(own, QUANTILES[1:4:2])
    ends = bootstrap_quantiles(whose, own, QUANTILES[1:4:2], draws=draws, seed=seed)
    # The median about which deviations are taken stays: its own error matters to second order.
    size = bootstrap_quantiles(whose, np.abs(own - middle), (0.5,), draws=draws, seed=seed)
    inside68, inside95 = coverage(own)
    return {
        "pull": robust_rms(own),
        "pull_err": MAD_TO_SIGMA * float(size.std()),
        "pull68": float(high - low) / 2,
        "pull68_err": float((ends[:, 1] - ends[:, 0]).std()) / 2,
        "pull_mean": middle,
        "inside68": inside68,
        "inside95": inside95,
    }


def bootstrap_quantiles(
    star: IntArray,
    values: FloatArray,
    quantiles: tuple[float, ...],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> FloatArray:
    """Quantiles of values with the stars drawn anew, all values of a star together.

    Parameters
    ----------
    star : (n,) int array
        To which star a value belongs.
    values : (n,) array
        Finite.
    quantiles : tuple of float
        Each from 0 to 1.
    draws, seed : int
        How many times, and by which chance.

    Returns
    -------
    (draws, quantiles) array
        Their standard deviations are errors.

    Raises
    ------
    ParameterError
        If there is no value.
    """
    if not len(values):
        raise ParameterError("values", "none", "one or more")
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values, float)[order]
    names, index = np.unique(star[order], return_inverse=True)
    rng = np.random.default_rng(seed)
    step, found = max(1, _AT_ONCE // len(values)), []
    for start in range(0, draws, step):
        count = min(step, draws - start)
        weight = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), count)
        total = np.cumsum(weight[:, index], axis=1)
        for row in total:
            place = np.searchsorted(row, np.array(quantiles) * row[-1], side="left")
            found.append(ordered[np.minimum(place, len(ordered) - 1)])
    return np.array(found)
