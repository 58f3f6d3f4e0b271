"""Phases of life from the labels of PARSEC's tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def phase_from_labels(
    z: FloatArray, log_age: FloatArray, mass: FloatArray, label: FloatArray
) -> FloatArray:
    """Make a coordinate that runs along each isochrone through PARSEC's phases of life.

    Within a phase (0 pre-main sequence, 1 main sequence, 2 subgiants, 3 red giants, 4 to 6 core
    helium burning, 7 early and 8 thermally pulsing asymptotic giants) the coordinate goes from the
    label to the next integer with the initial mass; among main-sequence and younger stars the
    mass, in the logarithm and against the most massive of them, is itself the better phase.

    Parameters
    ----------
    z, log_age, mass, label : (rows,) arrays
        Columns of the tables, in any order.

    Returns
    -------
    (rows,) array
        Not descending with mass within each isochrone.
    """
    order = np.lexsort((np.arange(len(mass)), mass, np.round(log_age, 6), z))
    keys = np.column_stack([z, np.round(log_age, 6)])[order]
    new = np.any(np.diff(keys, axis=0) != 0, axis=1)
    isochrone = np.concatenate([[0], np.cumsum(new)])
    phase = np.empty(len(mass))
    for number in range(int(isochrone[-1]) + 1 if len(mass) else 0):
        rows = order[isochrone == number]
        phase[rows] = _one(mass[rows], label[rows])
    return phase


def _one(mass: FloatArray, label: FloatArray) -> FloatArray:
    """Give the phases of one isochrone, whose masses ascend."""
    # labels of old forms jump back for single points: life does not
    label = np.maximum.accumulate(np.maximum(label, 1))
    phase = np.empty(len(mass))
    for value in np.unique(label):
        rows = label == value
        low, high = mass[rows][0], mass[rows][-1]
        if value == 1:
            phase[rows] = 2 + np.log10(mass[rows] / high)
        elif high > low:
            phase[rows] = value + 0.99 * (mass[rows] - low) / (high - low)
        else:
            phase[rows] = value + 0.99 * np.arange(rows.sum()) / max(rows.sum() - 1, 1)
    return np.asarray(np.maximum.accumulate(phase))
