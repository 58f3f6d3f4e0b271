"""Pairs of stars in two lists of the same system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.frames.starlist import FloatArray


def nearest_pairs(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of two lists that are each other's nearest.

    Parameters
    ----------
    x, y : (n,) arrays
        Positions of one list, pixels.
    u, v : (m,) arrays
        Positions of the other in the same system, pixels; places that are not finite are left out.
    tolerance : float
        Greatest distance, pixels.

    Returns
    -------
    one, two : (k,) int arrays
        Rows of both lists.
    """
    from scipy.spatial import cKDTree

    here = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    there = np.flatnonzero(np.isfinite(u) & np.isfinite(v))
    if not len(here) or not len(there):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    mine = cKDTree(np.column_stack([x[here], y[here]]))
    theirs = cKDTree(np.column_stack([u[there], v[there]]))
    distance, index = theirs.query(mine.data, distance_upper_bound=tolerance)
    back = mine.query(theirs.data)[1]
    found = np.flatnonzero(np.isfinite(distance))
    found = found[back[index[found]] == found]
    return here[found], there[index[found]]
