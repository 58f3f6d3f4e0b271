"""Dither sets: the same stars again and again, the telescope pointing a little elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from filar.psf.model import FieldPSF
from filar.simulate.calibration import Calibration, Frames, make_calibration
from filar.simulate.dither_draw import (
    SHAPE,
    draw_dither_field,
    draw_pointing,
    draw_wavefront,
    light_stream,
    on_chip,
)
from filar.simulate.dither_settings import DitherSettings
from filar.simulate.field import StarField
from filar.simulate.pointing import Pointing

if TYPE_CHECKING:
    from filar.exposure import Exposure

__all__ = [
    "ChipView",
    "DitherSettings",
    "dither_psf",
    "draw_dither_field",
    "draw_pointing",
    "expose_chip",
    "exposure_name",
    "on_chip",
    "set_calibration",
    "view_chip",
]

START = "1999-07-04T00:00:00"
CLUSTER = (6.0236, -72.0813)
"""Right ascension and declination of 47 Tuc, degrees."""


def exposure_name(number: int) -> str:
    """Name of the exposure of this number (from 1), as in its file's name."""
    return f"dither_{number:03d}"


def dither_psf(settings: DitherSettings, chip: str, pointing: Pointing) -> FieldPSF:
    """PSF of a chip during one exposure.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    pointing : Pointing
        Focus and jitter.

    Returns
    -------
    FieldPSF

    Raises
    ------
    ParameterError
        For a filter that the camera does not have.
    """
    from filar.psf.family import OpticalFamily
    from filar.psf.library import FIELD_NODES, family_for, field_psf
    from filar.psf.model import FieldGrid
    from filar.psf.optics import FOCUS_WAVES_PER_MICRON

    family = family_for("WFPC2", chip, settings.filter)
    assert isinstance(family, OpticalFamily)
    xx, yy, xy = pointing.blur(chip)
    focus = pointing.focus * FOCUS_WAVES_PER_MICRON
    start = family.start(focus=focus, blur_xx=xx, blur_yy=yy, blur_xy=xy)
    nodes = FieldGrid.chebyshev(SHAPE, FIELD_NODES)
    local = np.repeat(start[None], len(nodes.points), axis=0)
    local[:, 1:8] += draw_wavefront(settings, chip, np.array(nodes.points))
    return field_psf(family, SHAPE, local, name=f"truth {chip} {settings.filter}", nodes=nodes)


@dataclass(frozen=True, eq=False)
class ChipView:
    """What is true of one chip during one exposure of a set.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    number : int
        Number of the exposure, from 1.
    pointing : Pointing
        State of the telescope.
    reference, stars : StarField
        The same stars in the same order: where the first exposure has them, and this one.
    psf : FieldPSF
        The true PSF.
    """

    settings: DitherSettings
    chip: str
    number: int
    pointing: Pointing
    reference: StarField
    stars: StarField
    psf: FieldPSF

    @property
    def name(self) -> str:
        """The exposure's name."""
        return exposure_name(self.number)


def view_chip(settings: DitherSettings, chip: str, number: int) -> ChipView:
    """Say where the stars of a chip are in one exposure, and what the PSF is.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    number : int
        Number of the exposure, from 1.

    Returns
    -------
    ChipView
    """
    reference = draw_dither_field(settings, chip)
    pointing = draw_pointing(settings, number)
    x, y = pointing.carry(chip, reference.x, reference.y)
    stars = StarField(x, y, reference.flux)
    psf = dither_psf(settings, chip, pointing)
    return ChipView(settings, chip, number, pointing, reference, stars, psf)


def expose_chip(view: ChipView) -> Exposure:
    """Simulate one chip of one exposure of a set.

    Parameters
    ----------
    view : ChipView
        From `view_chip`.

    Returns
    -------
    Exposure
        With its time and a WCS that follows the offset.
    """
    from astropy.time import Time, TimeDelta

    from filar.simulate.exposure import simulate_exposure

    settings = view.settings
    exposure = simulate_exposure(
        view.psf,
        view.stars,
        chip=view.chip,
        filter_name=settings.filter,
        exposure_time=settings.exposure_time,
        sky=settings.sky,
        calibration=set_calibration(settings, view.chip),
        name=view.name,
        pointing=_sky_position(view.pointing),
        seed=light_stream(settings, view.chip, view.number),
    )
    since = TimeDelta(view.pointing.time, format="sec")
    return exposure.replace(time=Time(START, scale="utc") + since)


@lru_cache(maxsize=4)
def set_calibration(settings: DitherSettings, chip: str) -> Calibration:
    """The detector and calibration frames of one chip, the same for the whole set.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.

    Returns
    -------
    Calibration
    """
    return make_calibration(
        chip,
        gain_setting=settings.gain,
        effects=settings.effects,
        frames=Frames() if settings.calibration_noise else None,
        seed=settings.seed,
    )


def _sky_position(pointing: Pointing) -> tuple[float, float]:
    """Where on the sky the camera's middle points: stars keep their coordinates."""
    from filar.instruments.wfpc2_facts import PIXEL_SCALES

    ra, dec = CLUSTER
    degrees = PIXEL_SCALES["PC"] / 3600.0
    # the PC's x axis points against right ascension, its y axis to the north
    return ra + pointing.dx * degrees / np.cos(np.radians(dec)), dec - pointing.dy * degrees
