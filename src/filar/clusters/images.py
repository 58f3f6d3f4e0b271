"""Images of one field in several bands, in the unit and on the grid that the networks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.cutouts import UNIT_MAG, ImageArray
from filar.errors import ParameterError
from filar.instruments.bandimage import BandImage, BandOptions, read_band_image
from filar.instruments.regrid import onto_grid

if TYPE_CHECKING:
    from astropy.wcs import WCS

FloatArray = NDArray[np.float64]

SCALE_TOLERANCE = 0.02
"""Relative difference of pixel scales that makes no difference."""
_BOX = 64  # pixels on the side of the boxes whose noise is measured
_FEWEST = 50  # usable pixels that a box needs
_ONE_SIGMA_BELOW = 15.865525393145708  # per cent


@dataclass(frozen=True, eq=False)
class ClusterImages:
    """Images of one field.

    Parameters
    ----------
    flux : (bands, ny, nx) float32 array
        In units of a star of Vega magnitude 25; NaN where unusable.
    noise : (bands,) float64 array
        Typical standard deviation of a pixel's background, same unit.
    gain : (bands,) float64 array
        Electrons of one unit of flux.
    bands : tuple of str
        Filters.
    pixel_scale : float
        Arcsec per pixel.
    wcs : astropy WCS or None
        Of the common grid, for 0-based pixels.
    facts : tuple of dict
        For each band: file, zero point, exposure time and credits, to keep with results.
    """

    flux: ImageArray
    noise: FloatArray
    gain: FloatArray
    bands: tuple[str, ...]
    pixel_scale: float
    wcs: WCS | None
    facts: tuple[dict[str, Any], ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.flux.shape[1], self.flux.shape[2]


def read_images(
    paths: Sequence[str | PathLike[str]],
    bands: Sequence[str] | None = None,
    options: Sequence[BandOptions] = (),
    *,
    pixel_scale: float | None = None,
) -> ClusterImages:
    """Read one file per band and bring them together.

    Parameters
    ----------
    paths : sequence of path-like
        FITS, see `filar.instruments.bandimage.read_band_image`.
    bands : sequence of str, optional
        Those wanted, in this order; by default all as given.
    options : sequence of BandOptions
        One for each file, one for all, or none.
    pixel_scale : float, optional
        Arcsec per pixel that the images must have.

    Returns
    -------
    ClusterImages

    Raises
    ------
    InputFileError
        If a file cannot be used.
    ParameterError
        If a band is missing or there twice, or the images do not go together.
    """
    if len(options) not in (0, 1, len(paths)):
        allowed = f"one for each of {len(paths)} files, or one for all"
        raise ParameterError("options", len(options), allowed)
    each = list(options) if len(options) > 1 else list(options or [BandOptions()]) * len(paths)
    found = [read_band_image(path, given) for path, given in zip(paths, each, strict=True)]
    return stack_images(found, bands, pixel_scale=pixel_scale)


def stack_images(
    images: Sequence[BandImage],
    bands: Sequence[str] | None = None,
    *,
    pixel_scale: float | None = None,
) -> ClusterImages:
    """Put images of single bands on the grid of the first one and in one unit.

    Parameters
    ----------
    images : sequence of BandImage
        Images in bands that are not wanted are left out.
    bands : sequence of str, optional
        Those wanted, in this order; by default all as given.
    pixel_scale : float, optional
        Arcsec per pixel that the first image must have, within 2 per cent.

    Returns
    -------
    ClusterImages
        On the grid of the first image of a band that is wanted.

    Raises
    ------
    ParameterError
        If a band is missing or there twice, the images cannot be brought on one grid or have
        another pixel scale.
    """
    wanted = tuple(bands) if bands is not None else tuple(image.filter for image in images)
    chosen = [image for image in images if image.filter in wanted]
    have = [image.filter for image in chosen]
    twice = sorted({band for band in have if have.count(band) > 1})
    if twice:
        raise ParameterError("images", f"{have.count(twice[0])} in {twice[0]}", "one per band")
    missing = [band for band in wanted if band not in have]
    if missing or not wanted:
        given = ", ".join(image.filter for image in images) or "none"
        needed = f"one image in each of {', '.join(wanted) or 'one or more bands'}"
        raise ParameterError("images", f"in {given}", f"{needed}; {_short(missing)}")
    reference = chosen[0]
    scale = _checked_scale(reference, pixel_scale)
    gridded = {image.filter: onto_grid(image, reference) for image in chosen}
    ordered = [gridded[band] for band in wanted]
    units = [10 ** (0.4 * (image.zero_point - UNIT_MAG)) for image in ordered]
    flux = np.empty((len(wanted), *reference.shape), np.float32)
    for plane, image, unit in zip(flux, ordered, units, strict=True):
        np.divide(image.rate, np.float32(unit), out=plane)
    return ClusterImages(
        flux=flux,
        noise=np.array([typical_noise(plane) for plane in flux]),
        gain=np.array([u * i.exposure_time for u, i in zip(units, ordered, strict=True)]),
        bands=wanted,
        pixel_scale=scale,
        wcs=reference.wcs,
        facts=tuple(_facts(image) for image in ordered),
    )


def _short(missing: Sequence[str]) -> str:
    return f"give the image in {' and '.join(missing)}, or name its band by --filter"


def _checked_scale(image: BandImage, wanted: float | None) -> float:
    scale = image.pixel_scale
    if not scale > 0:
        allowed = "a WCS in its header, or --pixel-scale (arcsec)"
        raise ParameterError("images", f"{image.label}, pixel scale unknown", allowed)
    if wanted is not None and abs(scale / wanted - 1) > SCALE_TOLERANCE:
        allowed = f"the model's {wanted:.4g}\"; drizzle the images to it, or train for theirs"
        raise ParameterError("images", f'{image.label}, {scale:.4g}" per pixel', allowed)
    return scale


def typical_noise(plane: ImageArray) -> float:
    """Standard deviation of the background of an image's pixels.

    In boxes of 64 pixels the distance from the median to the quantile one standard deviation
    below, which stars hardly lift; the median of all boxes.

    Parameters
    ----------
    plane : (ny, nx) float array
        NaN where unusable.

    Returns
    -------
    float
        NaN if no box has enough usable pixels.
    """
    ny, nx = plane.shape
    found = []
    for y in range(0, ny, _BOX):
        for x in range(0, nx, _BOX):
            box = plane[y : y + _BOX, x : x + _BOX]
            good = box[np.isfinite(box)]
            if len(good) >= min(_FEWEST, plane.size):
                low, middle = np.percentile(good, [_ONE_SIGMA_BELOW, 50])
                found.append(middle - low)
    return float(np.median(found)) if found else np.nan


def _facts(image: BandImage) -> dict[str, Any]:
    return {
        "filter": image.filter,
        "path": str(image.path) if image.path else "",
        "instrument": image.instrument,
        "zero_point_vega_per_electron_s": float(image.zero_point),
        "exposure_time_s": float(image.exposure_time),
        **image.meta,
    }
