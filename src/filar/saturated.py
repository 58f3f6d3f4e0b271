"""Saturated stars: one centred position for each blob of saturated pixels with its bleed trail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.flags import Flag
from filar.grown import grown

FloatArray = NDArray[np.float64]

_WINDOW = 11
_SMALLEST_RADIUS, _RADIUS = 3.5, 7.0
_ROUNDS = 12
# Light down to this part of the saturation level counts for the centre.
_DEPTH = 30.0


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


def saturated_light(exposure: Exposure, sky: FloatArray) -> float:
    """Median of the saturated pixels above the sky, electrons; NaN if there are none."""
    saturated = exposure.saturated & ~exposure.edge
    return float(np.median((exposure.data - sky)[saturated])) if saturated.any() else float("nan")


def saturated_region(exposure: Exposure) -> NDArray[np.bool_]:
    """Saturated pixels in view and those next to them: (ny, nx)."""
    return grown(exposure.saturated & ~exposure.edge, 2, 1)


def find_saturated(
    exposure: Exposure,
    sky: FloatArray,
    top: float | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> SaturatedStars:
    """Find saturated stars, each blob with its trail once.

    Blobs less than three pixels apart along y are one (trails have gaps). Along the trail the
    start is where the wings beside it are brightest; then the centre is that of the clipped
    logarithm of the light, which makes the blob and the unsaturated wings about it count alike.

    Parameters
    ----------
    exposure : Exposure
        The image. Blobs within the vignetted edge are left out.
    sky : (ny, nx) array
        Its sky, electrons.
    top : float, optional
        Typical light of a saturated pixel, electrons; by default `saturated_light`.
    inside : (ny, nx) bool array, optional
        Only blobs with a pixel there are wanted; by default all.

    Returns
    -------
    SaturatedStars
        One entry per blob.
    """
    from scipy import ndimage

    saturated = exposure.saturated & ~exposure.edge
    region = saturated_region(exposure)
    labels, count = ndimage.label(grown(saturated, 1, 0), np.ones((3, 3), bool))
    if inside is not None:
        wanted = np.setdiff1d(labels[inside], 0)
        number = np.zeros(count + 1, labels.dtype)
        number[wanted] = np.arange(1, len(wanted) + 1)
        labels, count = number[labels], len(wanted)
    if count == 0:
        none = np.zeros(0)
        return SaturatedStars(none, none, none, none, np.zeros(0, np.int32), region)
    index = np.arange(1, count + 1)
    labels = np.where(saturated, labels, 0)
    residual = exposure.data - sky
    around = grown(labels, 2, 1)
    flux = _totals(np.where(exposure.mask & ~saturated, 0, residual), around, count)
    peak = _brightest(residual, labels, count)
    start_x, start_y, width, height = _start(exposure, residual, labels, index)
    radius = np.clip(width + 2.5, _SMALLEST_RADIUS, _RADIUS)
    if top is None or not np.isfinite(top):
        top = saturated_light(exposure, sky)
    x, y = _refine(exposure, residual, start_x, start_y, radius, height > width + 1, top)
    flags = np.full(count, int(Flag.SATURATED), np.int32)
    flags[_wingless(exposure, residual, labels, index)] |= np.int32(Flag.COSMIC_RAY)
    return SaturatedStars(x, y, np.asarray(flux, float), peak, flags, region)


def _start(
    exposure: Exposure, residual: FloatArray, labels: NDArray[np.intp], index: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Middle of the blob across the trail, of the brightest wings along it; width and height."""
    from scipy import ndimage

    usable = ~exposure.unusable
    x = np.empty(len(index))
    y = np.empty(len(index))
    width, height = np.empty(len(index)), np.empty(len(index))
    for i, (rows, columns) in enumerate(ndimage.find_objects(labels)):
        blob = labels[rows, columns] == index[i]
        widths = blob.sum(axis=1)
        width[i], height[i] = widths.max(), len(widths)
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
    return x, y, width, height


def _refine(
    exposure: Exposure,
    residual: FloatArray,
    x: FloatArray,
    y: FloatArray,
    radius: FloatArray,
    bled: NDArray[np.bool_],
    top: float,
) -> tuple[FloatArray, FloatArray]:
    """Centroid of the clipped logarithm in a window that follows it, all blobs at once.

    The trail must not count: x comes from the rows near the centre, y from the columns beside the
    trail.
    """
    pad = _WINDOW + 1
    clipped = np.where(exposure.saturated, top, np.clip(residual, top / _DEPTH, top))
    image = np.pad(np.log(clipped * _DEPTH / top), pad)
    usable = np.pad(~exposure.mask | exposure.saturated, pad)
    dy, dx = (a.ravel() for a in np.mgrid[-_WINDOW : _WINDOW + 1, -_WINDOW : _WINDOW + 1])
    iy, ix = np.rint(y).astype(int), np.rint(x).astype(int)
    at = (iy[:, None] + dy + pad, ix[:, None] + dx + pad)
    light = np.where(usable[at], image[at], 0.0)
    cx, cy = x - ix, y - iy
    trail = cx[:, None].copy()
    for _ in range(_ROUNDS):
        along_x, along_y = dx - cx[:, None], dy - cy[:, None]
        window = light * np.clip(radius[:, None] + 0.5 - np.hypot(along_x, along_y), 0.0, 1.0)
        rows = window * np.clip(3.0 - np.abs(along_y), 0.0, 1.0)
        columns = window * (~bled[:, None] | (np.abs(dx - trail) >= 1.6))
        cx = cx + _mean(rows, along_x)
        cy = cy + _mean(columns, along_y)
    trusted = (np.abs(cx - (x - ix)) < 3.0) & (np.abs(cy - (y - iy)) < 3.0)
    return np.where(trusted, ix + cx, x), np.where(trusted, iy + cy, y)


def _mean(weight: FloatArray, value: FloatArray) -> FloatArray:
    """Weighted means along the last axis, 0 where there is no weight."""
    total = weight.sum(axis=1)
    mean: FloatArray = (weight * value).sum(axis=1) / np.where(total > 0, total, 1.0)
    return mean


def _wingless(
    exposure: Exposure, residual: FloatArray, labels: NDArray[np.intp], index: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Blobs whose left and right neighbours are dark on average: cosmic rays."""
    beside = grown(labels, 0, 1)
    beside = np.where(exposure.unusable, 0, beside)
    brightest = _brightest(residual, beside, len(index))
    inside = _brightest(residual, labels, len(index))
    counted = _totals(np.ones_like(residual), beside, len(index)) > 0
    dark: NDArray[np.bool_] = counted & (brightest < 0.03 * inside)
    return dark


def _brightest(image: FloatArray, labels: NDArray[np.intp], count: int) -> FloatArray:
    """Largest pixel of each blob; scipy's sorts the whole image for that. -inf where empty."""
    inside = labels > 0
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, labels[inside] - 1, image[inside])
    return highest


def _totals(image: FloatArray, labels: NDArray[np.intp], count: int) -> FloatArray:
    """Sum of the pixels of each blob."""
    inside = labels > 0
    return np.bincount(labels[inside] - 1, image[inside], count).astype(float)
