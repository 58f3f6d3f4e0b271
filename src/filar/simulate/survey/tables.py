"""The truth of a survey as tables: its stars, its images, and the light of the targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.gaia import blue_and_red, saturated_like_gaia
from filar.simulate.survey.cameras import PIXEL_SCALE
from filar.simulate.survey.expose import Shot, View
from filar.simulate.survey.pipeline import is_damaged
from filar.simulate.survey.schedule import epoch_number
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.stars import SurveyField
from filar.simulate.survey.streams import stream

if TYPE_CHECKING:
    from astropy.table import QTable


def star_table(settings: SurveySettings, fields: Sequence[SurveyField]) -> QTable:
    """Table of all stars of a survey.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    fields : sequence of SurveyField
        Its fields.

    Returns
    -------
    QTable
        Columns id, field, ra, dec, g_mag, g_mag_err, V_mag, V_mag_err, phot_g_mean_mag,
        phot_bp_mean_mag, phot_rp_mean_mag, kind, period, start, amplitude, amplitude_V, variable,
        target.
    """
    from astropy.table import QTable, vstack

    table = QTable(vstack([_stars_of(settings, one) for one in fields]))
    table.meta = _meta(settings)
    for name, text in _STAR_TEXTS.items():
        table[name].info.description = text
    return table


MAG_ERR = 0.0
"""What the star table gives as errors of its magnitudes, which are exact: a good catalogue's."""

_STAR_TEXTS = {
    "g_mag": "exact mean over time",
    "V_mag": "exact mean over time",
    "g_mag_err": "0: the magnitudes are exact",
    "V_mag_err": "0: the magnitudes are exact",
    "period": "exact; NaN where constant",
    "start": "MJD of phase 0",
    "amplitude": "from brightest to faintest in g",
    "amplitude_V": "from brightest to faintest in V",
    "target": "put there to be measured; the others are the Galaxy's",
}


def _stars_of(settings: SurveySettings, field: SurveyField) -> QTable:
    from astropy import units as u
    from astropy.table import QTable

    ra, dec = _sky(field)
    scatter = stream(settings.seed, "gaia", field.number).normal(size=len(field))
    big = field.gaia_g() + settings.gaia_scatter * scatter
    gaia = (big, *blue_and_red(big, field.color))
    if settings.gaia_saturation:
        gaia = saturated_like_gaia(*gaia)
    table = QTable()
    table["id"] = field.id
    table["field"] = np.full(len(field), field.number)
    table["ra"], table["dec"] = ra * u.deg, dec * u.deg
    for band in ("g", "V"):
        table[f"{band}_mag"] = field.mean(band) * u.mag
        table[f"{band}_mag_err"] = np.full(len(field), MAG_ERR) * u.mag
    for name, values in zip(("g", "bp", "rp"), gaia, strict=True):
        table[f"phot_{name}_mean_mag"] = values * u.mag
    table["kind"] = field.kind
    table["period"], table["start"] = field.period * u.day, field.start * u.day
    table["amplitude"] = field.amplitude_in("g") * u.mag
    table["amplitude_V"] = field.amplitude_in("V") * u.mag
    table["variable"] = field.kind != "constant"
    table["target"] = field.target
    for name in table.colnames:
        if table[name].dtype.kind == "f":
            table[name].info.format = ".7f" if name in ("ra", "dec", "period") else ".5f"
    return table


def _sky(field: SurveyField) -> tuple[Any, Any]:
    """Right ascension and declination (degrees) of a field's stars."""
    from astropy.wcs import WCS

    plane = WCS(naxis=2)
    plane.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    plane.wcs.crval = list(field.center)
    plane.wcs.crpix = [1.0, 1.0]
    plane.wcs.cdelt = [PIXEL_SCALE / 3600.0] * 2
    ra, dec = plane.wcs_pix2world(field.xi, field.eta, 0)
    return ra, dec


def light_table(settings: SurveySettings, view: View, shot: Shot) -> QTable:
    """True light of the targets on one image.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    view : View
        What is true of the image.
    shot : Shot
        The image before any correction.

    Returns
    -------
    QTable
        Columns id, image, x, y, mag, electrons and saturated.
    """
    from astropy import units as u
    from astropy.table import QTable

    ny, nx = view.camera.shape
    inside = (np.abs(view.x - 0.5 * (nx - 1)) < 0.5 * nx) & (
        np.abs(view.y - 0.5 * (ny - 1)) < 0.5 * ny
    )
    rows = np.flatnonzero(view.field.target & inside)
    table = QTable()
    table["id"] = view.field.id[rows]
    table["image"] = np.full(len(rows), view.visit.name)
    table["x"], table["y"] = view.x[rows] * u.pix, view.y[rows] * u.pix
    table["mag"] = view.mag[rows] * u.mag
    table["electrons"] = view.electrons[rows] * u.electron
    table["saturated"] = shot.peak[rows] >= settings.saturation
    table["x"].info.description = "column, 0-based, integer = pixel centre"
    table["y"].info.description = "row, 0-based, integer = pixel centre"
    table["mag"].info.description = "true, at that time, in the image's filter"
    table["electrons"].info.description = "expected, whole star image, vignetting and clouds in it"
    table["saturated"].info.description = "expected peak above saturation"
    table.meta = _meta(settings)
    return table


def image_table(settings: SurveySettings, views: Sequence[View], widths: Any) -> QTable:
    """Table of the images of a survey.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    views : sequence of View
        What is true of each image.
    widths : sequence of float
        FWHM of each, pixels.

    Returns
    -------
    QTable
        Columns name, camera, filter, field, epoch, mjd, zero_point, transparency, sky, fwhm,
        corrected and damaged.
    """
    from astropy import units as u
    from astropy.table import QTable

    visits = [view.visit for view in views]
    table = QTable()
    table["name"] = [one.name for one in visits]
    table["camera"] = [view.camera.name for view in views]
    table["filter"] = [one.filter for one in visits]
    table["field"] = [one.field for one in visits]
    table["epoch"] = [epoch_number(settings, one) for one in visits]
    table["mjd"] = [view.night.mjd for view in views] * u.day
    table["zero_point"] = [view.zero_point for view in views] * u.mag
    table["transparency"] = [view.night.transparency for view in views]
    table["sky"] = [view.night.sky for view in views] * u.adu
    table["fwhm"] = np.asarray(widths, float) * u.pix
    table["corrected"] = [settings.correct] * len(views)
    table["damaged"] = [is_damaged(settings, one) for one in visits]
    for name, form in (("mjd", ".7f"), ("zero_point", ".5f"), ("transparency", ".5f")):
        table[name].info.format = form
    table["sky"].info.format = table["fwhm"].info.format = ".3f"
    table["epoch"].info.description = "the same for the exposures of one epoch of one camera"
    table["mjd"].info.description = "middle of the exposure, UTC"
    table["zero_point"].info.description = "mag of one electron, chip's middle, clouds included"
    table["fwhm"].info.description = "in the chip's middle, pixel included"
    table.meta = _meta(settings)
    return table


def _meta(settings: SurveySettings) -> dict[str, Any]:
    from filar import __version__

    return {"filar_version": __version__, "settings": settings.plain()}
