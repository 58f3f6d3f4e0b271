"""Covariates of stars of other programs, from the images and the photometry that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.completeness.covariates import CROWDING_RADIUS, crowding, image_covariates
from filar.completeness.table import AnyStars, ArtificialStars, RealStars
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.exposure import Exposure


def add_image_covariates(stars: AnyStars, images: Sequence[Exposure]) -> AnyStars:
    """Measure sky noise and surface brightness of stars in images.

    Programs give no sky for stars that they did not find, so that what they say of the sky cannot
    be an input of a completeness. The light that an artificial star itself has in the annuli is not
    in the images: for all but the brightest it is nothing.

    Parameters
    ----------
    stars : ArtificialStars or RealStars
        With positions.
    images : sequence of Exposure
        One for each band, on the same pixels to one or two.

    Returns
    -------
    ArtificialStars or RealStars
        With the covariates of `image_covariates` too.

    Raises
    ------
    ParameterError
        If the stars have no positions, there is not one image per band, or artificial stars are
        outside of an image.
    """
    _require_positions(stars)
    if isinstance(stars, ArtificialStars):
        for image in images:
            refuse_outside(stars, image.shape)
    found = image_covariates(images, stars.bands, stars.x, stars.y)
    return replace(stars, covariates=stars.covariates | found)


def add_crowding(
    stars: AnyStars, detections: RealStars, *, fwhm: float, limit: float | None = None
) -> AnyStars:
    """Count the detections around stars.

    Parameters
    ----------
    stars : ArtificialStars or RealStars
        With positions.
    detections : RealStars
        All that was found in the real images; with positions of the same kind.
    fwhm : float
        Width of the PSF, pixels.
    limit : float, optional
        Only detections brighter than this in the first band count.

    Returns
    -------
    ArtificialStars or RealStars
        With the covariate ``crowding`` too; ``meta["crowding"]`` says how it was counted.

    Raises
    ------
    ParameterError
        If the stars or the detections have no positions, or the width is not positive.
    """
    _require_positions(stars)
    _require_positions(detections)
    bright = None if limit is None else np.nan_to_num(detections.mag[:, 0], nan=np.inf) < limit
    found = crowding(stars.x, stars.y, detections.x, detections.y, bright, fwhm=fwhm)
    facts: dict[str, Any] = {"fwhm": fwhm, "radius": CROWDING_RADIUS}
    if limit is not None:
        facts |= {"limit": limit, "band": detections.bands[0]}
    return replace(
        stars,
        covariates=stars.covariates | {"crowding": found},
        meta=stars.meta | {"crowding": facts},
    )


def refuse_outside(stars: ArtificialStars, shape: tuple[int, int]) -> None:
    """Refuse artificial stars that are not in an image.

    Parameters
    ----------
    stars : ArtificialStars
        With positions.
    shape : (int, int)
        (ny, nx) of the image.

    Raises
    ------
    ParameterError
        If some are outside; it says how many.
    """
    inside = (stars.x >= -0.5) & (stars.x < shape[1] - 0.5)
    inside &= (stars.y >= -0.5) & (stars.y < shape[0] - 0.5)
    if not inside.all():
        found = f"{int((~inside).sum())} of {len(stars)} artificial stars"
        allowed = f"places inside of the image of {shape[1]} x {shape[0]} pixels"
        raise ParameterError("positions", f"{found} are outside", allowed)


def _require_positions(stars: ArtificialStars | RealStars) -> None:
    if not (np.isfinite(stars.x) & np.isfinite(stars.y)).any():
        raise ParameterError("positions", "none", "stars with x and y")
