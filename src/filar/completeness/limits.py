"""Limiting magnitudes: where the recovery probability falls through a level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from filar.completeness.curves import band_index
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Stars = ArtificialStars | RealStars

LEVELS = (0.5, 0.8)
STEP = 0.2
"""Magnitudes between the places of a first search."""

_HALVINGS = 14
_AT_ONCE = 50_000  # Stars that a model is asked about in one call.
_NEIGHBOURS = 15


class Probabilities(Protocol):
    """What gives recovery probabilities, for example a `CompletenessModel`."""

    def p_recovered(self, stars: Stars) -> FloatArray:
        """Probability of each star, (n,)."""
        ...


@dataclass(frozen=True, eq=False)
class Limits:
    """Limiting magnitudes at n places.

    Parameters
    ----------
    band : str
        The filter.
    level : float
        The probability.
    mag : (n,) float64 array
        The faintest magnitude at which the probability falls through the level; NaN where it does
        not.
    never : (n,) bool array
        Where the probability is below the level at all magnitudes searched.
    beyond : (n,) bool array
        Where it is still above it at the faintest of them.
    at : RealStars
        The places: covariates, positions and, as differences of magnitudes, colours.
    """

    band: str
    level: float
    mag: FloatArray
    never: BoolArray
    beyond: BoolArray
    at: RealStars


def limiting_magnitude(
    model: Probabilities,
    at: Stars,
    *,
    band: str | None = None,
    level: float = 0.5,
    search: tuple[float, float] | None = None,
) -> Limits:
    """Find where recovery falls through a level, at the colours and covariates of given stars.

    Parameters
    ----------
    model : has ``p_recovered(stars)``
        Gives probabilities.
    at : ArtificialStars or RealStars
        n places. Magnitudes in all filters are moved together, so that colours stay.
    band : str or None
        The filter whose magnitude is told; by default the first.
    level : float
        Between 0 and 1.
    search : (float, float) or None
        Brightest and faintest magnitude of that filter to look at; by default those of the stars.
        It should not go beyond what the model was trained on.

    Returns
    -------
    Limits

    Raises
    ------
    ParameterError
        For a level or filter that makes no sense, or magnitudes to search that do not rise.
    """
    if not 0 < level < 1:
        raise ParameterError("level", level, "a probability between 0 and 1")
    column = band_index(at.bands, band)
    stars = _as_real(at)
    own = stars.mag[:, column]
    if search is None:
        known = own[np.isfinite(own)]
        search = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    if not -np.inf < search[0] < search[1] < np.inf:
        raise ParameterError("search", search, "two rising magnitudes")
    mags = np.linspace(*search, max(2, int(np.ceil((search[1] - search[0]) / STEP)) + 1))
    parts = [
        _crossing(model, stars.select(slice(start, start + step)), column, level, mags)
        for step in (max(1, _AT_ONCE // len(mags)),)
        for start in range(0, len(stars), step)
    ]
    mag, never, beyond = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Limits(stars.bands[column], level, mag, never, beyond, stars)


def _crossing(
    model: Probabilities, stars: RealStars, column: int, level: float, mags: FloatArray
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """The last fall of each place through the level, first coarsely, then by halving."""
    n, k = len(stars), len(mags)
    everywhere = stars.select(np.repeat(np.arange(n), k))
    p = model.p_recovered(_moved(everywhere, column, np.tile(mags, n))).reshape(n, k)
    above = p >= level
    falls = above[:, :-1] & ~above[:, 1:]
    some = falls.any(axis=1)
    last = k - 2 - np.argmax(falls[:, ::-1], axis=1)
    never, beyond = ~above.any(axis=1), above[:, -1]
    mag = np.full(n, np.nan)
    rows = np.flatnonzero(some & ~beyond)
    if len(rows):
        chosen = stars.select(rows)
        low, high = mags[last[rows]], mags[last[rows] + 1]
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            up = model.p_recovered(_moved(chosen, column, middle)) >= level
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        mag[rows] = 0.5 * (low + high)
    return mag, np.asarray(never), np.asarray(beyond)


def _moved(stars: RealStars, column: int, mag: FloatArray) -> RealStars:
    """The same places and colours at another magnitude."""
    return replace(stars, mag=stars.mag + (mag - stars.mag[:, column])[:, None])


def _as_real(stars: Stars) -> RealStars:
    if isinstance(stars, RealStars):
        return stars
    return RealStars(stars.bands, stars.mag_in, stars.covariates, stars.x, stars.y, stars.meta)


def typical_place(
    stars: Stars, *, color: Sequence[float] | float | None = None, faint: bool = True
) -> RealStars:
    """One place with the medians of the stars' colours and covariates.

    Parameters
    ----------
    stars : ArtificialStars or RealStars
        Where to take them from.
    color : float or sequence of float, optional
        Magnitude in the first filter less that in each further one, instead of the median.
    faint : bool
        Take the covariates of the fainter half, whose own light is not in them.

    Returns
    -------
    RealStars
        A single row.

    Raises
    ------
    ParameterError
        For more or fewer colours than further filters.
    """
    real = _as_real(stars)
    first = np.nanmedian(real.mag[:, 0])
    if color is None:
        colors = np.nanmedian(real.mag[:, :1] - real.mag[:, 1:], axis=0)
    else:
        colors = np.atleast_1d(np.asarray(color, float))
        if len(colors) == 1:
            colors = np.repeat(colors, real.mag.shape[1] - 1)
        if len(colors) != real.mag.shape[1] - 1:
            raise ParameterError("color", color, f"{real.mag.shape[1] - 1} numbers, or one")
    some = _fainter(real) if faint else real
    covariates = {name: np.atleast_1d(_median(v)) for name, v in some.covariates.items()}
    mag = np.concatenate([[first], first - colors])[None, :]
    x, y = np.atleast_1d(_median(real.x)), np.atleast_1d(_median(real.y))
    return RealStars(real.bands, mag, covariates, x, y, dict(real.meta))


def places_along(place: RealStars, name: str, values: FloatArray) -> RealStars:
    """Places that differ in one thing: a covariate, or the colour.

    Parameters
    ----------
    place : RealStars
        A single row, for example from `typical_place`.
    name : str
        A covariate, or ``"color"``: magnitude in the first filter less that in the others.
    values : (n,) array
        Its values.

    Returns
    -------
    RealStars
        n rows.

    Raises
    ------
    ParameterError
        If there is no such covariate.
    """
    values = np.asarray(values, float)
    many = place.select(np.zeros(len(values), int))
    if name == "color":
        if len(place.bands) < 2:
            raise ParameterError("along", name, "a covariate: a single filter has no colour")
        mag = many.mag.copy()
        mag[:, 1:] = mag[:, :1] - values[:, None]
        return replace(many, mag=mag)
    if name not in place.covariates:
        names = ", ".join(["color", *place.covariates])
        raise ParameterError("along", name, f"one of {names}")
    return replace(many, covariates={**many.covariates, name: values})


def places_on_grid(
    stars: Stars,
    x: FloatArray,
    y: FloatArray,
    *,
    color: Sequence[float] | float | None = None,
    maps: Mapping[str, FloatArray] | None = None,
) -> RealStars:
    """Places all over the image, with covariates interpolated from stars or taken from maps.

    Parameters
    ----------
    stars : ArtificialStars or RealStars
        With positions; each node gets the medians of the covariates of the 15 nearest of the
        fainter half, whose own light is not in them.
    x, y : (k,), (m,) arrays
        Columns and rows of the nodes, pixels.
    color : float or sequence of float, optional
        As in `typical_place`.
    maps : mapping of str to (m, k) arrays, optional
        Covariates that are known at the nodes.

    Returns
    -------
    RealStars
        m k rows, x fastest.

    Raises
    ------
    ParameterError
        If the stars have no positions, or a map has another shape.
    """
    from scipy.spatial import cKDTree

    maps = dict(maps or {})
    nodes_x, nodes_y = (a.ravel() for a in np.meshgrid(np.asarray(x, float), np.asarray(y, float)))
    for name, image in maps.items():
        if np.shape(image) != (len(y), len(x)):
            raise ParameterError(f"map of {name}", np.shape(image), f"shape {(len(y), len(x))}")
    place = typical_place(stars, color=color)
    many = place.select(np.zeros(len(nodes_x), int))
    faint = _fainter(_as_real(stars))
    covariates = {name: np.asarray(image, float).ravel() for name, image in maps.items()}
    wanted = [name for name in many.covariates if name not in covariates]
    if wanted:
        known = np.isfinite(faint.x + faint.y)
        if not known.any():
            raise ParameterError("x, y", "all missing", "stars with positions, or maps")
        tree = cKDTree(np.c_[faint.x, faint.y][known])
        _, near = tree.query(np.c_[nodes_x, nodes_y], k=min(_NEIGHBOURS, int(known.sum())))
        near = near.reshape(len(nodes_x), -1)
        for name in wanted:
            covariates[name] = _median(faint.covariates[name][known][near])
    return replace(many, covariates=covariates, x=nodes_x, y=nodes_y)


def _fainter(stars: RealStars) -> RealStars:
    """The fainter half in the first filter."""
    mag = stars.mag[:, 0]
    known = np.isfinite(mag)
    if not known.any():
        return stars
    return stars.select(known & (mag >= np.median(mag[known])))


def _median(values: FloatArray) -> FloatArray:
    """Median along the last axis of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    ordered = np.sort(np.where(known, values, np.inf), axis=-1)
    count = known.sum(axis=-1, keepdims=True)
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, values.shape[-1] - 1)
    pair = [np.take_along_axis(ordered, index, axis=-1) for index in (low, high)]
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (pair[0] + pair[1])[..., 0]
    return np.asarray(np.where(count[..., 0] > 0, middle, np.nan), float)
