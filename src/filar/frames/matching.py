"""Matching star lists: pairs under a known transformation, and finding an unknown one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.frames.cells import count_cells
from filar.frames.polynomial import Polynomial
from filar.frames.starlist import FloatArray

IndexArray = NDArray[np.int64]

_SHORTEST = 20.0
_LENGTH_TOLERANCE = 1.5
_SCALE_TOLERANCE = 2e-3
_VOTE_RADIUS = 3.0
_FARTHEST = 1e5


@dataclass(frozen=True)
class Guess:
    """A rough transformation from one list to another.

    Parameters
    ----------
    transform : Polynomial
        Of order 1.
    votes : int
        Pairs of stars that agree with it.
    by_chance : float
        Votes that lists of unrelated stars would give at a place chosen beforehand.
    """

    transform: Polynomial
    votes: int
    by_chance: float

    @property
    def significant(self) -> bool:
        """Whether chance is no explanation, with thousands of places to try."""
        return self.votes >= 5 and self.votes > self.by_chance + 6 * np.sqrt(self.by_chance + 1)


def mutual_nearest(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, radius: float
) -> tuple[IndexArray, IndexArray]:
    """Find the stars of two lists that are each other's nearest.

    Parameters
    ----------
    x, y : (n,) arrays
        The first list, pixels, already in the second's system. Stars without a finite position
        match none.
    u, v : (m,) arrays
        The second list, pixels.
    radius : float
        Largest distance, pixels.

    Returns
    -------
    first, second : (k,) int arrays
        Rows of the pairs, in the order of the first list; no row occurs twice.
    """
    one, two = np.column_stack([x, y]), np.column_stack([u, v])
    return mutual_nearest_points(one, two, radius)


def mutual_nearest_points(
    one: FloatArray, two: FloatArray, radius: float
) -> tuple[IndexArray, IndexArray]:
    """Find the points of two lists that are each other's nearest, in any number of dimensions.

    Parameters
    ----------
    one : (n, k) array
        The first list. Points without a finite position match none.
    two : (m, k) array
        The second list.
    radius : float
        Largest distance.

    Returns
    -------
    first, second : (p,) int arrays
        Rows of the pairs, in the order of the first list; no row occurs twice.
    """
    from scipy.spatial import cKDTree

    rows = np.flatnonzero(np.isfinite(one).all(axis=1))
    columns = np.flatnonzero(np.isfinite(two).all(axis=1))
    if not len(rows) or not len(columns):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    one, two = one[rows], two[columns]
    quick = {"balanced_tree": False, "compact_nodes": False}
    _, there = cKDTree(two, **quick).query(one, distance_upper_bound=radius)
    found = np.flatnonzero(there < len(two))
    _, back = cKDTree(one, **quick).query(two[there[found]], distance_upper_bound=radius)
    mutual = found[back == found]
    return rows[mutual], columns[there[mutual]]


def small_offset(
    x: FloatArray,
    y: FloatArray,
    u: FloatArray,
    v: FloatArray,
    *,
    largest: float = 5.0,
    cell: float = 0.5,
) -> Guess | None:
    """Find a shift of a few pixels as the peak of the differences of all close pairs.

    Parameters
    ----------
    x, y : (n,) arrays
        The first list, pixels, finite.
    u, v : (m,) arrays
        The second list, pixels, finite.
    largest : float
        Largest shift in either coordinate, pixels.
    cell : float
        Size of the histogram's cells, pixels.

    Returns
    -------
    Guess or None
        A shift; None if no stars lie that close.
    """
    from scipy.spatial import cKDTree

    one, two = cKDTree(np.column_stack([x, y])), cKDTree(np.column_stack([u, v]))
    close = one.sparse_distance_matrix(two, largest + 2 * cell, p=np.inf, output_type="ndarray")
    dx, dy = u[close["j"]] - x[close["i"]], v[close["j"]] - y[close["i"]]
    return _peak_of(dx, dy, cell)


def unknown_shift(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, *, cell: float = 2.0
) -> Guess | None:
    """Find a shift of any size as the peak of the differences of all pairs.

    Parameters
    ----------
    x, y : (n,) arrays
        The brightest stars of the first list, pixels, finite; some hundreds at most.
    u, v : (m,) arrays
        The brightest stars of the second list.
    cell : float
        Size of the histogram's cells, pixels. Rotation and scale may smear differences by about
        as much.

    Returns
    -------
    Guess or None
        A shift; None if a list is empty.
    """
    return _peak_of((u[None] - x[:, None]).ravel(), (v[None] - y[:, None]).ravel(), cell)


def _peak_of(dx: FloatArray, dy: FloatArray, cell: float) -> Guess | None:
    """Find where differences pile up: the fullest 3 x 3 cells, and how full those around are.

    The place is refined by the mean of what lies within 1.5 cells, three times.
    """
    near = np.hypot(dx, dy) < _FARTHEST
    dx, dy = dx[near], dy[near]
    if not len(dx):
        return None
    cells = count_cells(dx, dy, cell)
    best = int(np.argmax(cells.number))
    px, py = float(cells.x[best]), float(cells.y[best])
    for _ in range(3):
        away = np.maximum(np.abs(dx - px), np.abs(dy - py))
        inside = away <= 1.5 * cell
        px, py = float(dx[inside].mean()), float(dy[inside].mean())
    ring = np.count_nonzero((away > 1.5 * cell) & (away <= 5.5 * cell))
    shift = Polynomial.linear(np.eye(2), np.array([px, py]))
    return Guess(shift, int(cells.number[best]), ring * 9 / 112)


def shift_and_rotation(x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray) -> Guess | None:
    """Find a shift and a rotation by any angle, the scale being the same within some permille.

    Every pair of stars in one list and every pair of equal length in the other give a rotation
    and a shift; the right one is where many agree.

    Parameters
    ----------
    x, y : (n,) arrays
        The brightest stars of the first list, pixels, finite; some 60 suffice, and time grows
        with the fourth power.
    u, v : (m,) arrays
        The brightest stars of the second list.

    Returns
    -------
    Guess or None
        A rotation and shift; None if there are no two pairs of equal length.
    """
    from scipy.spatial import cKDTree

    if min(len(x), len(u)) < 2:
        return None
    first, second = x + 1j * y, u + 1j * v
    middle, reach = first.mean(), float(np.abs(first - first.mean()).max())
    turn, shift = _candidates(first - middle, second)
    if not len(turn):
        return None
    # An angle times the distance that it acts on: all four numbers are pixels.
    places = np.column_stack([turn.real * reach, turn.imag * reach, shift.real, shift.imag])
    tree = cKDTree(places)
    agree = tree.query_ball_point(places, _VOTE_RADIUS, return_length=True)
    best = int(np.argmax(agree))
    members = tree.query_ball_point(places[best], _VOTE_RADIUS)
    turned = turn[members].mean()
    turned /= abs(turned)
    offset = shift[members].mean() - turned * middle
    matrix = np.array([[turned.real, -turned.imag], [turned.imag, turned.real]])
    transform = Polynomial.linear(matrix, np.array([offset.real, offset.imag]))
    # k stars in common make k (k - 1) / 2 pairs that agree.
    stars = int((1 + np.sqrt(1 + 8 * len(members))) / 2)
    return Guess(transform, stars, 0.0)


def _candidates(
    first: NDArray[np.complex128], second: NDArray[np.complex128]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Rotations (unit numbers) and shifts that carry a pair of stars into one of equal length."""
    i, j = np.triu_indices(len(first), 1)
    k, m = (np.concatenate(pair) for pair in _both_ways(len(second)))
    one, two = first[j] - first[i], second[m] - second[k]
    long_enough = np.abs(one) >= _SHORTEST
    i, j, one = i[long_enough], j[long_enough], one[long_enough]
    order = np.argsort(np.abs(two), kind="stable")
    lengths = np.abs(two)[order]
    tolerance = _LENGTH_TOLERANCE + _SCALE_TOLERANCE * np.abs(one)
    start = np.searchsorted(lengths, np.abs(one) - tolerance)
    stop = np.searchsorted(lengths, np.abs(one) + tolerance)
    number = stop - start
    a = np.repeat(np.arange(len(one)), number)
    within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    b = order[np.repeat(start, number) + within]
    turn = two[b] / one[a]
    turn /= np.abs(turn)
    shift = (second[k[b]] + second[m[b]]) / 2 - turn * (first[i[a]] + first[j[a]]) / 2
    return turn, shift


def _both_ways(n: int) -> tuple[tuple[IndexArray, IndexArray], tuple[IndexArray, IndexArray]]:
    i, j = np.triu_indices(n, 1)
    return (i, j), (j, i)
