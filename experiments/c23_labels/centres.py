"""The same exposures measured with a wrong PSF, with each exposure's own, and with the true one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from astropy.table import QTable, vstack

from filar.catalogfile import write_catalog
from filar.instruments import read_exposures
from filar.measure import Settings, measure_exposure, measure_files
from filar.psf.files import ChipPSF, write_psfs
from filar.psf.library import default_psf_for
from filar.simulate.dither_settings import DitherSettings
from filar.simulate.dithers import view_chip

METHODS = {
    "library": "classic, library PSF off in focus",
    "own": "classic, PSF fitted to each exposure",
    "true": "classic, true PSF",
}


def measure_set(
    method: str,
    folder: Path,
    settings: DitherSettings,
    output: Path,
    *,
    focus_error: float,
    workers: int,
    progress: Callable[[float, str], None] | None = None,
) -> Path:
    """Measure all exposures with one of `METHODS`; what is there already is kept."""
    if output.exists():
        return output
    files = sorted(folder.glob("dither_*_c0m.fits"))[: settings.exposures]
    if method == "true":
        _measure_true(files, settings, output, workers)
        return output
    psf: str | Path = "fit"
    if method == "library":
        psf = output.with_name("library.fits")
        write_library(settings, settings.focus + focus_error, psf)
    summary = measure_files(
        files, output, Settings(psf=psf, method="psf"), workers=workers, progress=progress
    )
    if not summary.complete:
        raise SystemExit("; ".join(error for file in summary.files for error in file.errors))
    return output


def write_library(settings: DitherSettings, focus: float, path: Path) -> None:
    """Write a PSF library of all chips at one focus, in microns."""
    shape = (800, 800)
    chips = [
        ChipPSF(
            psf=default_psf_for("WFPC2", chip, settings.filter, shape=shape, focus=focus),
            instrument="WFPC2", chip=chip, filter=settings.filter, shape=shape,
        )
        for chip in settings.chips
    ]  # fmt: skip
    write_psfs(chips, path)


def _measure_true(files: list[Path], settings: DitherSettings, output: Path, workers: int) -> None:
    numbers = [(path, settings, i) for i, path in enumerate(files, start=1)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        tables = list(pool.map(_one_true, numbers))
    whole = vstack(tables, metadata_conflicts="silent")
    whole.meta = tables[0].meta | {"exposures": [e for t in tables for e in t.meta["exposures"]]}
    write_catalog(whole, output)


def _one_true(task: tuple[Path, DitherSettings, int]) -> QTable:
    path, settings, number = task
    tables = []
    for exposure in read_exposures(path):
        psf = view_chip(settings, exposure.chip, number).psf
        tables.append(measure_exposure(exposure, Settings(psf=psf, method="psf")).catalog)
    whole = vstack(tables, metadata_conflicts="silent")
    whole.meta = tables[0].meta | {"exposures": [e for t in tables for e in t.meta["exposures"]]}
    return whole
