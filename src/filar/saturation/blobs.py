"""Charge that bled is still there: the light of a star from the blob of its saturated pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.grown import grown
from filar.saturation.rings import NEIGHBOURS_ERROR
from filar.saturation.scene import Scene, at_pixels
from filar.saturation.windows import cut

FloatArray = NDArray[np.float64]
LabelImage = NDArray[np.int32]
LEAST_PART = 0.3
"""Of a star's light that must fall on its blob."""
NEAR = 3
"""Pixels from a star's centre to the saturated pixels that are its own, at most."""
CHUNK = 2_000_000
"""Pixels looked at at once."""
INTERPOLATED = "interpolated"
"""`Exposure.meta["saturated_values"]` where a survey has replaced saturated pixels."""


@dataclass(frozen=True, eq=False)
class Blobs:
    """Connected saturated pixels of an exposure.

    Parameters
    ----------
    exposure : Exposure
        The image.
    labels : (ny, nx) int32 array
        Number of the blob, 0 outside.
    around : (ny, nx) int32 array
        The same with the pixels next to the blobs, into which the last of the charge spills.
    count : int
        Blobs.
    """

    exposure: Exposure
    labels: LabelImage
    around: LabelImage
    count: int

    @cached_property
    def extent(self) -> NDArray[np.intp]:
        """First row, last row, first column, last column of each blob: (count + 1, 4)."""
        rows, columns = np.nonzero(self.labels)
        number = self.labels[rows, columns]
        extent = np.zeros((self.count + 1, 4), np.intp)
        extent[:, ::2] = max(self.labels.shape)
        np.minimum.at(extent[:, 0], number, rows)
        np.maximum.at(extent[:, 1], number, rows)
        np.minimum.at(extent[:, 2], number, columns)
        np.maximum.at(extent[:, 3], number, columns)
        return extent

    @cached_property
    def pixels(self) -> FloatArray:
        """Saturated pixels of each blob: (count + 1,)."""
        return self.total(np.ones(self.labels.shape), self.labels)

    def total(self, image: FloatArray, labels: LabelImage | None = None) -> FloatArray:
        """Sum of an image over each blob and the pixels next to it: (count + 1,)."""
        labels = self.around if labels is None else labels
        inside = labels > 0
        sums = np.bincount(labels[inside], image[inside], self.count + 1)
        return np.asarray(sums, float)


@dataclass(frozen=True, eq=False)
class Trails:
    """Stars' light from their blobs.

    Parameters
    ----------
    blob : (n,) int array
        The star's blob, 0 if it has none.
    flux, error : (n,) float64 arrays
        Electrons of the whole star; NaN without a blob, or where its pixels hold no charge.
    others : (n,) float64 array
        Other stars' part of the blob's charge.
    """

    blob: NDArray[np.intp]
    flux: FloatArray
    error: FloatArray
    others: FloatArray


def find_blobs(exposure: Exposure) -> Blobs:
    """Find the connected saturated pixels; trails may have gaps of one row.

    Parameters
    ----------
    exposure : Exposure
        The image.

    Returns
    -------
    Blobs
    """
    from scipy import ndimage

    saturated = exposure.saturated & ~exposure.edge
    joined, count = ndimage.label(grown(saturated, 1, 0), np.ones((3, 3), bool))
    labels = np.where(saturated, joined, 0).astype(np.int32)
    return Blobs(exposure, labels, grown(labels, 2, 1), int(count))


def held_charge(exposure: Exposure) -> float:
    """What a full pixel holds, electrons: the saturation level, or what saturated pixels hold."""
    if np.isfinite(exposure.saturation):
        return float(exposure.saturation)
    held = exposure.data[exposure.saturated & ~exposure.edge]
    return float(np.median(held)) if held.size else float("inf")


def nearest_blob(blobs: Blobs, x: FloatArray, y: FloatArray) -> NDArray[np.intp]:
    """Number of the blob in which, or next to which, each star is; 0 if there is none: (n,)."""
    windows = cut(blobs.labels, x, y, NEAR)
    span = np.arange(-NEAR, NEAR + 1)
    r2 = (span[:, None] ** 2 + span**2).ravel()
    order = np.argsort(r2, kind="stable")
    order = order[r2[order] <= NEAR**2]
    flat = windows.reshape(len(windows), r2.size)[:, order]
    first = np.argmax(flat > 0, axis=1)
    return np.asarray(flat[np.arange(len(flat)), first], np.intp)


def measure_trails(scene: Scene, blobs: Blobs, x: FloatArray, y: FloatArray, flux: FloatArray,
                   half: int) -> Trails:  # fmt: skip
    """Estimate stars' light from the charge of their blobs.

    Charge is conserved along the columns: what a blob holds above the sky is the light that fell on
    it, however it is spread over its pixels. Divided by the part of the PSF that falls on the blob
    it gives the star's light; the light of other stars on the blob is taken off.

    Parameters
    ----------
    scene : Scene
        With all stars, these among them.
    blobs : Blobs
        Of the same exposure.
    x, y : (n,) arrays
        The stars, pixels.
    flux : (n,) array
        What they have in the scene, electrons.
    half : int
        Pixels to each side over which the PSF is summed.

    Returns
    -------
    Trails
    """
    blob = nearest_blob(blobs, x, y)
    part = _part_on_blob(scene, blobs, blob, x, y, half)
    unseen, unseen_error = unseen_charge(scene.exposure)
    pixels = blobs.pixels[blob]
    charge = blobs.total(scene.exposure.data - scene.sky)[blob] + unseen * pixels
    others = np.maximum(blobs.total(scene.light)[blob] - flux * part, 0)
    sky_error = scene.sky_error[at_pixels(scene, x, y)]
    variance = _variance(blobs, blob, sky_error) + (unseen_error * pixels) ** 2
    error = np.sqrt(variance + (NEIGHBOURS_ERROR * others) ** 2)
    known = (blob > 0) & (part > LEAST_PART)
    if scene.exposure.meta.get("saturated_values") == INTERPOLATED:
        known[:] = False
    with np.errstate(divide="ignore", invalid="ignore"):
        return Trails(
            blob,
            np.where(known, (charge - others) / part, np.nan),
            np.where(known, error / part, np.nan),
            np.where(known, others / np.maximum(charge, 1), np.nan),
        )


def unseen_charge(exposure: Exposure) -> tuple[float, float]:
    """What a saturated pixel holds beyond what was counted, and how well that is known.

    Parameters
    ----------
    exposure : Exposure
        With ``meta["full_well"]``, electrons, where pixels hold more than the converter counts.

    Returns
    -------
    mean, error : float
        Electrons: anything up to the full well is as likely. 0 where charge is counted in full.
    """
    more = float(exposure.meta.get("full_well", 0.0)) - exposure.saturation
    return (0.5 * more, more / np.sqrt(12)) if more > 0 else (0.0, 0.0)


def _part_on_blob(
    scene: Scene, blobs: Blobs, blob: NDArray[np.intp], x: FloatArray, y: FloatArray, half: int
) -> FloatArray:
    """Part of each star's light that falls on its blob."""
    part = np.zeros(len(x))
    step = max(1, CHUNK // (2 * half + 1) ** 2)
    for start in range(0, len(x), step):
        some = slice(start, start + step)
        inside = cut(blobs.around, x[some], y[some], half) == blob[some, None, None]
        part[some] = np.sum(scene.psf.stamps(x[some], y[some], half) * inside, axis=(1, 2))
    return part


def _variance(blobs: Blobs, blob: NDArray[np.intp], sky_error: FloatArray) -> FloatArray:
    """Of the charge of some blobs, other stars apart, electrons squared."""
    exposure = blobs.exposure
    photons = blobs.total(np.asarray(exposure.variance(exposure.data), float))[blob]
    pixels = blobs.total(np.ones(exposure.shape))[blob]
    # a pixel that was masked or damaged may have held as much as any
    unseen = blobs.total((exposure.mask & ~exposure.saturated).astype(float))[blob]
    lost = unseen * held_charge(exposure) if unseen.any() else unseen
    return np.asarray(photons + lost**2 + (sky_error * pixels) ** 2)
