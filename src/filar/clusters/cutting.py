"""Cutouts from images: around any number of positions at once, with flags for what is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.clusters.apertures import border
from filar.clusters.cutouts import Cutouts, ImageArray
from filar.clusters.images import ClusterImages
from filar.errors import ParameterError
from filar.flags import Flag

FloatArray = NDArray[np.float64]

CORE = 3.0
"""Pixels about the middle: a cutout without usable ones there in some band shows nothing."""
_ONE_SIGMA_BELOW = 0.15865525393145708


def cut(images: ClusterImages, x: ArrayLike, y: ArrayLike, size: int) -> Cutouts:
    """Cut square pieces out of images.

    Unusable pixels and those beyond the edge get the median of the cutout's border in their band.

    Parameters
    ----------
    images : ClusterImages
        All bands.
    x, y : (n,) arrays
        Positions, pixels from 0.
    size : int
        Pixels on a side.

    Returns
    -------
    Cutouts
        n; flags: EDGE where they reach over the edge, MASKED where pixels are unusable, OFF_IMAGE
        where the position is beyond the image or nothing near it is usable in some band (such
        cutouts tell nothing).

    Raises
    ------
    ParameterError
        If the positions are not of one length, or the size makes no sense.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ParameterError("x, y", (x.shape, y.shape), "one x and one y for each position")
    if not 2 <= size <= 4096:
        raise ParameterError("size", size, "a number of pixels, 2 or more")
    ny, nx = images.shape
    with np.errstate(invalid="ignore"):
        off = ~((x >= -0.5) & (x < nx - 0.5) & (y >= -0.5) & (y < ny - 0.5))
    rows = _first(np.where(off, 0, y), size)[:, None] + np.arange(size)
    columns = _first(np.where(off, 0, x), size)[:, None] + np.arange(size)
    beyond = ((rows < 0) | (rows >= ny))[:, :, None] | ((columns < 0) | (columns >= nx))[:, None]
    at = np.clip(rows, 0, ny - 1)[:, :, None], np.clip(columns, 0, nx - 1)[:, None, :]
    flux = np.ascontiguousarray(np.moveaxis(images.flux[:, at[0], at[1]], 0, 1))
    masked = ~np.isfinite(flux) & ~beyond[:, None]
    flux[np.broadcast_to(beyond[:, None], flux.shape)] = np.nan
    off |= ~np.all(np.any(np.isfinite(flux[:, :, _core(size)]), axis=2), axis=1)
    noise = _filled(flux)
    flags = np.where(off, int(Flag.OFF_IMAGE), 0)
    flags |= np.where(~off & beyond.any(axis=(1, 2)), int(Flag.EDGE), 0)
    flags |= np.where(~off & masked.any(axis=(1, 2, 3)), int(Flag.MASKED), 0)
    gain = np.broadcast_to(images.gain.astype(np.float32), noise.shape).copy()
    return Cutouts(flux, noise, gain, images.bands, images.pixel_scale, flags.astype(np.int32))


def _first(position: FloatArray, size: int) -> NDArray[np.int64]:
    """First pixel of a cutout whose middle, (size - 1) / 2, is nearest to a position."""
    return np.floor(position - (size - 1) / 2 + 0.5).astype(np.int64)


def _core(size: int) -> NDArray[np.bool_]:
    away = np.arange(size) - (size - 1) / 2
    return np.asarray(away[:, None] ** 2 + away**2 <= CORE**2)


def _filled(flux: ImageArray) -> ImageArray:
    """Fill what is NaN, in place; gives the noise of the border's pixels (n, bands)."""
    rim = np.sort(flux[:, :, border(flux.shape[-1])], axis=2)  # NaN come last
    number = np.isfinite(rim).sum(axis=2)
    low, level = (_ranked(rim, number, part) for part in (_ONE_SIGMA_BELOW, 0.5))
    # Cutouts without a usable border are few: their own median serves.
    for i, k in zip(*np.nonzero(number == 0), strict=True):
        usable = flux[i, k][np.isfinite(flux[i, k])]
        level[i, k] = np.median(usable) if len(usable) else 0
    bad = ~np.isfinite(flux)
    if bad.any():
        flux[bad] = np.broadcast_to(level[:, :, None, None], flux.shape)[bad]
    return np.where(number > 0, level - low, np.nan).astype(np.float32)


def _ranked(values: ImageArray, number: NDArray[np.int64], part: float) -> ImageArray:
    """The value in a sorted row that has this part of its first `number` values below it."""
    rank = np.round(part * np.maximum(number - 1, 0)).astype(np.int64)
    return np.take_along_axis(values, rank[:, :, None], axis=2)[:, :, 0]
