"""Sky of every star from an annulus around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.psf.model import ANNULUS, BATCH, annulus_offsets

FloatArray = NDArray[np.float64]
CLIP_HIGH = 2.5  # standard deviations; neighbours only ever add light
CLIP_LOW = 3.0
CLIP_BIAS = 0.012  # standard deviations by which that pulls the mean of Gaussian noise down
ROUNDS = 6


@dataclass(frozen=True, eq=False)
class AnnulusSky:
    """Sky levels of stars.

    Parameters
    ----------
    level, error : (n,) float array
        Clipped mean and its standard deviation, electrons per pixel.
    """

    level: FloatArray
    error: FloatArray


def annulus_sky(
    image: NDArray[np.floating[Any]],
    unusable: NDArray[np.bool_],
    x: FloatArray,
    y: FloatArray,
    least_noise: float = 1e-6,
) -> AnnulusSky:
    """Clipped mean of the usable pixels of the annulus around each star.

    Parameters
    ----------
    image : (ny, nx) array
        Electrons.
    unusable : (ny, nx) bool array
        Pixels that do not count.
    x, y : (n,) array
        Stars, pixels.
    least_noise : float
        The noise is no less than this: whole DN may hide it from quantiles. Electrons.

    Returns
    -------
    AnnulusSky
        The image's median where an annulus has no usable pixel.
    """
    dy, dx = annulus_offsets(*ANNULUS)
    level, error = np.empty(len(x)), np.empty(len(x))
    padded = np.where(unusable, np.inf, image)
    for start in range(0, len(x), BATCH):
        part = slice(start, start + BATCH)
        rows = np.rint(y[part]).astype(int)[:, None] + dy
        columns = np.rint(x[part]).astype(int)[:, None] + dx
        ny, nx = image.shape
        inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        pixels = padded[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)]
        level[part], error[part] = _clipped_mean(np.where(inside, pixels, np.inf), least_noise)
    empty = np.isnan(level)
    if empty.any():
        usable = image[~unusable]
        middle, spread = (np.median(usable), np.std(usable)) if usable.size else (0.0, 0.0)
        level[empty], error[empty] = middle, max(float(spread), least_noise)
    return AnnulusSky(level, error)


def _clipped_mean(
    pixels: NDArray[np.floating[Any]], least_noise: float
) -> tuple[FloatArray, FloatArray]:
    """Iterated clipped mean of rows in which unusable pixels are infinite; NaN if few are left."""
    ordered = np.sort(pixels, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    index = np.arange(len(ordered))
    middle = ordered[index, np.maximum(count // 2, 0).clip(0, ordered.shape[1] - 1)]
    # the lower half of the distribution is free of neighbours: its width is the noise
    low = ordered[index, (count * 0.1587).astype(int)]
    empty = count < 8
    middle, low = np.where(empty, 0.0, middle), np.where(empty, 0.0, low)
    sigma = np.maximum(middle - low, least_noise)
    finite = np.where(np.isfinite(ordered), ordered, 0.0)
    level = middle
    kept = np.maximum(count, 1)
    for _ in range(ROUNDS):
        keep = (ordered > (level - CLIP_LOW * sigma)[:, None]) & (
            ordered < (level + CLIP_HIGH * sigma)[:, None]
        )
        kept = np.maximum(keep.sum(axis=1), 1)
        level = (finite * keep).sum(axis=1) / kept
        spread = np.sqrt(np.maximum((finite**2 * keep).sum(axis=1) / kept - level**2, 0))
        sigma = np.maximum(spread * 1.05, least_noise)
    level = np.where(empty, np.nan, level + CLIP_BIAS * sigma)
    return level, sigma / np.sqrt(kept)
