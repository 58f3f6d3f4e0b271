"""Charge above the full well bleeds along the columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def bleed(charge: FloatArray, full_well: float) -> FloatArray:
    """Let the charge above full well flow along the columns, half up and half down.

    Parameters
    ----------
    charge : (ny, nx) array
        Electrons.
    full_well : float
        What a pixel holds, electrons.

    Returns
    -------
    (ny, nx) float64 array
        Electrons; the sum over each column is conserved. Charge that reaches an end turns back;
        what exceeds a whole column's capacity drains off the chip.
    """
    result = np.array(charge, float)
    columns = np.flatnonzero((result > full_well).any(axis=0))
    if len(columns) == 0:
        return result
    held = np.minimum(result[:, columns], full_well)
    excess = result[:, columns] - held
    rest = _sweep(held, 0.5 * excess, full_well)
    back = 0.5 * excess
    back[-1] += rest
    rest = _sweep(held[::-1], back[::-1], full_well)
    last = np.zeros_like(excess)
    last[0] = rest
    _sweep(held, last, full_well)
    result[:, columns] = held
    return result


def _sweep(held: FloatArray, source: FloatArray, full_well: float) -> FloatArray:
    """Carry charge towards higher rows, filling up pixels in place; what is left at the end."""
    carried = np.zeros(held.shape[1])
    for row in range(held.shape[0]):
        carried += source[row]
        moved = np.minimum(carried, full_well - held[row])
        held[row] += moved
        carried -= moved
    return carried
