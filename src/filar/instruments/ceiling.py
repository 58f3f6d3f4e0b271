"""The saturation level, from the image alone, where no mask or keyword tells it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.exposure import BoolImage

NEAR = 0.85
"""Pixels of a run hold at least this part of its brightest one."""
TOP = 0.6
"""Peaks above this part of the brightest are asked; those below tell what unsaturated stars do."""
LEVEL = 0.9
"""Of the typical full pixel: what counts as saturated. Flat fields and wells differ so much."""
SHORTEST = 3
FEWEST = 20
"""Unsaturated stars, to know what is usual."""
PEAK_NOISE = 50.0


def find_ceiling(image: NDArray[np.floating], mask: BoolImage | None = None) -> float | None:
    """Recognise the level at which pixels of an image are full.

    A full pixel passes its charge on along the column, so that the brightest stars have flat tops
    there: runs of pixels that are nearly alike. Unsaturated stars of the same exposure tell how
    long such runs are anyway.

    Parameters
    ----------
    image : (ny, nx) array
        Any unit.
    mask : (ny, nx) bool array, optional
        Pixels that do not count.

    Returns
    -------
    float or None
        Level above which pixels are full or nearly so, in the image's unit and above 0; None where
        the brightest stars look as the others do, or there are too few stars.
    """
    values = np.where(np.isfinite(image), image, 0.0).astype(float)
    if mask is not None:
        values[mask] = 0.0
    known = values[values != 0]
    if not known.size:
        return None
    sky = float(np.median(known))
    noise = 1.4826 * float(np.median(np.abs(known - sky)))
    rows, columns = _peaks(values, sky + PEAK_NOISE * noise)
    if not len(rows):
        return None
    height = values[rows, columns] - sky
    runs = np.array(
        [_run(values[:, x] - sky, y) for y, x in zip(rows, columns, strict=True)], np.intp
    )
    bright = height > TOP * height.max()
    if np.count_nonzero(~bright) < FEWEST:
        return None
    ordinary = max(int(np.quantile(runs[~bright], 0.99)), SHORTEST - 1)
    flat = bright & (runs > ordinary)
    if not flat.any():
        return None
    return LEVEL * float(np.median(height[flat])) + sky


def _peaks(values: NDArray[np.float64], limit: float) -> tuple[NDArray[np.intp], ...]:
    """Rows and columns of local maxima above a limit."""
    from scipy.ndimage import maximum_filter

    return np.nonzero((values == maximum_filter(values, 5)) & (values > limit))


def _run(column: NDArray[np.float64], row: int) -> int:
    """Length of the run of pixels about a peak that hold nearly as much."""
    full = column >= NEAR * column[row]
    below = np.flatnonzero(~full[: row + 1])
    above = np.flatnonzero(~full[row:])
    first = below[-1] + 1 if len(below) else 0
    last = row + above[0] if len(above) else len(column)
    return int(last - first)
