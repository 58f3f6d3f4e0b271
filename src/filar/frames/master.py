"""The master list: where detections of many exposures pile up on the sky."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filar.frames.cells import count_cells
from filar.frames.frame import Tie
from filar.frames.polynomial import Polynomial
from filar.frames.starlist import SPOILT, BoolArray, FloatArray, StarList

_CELL = 0.5
_CLOSEST = 1.5
_PART = 0.2
_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def unspoilt(stars: StarList) -> BoolArray:
    """Mark the measures that say where a star is: (n,) bool array."""
    good = np.isfinite(stars.x) & np.isfinite(stars.y)
    return np.asarray(good & ((stars.flags & int(SPOILT)) == 0))


def coverage(x: FloatArray, y: FloatArray, ties: Sequence[Tie]) -> NDArray[np.int32]:
    """Count the exposures whose stars surround a place.

    Parameters
    ----------
    x, y : (n,) arrays
        Places in the frame, pixels.
    ties : sequence of Tie
        Exposures; those left out do not count.

    Returns
    -------
    (n,) int32 array
        Exposures.
    """
    count = np.zeros(len(x), np.int32)
    for tie in ties:
        if tie.to_frame is not None and tie.used and unspoilt(tie.stars).any():
            count += _within(x, y, _outline(tie.stars, tie.to_frame))
    return count


def _outline(stars: StarList, to_frame: Polynomial) -> FloatArray:
    """Corners of the rectangle that the stars fill, in the frame: (4, 2) array."""
    good = unspoilt(stars)
    low = np.array([stars.x[good].min(), stars.y[good].min()]) - _CELL
    high = np.array([stars.x[good].max(), stars.y[good].max()]) + _CELL
    corners = np.where(_CORNERS, high, low)
    return np.column_stack(to_frame(corners[:, 0], corners[:, 1]))


def _within(x: FloatArray, y: FloatArray, corners: FloatArray) -> BoolArray:
    """Whether places lie in a convex polygon, whichever way its corners run."""
    edges = np.roll(corners, -1, axis=0) - corners
    sides = np.stack(
        [ex * (y - cy) - ey * (x - cx) for (ex, ey), (cx, cy) in zip(edges, corners, strict=True)]
    )
    return np.asarray((sides >= 0).all(axis=0) | (sides <= 0).all(axis=0))


def measures_needed(covered: NDArray[np.int32], minimum: int | None) -> NDArray[np.int32]:
    """In how many exposures a star must be found: two, and a fifth of those that cover it.

    Parameters
    ----------
    covered : (n,) int array
        Exposures that cover the star.
    minimum : int or None
        A number that holds instead for all stars.

    Returns
    -------
    (n,) int32 array
        Exposures.
    """
    if minimum is not None:
        return np.full(len(covered), minimum, np.int32)
    return np.asarray(np.maximum(2, np.ceil(_PART * covered)), np.int32)


def master_list(ties: Sequence[Tie], minimum: int | None = None) -> tuple[FloatArray, FloatArray]:
    """Find the stars of a field from all exposures, whether or not the reference has them.

    Detections are counted on a grid of half a pixel; a star is where more lie within 3 x 3 cells
    than around, in as many exposures as `measures_needed` says. Cosmic rays do not repeat.

    Parameters
    ----------
    ties : sequence of Tie
        Exposures; those left out take no part.
    minimum : int, optional
        See `measures_needed`.

    Returns
    -------
    x, y : (n,) arrays
        Places in the frame, pixels.
    """
    transformed = []
    for tie in ties:
        if tie.to_frame is not None and tie.used:
            good = unspoilt(tie.stars)
            transformed.append(np.stack(tie.to_frame(tie.stars.x[good], tie.stars.y[good])))
    if not sum(part.shape[1] for part in transformed):
        return np.zeros(0), np.zeros(0)
    every_x, every_y = np.concatenate(transformed, axis=1)
    cells = count_cells(every_x, every_y, _CELL)
    x, y, number = cells.x[cells.peak], cells.y[cells.peak], cells.number[cells.peak]
    enough = number >= measures_needed(coverage(x, y, ties), minimum)
    enough[enough] = ~_beside_stronger(x[enough], y[enough], number[enough])
    return x[enough], y[enough]


def _beside_stronger(x: FloatArray, y: FloatArray, number: NDArray[np.int64]) -> BoolArray:
    """Mark places that lie too near to one with more detections to be another star."""
    from scipy.spatial import cKDTree

    beside = np.zeros(len(x), bool)
    if len(x):
        i, j = cKDTree(np.column_stack([x, y])).query_pairs(_CLOSEST, output_type="ndarray").T
        beside[np.where(number[i] < number[j], i, j)] = True
    return beside
