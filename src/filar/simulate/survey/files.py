"""A survey on disk: images and truth, whole or not at all, whoever interrupts."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import OutputFileError, ParameterError
from filar.simulate.files import prepare_folder
from filar.simulate.stored import ADVICE, check_stored
from filar.simulate.survey.cameras import EXPOSURE_TIME, SurveyCamera, make_camera
from filar.simulate.survey.expose import Shot, View, make_view, take_image
from filar.simulate.survey.schedule import Visit, image_wcs, visits
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.stars import SurveyField, make_field
from filar.simulate.survey.tables import image_table, light_table, star_table
from filar.simulate.tasks import alone, run_tasks
from filar.wholefile import whole_file

Progress = Callable[[float, str], None]

SETTINGS_FILE = "survey.json"
IMAGES = "images"
STARS_FILE = "stars.ecsv"
IMAGES_FILE = "images.ecsv"
LIGHT_FILE = "light.parquet"
_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Survey:
    """A survey on disk.

    Parameters
    ----------
    folder : Path
        Where it is.
    files : tuple of Path
        The images.
    made, kept : int
        Images that were made now, and those that were there already.
    """

    folder: Path
    files: tuple[Path, ...]
    made: int
    kept: int

    @property
    def stars(self) -> Path:
        """Table of all stars."""
        return self.folder / STARS_FILE

    @property
    def images(self) -> Path:
        """Table of the images."""
        return self.folder / IMAGES_FILE

    @property
    def light(self) -> Path:
        """Table of the targets' light on every image."""
        return self.folder / LIGHT_FILE


def write_survey(
    settings: SurveySettings,
    folder: str | os.PathLike[str],
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Survey:
    """Simulate a survey, or what is missing of one.

    Parameters
    ----------
    settings : SurveySettings
        What the survey is like.
    folder : path-like
        Made if it does not exist. It gets ``images/NAME.fits``, ``stars.ecsv``, ``images.ecsv``,
        ``light.parquet`` and ``survey.json``. If it holds a part of the same survey, as a run
        that was interrupted leaves it, the rest is added; the files are those of a single run.
    workers : int
        Processes; the files do not depend on it. With more than one, a script that calls this
        needs the usual ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    Survey

    Raises
    ------
    ParameterError
        If `workers` makes no sense.
    InputFileError
        If the folder's ``survey.json`` cannot be read.
    OutputFileError
        If the folder holds another survey, or cannot be written.
    """
    if workers < 1:
        raise ParameterError("workers", workers, "1 or more")
    folder = _claim(Path(folder), settings)
    all_visits = list(visits(settings))
    files = tuple(_image_path(folder, one) for one in all_visits)
    missing = sum(not path.is_file() for path in files)
    survey = Survey(folder, files, missing, len(files) - missing)
    tables = (survey.stars, survey.images, survey.light)
    if missing or not all(path.is_file() for path in tables):
        with alone(folder / _UNFINISHED, folder):
            _finish(settings, survey, all_visits, workers, progress)
    return survey


def _finish(
    settings: SurveySettings,
    survey: Survey,
    all_visits: list[Visit],
    workers: int,
    progress: Progress | None,
) -> None:
    """Make what is missing; the light table appears last."""
    from filar.catalogfile import join_catalogs, write_catalog

    folder, unfinished = survey.folder, survey.folder / _UNFINISHED
    try:
        (folder / IMAGES).mkdir(exist_ok=True)
        for leftover in [*unfinished.glob(".*.part"), *(folder / IMAGES).glob(".*.part")]:
            leftover.unlink(missing_ok=True)
        survey.light.unlink(missing_ok=True)
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    _write_settings(settings, folder / SETTINGS_FILE)
    fields = [_field(settings, number) for number in settings.field_numbers]
    write_catalog(star_table(settings, fields), survey.stars)
    parts = [_part_path(folder, one) for one in all_visits]
    todo = [
        _Task(settings, folder, one)
        for one, part in zip(all_visits, parts, strict=True)
        if not (part.is_file() and _image_path(folder, one).is_file())
    ]
    for count, name in enumerate(run_tasks(_make, todo, workers, folder), 1):
        if progress is not None:
            progress(count / len(todo), f"{count} of {len(todo)}: {name}")
    write_catalog(_images_of(settings, all_visits, parts), survey.images)
    join_catalogs(parts, survey.light)
    shutil.rmtree(unfinished, ignore_errors=True)


def _images_of(settings: SurveySettings, all_visits: list[Visit], parts: list[Path]) -> Any:
    """The table of the images; their widths were left in the parts' meta."""
    from filar.catalogfile import read_catalog

    views = [_view(settings, one) for one in all_visits]
    widths = [read_catalog(part).meta["fwhm"][0] for part in parts]
    return image_table(settings, views, widths)


@dataclass(frozen=True)
class _Task:
    """One image to make; it crosses to another process."""

    settings: SurveySettings
    folder: Path
    visit: Visit


@lru_cache(maxsize=8)
def _camera(settings: SurveySettings, name: str) -> SurveyCamera:
    return make_camera(settings, name)


@lru_cache(maxsize=8)
def _field(settings: SurveySettings, number: int) -> SurveyField:
    return make_field(settings, number)


def _view(settings: SurveySettings, visit: Visit) -> View:
    camera = _camera(settings, visit.camera)
    return make_view(settings, camera, _field(settings, visit.field), visit)


def _make(task: _Task) -> str:
    """Write the image and its part of the light table; both say nothing of each other."""
    from filar.catalogfile import write_catalog

    view = _view(task.settings, task.visit)
    shot = take_image(task.settings, view)
    light = light_table(task.settings, view, shot)
    light.meta["fwhm"] = [shot.fwhm]
    write_catalog(light, _part_path(task.folder, task.visit))
    path = _image_path(task.folder, task.visit)
    if not path.is_file():
        write_image(task.settings, view, shot, path)
    return task.visit.name


def write_image(settings: SurveySettings, view: View, shot: Shot, path: Path) -> None:
    """Write an image as FITS.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    view : View
        What is true of the image.
    shot : Shot
        Its counts.
    path : Path
        The file; replaced if it exists.

    Raises
    ------
    OutputFileError
        If it cannot be written.
    """
    from astropy.io import fits
    from astropy.time import Time

    camera, night = view.camera, view.night
    whole = settings.bit_depth <= 16 and not settings.flat_fielded and not settings.correct
    header = image_wcs(camera, view.field.center, night).to_header()
    start = Time(night.mjd - 0.5 * EXPOSURE_TIME / 86_400.0, format="mjd", scale="utc")
    header["INSTRUME"] = (camera.name, "camera")
    header["FILTER"] = (view.visit.filter, "filter")
    header["OBJECT"] = (f"field {view.visit.field}", "simulated")
    header["EXPTIME"] = (EXPOSURE_TIME, "[s] exposure time")
    header["DATE-OBS"] = (start.isot, "start of the exposure, UTC")
    header["TIMESYS"] = "UTC"
    header["GAIN"] = (round(camera.gain, 6), "[electron/adu]")
    header["RDNOISE"] = (round(camera.read_noise, 4), "[electron] read noise")
    # flat-fielding lowers the level of the most sensitive pixels
    most = 1.0 + 5.0 * settings.pixel_response if settings.flat_fielded else 1.0
    header["SATURATE"] = (round(settings.saturation / most, 1), "[adu] saturated from here on")
    header["BUNIT"] = "adu"
    pixels = shot.counts.astype(np.uint16 if whole else np.float32)
    with whole_file(path) as temporary:
        fits.PrimaryHDU(pixels, header).writeto(temporary)


def _image_path(folder: Path, visit: Visit) -> Path:
    return folder / IMAGES / f"{visit.name}.fits"


def _part_path(folder: Path, visit: Visit) -> Path:
    return folder / _UNFINISHED / f"{visit.name}.parquet"


def _claim(folder: Path, settings: SurveySettings) -> Path:
    """Make the folder, or check that what is in it belongs to the same survey."""
    folder = prepare_folder(folder, "survey")
    path = folder / SETTINGS_FILE
    if not path.exists():
        if (folder / IMAGES).exists():
            raise OutputFileError(folder, f"it holds {IMAGES} but no {SETTINGS_FILE}", ADVICE)
        return folder
    check_stored(path, _stored(settings), "survey", "epochs")
    return folder


def _stored(settings: SurveySettings) -> dict[str, Any]:
    from filar import __version__

    return {"filar_version": __version__, **settings.plain()}


def _write_settings(settings: SurveySettings, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(_stored(settings), indent=2) + "\n", encoding="utf-8")
