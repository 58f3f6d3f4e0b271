"""What recovery depends on besides the magnitude: sky noise, crowding, light around the star.

The same functions serve artificial and real stars. Gathering pixels is apart from the statistics,
so that pixels may come from an exposure or from any mosaic of patches. Definitions are those of
Harris & Speagle 2024 (H24), section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.psf.model import annulus_offsets

if TYPE_CHECKING:
    from filar.exposure import Exposure

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NOISE_ANNULUS = (4.0, 9.0)
"""Radii between which the sky noise is measured, pixels (H24, section 5.1)."""
LIGHT_ANNULUS = (4.0, 40.0)
"""Radii between which the light around a star is measured, pixels (H24, section 5.2)."""
CROWDING_RADIUS = 60.0
"""Radius within which detections are counted, pixels (H24, section 5.2)."""
OWN = 1.5
"""A detection as near as this to a star is the star itself, pixels."""
LEAST_LIGHT = 1e-3
"""Light per pixel below which a surface brightness is cut off, electrons."""

_CLIP = 3.0
_ROUNDS = 10
_FEWEST = 8  # pixels that a noise can be told from
_FEWEST_PART = 0.05  # of a ring that must be usable
_BATCH = 4096  # stars
_STRIPS = 120  # across a circle


def annulus_pixels(
    image: NDArray[np.floating[Any]],
    unusable: BoolArray,
    x: FloatArray,
    y: FloatArray,
    inner: float = NOISE_ANNULUS[0],
    outer: float = NOISE_ANNULUS[1],
) -> NDArray[np.floating[Any]]:
    """Gather the pixels between two radii around each star.

    Parameters
    ----------
    image : (ny, nx) array
        Electrons.
    unusable : (ny, nx) bool array
        Pixels that do not count.
    x, y : (n,) array
        Stars, pixels; the ring is centred on the pixel that the star is in.
    inner, outer : float
        Radii, pixels.

    Returns
    -------
    (n, m) array of the image's type
        NaN where unusable or outside of the image, and for a star that is outside of it.
    """
    dy, dx = annulus_offsets(inner, outer)
    margin, (ny, nx) = int(np.ceil(outer)), image.shape
    kind = np.result_type(image.dtype, np.float32)
    padded = np.full((ny + 2 * margin, nx + 2 * margin), np.nan, kind)
    padded[margin : margin + ny, margin : margin + nx] = np.where(unusable, np.nan, image)
    column, row, inside = _nearest(x, y, image.shape)
    centre = (row + margin) * padded.shape[1] + column + margin
    pixels = padded.ravel()[centre[:, None] + (dy * padded.shape[1] + dx)]
    pixels[~inside] = np.nan
    return np.asarray(pixels)


def sky_noise(pixels: NDArray[np.floating[Any]]) -> FloatArray:
    """Local sky noise: the rms of an annulus after clipping (H24, section 5.1).

    Pixels beyond 3 rms of the median are left out, up to ten times over or until none is.

    Parameters
    ----------
    pixels : (n, m) array
        Pixels of each star's annulus, electrons; NaN ones do not count.

    Returns
    -------
    (n,) float64 array
        Electrons; NaN where fewer than 8 pixels are usable.
    """
    ordered = np.sort(np.asarray(pixels), axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    noise = np.full(len(ordered), np.nan)
    todo = np.flatnonzero(count >= _FEWEST)
    ordered, last = ordered[todo], count[todo]
    first = np.zeros_like(last)
    middle = _median(ordered, first, last)
    sums = _running_sums(ordered, middle)
    for _ in range(_ROUNDS):
        rms = _rms(sums, first, last)
        noise[todo] = rms
        centre = _median(ordered, first, last)
        with np.errstate(invalid="ignore"):
            low = (ordered < (centre - _CLIP * rms)[:, None]).sum(axis=1)
            high = (ordered <= (centre + _CLIP * rms)[:, None]).sum(axis=1)
        low, high = np.maximum(low, first), np.minimum(high, last)
        going = ((low > first) | (high < last)) & (high - low >= _FEWEST)
        todo, ordered, first, last = todo[going], ordered[going], low[going], high[going]
        sums = (sums[0][going], sums[1][going])
        if not len(todo):
            return noise
    noise[todo] = _rms(sums, first, last)
    return noise


def _median(ordered: NDArray[Any], first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[Any]:
    """Median of ``ordered[i, first[i]:last[i]]`` for each row."""
    rows, total = np.arange(len(ordered)), first + last - 1
    return np.asarray(0.5 * (ordered[rows, total // 2] + ordered[rows, (total + 1) // 2]))


def _running_sums(ordered: NDArray[Any], middle: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Sums of the first 0, 1, 2, ... pixels' distances to the middle, and of their squares."""
    away = np.where(np.isfinite(ordered), ordered - middle[:, None], 0.0).astype(float)
    one, two = (np.zeros((len(ordered), ordered.shape[1] + 1)) for _ in range(2))
    np.cumsum(away, axis=1, out=one[:, 1:])
    np.cumsum(away**2, axis=1, out=two[:, 1:])
    return one, two


def _rms(
    sums: tuple[FloatArray, FloatArray], first: NDArray[np.intp], last: NDArray[np.intp]
) -> FloatArray:
    rows, number = np.arange(len(first)), last - first
    mean, square = ((part[rows, last] - part[rows, first]) / number for part in sums)
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0.0) * number / (number - 1)))


def mean_light(pixels: NDArray[np.floating[Any]]) -> FloatArray:
    """Mean of the usable pixels of each row; NaN where fewer than a twentieth are usable.

    Parameters
    ----------
    pixels : (n, m) array
        Electrons; NaN ones do not count.

    Returns
    -------
    (n,) float64 array
        Electrons per pixel.
    """
    usable = np.isfinite(pixels)
    count = usable.sum(axis=1)
    total = np.where(usable, pixels, 0.0).sum(axis=1, dtype=float)
    enough = count >= max(_FEWEST_PART * pixels.shape[1], 1)
    return np.where(enough, total / np.maximum(count, 1), np.nan)


def ring_light(
    image: NDArray[np.floating[Any]],
    unusable: BoolArray,
    x: FloatArray,
    y: FloatArray,
    inner: float = LIGHT_ANNULUS[0],
    outer: float = LIGHT_ANNULUS[1],
) -> FloatArray:
    """Mean light between two radii, for wide rings and many stars: one convolution of the image.

    Parameters
    ----------
    image, unusable, x, y, inner, outer
        As in `annulus_pixels`.

    Returns
    -------
    (n,) float64 array
        Electrons per pixel, as `mean_light` of the `annulus_pixels`. An artificial star's own light
        in the ring must be added if it is not in the image.
    """
    from scipy.signal import fftconvolve

    dy, dx = annulus_offsets(inner, outer)
    half = int(np.abs(dy).max())
    ring = np.zeros((2 * half + 1, 2 * half + 1))
    ring[dy + half, dx + half] = 1.0
    column, row, inside = _nearest(x, y, image.shape)
    usable = ~unusable
    # the level is taken out before, or rounding in the bright parts would reach the faint ones
    level = float(np.median(image[usable])) if usable.any() else 0.0
    count = np.rint(fftconvolve(usable.astype(float), ring, mode="same")[row, column])
    total = fftconvolve(np.where(usable, image - level, 0.0), ring, mode="same")[row, column]
    enough = inside & (count >= max(_FEWEST_PART * len(dy), 1))
    return np.where(enough, level + total / np.maximum(count, 1.0), np.nan)


def surface_brightness(
    light: FloatArray,
    *,
    sky: float = 0.0,
    zero_point: float = 0.0,
    pixel_scale: float = 1.0,
    least: float = LEAST_LIGHT,
) -> FloatArray:
    """Turn light per pixel into a surface brightness (H24, section 5.2).

    Parameters
    ----------
    light : (n,) array
        Electrons per pixel.
    sky : float
        Level of the empty sky, which is taken off. Electrons per pixel.
    zero_point : float
        Magnitude of one electron.
    pixel_scale : float
        Arcsec per pixel; 1 gives magnitudes per square pixel.
    least : float
        Less light than this counts as this: there is no logarithm of none. Electrons per pixel.

    Returns
    -------
    (n,) float64 array
        Magnitudes per square arcsec; NaN where the light is.

    Raises
    ------
    ParameterError
        If the pixel scale or the least light is not positive.
    """
    for name, value in (("pixel_scale", pixel_scale), ("least", least)):
        if not value > 0:
            raise ParameterError(name, value, "a positive number")
    bright = np.maximum(np.asarray(light, float) - sky, least)
    return np.asarray(zero_point - 2.5 * np.log10(bright / pixel_scale**2))


def crowding(
    x: FloatArray,
    y: FloatArray,
    det_x: FloatArray,
    det_y: FloatArray,
    det_bright: BoolArray | None = None,
    *,
    fwhm: float,
    radius: float = CROWDING_RADIUS,
    shape: tuple[int, int] | None = None,
) -> FloatArray:
    """Bright detections near a star, per resolution element (H24, section 5.2).

    The star itself does not count (H24 counts it): an artificial star that was lost would have one
    neighbour fewer than one that was found.

    Parameters
    ----------
    x, y : (n,) array
        Stars, pixels.
    det_x, det_y : (k,) array
        Detections in the real image, pixels.
    det_bright : (k,) bool array, optional
        Which of them count: those brighter than a limit. All if not given.
    fwhm : float
        Width of the PSF, pixels: a resolution element is a circle of half of it as radius.
    radius : float
        How far is near, pixels.
    shape : (int, int), optional
        (ny, nx) of the image: only the part of the circle that is in it counts then.

    Returns
    -------
    (n,) float64 array
        NaN where a star has no position or, with a shape, is outside of the image.

    Raises
    ------
    ParameterError
        If the width or the radius is not positive.
    """
    from scipy.spatial import cKDTree

    for name, value in (("fwhm", fwhm), ("radius", radius)):
        if not value > 0:
            raise ParameterError(name, value, "a positive number of pixels")
    counted = np.isfinite(det_x) & np.isfinite(det_y)
    if det_bright is not None:
        counted &= det_bright
    known = np.isfinite(x) & np.isfinite(y)
    density = np.full(len(x), np.nan)
    number = np.zeros(int(known.sum()))
    if counted.any() and known.any():
        tree = cKDTree(np.column_stack([det_x[counted], det_y[counted]]))
        places = np.column_stack([x[known], y[known]])
        near, own = (
            tree.query_ball_point(places, r, return_length=True) for r in (radius, min(OWN, radius))
        )
        number = np.asarray(near - own, float)
    elements = np.full(len(number), np.pi * radius**2)
    if shape is not None:
        elements = _circle_inside(x[known], y[known], radius, shape)
    elements /= np.pi * (fwhm / 2) ** 2
    density[known] = np.where(elements > 0, number / np.where(elements > 0, elements, 1), np.nan)
    return density


def _circle_inside(
    x: FloatArray, y: FloatArray, radius: float, shape: tuple[int, int]
) -> FloatArray:
    """Area of circles that lies in an image, by strips; 0 for centres outside of it."""
    ny, nx = shape
    area = np.full(len(x), np.pi * radius**2)
    to_edge = np.minimum(np.minimum(x, nx - 1 - x), np.minimum(y, ny - 1 - y)) + 0.5
    for part in np.array_split(np.flatnonzero(to_edge < radius), 1 + len(x) // _BATCH):
        angle = (np.arange(_STRIPS) + 0.5) * np.pi / _STRIPS  # strips thin where the chord ends
        across = x[part, None] + radius * np.cos(angle)
        half = radius * np.sin(angle)
        width = half * np.pi / _STRIPS
        top = np.minimum(y[part, None] + half, ny - 0.5)
        bottom = np.maximum(y[part, None] - half, -0.5)
        within = (across > -0.5) & (across < nx - 0.5)
        area[part] = (np.maximum(top - bottom, 0.0) * within * width).sum(axis=1)
    area[to_edge < 0] = 0.0
    return area


def image_covariates(
    exposures: Sequence[Exposure],
    bands: Sequence[str],
    x: FloatArray,
    y: FloatArray,
    *,
    noise: bool = True,
    light: bool = True,
) -> dict[str, FloatArray]:
    """Sky noise and surface brightness of stars in each of several images of a field.

    Parameters
    ----------
    exposures : sequence of Exposure
        One for each band, on the same pixels to one or two.
    bands : sequence of str
        Names of the bands.
    x, y : (n,) array
        Stars, pixels.
    noise, light : bool
        Which to measure.

    Returns
    -------
    dict of (n,) float64 arrays
        ``sky_noise_B`` in electrons and ``surface_brightness_B`` in magnitudes of electrons per
        square pixel, sky included; NaN for stars outside of an image.

    Raises
    ------
    ParameterError
        If there is not one exposure per band.
    """
    if len(exposures) != len(bands):
        allowed = f"one for each of the bands {', '.join(bands)}"
        raise ParameterError("images", f"{len(exposures)} images", allowed)
    found: dict[str, FloatArray] = {}
    for exposure, band in zip(exposures, bands, strict=True):
        image, unusable = exposure.data, exposure.unusable
        if noise:
            parts = [
                sky_noise(annulus_pixels(image, unusable, x[i : i + _BATCH], y[i : i + _BATCH]))
                for i in range(0, len(x), _BATCH)
            ]
            found[f"sky_noise_{band}"] = np.concatenate(parts)
        if light:
            found[f"surface_brightness_{band}"] = surface_brightness(
                ring_light(image, unusable, x, y)
            )
    return found


def _nearest(
    x: FloatArray, y: FloatArray, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp], BoolArray]:
    """Column and row of the pixel that each star is in, and which stars are in the image."""
    inside = (x >= -0.5) & (x < shape[1] - 0.5) & (y >= -0.5) & (y < shape[0] - 0.5)
    column, row = (np.where(inside, np.floor(v + 0.5), 0).astype(np.intp) for v in (x, y))
    return column, row, np.asarray(inside)
