"""From the sky to counts: one image of the survey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.simulate.bleeding import bleed
from filar.simulate.survey.cameras import SurveyCamera
from filar.simulate.survey.pipeline import correct_trails, is_damaged, overflow
from filar.simulate.survey.render import ImageOptics, render
from filar.simulate.survey.schedule import Night, Visit, make_night, place_stars
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.stars import SurveyField
from filar.simulate.survey.streams import stream
from filar.simulate.survey.variables import magnitudes

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """What is true of one image.

    Parameters
    ----------
    visit : Visit
        Which image.
    camera : SurveyCamera
        That takes it.
    field : SurveyField
        Its stars.
    night : Night
        How it was taken.
    zero_point : float
        Magnitude of one electron in the chip's middle, clouds included.
    x, y : (n,) array
        Pixels of the field's stars; many are off the chip.
    mag : (n,) array
        Magnitudes in the filter at that time.
    electrons : (n,) array
        Expected, of the whole star image.
    """

    visit: Visit
    camera: SurveyCamera
    field: SurveyField
    night: Night
    zero_point: float
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    electrons: FloatArray


@dataclass(frozen=True, eq=False)
class Shot:
    """An image as its survey gives it.

    Parameters
    ----------
    counts : (ny, nx) float64 array
        Counts without bias; whole numbers as a converter gives them, unless they were corrected.
    peak : (n,) array
        Expected counts in the brightest pixel of each star of the field, sky included.
    fwhm : float
        Of the star images in the chip's middle, pixels, the pixels' own width included.
    """

    counts: FloatArray
    peak: FloatArray
    fwhm: float


def make_view(
    settings: SurveySettings, camera: SurveyCamera, field: SurveyField, visit: Visit
) -> View:
    """Say where the stars of a field are in an image, and how bright.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    camera : SurveyCamera
        That takes the image.
    field : SurveyField
        Its stars.
    visit : Visit
        Which image.

    Returns
    -------
    View
    """
    night = make_night(settings, camera, visit)
    x, y = place_stars(camera, night, field.xi, field.eta)
    band = visit.filter
    mag = magnitudes(
        field.kind, field.mean(band), field.period, field.start, field.amplitude_in(band), night.mjd
    )
    zero_point = camera.zero_points[band] + 2.5 * float(np.log10(night.transparency))
    electrons = 10.0 ** (0.4 * (zero_point - mag)) * camera.transmission(x, y)
    return View(visit, camera, field, night, zero_point, x, y, mag, electrons)


def take_image(settings: SurveySettings, view: View) -> Shot:
    """Expose the chip and read it out.

    Stars and sky through the lens, the pixels' sensitivities, photon noise, bleeding, read noise
    and conversion.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    view : View
        From `make_view`.

    Returns
    -------
    Shot
    """
    camera, visit = view.camera, view.visit
    optics = ImageOptics.of(view.night.lens, camera.shape)
    stars = render(optics, view.x, view.y, view.electrons)
    sky = sky_light(view)
    where = (visit.field, visit.camera, visit.filter, visit.epoch, visit.exposure)
    rng = stream(settings.seed, "noise", *where)
    charge = rng.poisson((stars.light + sky) * camera.response).astype(float)
    charge = bleed(charge, camera.full_wells, up=camera.up)
    charge += camera.read_noise * rng.normal(size=charge.shape)
    counts = charge / camera.gain
    if settings.bit_depth <= 16:
        counts = np.clip(np.rint(counts), 0.0, settings.limit)
    middle = float(sky[sky.shape[0] // 2, sky.shape[1] // 2])
    peak, fwhm = (stars.peak + middle) / camera.gain, optics.fwhm()
    if settings.correct:
        fate = stream(settings.seed, "pipeline", *where)
        counts = correct_trails(counts, settings.saturation, fwhm, fate)
    if settings.flat_fielded:
        counts /= camera.response * _transmission_map(camera)
    if is_damaged(settings, visit):
        fate = stream(settings.seed, "overflow", *where)
        counts = overflow(counts, stars.light / camera.gain, settings.saturation, fate)
    return Shot(counts, peak, fwhm)


def sky_light(view: View) -> FloatArray:
    """Expected electrons of the sky and of the unresolved stars in every pixel."""
    camera, night = view.camera, view.night
    ny, nx = camera.shape
    along_y = night.slope[1] * np.linspace(-1.0, 1.0, ny)
    along_x = night.slope[0] * np.linspace(-1.0, 1.0, nx)
    sky = night.sky * camera.gain * (1.0 + along_y[:, None] + along_x)
    diffuse = 10.0 ** (0.4 * (view.zero_point - view.field.diffuse))
    light: FloatArray = (sky + diffuse) * _transmission_map(camera)
    return light


def _transmission_map(camera: SurveyCamera) -> FloatArray:
    ny, nx = camera.shape
    return camera.transmission(np.arange(float(nx)), np.arange(float(ny))[:, None])
