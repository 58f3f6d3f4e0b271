"""Background and noise of an exposure on a mesh, robust against stars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import Exposure

FloatArray = NDArray[np.float64]
SLOPE_SHARE = 0.3
"""Of what a cell stands out from those around: they must stand out as much from those beyond."""
SLOPE_NOISE = 0.5
"""Of the noise: they must stand out by more than that."""

# Fraction of a normal distribution below its mean minus one standard deviation.
_ONE_SIGMA_BELOW = 0.15865525393145707


def background(
    exposure: Exposure, *, box: int = 50, clip: float = 3.0, iterations: int = 8
) -> tuple[FloatArray, FloatArray]:
    """Sky level and noise of every pixel, interpolated over a mesh of boxes.

    In each box the usable pixels are clipped about their median; the noise is the distance from the
    median to the quantile one standard deviation below it, because stars only lift the upper half
    of the distribution. The sky is the mode ``2.5 median - 1.5 mean`` of what is left, or its
    median where mean and median differ by more than 0.3 sigma (the rule of SExtractor, Bertin &
    Arnouts 1996). The mesh is smoothed by a 3x3 median, except where the sky rises steadily to a
    cell, and interpolated linearly.

    Parameters
    ----------
    exposure : Exposure
        The image; masked and saturated pixels are ignored.
    box : int
        Side of a box, pixels.
    clip : float
        Clipping limit in standard deviations.
    iterations : int
        Largest number of clipping rounds.

    Returns
    -------
    sky, noise : (ny, nx) float64 arrays
        Electrons. Both NaN where the exposure has no usable pixel at all.

    Raises
    ------
    ParameterError
        If the box is smaller than 8 pixels or the clipping limit is not positive.
    """
    if box < 8:
        raise ParameterError("box", box, "8 pixels or more")
    if not clip > 0:
        raise ParameterError("clip", clip, "a positive number of standard deviations")
    ny, nx = exposure.shape
    edges_y, edges_x = _cells(ny, box), _cells(nx, box)
    sky, noise = _mesh(exposure, edges_y, edges_x, clip, iterations)
    rows, columns = _hat(ny, edges_y), _hat(nx, edges_x)
    sky, noise = _filled(sky), _filled(noise)
    slope = _slopes(sky, noise)
    return rows @ _smooth(sky, slope) @ columns.T, rows @ _smooth(noise) @ columns.T


def smear_of(exposure: Exposure) -> FloatArray:
    """A uniform deviate of one step of the converter for every pixel, always the same.

    Parameters
    ----------
    exposure : Exposure
        The image.

    Returns
    -------
    (ny, nx) float64 array
        Electrons.
    """
    step = np.random.default_rng(0).uniform(-0.5, 0.5, exposure.shape)
    return np.asarray(step * exposure.gain)


def undigitised(exposure: Exposure) -> tuple[FloatArray, float]:
    """Pixel values with the steps of the converter smeared out, for medians and quantiles.

    Where the noise is about one DN, as in WFPC2, quantiles of raw values jump by whole DN, also
    after the flat field has moved them off the grid. A uniform deviate of one step, always the
    same, is added.

    Parameters
    ----------
    exposure : Exposure
        The image.

    Returns
    -------
    values : (ny, nx) float64 array
        Electrons, NaN where unusable.
    variance : float
        What this adds to the noise variance, electrons squared.
    """
    values = np.where(exposure.unusable, np.nan, exposure.data.astype(float))
    return values + smear_of(exposure), exposure.gain**2 / 12.0


def clipped_statistics(
    values: NDArray[np.floating[Any]], *, clip: float = 3.0, iterations: int = 8
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Robust sky level and noise along the last axis.

    Parameters
    ----------
    values : (..., n) array
        Pixels; NaN ones are ignored.
    clip : float
        Clipping limit in standard deviations.
    iterations : int
        Largest number of clipping rounds.

    Returns
    -------
    level, sigma : (...) float64 arrays
        Sky and noise as in `background`; NaN where no pixel is usable.
    count : (...) int array
        Pixels left after clipping.
    """
    ordered = np.sort(values, axis=-1)
    last = np.count_nonzero(np.isfinite(ordered), axis=-1)
    first = np.zeros_like(last)
    index = np.arange(ordered.shape[-1])
    for _ in range(iterations):
        median, sigma = _median_sigma(ordered, first, last)
        with np.errstate(invalid="ignore"):
            low = np.count_nonzero(ordered < (median - clip * sigma)[..., None], axis=-1)
            high = np.count_nonzero(ordered <= (median + clip * sigma)[..., None], axis=-1)
        low, high = np.maximum(low, first), np.minimum(high, last)
        done = bool(np.all((low == first) & (high == last)))
        first, last = low, high
        if done:
            break
    median, sigma = _median_sigma(ordered, first, last)
    kept = (index >= first[..., None]) & (index < last[..., None])
    count = last - first
    total = np.where(kept, ordered, 0).sum(axis=-1, dtype=float)
    mean = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    mode = np.where(np.abs(mean - median) <= 0.3 * sigma, 2.5 * median - 1.5 * mean, median)
    return mode, sigma, count


def _median_sigma(
    ordered: NDArray[Any], first: NDArray[np.intp], last: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    median = _quantile(ordered, first, last, 0.5)
    return median, median - _quantile(ordered, first, last, _ONE_SIGMA_BELOW)


def _quantile(
    ordered: NDArray[Any], first: NDArray[np.intp], last: NDArray[np.intp], fraction: float
) -> FloatArray:
    """Quantile of ``ordered[..., first:last]``, NaN where that is empty."""
    place = first + fraction * np.maximum(last - first - 1, 0)
    low = np.clip(place.astype(np.intp), 0, ordered.shape[-1] - 1)
    high = np.clip(low + 1, 0, np.maximum(last - 1, 0))
    a = np.take_along_axis(ordered, low[..., None], -1)[..., 0].astype(float)
    b = np.take_along_axis(ordered, high[..., None], -1)[..., 0].astype(float)
    return np.where(last > first, a + (place - low) * (b - a), np.nan)


def _cells(size: int, box: int) -> NDArray[np.intp]:
    """Borders of equal cells of about ``box`` pixels."""
    return np.linspace(0, size, max(1, round(size / box)) + 1).round().astype(np.intp)


def _mesh(
    exposure: Exposure,
    edges_y: NDArray[np.intp],
    edges_x: NDArray[np.intp],
    clip: float,
    iterations: int,
) -> tuple[FloatArray, FloatArray]:
    """Sky and noise of every cell; NaN where fewer than a tenth of its pixels are usable."""
    height, width = int(np.diff(edges_y).max()), int(np.diff(edges_x).max())
    rows = np.minimum(edges_y[:-1, None] + np.arange(height), exposure.shape[0] - 1)
    columns = np.minimum(edges_x[:-1, None] + np.arange(width), exposure.shape[1] - 1)
    pixels, added = undigitised(exposure)
    blocks = pixels.astype(np.float32)[rows[:, None, :, None], columns[None, :, None, :]]
    blocks = blocks.reshape(len(rows), len(columns), height * width)
    sky, noise, count = clipped_statistics(blocks, clip=clip, iterations=iterations)
    noise = np.sqrt(np.maximum(noise**2 - added, 0.0))
    poor = count < max(10, 0.1 * height * width)
    if poor.all():
        poor = count < 1
    return np.where(poor, np.nan, sky), np.where(poor, np.nan, noise)


def _filled(mesh: FloatArray) -> FloatArray:
    """Fill empty cells from the nearest filled one."""
    from scipy import ndimage

    empty = ~np.isfinite(mesh)
    if not empty.any() or empty.all():
        return mesh
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    return np.asarray(mesh[tuple(nearest)])


def _smooth(mesh: FloatArray, slope: NDArray[np.bool_] | None = None) -> FloatArray:
    """Take a 3x3 median, but where there is a slope."""
    from scipy import ndimage

    smoothed: FloatArray = ndimage.median_filter(mesh, size=3, mode="nearest")
    return smoothed if slope is None else np.where(slope, mesh, smoothed)


def _slopes(sky: FloatArray, noise: FloatArray) -> NDArray[np.bool_]:
    """Cells that stand out because the sky rises towards them, as to the middle of a galaxy.

    There the cells around stand out from those farther away too; around a cell that a bright star
    has spoilt they do not. The median would cut a galaxy's peak, and what was left would pass for
    the halo of a star, in which faint stars are not looked for.
    """
    from scipy import ndimage

    ring = np.ones((5, 5), bool)
    ring[1:4, 1:4] = False
    around = ndimage.median_filter(sky, size=3, mode="nearest")
    beyond = ndimage.median_filter(sky, footprint=ring, mode="nearest")
    stands_out = sky - around
    rises = around - beyond
    floor = ndimage.median_filter(noise, size=5, mode="nearest")
    return np.asarray((rises > SLOPE_SHARE * stands_out) & (rises > SLOPE_NOISE * floor))


def _hat(size: int, edges: NDArray[np.intp]) -> FloatArray:
    """Matrix that interpolates linearly from cell centres to pixels."""
    centres = 0.5 * (edges[:-1] + edges[1:] - 1)
    cells = np.eye(len(centres))
    pixels = np.arange(size)
    return np.stack([np.interp(pixels, centres, row) for row in cells], axis=1)
