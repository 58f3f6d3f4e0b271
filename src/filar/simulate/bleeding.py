"""Charge above the full well bleeds along the columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]


def bleed(charge: FloatArray, full_well: float | FloatArray, *, up: float = 0.5) -> FloatArray:
    """Let the charge above full well flow along the columns.

    Parameters
    ----------
    charge : (ny, nx) array
        Electrons.
    full_well : float or (nx,) array
        What a pixel holds, electrons; for all columns or for each.
    up : float
        Part of the excess that flows towards higher rows.

    Returns
    -------
    (ny, nx) float64 array
        Electrons; the sum over each column is conserved. Charge that reaches an end turns back;
        what exceeds a whole column's capacity drains off the chip.

    Raises
    ------
    ParameterError
        For a part outside of 0 to 1, or full wells that do not fit the columns.
    """
    result = np.array(charge, float)
    if not 0.0 <= up <= 1.0:
        raise ParameterError("up", up, "0 to 1")
    if np.shape(full_well) not in ((), result.shape[1:]):
        raise ParameterError("full_well", np.shape(full_well), "a number, or one for each column")
    wells = np.broadcast_to(np.asarray(full_well, float), result.shape[1:])
    columns = np.flatnonzero((result > wells).any(axis=0))
    if len(columns) == 0:
        return result
    wells = wells[columns]
    held = np.minimum(result[:, columns], wells)
    excess = result[:, columns] - held
    rest = _sweep(held, up * excess, wells)
    back = (1.0 - up) * excess
    back[-1] += rest
    rest = _sweep(held[::-1], back[::-1], wells)
    last = np.zeros_like(excess)
    last[0] = rest
    _sweep(held, last, wells)
    result[:, columns] = held
    return result


def _sweep(held: FloatArray, source: FloatArray, wells: FloatArray) -> FloatArray:
    """Carry charge towards higher rows, filling up pixels in place; what is left at the end."""
    carried = np.zeros(held.shape[1])
    for row in range(held.shape[0]):
        carried += source[row]
        moved = np.minimum(carried, wells - held[row])
        held[row] += moved
        carried -= moved
    return carried
