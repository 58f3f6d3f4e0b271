"""Saturated stars: one centred position for each blob of saturated pixels with its bleed trail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.flags import Flag

FloatArray = NDArray[np.float64]

_WINDOW = 12
_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class SaturatedStars:
    """Blobs of saturated pixels.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Centres, pixels.
    flux : (n,) float64 array
        Light of the blob and of the pixels next to it above the sky, electrons: a lower limit.
    peak : (n,) float64 array
        Brightest pixel above the sky, electrons.
    flags : (n,) int32 array
        SATURATED, and COSMIC_RAY for blobs without wings.
    region : (ny, nx) bool array
        The blobs with the pixels next to them, where no other star can be told apart.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    peak: FloatArray
    flags: NDArray[np.int32]
    region: NDArray[np.bool_]


def find_saturated(exposure: Exposure, sky: FloatArray) -> SaturatedStars:
    """Find saturated stars, each blob with its trail once.

    Blobs less than three pixels apart along y are one (trails have gaps). Along the trail the
    start is where the wings beside it are brightest; then the centre is the point that the
    gradients of the unsaturated wings point at (the radial-symmetry centre of Parthasarathy 2012,
    reweighted against neighbours).

    Parameters
    ----------
    exposure : Exposure
        The image. Blobs within the vignetted edge are left out.
    sky : (ny, nx) array
        Its sky, electrons.

    Returns
    -------
    SaturatedStars
        One entry per blob.
    """
    from scipy import ndimage

    saturated = exposure.saturated & ~exposure.edge
    region = (
        ndimage.binary_dilation(saturated, np.ones((5, 3), bool))
        if saturated.any()
        else (saturated)
    )
    joined = ndimage.binary_dilation(saturated, np.ones((3, 1), bool))
    labels, count = ndimage.label(joined, np.ones((3, 3), bool))
    if count == 0:
        none = np.zeros(0)
        return SaturatedStars(none, none, none, none, np.zeros(0, np.int32), region)
    index = np.arange(1, count + 1)
    labels = np.where(saturated, labels, 0)
    residual = exposure.data - sky
    around = ndimage.grey_dilation(labels, size=(5, 3))
    flux = ndimage.sum_labels(np.where(exposure.mask & ~saturated, 0, residual), around, index)
    peak = np.asarray(ndimage.maximum(residual, labels, index), float)
    start_x, start_y = _start(exposure, residual, labels, index)
    x, y = _refine(exposure, residual, start_x, start_y)
    flags = np.full(count, int(Flag.SATURATED), np.int32)
    flags[_wingless(exposure, residual, labels, index)] |= np.int32(Flag.COSMIC_RAY)
    return SaturatedStars(x, y, np.asarray(flux, float), peak, flags, region)


def _start(
    exposure: Exposure, residual: FloatArray, labels: NDArray[np.intp], index: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Middle of the blob across the trail; along it, the middle of the brightest wings."""
    from scipy import ndimage

    usable = ~exposure.unusable
    x = np.empty(len(index))
    y = np.empty(len(index))
    for i, (rows, columns) in enumerate(ndimage.find_objects(labels)):
        blob = labels[rows, columns] == index[i]
        widths = blob.sum(axis=1)
        wide = widths >= max(1, 0.7 * widths.max())
        x[i] = columns.start + np.average(np.arange(blob.shape[1]), weights=blob[wide].sum(axis=0))
        reach = int(np.ceil(0.5 * blob.shape[1]))
        offsets = np.concatenate([np.arange(-reach - 3, -reach), np.arange(reach + 1, reach + 4)])
        at = np.rint(x[i]).astype(int) + offsets
        at = at[(at >= 0) & (at < residual.shape[1])]
        span = np.arange(rows.start, rows.stop)
        good = usable[np.ix_(span, at)]
        wings = np.where(good, np.maximum(residual[np.ix_(span, at)], 0), 0).sum(axis=1)
        wings = wings / np.maximum(good.sum(axis=1), 1)
        smooth = ndimage.uniform_filter1d(wings, 3, mode="constant")
        bright = smooth >= 0.5 * smooth.max()
        middle = int(smooth.argmax())
        near = bright & (np.abs(np.arange(len(span)) - middle) <= 6)
        weight = np.where(near, wings, 0)
        y[i] = np.average(span, weights=weight) if weight.sum() > 0 else span.mean()
    return x, y


def _refine(
    exposure: Exposure, residual: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Centre of radial symmetry of the unsaturated wings, all blobs at once."""
    from scipy import ndimage

    pad = _WINDOW + 3
    bad = np.pad(exposure.unusable, pad, constant_values=True)
    image = np.pad(np.where(exposure.unusable, 0, residual), pad)
    log = np.log(np.maximum(image, 1.0) + 20.0)
    slope_y = ndimage.sobel(log, axis=0)
    slope_x = ndimage.sobel(log, axis=1)
    spoiled = ndimage.binary_dilation(bad, np.ones((3, 3), bool))
    dy, dx = (a.ravel() for a in np.mgrid[-_WINDOW : _WINDOW + 1, -_WINDOW : _WINDOW + 1])
    iy, ix = np.rint(y).astype(int), np.rint(x).astype(int)
    at = (iy[:, None] + dy + pad, ix[:, None] + dx + pad)
    gx, gy = slope_x[at], slope_y[at]
    size = np.hypot(gx, gy)
    usable = ~spoiled[at] & (size > 0.05)
    safe = np.where(size > 0, size, 1.0)
    nx, ny = -gy / safe, gx / safe
    cx, cy = x - ix, y - iy
    for _ in range(_ROUNDS):
        radius = np.hypot(dx - cx[:, None], dy - cy[:, None])
        miss = (dx - cx[:, None]) * nx + (dy - cy[:, None]) * ny
        angle = miss / np.maximum(radius, 1.0)
        weight = np.where(usable & (radius < _WINDOW), 1.0, 0.0)
        weight = weight / np.maximum(radius, 1.5) ** 2 / (1.0 + (angle / 0.2) ** 2) ** 2
        weight = weight * np.minimum(size, 2.0) ** 2
        project = dx * nx + dy * ny
        a, b, c = (np.sum(weight * v, axis=1) for v in (nx * nx, nx * ny, ny * ny))
        p, q = (np.sum(weight * v * project, axis=1) for v in (nx, ny))
        determinant = a * c - b * b
        firm = determinant > 1e-3 * np.maximum(a * c, 1e-12)
        solved = np.where(firm, determinant, 1.0)
        cx = np.where(firm, np.clip((c * p - b * q) / solved, cx - 2, cx + 2), cx)
        cy = np.where(firm, np.clip((a * q - b * p) / solved, cy - 2, cy + 2), cy)
    moved = np.hypot(cx - (x - ix), cy - (y - iy))
    trusted = moved < 3.0
    return np.where(trusted, ix + cx, x), np.where(trusted, iy + cy, y)


def _wingless(
    exposure: Exposure, residual: FloatArray, labels: NDArray[np.intp], index: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Blobs whose left and right neighbours are dark on average: cosmic rays."""
    from scipy import ndimage

    beside = ndimage.grey_dilation(labels, size=(1, 3))
    beside = np.where(exposure.unusable, 0, beside)
    brightest = np.asarray(ndimage.maximum(residual, beside, index), float)
    inside = np.asarray(ndimage.maximum(residual, labels, index), float)
    counted = ndimage.sum_labels(np.ones_like(residual), beside, index) > 0
    dark: NDArray[np.bool_] = counted & (brightest < 0.03 * inside)
    return dark
