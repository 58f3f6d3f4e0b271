"""When and how each image of a survey was taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filar.simulate.survey.cameras import EXPOSURE_TIME, PIXEL_SCALE, SurveyCamera
from filar.simulate.survey.optics import Lens
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.streams import stream

if TYPE_CHECKING:
    from astropy.wcs import WCS

START = 58_000.0
"""MJD of the first night."""

_READOUT = 15.0
_DAY = 86_400.0


@dataclass(frozen=True)
class Visit:
    """Which image it is.

    Parameters
    ----------
    field : int
        From 0.
    camera, filter : str
        Short names.
    epoch : int
        Number among this field's, camera's and filter's epochs, from 0.
    exposure : int
        Number within the epoch, from 0.
    """

    field: int
    camera: str
    filter: str
    epoch: int
    exposure: int

    @property
    def name(self) -> str:
        """The image's name."""
        place = f"f{self.field:02d}_{self.camera}_{self.filter}"
        return f"{place}_{self.epoch:04d}_{self.exposure + 1}"


def visits(settings: SurveySettings) -> Iterator[Visit]:
    """All images of a survey, epoch by epoch."""
    for epoch in range(settings.epochs):
        for field in settings.field_numbers:
            for camera in settings.cameras:
                for band in settings.filters:
                    for exposure in range(settings.exposures):
                        yield Visit(field, camera, band, epoch, exposure)


def epoch_number(settings: SurveySettings, visit: Visit) -> int:
    """Number of an epoch that no other epoch of the survey has, of whatever field or camera."""
    number = visit.epoch * settings.fields + visit.field - settings.first_field
    number = number * len(settings.cameras) + settings.cameras.index(visit.camera)
    return number * len(settings.filters) + settings.filters.index(visit.filter)


@dataclass(frozen=True)
class Night:
    """How an image was taken.

    Parameters
    ----------
    mjd : float
        Middle of the exposure, days.
    transparency : float
        Part of the light that comes through the clouds; above 1 on very clear nights.
    sky : float
        Counts per pixel in the middle.
    slope : (float, float)
        Relative change of the sky from the middle to the edge along columns and rows.
    offset : (float, float)
        Pointing error, pixels.
    lens : Lens
        Focus, tracking and aureole of the image.
    """

    mjd: float
    transparency: float
    sky: float
    slope: tuple[float, float]
    offset: tuple[float, float]
    lens: Lens


def make_night(settings: SurveySettings, camera: SurveyCamera, visit: Visit) -> Night:
    """Draw the circumstances of an image; those of one epoch resemble each other.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    camera : SurveyCamera
        That takes it.
    visit : Visit
        Which image.

    Returns
    -------
    Night
    """
    where = (visit.field, visit.camera, visit.filter, visit.epoch)
    epoch = stream(settings.seed, "epoch", *where)
    image = stream(settings.seed, "image", *where, visit.exposure)
    # the cameras stand at different longitudes: their nights fall at different times
    clock = stream(settings.seed, "longitude", visit.camera).uniform()
    night = visit.epoch * settings.cadence + clock + epoch.uniform(-0.15, 0.15)
    wait = (visit.exposure + 0.5) * EXPOSURE_TIME + visit.exposure * _READOUT
    clouds = float(np.clip(1.02 - epoch.exponential(0.06), 0.62, 1.05))
    transparency = float(np.clip(clouds * image.normal(1.0, 0.01), 0.6, 1.05))
    moon = float(np.clip(epoch.lognormal(0.0, 0.2), 0.6, 2.0))
    offset = epoch.normal(0.0, 2.0, 2) + image.normal(0.0, 0.6, 2)
    slope = epoch.normal(0.0, 0.02, 2)
    return Night(
        mjd=START + night + wait / _DAY,
        transparency=transparency,
        sky=settings.sky * moon * float(image.normal(1.0, 0.01)),
        slope=(float(slope[0]), float(slope[1])),
        offset=(float(offset[0]), float(offset[1])),
        lens=camera.lens.tonight(epoch).tonight(image),
    )


def image_wcs(camera: SurveyCamera, center: tuple[float, float], night: Night) -> WCS:
    """Tangential projection of an image.

    Parameters
    ----------
    camera : SurveyCamera
        That takes it.
    center : (float, float)
        Right ascension and declination of the field, degrees.
    night : Night
        Its pointing error.

    Returns
    -------
    WCS
        North is up and east to the left, apart from the camera's rotation.
    """
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = list(center)
    dx, dy = np.array(camera.offset) + night.offset
    wcs.wcs.crpix = [0.5 * (camera.shape[1] + 1) + dx, 0.5 * (camera.shape[0] + 1) + dy]
    angle, scale = np.radians(camera.rotation), PIXEL_SCALE / 3600.0
    cos, sin = np.cos(angle), np.sin(angle)
    wcs.wcs.cd = scale * np.array([[-cos, sin], [sin, cos]])
    wcs.wcs.set()
    return wcs


def place_stars(
    camera: SurveyCamera,
    night: Night,
    xi: np.ndarray[tuple[int], np.dtype[np.float64]],
    eta: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    """Pixels of stars on the plane that touches the sky at the field's centre.

    Parameters
    ----------
    camera : SurveyCamera
        That takes the image.
    night : Night
        Its pointing error.
    xi, eta : (n,) array
        Pixels east and north.

    Returns
    -------
    x, y : (n,) arrays
        Pixels from 0.
    """
    angle = np.radians(camera.rotation)
    cos, sin = np.cos(angle), np.sin(angle)
    dx, dy = np.array(camera.offset) + night.offset
    x = -cos * xi + sin * eta + 0.5 * (camera.shape[1] - 1) + dx
    y = sin * xi + cos * eta + 0.5 * (camera.shape[0] - 1) + dy
    return x, y
