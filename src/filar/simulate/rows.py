"""The 34th-row error in images: light that falls on a chip with narrow rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.instruments.wfpc2_rows import (
    FIRST,
    PERIOD,
    WIDTH,
    beside_narrow_row,
    narrow_rows,
    to_pixels,
)
from filar.psf.model import FieldPSF
from filar.psf.render import BOXES, LARGEST_BOX, render_image

FloatArray = NDArray[np.float64]

# Stars beside every third narrow row are drawn together: their boxes do not touch.
_APART = 3


def row_response(number: int, strength: float = 1.0) -> FloatArray:
    """Part of an even illumination that each row collects.

    Parameters
    ----------
    number : int
        How many rows.
    strength : float
        Times :data:`~filar.instruments.wfpc2_rows.WIDTH`.

    Returns
    -------
    (number,) float64 array
        1, and less in the narrow rows.
    """
    response = np.ones(number)
    response[narrow_rows(number)] -= strength * WIDTH
    return response


def render_on_rows(
    psf: FieldPSF,
    shape: tuple[int, int],
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    *,
    strength: float = 1.0,
) -> FloatArray:
    """Add up the images of stars on a chip with narrow rows.

    The rows below and those above the narrow row nearest to a star see it at positions that differ
    by the missing width; the narrow row gets the rest of the star's light. No light is lost: what
    a narrow row lacks falls on its neighbours. (Dividing by a flat field then makes the star too
    bright, the photometric side of the error.)

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    shape : (int, int)
        Rows and columns of the image.
    x, y : (n,) arrays
        Ideal positions, pixels.
    flux : (n,) array
        Electrons.
    strength : float
        Times :data:`~filar.instruments.wfpc2_rows.WIDTH`.

    Returns
    -------
    shape float64 array
        Electrons.
    """
    if strength == 0:
        return render_image(psf, shape, x, y, flux)
    rows, below, above = beside_narrow_row(y, width=strength * WIDTH)
    steps = np.round((rows - FIRST) / PERIOD).astype(int)
    pixel = to_pixels(y, width=strength * WIDTH)
    near = np.abs(pixel - rows) <= _reach(flux)
    image = render_image(psf, shape, x[~near], pixel[~near], flux[~near])
    for group in range(_APART):
        chosen = np.flatnonzero(near & (steps % _APART == group))
        if len(chosen) == 0:
            continue
        low, high = (
            render_image(psf, shape, x[chosen], one[chosen], flux[chosen]) for one in (below, above)
        )
        for row in np.unique(rows[chosen]):
            _join(image, low, high, int(row))
    return image


def _reach(flux: FloatArray) -> FloatArray:
    """Rows from a star beyond which it is not drawn, and one for rounding."""
    box = np.full(flux.shape, LARGEST_BOX, float)
    for limit, size in reversed(BOXES):
        box[flux < limit] = size
    return np.asarray(box / 2 + 1, float)


def _join(image: FloatArray, low: FloatArray, high: FloatArray, row: int) -> None:
    """Add what two grids of rows see of the stars around one narrow row."""
    reach = int(_APART * PERIOD / 2)
    top = len(image)
    start, stop = (min(max(edge, 0), top) for edge in (row - reach, row + reach + 1))
    lower, upper = (min(max(edge, start), stop) for edge in (row, row + 1))
    image[start:lower] += low[start:lower]
    image[upper:stop] += high[upper:stop]
    if 0 <= row < top:
        image[row] += low[row:stop].sum(axis=0) - high[row + 1 : stop].sum(axis=0)
