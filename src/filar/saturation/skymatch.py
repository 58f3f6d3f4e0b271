"""Which measured star is which star of a catalogue: by the header's WCS, which is put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.polynomial import polyvander2d
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError
from filar.robust import MAD_TO_SIGMA
from filar.saturation.overlap import pixel_scale, project

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from filar.saturation.catalogs import CatalogStars

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.int64]

SEARCH = 5.0
"""Largest error of a header's positions, arcsec."""
RADIUS = 1.5
"""Farthest that a star may be from its place in the catalogue, pixels."""
SATURATED_RADIUS = 3.0
"""The same where it is saturated and its measured position worth less, pixels."""
_LEAST_SEARCH = 5.0  # pixels
_BRIGHTEST = 400
_PEAK = 1.5  # pixels: how far the shifts of true pairs scatter before the fit
_FEWEST = 5
_PER_TERM = 5
_CLIP = 4.0
_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class SkyMatch:
    """Measured stars and the catalogue.

    Parameters
    ----------
    row : (n,) int64 array
        The catalogue's row for each measured star; -1: none.
    distance : (n,) float64 array
        From there to where the catalogue puts it, pixels; NaN: none.
    x, y : (m,) float64 arrays
        Where the catalogue's stars are in the image, by the corrected WCS, pixels; NaN for those
        far beside it.
    shift : (float, float)
        Of the measured positions against the header's WCS at the image's middle, pixels.
    corrected : bool
        Whether the stars were enough to put the WCS right.
    scatter : float
        Robust scatter of the matched stars in one coordinate, pixels.
    """

    row: IndexArray
    distance: FloatArray
    x: FloatArray
    y: FloatArray
    shift: tuple[float, float]
    corrected: bool
    scatter: float

    @property
    def number(self) -> int:
        """How many measured stars were found in the catalogue."""
        return int(np.count_nonzero(self.row >= 0))


def match_to_sky(
    stars: CatalogStars,
    wcs: WCS,
    x: ArrayLike,
    y: ArrayLike,
    shape: tuple[int, int],
    *,
    flux: ArrayLike | None = None,
    saturated: ArrayLike | None = None,
    search: float = SEARCH,
    radius: float = RADIUS,
    saturated_radius: float = SATURATED_RADIUS,
    order: int = 1,
) -> SkyMatch:
    """Find the measured stars of an image in a catalogue, one to one.

    The error of the header's WCS is found as the shift on which most pairs of bright stars agree,
    then as a polynomial fitted to the stars matched. In the end the catalogue's stars choose,
    the brightest first, the nearest measured star.

    Parameters
    ----------
    stars : CatalogStars
        At the image's epoch, see `CatalogStars.at`.
    wcs : WCS
        The header's.
    x, y : (n,) arrays
        Measured positions, pixels; stars without are matched to none.
    shape : (int, int)
        Rows and columns of the image.
    flux : (n,) array, optional
        To tell which are bright; by default all are compared alike.
    saturated : (n,) bool array, optional
        Whose positions are worth less.
    search : float
        Largest error of the WCS, arcsec (5 pixels at least are searched).
    radius, saturated_radius : float
        How far a star may be from its place, pixels.
    order : int
        Of the polynomial, 1 to 4: 1 is shift, rotation, scale and shear.

    Returns
    -------
    SkyMatch
        Without correction of the WCS where fewer than five stars, or no more than by chance,
        agree on one.

    Raises
    ------
    ParameterError
        If arrays differ in length or a number makes no sense.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    bright = np.ones(len(x)) if flux is None else np.nan_to_num(np.asarray(flux, float))
    soft = np.zeros(len(x), bool) if saturated is None else np.asarray(saturated, bool)
    _check(x, y, bright, soft, search, radius, order)
    reach = max(search / pixel_scale(wcs), _LEAST_SEARCH)
    u, v = project(stars, wcs, shape, margin=reach)
    rank = np.where(np.isfinite(stars.mag), stars.mag, np.inf)
    start = _shift(u, v, rank, x, y, -bright, reach)
    if start is not None:
        u, v = _refined(u, v, x, y, start, shape, radius, order)
    row, distance = _claims(u, v, rank, x, y, np.where(soft, saturated_radius, radius))
    found = row >= 0
    firm = found & ~soft if (found & ~soft).any() else found
    off = np.concatenate([x[firm] - u[row[firm]], y[firm] - v[row[firm]]])
    scatter = MAD_TO_SIGMA * float(np.median(np.abs(off))) if len(off) else np.nan
    shift = (0.0, 0.0) if start is None else start
    return SkyMatch(row, distance, u, v, shift, start is not None, scatter)


def _check(
    x: FloatArray, y: FloatArray, bright: FloatArray, soft: BoolArray,
    search: float, radius: float, order: int,
) -> None:  # fmt: skip
    for name, values in (("y", y), ("flux", bright), ("saturated", soft)):
        if values.shape != x.shape or x.ndim != 1:
            raise ParameterError(name, values.shape, f"one value for each of {x.shape} stars")
    if order not in range(1, 5):
        raise ParameterError("order", order, "1 to 4")
    for name, number in (("search", search), ("radius", radius)):
        if not number > 0:
            raise ParameterError(name, number, "a positive number")


def _shift(
    u: FloatArray, v: FloatArray, rank: FloatArray,
    x: FloatArray, y: FloatArray, order: FloatArray, reach: float,
) -> tuple[float, float] | None:  # fmt: skip
    """Shift on which most pairs of bright stars agree; None if chance would do as much."""
    from scipy.spatial import cKDTree

    listed, seen = (
        np.flatnonzero(np.isfinite(a + b))[np.argsort(key[np.isfinite(a + b)], kind="stable")]
        for a, b, key in ((u, v, rank), (x, y, order))
    )
    number = min(_BRIGHTEST, max(len(listed), _FEWEST))
    listed, seen = listed[:number], seen[: min(_BRIGHTEST, 2 * number)]
    if len(listed) < _FEWEST or len(seen) < _FEWEST:
        return None
    one, two = np.column_stack([u[listed], v[listed]]), np.column_stack([x[seen], y[seen]])
    near = cKDTree(one).sparse_distance_matrix(cKDTree(two), reach, output_type="ndarray")
    if not len(near):
        return None
    steps = two[near["j"]] - one[near["i"]]
    tree = cKDTree(steps)
    votes = tree.query_ball_point(steps, _PEAK, return_length=True)
    best = int(np.argmax(votes))
    chance = (len(steps) - votes[best]) * (_PEAK / reach) ** 2
    if votes[best] < max(_FEWEST, chance + 6 * np.sqrt(chance + 1)):
        return None
    middle = np.median(steps[tree.query_ball_point(steps[best], _PEAK)], axis=0)
    return float(middle[0]), float(middle[1])


def _refined(
    u: FloatArray, v: FloatArray, x: FloatArray, y: FloatArray, start: tuple[float, float],
    shape: tuple[int, int], radius: float, order: int,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """The catalogue's places shifted, then bent as the stars matched say."""
    scale = max(shape) / 2
    a, b = (u - shape[1] / 2) / scale, (v - shape[0] / 2) / scale
    shifted = u + start[0], v + start[1]
    now = shifted
    for step in range(_ROUNDS):
        i, j = _mutual(*now, x, y, max(radius, 3.0 - step))
        degree = next((d for d in range(order, 0, -1) if len(i) >= _PER_TERM * _terms(d)), 0)
        rows = _design(a, b, degree)
        bent = []
        for place, measured in zip(shifted, (x, y), strict=True):
            off = measured[j] - place[i]
            kept = np.ones(len(i), bool)
            for _ in range(_ROUNDS):
                solution = np.linalg.lstsq(rows[i][kept], off[kept], rcond=None)[0]
                left = np.abs(off - rows[i] @ solution)
                kept = left <= _CLIP * MAD_TO_SIGMA * np.median(left) + 1e-6
            bent.append(place + rows @ solution)
        now = bent[0], bent[1]
    return now


def _terms(degree: int) -> int:
    return (degree + 1) * (degree + 2) // 2


def _design(a: FloatArray, b: FloatArray, degree: int) -> FloatArray:
    grid = polyvander2d(a, b, (degree, degree))
    columns = [i * (degree + 1) + j for i in range(degree + 1) for j in range(degree + 1 - i)]
    return np.asarray(grid[:, columns])


def _mutual(
    u: FloatArray, v: FloatArray, x: FloatArray, y: FloatArray, radius: float
) -> tuple[IndexArray, IndexArray]:
    """Rows of both lists that are each other's nearest."""
    from scipy.spatial import cKDTree

    listed, seen = np.flatnonzero(np.isfinite(u + v)), np.flatnonzero(np.isfinite(x + y))
    one, two = np.column_stack([u[listed], v[listed]]), np.column_stack([x[seen], y[seen]])
    _, there = cKDTree(two).query(one, distance_upper_bound=radius)
    found = np.flatnonzero(there < len(two))
    _, back = cKDTree(one).query(two[there[found]])
    both = found[back == found]
    return listed[both], seen[there[both]]


def _claims(
    u: FloatArray, v: FloatArray, rank: FloatArray, x: FloatArray, y: FloatArray, radius: FloatArray
) -> tuple[IndexArray, FloatArray]:
    """Let the catalogue's stars choose, the brightest first, the nearest star not taken yet.

    All choose at once; of several that want the same star the brightest keeps it, and the others
    go on to their next, until nobody is refused any more: that comes to the same.
    """
    from scipy.spatial import cKDTree

    row, distance = np.full(len(x), -1, np.int64), np.full(len(x), np.nan)
    listed, seen = np.flatnonzero(np.isfinite(u + v)), np.flatnonzero(np.isfinite(x + y))
    if not len(listed) or not len(seen):
        return row, distance
    one = cKDTree(np.column_stack([u[listed], v[listed]]))
    two = cKDTree(np.column_stack([x[seen], y[seen]]))
    near = one.sparse_distance_matrix(two, float(radius.max()), output_type="ndarray")
    near = near[near["v"] <= radius[seen[near["j"]]]]
    near = near[np.lexsort((near["v"], near["i"]))]
    star, other, apart = listed[near["i"]], seen[near["j"]], near["v"]
    place = np.full(len(u), len(u))
    place[listed[np.argsort(rank[listed], kind="stable")]] = np.arange(len(listed))
    alive = np.ones(len(star), bool)
    while True:
        rows = np.flatnonzero(alive)
        first = rows[np.unique(star[rows], return_index=True)[1]]  # each one's nearest
        order = first[np.lexsort((place[star[first]], other[first]))]
        winner = np.unique(other[order], return_index=True)[1]
        refused = np.setdiff1d(first, order[winner])
        if not len(refused):
            break
        alive[refused] = False
    row[other[first]], distance[other[first]] = star[first], apart[first]
    return row, distance
