"""Cameras of a survey: lens, detector and how they are mounted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.simulate.survey.optics import Lens
from filar.simulate.survey.settings import SATURATION, SurveySettings
from filar.simulate.survey.streams import stream

FloatArray = NDArray[np.float64]

PIXEL_SCALE = 8.0
"""Arcsec."""

ZERO_POINTS = {"g": 25.9, "V": 25.75}
"""Magnitude of a star that gives one electron in an exposure."""

EXPOSURE_TIME = 90.0
"""Seconds."""


@dataclass(frozen=True, eq=False)
class SurveyCamera:
    """One camera.

    Parameters
    ----------
    name : str
        As in the files' headers.
    shape : (int, int)
        Rows, columns.
    gain : float
        Electrons per count.
    read_noise : float
        Electrons.
    zero_points : dict of str to float
        Magnitude of one electron by filter, at the chip's middle under a clear sky.
    full_wells : (nx,) array
        What the pixels of each column hold, electrons.
    up : float
        Part of the bleeding charge that flows towards higher rows.
    response : (ny, nx) array
        Relative sensitivity of the pixels.
    rotation : float
        Of the chip against north, degrees.
    offset : (float, float)
        Of the chip against the field's middle, pixels.
    vignetting : (float, float, float)
        Power of the radius, and column and row of the unvignetted middle.
    lens : Lens
        What it makes of a star, on an ordinary night.
    """

    name: str
    shape: tuple[int, int]
    gain: float
    read_noise: float
    zero_points: dict[str, float]
    full_wells: FloatArray
    up: float
    response: FloatArray
    rotation: float
    offset: tuple[float, float]
    vignetting: tuple[float, float, float]
    lens: Lens

    def transmission(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Light that gets through to a place, over that at the chip's middle.

        Parameters
        ----------
        x, y : array
            Pixels.

        Returns
        -------
        array
            1 in the middle, about a half in the corners.
        """
        power, middle_x, middle_y = self.vignetting
        half = 0.5 * np.hypot(*self.shape)
        radius = np.hypot(np.asarray(x) - middle_x, np.asarray(y) - middle_y) / half
        passed: FloatArray = np.maximum(1.0 - 0.5 * radius**power, 0.2)
        return passed


def make_camera(settings: SurveySettings, name: str) -> SurveyCamera:
    """Draw a camera: the same for the same seed, name and size.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    name : str
        One of its cameras.

    Returns
    -------
    SurveyCamera
    """
    rng = stream(settings.seed, "camera", name)
    gain = 1.6 * rng.uniform(0.97, 1.03)
    own_well = rng.uniform(1.04, 1.08)
    well = own_well if settings.full_well is None else settings.full_well
    zero_points = {band: zero + rng.normal(0.0, 0.03) for band, zero in ZERO_POINTS.items()}
    up = rng.uniform(0.35, 0.65)
    rotation, offset = rng.uniform(-0.2, 0.2), rng.uniform(-6.0, 6.0, 2)
    middle = 0.5 * (settings.size - 1) + rng.normal(0.0, 0.01, 2) * settings.size
    vignetting = (rng.uniform(2.2, 3.0), float(middle[0]), float(middle[1]))
    read_noise = 12.0 * rng.uniform(0.95, 1.05)
    lens = Lens.draw(rng)
    columns = stream(settings.seed, "columns", name).normal(0.0, 0.02, settings.size)
    pixels = stream(settings.seed, "pixels", name).normal(0.0, 1.0, settings.shape)
    wells = well * (1.0 + columns) * SATURATION
    return SurveyCamera(
        name=f"sim-{name}",
        shape=settings.shape,
        gain=gain,
        read_noise=read_noise,
        zero_points=zero_points,
        full_wells=np.maximum(wells, 1.01 * settings.saturation) * gain,
        up=up,
        response=1.0 + settings.pixel_response * pixels,
        rotation=rotation,
        offset=(float(offset[0]), float(offset[1])),
        vignetting=vignetting,
        lens=lens,
    )
