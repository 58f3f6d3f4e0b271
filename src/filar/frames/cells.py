"""Counting points on a fine grid of which only the cells that hold one are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.frames.starlist import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells that hold points, and what lies in the 3 x 3 cells around each.

    Parameters
    ----------
    number : (n,) int64 array
        Points in the 3 x 3 cells.
    x, y : (n,) float64 arrays
        Their mean position.
    peak : (n,) bool array
        Whether none of the neighbours has more; of equal ones one is marked.
    """

    number: NDArray[np.int64]
    x: FloatArray
    y: FloatArray
    peak: BoolArray


def count_cells(x: FloatArray, y: FloatArray, size: float) -> Cells:
    """Count points on a grid; memory follows the points, not the area.

    Parameters
    ----------
    x, y : (m,) arrays
        Points, at least one, finite and less than 1e9 cells apart.
    size : float
        Of a cell.

    Returns
    -------
    Cells
        In the order of rows and columns.
    """
    column = np.floor(x / size).astype(np.int64)
    row = np.floor(y / size).astype(np.int64)
    column, row = column - column.min() + 1, row - row.min() + 1
    width = int(column.max()) + 2
    cells, whose, count = np.unique(row * width + column, return_inverse=True, return_counts=True)
    sums = np.stack([count, np.bincount(whose, x), np.bincount(whose, y)])
    steps = [i * width + j for i in (-1, 0, 1) for j in (-1, 0, 1)]
    index = [np.minimum(np.searchsorted(cells, cells + s), len(cells) - 1) for s in steps]
    there = [cells[i] == cells + s for i, s in zip(index, steps, strict=True)]
    around = np.zeros_like(sums)
    for i, present in zip(index, there, strict=True):
        around += np.where(present, sums[:, i], 0.0)
    # Ties are broken by the cell's own count, then by its place.
    rank = np.empty(len(cells), np.int64)
    rank[np.lexsort((np.arange(len(cells)), count, around[0]))] = np.arange(len(cells))
    highest = np.max([np.where(p, rank[i], -1) for p, i in zip(there, index, strict=True)], axis=0)
    number = np.rint(around[0]).astype(np.int64)
    return Cells(number, around[1] / number, around[2] / number, rank == highest)
