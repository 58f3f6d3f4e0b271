"""How good a model of the magnitudes' errors is: quantiles against magnitude, coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.completeness.curves import band_index
from filar.completeness.reliability import FloatArray, IntArray, binomial_error, even_edges
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.completeness.table import ArtificialStars

LEVELS = (0.025, 0.15865, 0.5, 0.84135, 0.975)
"""Quantiles that are compared: those of 1.96 and 1 sigma of a Gaussian, and the median."""
INNER, OUTER = LEVELS[3] - LEVELS[1], LEVELS[4] - LEVELS[0]
"""Parts of the errors between them: 68.27% and 95%."""
_PER_BIN, _MOST_BINS, _LEAST = 100, 25, 20
_DRAWS, _MOST_STARS = 39, 20_000


class ErrorModel(Protocol):
    """Whatever gives the distribution of errors, such as `filar.completeness.scatter`'s."""

    def sample(self, stars: ArtificialStars, rng: np.random.Generator) -> FloatArray:
        """A draw (n, b) of output minus input magnitude."""
        ...


@dataclass(frozen=True, eq=False)
class ErrorBins:
    """Errors of recovered stars in one band, in k bins of input magnitude.

    Parameters
    ----------
    band : str
        The filter.
    middle : (k,) array
        Mean input magnitudes.
    number : (k,) array
        Recovered stars.
    true, predicted : (5, k) arrays
        Quantiles, see `LEVELS`, of output minus input magnitude: of the stars, and of what the
        model draws for the same stars.
    inner, outer : (k,) arrays
        Part of the stars between what the model says are each star's quantiles of 1 and of 1.96
        sigma; `INNER` and `OUTER` if honest.
    inner_err, outer_err : (k,) arrays
        Binomial errors.
    below : float
        Part of all these stars below the model's median; a half if honest.
    all_inner, all_outer : float
        `inner` and `outer` of all.
    """

    band: str
    middle: FloatArray
    number: IntArray
    true: FloatArray
    predicted: FloatArray
    inner: FloatArray
    inner_err: FloatArray
    outer: FloatArray
    outer_err: FloatArray
    below: float
    all_inner: float
    all_outer: float


def judge_errors(
    model: ErrorModel, stars: ArtificialStars, band: str | None = None, *, seed: int = 0
) -> ErrorBins:
    """Compare predicted errors with those of stars that the model has not seen.

    Each star's error is ranked among draws of the model for this star: honest ranks are uniform.
    Where a table is rounded, so are the draws, and ties are broken by chance.

    Parameters
    ----------
    model : ErrorModel
        For the stars' bands, in their order.
    stars : ArtificialStars
        Those that are recovered and found in the band count, 20,000 at most.
    band : str, optional
        The first by default.
    seed : int
        Of the draws.

    Returns
    -------
    ErrorBins

    Raises
    ------
    ParameterError
        If there is no such band, or no star to judge by.
    """
    from filar.completeness.scatter import rounding_step

    column = band_index(stars.bands, band)
    chosen = np.flatnonzero(stars.recovered & np.isfinite(stars.delta[:, column]))
    if not len(chosen):
        raise ParameterError("stars", "none recovered", "some that were recovered in the band")
    rng = np.random.default_rng(seed)
    if len(chosen) > _MOST_STARS:
        chosen = np.sort(rng.choice(chosen, _MOST_STARS, replace=False))
    some = stars.select(chosen)
    mag, delta = some.mag_in[:, column], some.delta[:, column]
    drawn = np.stack([model.sample(some, rng)[:, column] for _ in range(_DRAWS)])
    step = rounding_step(delta)
    if step > 0:
        drawn, delta = np.rint(drawn / step), np.rint(delta / step)
    rank = _ranks(delta, drawn, rng)
    unit = step if step > 0 else 1.0
    bins = int(np.clip(len(mag) / _PER_BIN, 1, _MOST_BINS))
    edges = even_edges(mag, bins, 0.995)
    place = np.clip(np.searchsorted(edges, mag, side="right") - 1, 0, bins - 1)
    every = (np.flatnonzero(place == k) for k in range(bins))
    rows = [row for row in every if len(row) >= _LEAST]
    number = np.array([len(row) for row in rows], np.int64)
    inner, outer = ((rank > low) & (rank < high) for low, high in (LEVELS[1::2], LEVELS[::4]))

    def part(inside: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        counts = np.array([np.count_nonzero(inside[row]) for row in rows])
        return np.asarray(counts / np.maximum(number, 1), float), binomial_error(counts, number)

    def quantiles(values: FloatArray) -> FloatArray:
        found = [unit * np.quantile(values[..., row], LEVELS) for row in rows]
        return np.array(found, float).reshape(len(rows), len(LEVELS)).T

    middle = np.array([mag[row].mean() for row in rows], float)
    return ErrorBins(
        stars.bands[column], middle, number, quantiles(delta), quantiles(drawn), *part(inner),
        *part(outer), float(np.mean(rank < 0.5)), float(inner.mean()), float(outer.mean()),
    )  # fmt: skip


def _ranks(delta: FloatArray, drawn: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Rank of each value among its draws, from 0 to 1; ties by chance."""
    below, equal = (drawn < delta).sum(axis=0), (drawn == delta).sum(axis=0)
    return np.asarray((below + rng.random(len(delta)) * (equal + 1)) / (len(drawn) + 1), float)
