"""Images of star fields from a PSF."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.psf.model import FieldPSF
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
CHUNK_PIXELS = 2_000_000
# A star is drawn out to where it adds 0.8 electrons rms to a pixel, a tenth of the noise of a faint
# sky: the PSF falls off as the cube of the radius, from 4.4e-4 at the rim of 9 PC pixels.
BOXES = ((1.8e3, 9), (4e3, 13), (7e3, 17), (1.1e4, 21), (2e4, 27), (4.5e4, 35))
LARGEST_BOX = 45
# Wings vary little over the chip: with so few nodes they are wrong by less than 2e-4 of the light
# in any pixel beyond the core, 1e-5 rms.
CORE = 13
WING_NODES = 4


@one_blas_thread
def render_image(
    psf: FieldPSF,
    shape: tuple[int, int],
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    *,
    box: int | None = None,
) -> FloatArray:
    """Add up the images of stars.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    shape : (int, int)
        Rows and columns of the image.
    x, y : (n,) array
        Star positions, pixels; stars outside of the image shine in as far as their box reaches.
    flux : (n,) array
        Electrons.
    box : int or None
        Odd size of every star's box. By default it grows with the flux, up to the PSF's period.

    Returns
    -------
    shape float array
        Electrons.
    """
    x, y, flux = (np.atleast_1d(np.asarray(a, float)) for a in (x, y, flux))
    image = np.zeros(shape)
    sizes = drawn_boxes(psf, flux) if box is None else np.full(len(x), box)
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        step = max(1, CHUNK_PIXELS // int(size) ** 2)
        for start in range(0, len(chosen), step):
            part = chosen[start : start + step]
            stamps = star_images(psf, x[part], y[part], int(size)) * flux[part, None, None]
            add_stamps(image, stamps, x[part], y[part])
    return image


def drawn_boxes(psf: FieldPSF, flux: FloatArray) -> NDArray[np.int64]:
    """Sizes of the boxes that stars are drawn in.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    flux : (n,) array
        Electrons.

    Returns
    -------
    (n,) int array
        Odd numbers of pixels.
    """
    largest = min(2 * int((psf.grid.period - 1) // 2) - 1, LARGEST_BOX)
    sizes = np.full(len(flux), largest)
    for limit, size in reversed(BOXES):
        sizes[flux < limit] = min(size, largest)
    return sizes


def star_images(psf: FieldPSF, x: FloatArray, y: FloatArray, box: int) -> FloatArray:
    """Images of stars of unit flux as `render_image` adds them up.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    x, y : (n,) array
        Star positions, pixels.
    box : int
        Odd size.

    Returns
    -------
    (n, box, box) array
        ``[star, y, x]``; beyond the core from a PSF of fewer nodes.
    """
    if box <= CORE:
        return psf.stamps(x, y, box)
    stamps, rim = psf.thinned(WING_NODES).stamps(x, y, box), (box - CORE) // 2
    stamps[:, rim : rim + CORE, rim : rim + CORE] = psf.stamps(x, y, CORE)
    return stamps


def add_stamps(image: FloatArray, stamps: FloatArray, x: FloatArray, y: FloatArray) -> None:
    """Add stamps to an image in place, each around the pixel nearest to (x, y).

    Parameters
    ----------
    image : (ny, nx) array
    stamps : (n, box, box) array
    x, y : (n,) array
        Pixels.
    """
    half = stamps.shape[1] // 2
    span = np.arange(-half, half + 1)
    rows = (np.rint(y).astype(int)[:, None] + span)[:, :, None]
    columns = (np.rint(x).astype(int)[:, None] + span)[:, None, :]
    rows, columns = np.broadcast_arrays(rows, columns)
    inside = (rows >= 0) & (rows < image.shape[0]) & (columns >= 0) & (columns < image.shape[1])
    flat = rows[inside] * image.shape[1] + columns[inside]
    image += np.bincount(flat, stamps[inside], image.size).reshape(image.shape)
