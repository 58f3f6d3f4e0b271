"""Where a catalogue's stars are in an image, and what is wrong where none is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from filar.saturation.catalogs import CatalogStars

FloatArray = NDArray[np.float64]


def project(
    stars: CatalogStars, wcs: WCS, shape: tuple[int, int], margin: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Put a catalogue's stars into an image by its WCS.

    Parameters
    ----------
    stars : CatalogStars
        At the image's epoch.
    wcs : WCS
        Celestial, for 0-based pixels.
    shape : (int, int)
        Rows and columns of the image.
    margin : float
        Stars that far beside it count too, pixels.

    Returns
    -------
    x, y : (m,) float64 arrays
        Pixels; NaN for stars that are not there.
    """
    x, y = np.full(len(stars), np.nan), np.full(len(stars), np.nan)
    distance, reach = _distances(stars, wcs, shape, margin)
    # far from the image a WCS with distortion means nothing, and wcslib may not converge
    near = np.flatnonzero(distance < 1.2 * reach)
    if not len(near):
        return x, y
    u, v = wcs.all_world2pix(stars.ra[near], stars.dec[near], 0, quiet=True)
    with np.errstate(invalid="ignore"):
        inside = (u > -0.5 - margin) & (u < shape[1] - 0.5 + margin)
        inside &= (v > -0.5 - margin) & (v < shape[0] - 0.5 + margin)
    x[near[inside]], y[near[inside]] = u[inside], v[inside]
    return x, y


def check_overlap(
    stars: CatalogStars, wcs: WCS | None, shape: tuple[int, int], label: str, fewest: int = 1
) -> int:
    """See that stars of a catalogue are in an image.

    Parameters
    ----------
    stars, wcs, shape
        As of `project`; an image without WCS has None.
    label : str
        The image, for messages.
    fewest : int
        Stars that must be there, with a magnitude.

    Returns
    -------
    int
        How many are there.

    Raises
    ------
    InputFileError
        If they are fewer, or the image has no WCS. The message says how far away the nearest star
        is, and what else may be wrong.
    """
    if wcs is None:
        advice = "solve its astrometry (astrometry.net, SCAMP) and write the WCS into its header"
        raise InputFileError(label, "no celestial WCS", "one, to find the stars in it", advice)
    known = stars.select(np.isfinite(stars.mag))
    x, _ = project(known, wcs, shape)
    number = int(np.isfinite(x).sum())
    if number >= fewest:
        return number
    distance, reach = _distances(known, wcs, shape)
    if number:
        found = f"{number} of the catalogue's {len(known)} stars with a magnitude are in it"
        raise InputFileError(label, found, f"{fewest} or more")
    ra, dec = centre(wcs, shape)
    found = f"none of the catalogue's {len(known)} stars with a magnitude is in it"
    if len(known):
        found += f": the nearest is {distance.min():.3g} degrees from its centre"
    advice = _hint(known, wcs, shape) or "the catalogue is one of another field"
    place = f"stars within {reach:.3g} degrees of RA {ra:.5f}, Dec {dec:+.5f}"
    raise InputFileError(label, found, place, advice)


def pixel_scale(wcs: WCS) -> float:
    """Arcsec per pixel."""
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(np.sqrt(proj_plane_pixel_area(wcs)) * 3600)


def centre(wcs: WCS, shape: tuple[int, int]) -> tuple[float, float]:
    """Right ascension and declination of an image's middle, degrees."""
    ra, dec = wcs.all_pix2world((shape[1] - 1) / 2, (shape[0] - 1) / 2, 0)
    return float(ra), float(dec)


def _distances(
    stars: CatalogStars, wcs: WCS, shape: tuple[int, int], margin: float = 0.0
) -> tuple[FloatArray, float]:
    """How far the stars are from the image's centre, and its corners with a margin, degrees."""
    ra, dec = np.radians(stars.ra), np.radians(stars.dec)
    ra0, dec0 = np.radians(centre(wcs, shape))
    half = np.sin((dec - dec0) / 2) ** 2
    half = half + np.cos(dec) * np.cos(dec0) * np.sin((ra - ra0) / 2) ** 2
    distance = np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0, 1))))
    reach = (np.hypot(*shape) / 2 + margin) * pixel_scale(wcs) / 3600
    return distance, float(reach)


def _hint(stars: CatalogStars, wcs: WCS, shape: tuple[int, int]) -> str:
    """What would bring the stars into the image."""
    swapped = np.abs(stars.ra) <= 90
    for change, text in (
        (replace(stars, ra=15 * stars.ra % 360), "its right ascensions are hours, not degrees"),
        (replace(stars.select(swapped), ra=stars.dec[swapped] % 360, dec=stars.ra[swapped]),
         "its right ascensions and declinations are swapped"),
        (replace(stars, dec=-stars.dec), "its declinations lack their sign"),
    ):  # fmt: skip
        if np.isfinite(project(change, wcs, shape)[0]).any():
            return f"it seems that {text}"
    return ""
