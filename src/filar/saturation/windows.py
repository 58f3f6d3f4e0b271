"""Square cut-outs around stars, and images that are put together from them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.psf.wings import squared_distances

FloatArray = NDArray[np.float64]


def cut(
    image: NDArray[Any], x: FloatArray, y: FloatArray, half: int, fill: Any = 0
) -> NDArray[Any]:
    """Cut squares around stars.

    Parameters
    ----------
    image : (ny, nx) array
        Any kind of number.
    x, y : (n,) array
        Centres, pixels; the middle of a square is the pixel (rint(x), rint(y)).
    half : int
        The squares reach so many pixels to each side.
    fill : optional
        What pixels outside of the image hold.

    Returns
    -------
    (n, 2 half + 1, 2 half + 1) array
    """
    rows, columns = _places(x, y, half)
    ny, nx = image.shape
    inside = ((rows >= 0) & (rows < ny))[:, :, None] & ((columns >= 0) & (columns < nx))[:, None]
    found = image[np.clip(rows, 0, ny - 1)[:, :, None], np.clip(columns, 0, nx - 1)[:, None]]
    return np.where(inside, found, fill)


def add(image: FloatArray, stamps: FloatArray, x: FloatArray, y: FloatArray) -> None:
    """Add squares to an image, in place; what lies outside of it is left out.

    Parameters
    ----------
    image : (ny, nx) array
        Changed.
    stamps : (n, 2 half + 1, 2 half + 1) array
    x, y : (n,) array
        Centres, as for `cut`.
    """
    ny, nx = image.shape
    half = stamps.shape[1] // 2
    left, low = np.rint(x).astype(int) - half, np.rint(y).astype(int) - half
    size = stamps.shape[1]
    for stamp, x0, y0 in zip(stamps, left, low, strict=True):
        x1, y1 = min(x0 + size, nx), min(y0 + size, ny)
        a, b = max(x0, 0), max(y0, 0)
        if a < x1 and b < y1:
            image[b:y1, a:x1] += stamp[b - y0 : y1 - y0, a - x0 : x1 - x0]


def distances(x: FloatArray, y: FloatArray, half: int) -> FloatArray:
    """Distance of the pixels of squares from their stars: (n, 2 half + 1, 2 half + 1), pixels."""
    return np.asarray(np.sqrt(squared_distances(x, y, half)))


def _places(x: FloatArray, y: FloatArray, half: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    span = np.arange(-half, half + 1)
    return (
        np.rint(y).astype(np.intp)[:, None] + span,
        np.rint(x).astype(np.intp)[:, None] + span,
    )
