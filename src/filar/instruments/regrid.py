"""Images of several bands on one grid of pixels, by their WCS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.instruments.bandimage import BandImage

if TYPE_CHECKING:
    from astropy.wcs import WCS

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]

SAME = 0.02
"""Grids that differ by less, in pixels, are one grid."""
_STEP = 64  # pixels between the nodes at which the transformation is computed
_ROWS = 512  # rows interpolated at a time, which bounds the memory
_TOUCHED = 0.01  # share of unusable pixels that makes an interpolated one unusable


def same_grid(image: BandImage, reference: BandImage) -> bool:
    """Whether two images have the same pixels on the sky.

    Parameters
    ----------
    image, reference : BandImage
        Without WCS in either, images of the same shape are taken to have.

    Returns
    -------
    bool
    """
    if image.shape != reference.shape:
        return False
    if image.wcs is None or reference.wcs is None:
        return True
    ny, nx = reference.shape
    x, y = (corner.ravel() for corner in np.meshgrid([0.0, nx / 2, nx - 1], [0.0, ny / 2, ny - 1]))
    u, v = _mapped(reference.wcs, image.wcs, x, y)
    return bool(np.all(np.hypot(u - x, v - y) < SAME))  # NaN: no


def onto_grid(image: BandImage, reference: BandImage) -> BandImage:
    """Bring an image onto another one's pixels; light is conserved.

    Cubic splines through the pixel values, times the ratio of the pixels' areas. It is exact for
    shifts by whole pixels; else it smooths the noise a little. Pixels next to unusable ones, and
    those beyond the image, are unusable.

    Parameters
    ----------
    image, reference : BandImage
        Both with WCS, unless they are on the same grid already.

    Returns
    -------
    BandImage
        On the reference's grid; `image` itself if it is already.

    Raises
    ------
    ParameterError
        If the grids differ and one has no WCS, or the images do not overlap.
    """
    if same_grid(image, reference):
        return image
    for one in (image, reference):
        if one.wcs is None:
            found = f"{one.label}, {one.shape[1]} x {one.shape[0]} pixels, without a WCS"
            raise ParameterError("images", found, "one shape, or a WCS in each header")
    assert image.wcs is not None
    assert reference.wcs is not None
    u, v = _pixel_map(reference.wcs, image.wcs, reference.shape)
    ny, nx = image.shape
    inside = (u > -0.5) & (u < nx - 0.5) & (v > -0.5) & (v < ny - 0.5)
    if not inside.any():
        found = f"{image.label} does not overlap {reference.label}"
        raise ParameterError("images", found, "images of the same part of the sky")
    rate = _interpolated(image.rate, u, v) * np.float32(_area_ratio(reference, image))
    rate[~inside] = np.nan
    return replace(image, rate=rate, wcs=reference.wcs, pixel_scale=reference.pixel_scale)


def _area_ratio(reference: BandImage, image: BandImage) -> float:
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(proj_plane_pixel_area(reference.wcs) / proj_plane_pixel_area(image.wcs))


def _mapped(
    reference: WCS, image: WCS, x: NDArray[Any], y: NDArray[Any]
) -> tuple[FloatArray, FloatArray]:
    """Where the reference's pixels are in the image."""
    ra, dec = reference.all_pix2world(x, y, 0)
    # The inverse of a WCS without distortion is exact; with one, failures to converge are NaN.
    u, v = image.all_world2pix(ra, dec, 0, quiet=True)
    return np.asarray(u, float), np.asarray(v, float)


def _pixel_map(reference: WCS, image: WCS, shape: tuple[int, int]) -> tuple[Image, Image]:
    """The same for all pixels, between nodes by bicubic splines: far below 0.01 pixel off."""
    from scipy.interpolate import RectBivariateSpline

    ny, nx = shape
    rows = np.linspace(0, ny - 1, max(ny // _STEP, 4) + 1)
    columns = np.linspace(0, nx - 1, max(nx // _STEP, 4) + 1)
    x, y = np.meshgrid(columns, rows)
    u, v = _mapped(reference, image, x.ravel(), y.ravel())
    grid = np.arange(ny, dtype=float), np.arange(nx, dtype=float)
    maps = (RectBivariateSpline(rows, columns, value.reshape(x.shape))(*grid) for value in (u, v))
    u_map, v_map = maps
    return u_map.astype(np.float32), v_map.astype(np.float32)


def _interpolated(values: Image, u: Image, v: Image) -> Image:
    from scipy.ndimage import map_coordinates, spline_filter

    bad = ~np.isfinite(values)
    fill = np.float32(np.median(values[~bad])) if (~bad).any() else np.float32(0)
    smooth = spline_filter(np.where(bad, fill, values), order=3, output=np.float32, mode="mirror")
    share = bad.astype(np.float32)
    result = np.empty(u.shape, np.float32)
    for start in range(0, len(u), _ROWS):
        rows = slice(start, start + _ROWS)
        at = np.stack([v[rows], u[rows]])
        piece = map_coordinates(smooth, at, order=3, mode="mirror", prefilter=False)
        if bad.any():
            piece[map_coordinates(share, at, order=1, mode="nearest") > _TOUCHED] = np.nan
        result[rows] = piece
    return result
