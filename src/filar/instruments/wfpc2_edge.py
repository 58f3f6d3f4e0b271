"""The border of WFPC2's chips that the pyramid mirror's shadow darkens."""

from __future__ import annotations

import numpy as np

from filar.errors import ParameterError
from filar.exposure import BoolImage
from filar.instruments.wfpc2_facts import CHIPS

FULL = 800

# First usable column and row of each chip. The flat field is divided into the shadow too, so noise
# and sky are blown up there; on the test exposure the scatter along a column or row has come down
# to that of the chip's interior from these on. That is a few pixels inside of where the calibration
# files call the border defective (45, 50, 30, 45 in x; 55, 25, 45, 45 in y).
_STARTS = {"PC": (54, 60), "WF2": (52, 31), "WF3": (35, 53), "WF4": (49, 50)}


def wfpc2_edge(chip: str, shape: tuple[int, int] = (FULL, FULL)) -> BoolImage:
    """Pixels of a WFPC2 chip that see no sky, or too little of it.

    Parameters
    ----------
    chip : str
        ``"PC"``, ``"WF2"``, ``"WF3"`` or ``"WF4"``.
    shape : (int, int)
        Rows and columns: 800 x 800, or 400 x 400 as binned by two on board (``MODE = 'AREA'``).
        Of any other shape it is not known which part of the chip it shows: nothing is edge.

    Returns
    -------
    (ny, nx) bool array
        True in the vignetted first columns and rows and in the last column and row, where the
        calibration has no valid flat field.

    Raises
    ------
    ParameterError
        For another chip's name.
    """
    if chip not in CHIPS:
        raise ParameterError("chip", chip, ", ".join(CHIPS))
    edge = np.zeros(shape, dtype=bool)
    if shape not in {(FULL, FULL), (FULL // 2, FULL // 2)}:
        return edge
    binning = FULL // shape[0]
    x_start, y_start = (-(-start // binning) for start in _STARTS[chip])
    edge[:, :x_start] = True
    edge[:y_start, :] = True
    edge[-1, :] = True
    edge[:, -1] = True
    return edge
