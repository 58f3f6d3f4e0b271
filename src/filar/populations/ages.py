"""Interpolation between two ages along the phases of life."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def between(
    phase_a: FloatArray,
    columns_a: FloatArray,
    phase_b: FloatArray,
    columns_b: FloatArray,
    part: float,
) -> FloatArray:
    """Interpolate between two isochrones at the same phases of life.

    Each isochrone is resampled at the phases of both; where one has no such phase (the younger
    has more of the main sequence below it, the older may reach a later phase) the ends of the
    phases are interpolated too, so that the result covers a range between theirs.

    Parameters
    ----------
    phase_a, phase_b : (n,), (m,) arrays
        Phases, ascending.
    columns_a, columns_b : (n, k), (m, k) arrays
        What is interpolated.
    part : float
        0 gives the first, 1 the second.

    Returns
    -------
    (p, k) array
    """
    (a0, a1), (b0, b1) = (phase_a[0], phase_a[-1]), (phase_b[0], phase_b[-1])
    low, high = max(a0, b0), min(a1, b1)
    if not low < high:
        return columns_a if part < 0.5 else columns_b
    inner = np.union1d(phase_a, phase_b)
    inner = inner[(inner >= low) & (inner <= high)]
    first, second = _at(phase_a, columns_a, inner), _at(phase_b, columns_b, inner)
    return np.asarray((1 - part) * first + part * second)


def _at(phase: FloatArray, columns: FloatArray, places: FloatArray) -> FloatArray:
    return np.column_stack([np.interp(places, phase, column) for column in columns.T])
