"""The light of neighbours in the rasters of stars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.psf.model import FieldPSF
from filar.psf.render import drawn_boxes, render_image
from filar.stamps.cut import cut_image
from filar.stamps.stamps import FloatArray, IntArray
from filar.threads import one_blas_thread

NODES = 3
"""Field nodes per axis of the PSF that neighbours are drawn with."""
_OWN = 4096


@one_blas_thread
def neighbour_light(
    exposure: Exposure,
    psf: FieldPSF,
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    corner_x: IntArray,
    corner_y: IntArray,
    size: int,
) -> NDArray[np.float32]:
    """Light of all other known stars in the raster of each star.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    psf : FieldPSF
        Its PSF.
    x, y : (n,) arrays
        Fitted positions, pixels of the chip.
    flux : (n,) array
        Fitted electrons; stars of 0 or NaN shine nowhere.
    corner_x, corner_y : (n,) int arrays
        First column and row of the rasters, see `filar.stamps.cut.corner`.
    size : int
        Side of the rasters, pixels.

    Returns
    -------
    (n, size, size) float32 array
        Electrons.
    """
    shining = np.isfinite(x) & np.isfinite(y) & (np.nan_to_num(flux) > 0)
    thin = psf.thinned(NODES)
    x, y, flux = x[shining], y[shining], flux[shining]
    image = render_image(thin, exposure.shape, x, y, flux)
    light = cut_image(image, corner_x, corner_y, size, 0.0)
    rows = np.flatnonzero(shining)
    for start in range(0, len(rows), _OWN):
        part = slice(start, start + _OWN)
        chosen = rows[part]
        light[chosen] -= _own_light(
            thin, x[part], y[part], flux[part], corner_x[chosen], corner_y[chosen], size
        )
    return light.astype(np.float32)


def _own_light(
    psf: FieldPSF,
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    corner_x: IntArray,
    corner_y: IntArray,
    size: int,
) -> FloatArray:
    """What each star itself adds to its raster of the image: (n, size, size)."""
    # The fit may have moved the star by a pixel or two from the middle of its raster.
    box = 2 * (size // 2 + 2) + 1
    stamps = psf.stamps(x, y, box) * flux[:, None, None]
    centre_x, centre_y = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    span, half = np.arange(size), box // 2
    rows = (corner_y - centre_y)[:, None] + span
    columns = (corner_x - centre_x)[:, None] + span
    reach = np.minimum(drawn_boxes(psf, flux) // 2, half)[:, None]
    drawn = (np.abs(rows) <= reach)[:, :, None] & (np.abs(columns) <= reach)[:, None, :]
    at = np.clip(rows + half, 0, box - 1)[:, :, None], np.clip(columns + half, 0, box - 1)
    own = stamps[np.arange(len(x))[:, None, None], at[0], at[1][:, None, :]]
    return np.asarray(np.where(drawn, own, 0.0))
