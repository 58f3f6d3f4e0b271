"""What a survey's own pipeline does to bright stars: it moves trails, and its numbers overflow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.simulate.survey.schedule import Visit
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.streams import stream

FloatArray = NDArray[np.float64]
BoolImage = NDArray[np.bool_]

DAMAGED = 0.3
"""Part of the images in which numbers overflow."""

WRONG_PLACE, NOWHERE = 0.04, 0.03
"""Parts of the trails whose light is put at another star, or lost."""

_FOUND = 0.85
_TALL = 2.0
_LONG = 6
_OVERFLOW = 8.0
_HIT = 0.5


@dataclass(frozen=True)
class Blob:
    """Connected pixels that are full.

    Parameters
    ----------
    rows, columns : slice
        Where they are.
    mask : (h, w) bool array
        Which of the pixels there.
    x, y : float
        Where the pipeline takes the star to be, pixels.
    """

    rows: slice
    columns: slice
    mask: BoolImage
    x: float
    y: float

    @property
    def bled(self) -> bool:
        """Whether it is so much longer than wide that charge has flowed."""
        height, width = self.mask.shape
        return bool(height >= max(_LONG, _TALL * width))


def is_damaged(settings: SurveySettings, visit: Visit) -> bool:
    """Whether overflow has damaged an image.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    visit : Visit
        Which image.

    Returns
    -------
    bool
        Always False in a survey without damage.
    """
    where = (visit.field, visit.camera, visit.filter, visit.epoch, visit.exposure)
    drawn = float(stream(settings.seed, "damage", *where).uniform())
    return settings.damage and drawn < DAMAGED


def find_blobs(counts: FloatArray, saturation: float) -> list[Blob]:
    """Find what is full, and guess where the stars are: in the middle of the widest rows.

    Parameters
    ----------
    counts : (ny, nx) array
        Counts.
    saturation : float
        Counts of a full pixel; a little less counts too.

    Returns
    -------
    list of Blob
    """
    from scipy import ndimage

    labels, _ = ndimage.label(counts >= _FOUND * saturation, np.ones((3, 3)))
    blobs = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        mask = labels[rows, columns] == number
        widths = mask.sum(axis=1)
        widest = np.flatnonzero(widths >= max(0.75 * widths.max(), widths.max() - 1))
        weight = mask[widest].sum(axis=0)
        x = columns.start + float(weight @ np.arange(mask.shape[1])) / weight.sum()
        blobs.append(Blob(rows, columns, mask, x, rows.start + float(np.median(widest))))
    return blobs


def correct_trails(
    counts: FloatArray, saturation: float, fwhm: float, rng: np.random.Generator
) -> FloatArray:
    """Move the light of bleed trails to where their stars seem to be.

    The pixels of a trail and of its star's full core are replaced by linear interpolation between
    the columns beside them, and what they held beyond that becomes a Gaussian at the star. Some
    go to another bright star on the trail, or are lost; light below the threshold is not found.

    Parameters
    ----------
    counts : (ny, nx) array
        Counts.
    saturation : float
        Counts of a full pixel.
    fwhm : float
        Of the Gaussians, pixels.
    rng : Generator
        Decides which go wrong.

    Returns
    -------
    (ny, nx) float64 array
    """
    result = np.array(counts, float)
    blobs = find_blobs(counts, saturation)
    moved = []
    for blob in blobs:
        fate = rng.uniform()
        if not blob.bled:
            continue
        flux = _take_out(result, blob)
        if fate >= NOWHERE + WRONG_PLACE:
            moved.append((blob.x, blob.y, flux))
        elif fate >= NOWHERE:
            moved.append((*_another_star(counts, blob), flux))
    for x, y, flux in moved:
        _add_gaussian(result, x, y, flux, fwhm)
    return result


def _take_out(image: FloatArray, blob: Blob) -> float:
    """Interpolate across a blob, row by row, in place; what it held beyond that."""
    left, right = blob.columns.start - 1, blob.columns.stop
    nx = image.shape[1]
    before = image[blob.rows, max(left, 0)] if left >= 0 else image[blob.rows, min(right, nx - 1)]
    after = image[blob.rows, right] if right < nx else before
    part = (np.arange(right - left - 1) + 1.0) / (right - left)
    between = before[:, None] + (after - before)[:, None] * part
    there = image[blob.rows, blob.columns]
    flux = float((there - between)[blob.mask].sum())
    there[blob.mask] = between[blob.mask]
    return max(flux, 0.0)


def _another_star(counts: FloatArray, blob: Blob) -> tuple[float, float]:
    """The brightest place beside the trail, away from its star."""
    near = slice(max(blob.columns.start - 3, 0), blob.columns.stop + 3)
    strip = np.array(counts[blob.rows, near])
    offset = blob.columns.start - near.start
    strip[:, offset : offset + blob.mask.shape[1]][blob.mask] = 0.0
    rows = np.arange(blob.rows.start, blob.rows.stop)
    strip[np.abs(rows - blob.y) < 2.0 * blob.mask.shape[1] + 3.0] = 0.0
    row, column = np.unravel_index(int(strip.argmax()), strip.shape)
    return float(near.start + column), float(blob.rows.start + row)


def _add_gaussian(image: FloatArray, x: float, y: float, flux: float, fwhm: float) -> None:
    """Add a Gaussian, integrated over pixels, in place."""
    from scipy.special import ndtr

    sigma, reach = fwhm / np.sqrt(8.0 * np.log(2.0)), int(np.ceil(5.0 * fwhm))
    edges, slices = [], []
    for place, size in ((y, image.shape[0]), (x, image.shape[1])):
        low, high = max(round(place) - reach, 0), min(round(place) + reach + 1, size)
        edges.append(np.diff(ndtr((np.arange(low, high + 1) - 0.5 - place) / sigma)))
        slices.append(slice(low, high))
    image[slices[0], slices[1]] += flux * edges[0][:, None] * edges[1]


def overflow(
    counts: FloatArray, light: FloatArray, saturation: float, rng: np.random.Generator
) -> FloatArray:
    """Set the cores of some of the brightest stars to exactly 1.

    Parameters
    ----------
    counts : (ny, nx) array
        Counts.
    light : (ny, nx) array
        Expected counts without bleeding.
    saturation : float
        Counts of a full pixel; pixels that should have had eight times as many may overflow.
    rng : Generator
        Decides which stars are hit.

    Returns
    -------
    (ny, nx) float64 array
    """
    from scipy import ndimage

    labels, n = ndimage.label(light >= _OVERFLOW * saturation, np.ones((3, 3)))
    hit = np.concatenate([[False], rng.uniform(size=n) < _HIT])
    return np.where(hit[labels], 1.0, counts)
