"""Tying one exposure's star list to another: the offset is found, then a polynomial fitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filar.frames import matching
from filar.frames.frame import Tie
from filar.frames.polynomial import Polynomial, PolynomialFit, exponents, fit_polynomial
from filar.frames.settings import FEWEST_PAIRS, FrameSettings
from filar.frames.starlist import BoolArray, FloatArray, StarList

_RADII = (3.0, 2.0, 1.0)
_FLOOR = 0.005  # pixels: PSF errors and neighbours spoil bright stars too
_BRIGHTEST_FOR_SHIFT = 400
_BRIGHTEST_FOR_ROTATION = 70


@dataclass(frozen=True, eq=False)
class GoodStars:
    """The stars of a list that define transformations, brightest first.

    Parameters
    ----------
    stars : StarList
        The whole list.
    rows : (n,) int array
        Rows of the good ones, brightest first.
    """

    stars: StarList
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, stars: StarList, settings: FrameSettings) -> GoodStars:
        """Select the stars and sort them: by magnitude, or else by signal-to-noise ratio."""
        rows = np.flatnonzero(settings.selection(stars))
        known = np.isfinite(stars.mag).any()
        brightness = stars.mag if known else -stars.snr
        order = np.argsort(brightness[rows], kind="stable")
        return cls(stars, rows[order])

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def x(self) -> FloatArray:
        """Positions, pixels: (n,) array."""
        return self.stars.x[self.rows]

    @cached_property
    def y(self) -> FloatArray:
        """Positions, pixels: (n,) array."""
        return self.stars.y[self.rows]

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Middle of the area that the stars fill, pixels."""
        if not len(self):
            return np.nan, np.nan
        low, high = (np.percentile([self.x, self.y], q, axis=1) for q in (1, 99))
        return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2


def unusable(good: GoodStars) -> str:
    """Say why a list cannot be tied to anything; empty if it can."""
    stars = good.stars
    finite = np.isfinite(stars.x) & np.isfinite(stars.y)
    if len(stars) and np.count_nonzero(finite) < len(stars) / 2:
        lost = len(stars) - np.count_nonzero(finite)
        return f"corrupt: {lost} of {len(stars)} stars have no position on a detector"
    if len(good) < FEWEST_PAIRS:
        return f"too few stars: {len(good)} good ones of {len(stars)}, {FEWEST_PAIRS} are needed"
    return ""


def pair_weights(*measures: tuple[StarList, NDArray[np.int64]]) -> FloatArray | None:
    """Weights of pairs of stars by their quoted errors.

    Parameters
    ----------
    *measures : (StarList, (n,) int array)
        Lists, and the rows that belong to the n pairs: of one of the two systems, or of both.

    Returns
    -------
    (n, 2) array or None
        Inverse variances of x and y, pixels^-2, with 5 mpix added in quadrature; None if a list
        has no errors. Stars without an error get the median weight.
    """
    variance = np.full((len(measures[0][1]), 2), _FLOOR**2)
    for stars, rows in measures:
        variance += np.stack([stars.x_err[rows], stars.y_err[rows]], axis=1) ** 2
    weight = 1 / variance
    known: BoolArray = np.isfinite(weight[:, 0] + weight[:, 1])
    if not known.any():
        return None
    return np.where(known[:, None], weight, np.median(weight[known], axis=0))


def fit_transform(
    x: FloatArray,
    y: FloatArray,
    u: FloatArray,
    v: FloatArray,
    order: int,
    clip: float,
    weight: FloatArray | None = None,
) -> PolynomialFit | None:
    """Fit a polynomial of the order wanted, or of order 1 if stars are few.

    Parameters
    ----------
    x, y, u, v : (n,) arrays
        Positions of the same stars in two systems, pixels.
    order : int
        Order, taken if there are three pairs and more for each term.
    clip : float
        Limit of the residuals, standard errors.
    weight : (n, 2) array, optional
        Weights of the pairs, for u and v.

    Returns
    -------
    PolynomialFit or None
        None if fewer than ten pairs are there or survive the clipping.
    """
    number = np.count_nonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(u) & np.isfinite(v))
    if number < FEWEST_PAIRS:
        return None
    if number < 3 * len(exponents(order)):
        order = 1
    fit = fit_polynomial(x, y, u, v, order=order, clip=clip, weight=weight)
    return fit if np.count_nonzero(fit.used) >= FEWEST_PAIRS else None


def tie_to_reference(good: GoodStars, reference: GoodStars, settings: FrameSettings) -> Tie:
    """Tie an exposure to the reference exposure.

    Parameters
    ----------
    good : GoodStars
        The exposure's.
    reference : GoodStars
        The reference's.
    settings : FrameSettings
        ``order``, ``clip`` and ``max_offset`` are used.

    Returns
    -------
    Tie
        ``to_frame`` leads to the reference's pixels; or a reason why there is none.
    """
    if reason := unusable(good):
        return Tie(good.stars, reason)
    rough, best = _linear(good, reference)
    if rough is None:
        found = f"at best {best} agree, {FEWEST_PAIRS} and more than by chance are needed"
        return Tie(good.stars, f"no stars in common with the reference: {found}")
    dx, dy = offset(rough, reference.middle)
    tie = Tie(good.stars, offset_x=dx, offset_y=dy)
    if np.hypot(dx, dy) > settings.max_offset:
        shift = f"shifted by {dx:.1f}, {dy:.1f} pixels"
        return replace(tie, reason=f"{shift}, beyond --max-offset {settings.max_offset:g}")
    i, j = matching.mutual_nearest(*rough(good.x, good.y), reference.x, reference.y, _RADII[-1])
    pairs = (good.x[i], good.y[i], reference.x[j], reference.y[j])
    fit = fit_transform(*pairs, settings.order, settings.clip)
    if fit is None:
        return replace(tie, reason=f"only {len(i)} good stars in common with the reference")
    return replace(tie, to_frame=fit.transform, error_x=fit.error_x, error_y=fit.error_y)


def offset(to_reference: Polynomial, middle: tuple[float, float]) -> tuple[float, float]:
    """Where stars at the reference's middle lie in the exposure, less the middle: pixels."""
    x, y = to_reference.inverse(np.array(middle[:1]), np.array(middle[1:]))
    return float(x[0] - middle[0]), float(y[0] - middle[1])


def _linear(good: GoodStars, reference: GoodStars) -> tuple[Polynomial | None, int]:
    """Find the linear transformation to the reference, and the pairs that agree with it."""
    best = 0
    for guess in _guesses(good, reference):
        if guess is None or not guess.significant:
            continue
        transform, pairs, by_chance = _refined(guess.transform, good, reference)
        if pairs >= FEWEST_PAIRS and pairs > by_chance + 6 * np.sqrt(by_chance + 1):
            return transform, pairs
        best = max(best, pairs)
    return None, best


def _guesses(good: GoodStars, reference: GoodStars) -> Iterator[matching.Guess | None]:
    """From the likeliest and cheapest to the rarest: each is tried if the ones before fail."""
    yield matching.small_offset(good.x, good.y, reference.x, reference.y)
    for n, find in (
        (_BRIGHTEST_FOR_SHIFT, matching.unknown_shift),
        (_BRIGHTEST_FOR_ROTATION, matching.shift_and_rotation),
    ):
        yield find(good.x[:n], good.y[:n], reference.x[:n], reference.y[:n])


def _refined(
    transform: Polynomial, good: GoodStars, reference: GoodStars
) -> tuple[Polynomial, int, float]:
    """Match and fit with shrinking radius: transformation, pairs, and pairs expected by chance."""
    pairs = 0
    for radius in _RADII:
        u, v = transform(good.x, good.y)
        i, j = matching.mutual_nearest(u, v, reference.x, reference.y, radius)
        pairs = len(i)
        if pairs < FEWEST_PAIRS:
            break
        fit = fit_polynomial(good.x[i], good.y[i], reference.x[j], reference.y[j], order=1)
        transform = fit.transform
    area = np.ptp(reference.x) * np.ptp(reference.y)
    inside = (np.abs(u - reference.middle[0]) < np.ptp(reference.x) / 2) & (
        np.abs(v - reference.middle[1]) < np.ptp(reference.y) / 2
    )
    density = len(reference) / max(float(area), 1.0)
    return transform, pairs, float(np.count_nonzero(inside) * density * np.pi * radius**2)
