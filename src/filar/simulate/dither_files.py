"""Writing dither sets: many files by several processes, resumed if interrupted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filar.errors import OutputFileError, ParameterError
from filar.psf.library import family_for
from filar.simulate.dither_draw import SHAPE
from filar.simulate.dither_truth import dither_truth, exposure_table
from filar.simulate.dithers import (
    DitherSettings,
    draw_dither_field,
    expose_chip,
    exposure_name,
    view_chip,
)
from filar.simulate.stored import ADVICE, check_stored
from filar.simulate.tasks import alone, run_tasks
from filar.wholefile import whole_file

Progress = Callable[[float, str], None]

SETTINGS_FILE = "settings.json"
TRUTH_FILE = "truth.parquet"
EXPOSURES_FILE = "exposures.ecsv"
_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class DitherSet:
    """A dither set on disk.

    Parameters
    ----------
    folder : Path
        Where it is.
    files : tuple of Path
        The science files, in the order of the exposures.
    made, kept : int
        Exposures that were made now, and those that were there already.
    truth, exposures : Path
        Tables of the true positions and of the exposures.
    """

    folder: Path
    files: tuple[Path, ...]
    made: int
    kept: int
    truth: Path
    exposures: Path


def write_dither_set(
    settings: DitherSettings,
    folder: str | os.PathLike[str],
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> DitherSet:
    """Simulate a dither set, or what is missing of one.

    Parameters
    ----------
    settings : DitherSettings
        What the set is like.
    folder : path-like
        Made if it does not exist. It gets ``dither_001_c0m.fits``, ``dither_001_c1m.fits``, ...,
        ``truth.parquet``, ``exposures.ecsv`` and ``settings.json``. If it holds a part of the
        same set, as a run that was interrupted leaves it, the rest is added; the files are the
        same as those of a single run.
    workers : int
        Processes; the files do not depend on it. With more than one, a script that calls this
        needs the usual ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    DitherSet

    Raises
    ------
    ParameterError
        If the settings cannot be fulfilled, or `workers` makes no sense.
    OutputFileError
        If the folder holds other files of this name, or cannot be written.
    """
    if workers < 1:
        raise ParameterError("workers", workers, "1 or more")
    for chip in settings.chips:  # what cannot be done is said before anything is written
        family_for("WFPC2", chip, settings.filter)
        draw_dither_field(settings, chip)
    folder = _claim(Path(folder), settings)
    names = [exposure_name(k) for k in range(1, settings.exposures + 1)]
    missing = sum(not _complete(folder, name, settings) for name in names)
    truth, table = folder / TRUTH_FILE, folder / EXPOSURES_FILE
    if missing or not truth.is_file() or not table.is_file():
        with alone(folder / _UNFINISHED, folder):
            _finish(settings, folder, names, workers, progress)
    files = tuple(folder / f"{name}_c0m.fits" for name in names)
    return DitherSet(folder, files, missing, len(names) - missing, truth, table)


def _finish(
    settings: DitherSettings,
    folder: Path,
    names: list[str],
    workers: int,
    progress: Progress | None,
) -> None:
    """Make what is missing; the truth file appears last."""
    from filar.catalogfile import join_catalogs, write_catalog

    unfinished = folder / _UNFINISHED
    try:
        for leftover in unfinished.glob(".*"):
            leftover.unlink(missing_ok=True)
        (folder / TRUTH_FILE).unlink(missing_ok=True)
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    _write_settings(settings, folder / SETTINGS_FILE)
    parts = [unfinished / f"{name}.parquet" for name in names]
    todo = [
        number
        for number, (name, part) in enumerate(zip(names, parts, strict=True), 1)
        if not (_complete(folder, name, settings) and part.exists())
    ]
    tasks = [_Task(settings, folder, number) for number in todo]
    for count, number in enumerate(run_tasks(_make, tasks, workers, folder), 1):
        if progress is not None:
            progress(count / len(tasks), f"{count} of {len(tasks)}: {exposure_name(number)}")
    write_catalog(exposure_table(settings), folder / EXPOSURES_FILE)
    join_catalogs(parts, folder / TRUTH_FILE)
    shutil.rmtree(unfinished, ignore_errors=True)


@dataclass(frozen=True)
class _Task:
    """One exposure to make; it crosses to another process."""

    settings: DitherSettings
    folder: Path
    number: int


def _make(task: _Task) -> int:
    """Write the files of one exposure that are missing."""
    from filar.catalogfile import write_catalog
    from filar.instruments import write_wfpc2

    name, folder = exposure_name(task.number), task.folder
    views = [view_chip(task.settings, chip, task.number) for chip in task.settings.chips]
    part = folder / _UNFINISHED / f"{name}.parquet"
    if not part.exists():
        write_catalog(dither_truth(views), part)
    if not _complete(folder, name, task.settings):
        images = [expose_chip(view) for view in views]
        pair = write_wfpc2(images, folder / _UNFINISHED / f"{name}_c0m.fits")
        try:
            for path in reversed(pair):  # where the science file is, its quality file is too
                path.replace(folder / path.name)
        except OSError as error:
            raise OutputFileError(folder, error.strerror or str(error)) from error
    return task.number


def _complete(folder: Path, name: str, settings: DitherSettings) -> bool:
    """Whether both files are there and long enough for their pixels."""
    pixels = len(settings.chips) * SHAPE[0] * SHAPE[1]
    sizes = {"c0m": 4 * pixels, "c1m": 2 * pixels}
    paths = {folder / f"{name}_{kind}.fits": size for kind, size in sizes.items()}
    return all(path.is_file() and path.stat().st_size > size for path, size in paths.items())


def _claim(folder: Path, settings: DitherSettings) -> Path:
    """Make the folder, or check that what is in it belongs to the same set."""
    from filar.simulate.files import prepare_folder

    folder = prepare_folder(folder, exposure_name(1))
    path = folder / SETTINGS_FILE
    if not path.exists():
        others = sorted([*folder.glob("dither_*.fits"), *folder.glob(TRUTH_FILE)])
        if others:
            raise OutputFileError(
                folder, f"it holds {others[0].name} but no {SETTINGS_FILE}", ADVICE
            )
        return folder
    check_stored(path, _stored(settings), "set", "exposures")
    return folder


def _stored(settings: DitherSettings) -> dict[str, Any]:
    from filar import __version__

    stored: dict[str, Any] = json.loads(json.dumps(settings.plain()))
    return {"filar_version": __version__, **stored}


def _write_settings(settings: DitherSettings, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(_stored(settings), indent=2) + "\n", encoding="utf-8")
