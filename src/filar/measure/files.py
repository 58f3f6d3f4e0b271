"""Many files: read, measure, and put the catalogues together in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filar.catalogfile import check_output, join_catalogs, read_catalog
from filar.errors import OutputFileError, ParameterError
from filar.instruments.options import ReadOptions
from filar.measure.chip import DEFAULT_SETTINGS, Measurement, Settings
from filar.measure.similar import Known
from filar.measure.summary import ChipSummary, FileResult, Summary
from filar.measure.tasks import (
    Inspector,
    Progress,
    Task,
    available_cores,
    measure_chips,
    run_in_processes,
    run_one_by_one,
)

if TYPE_CHECKING:
    from filar.psf.fitted import NearFit

__all__ = [
    "ChipSummary",
    "FileResult",
    "Inspector",
    "Progress",
    "Summary",
    "available_cores",
    "measure_file",
    "measure_files",
]

CHIPS_AT_ONCE = 2
"""Chips of one file that are measured at the same time: more would cost memory."""

AS_THE_FILE_SAYS = ReadOptions()


def measure_file(
    path: str | os.PathLike[str],
    settings: Settings = DEFAULT_SETTINGS,
    *,
    read: ReadOptions = AS_THE_FILE_SAYS,
    threads: int | None = None,
    near: Sequence[NearFit] = (),
    progress: Progress | None = None,
) -> tuple[list[Measurement], list[str]]:
    """Measure all chips of a file.

    Parameters
    ----------
    path : path-like
        A FITS file that `filar.instruments.read_exposures` reads.
    settings : Settings
        How to measure.
    read : ReadOptions
        What takes precedence over the file's header, and which chips are wanted.
    threads : int, optional
        Chips measured at the same time; by default `CHIPS_AT_ONCE` or the number of cores.
    near : sequence of NearFit
        PSF fits of other exposures for those of the same chip and filter to begin with.
    progress : callable, optional
        Called with the part done (0 to 1) and a text; from other threads too.

    Returns
    -------
    measurements : list of Measurement
        The chips that could be measured, in the order of the file.
    errors : list of str
        Why others could not.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    """
    from filar.instruments import read_exposures

    exposures = read_exposures(path, read)
    threads = threads or min(CHIPS_AT_ONCE, available_cores())
    return measure_chips(exposures, settings, threads, Known.of(near), progress)


def measure_files(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    settings: Settings = DEFAULT_SETTINGS,
    *,
    read: ReadOptions = AS_THE_FILE_SAYS,
    workers: int = 1,
    near: Sequence[NearFit] = (),
    xym: str | os.PathLike[str] | None = None,
    inspect: Inspector | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Measure many files into one catalogue.

    Each file's catalogue goes to a temporary folder beside the output; in the end they are put
    together one by one, so memory does not grow with their number. A bad file does not keep the
    others from being measured and written.

    Parameters
    ----------
    paths : sequence of path-like
        FITS files, each once.
    out : path-like
        The catalogue: ``.ecsv``, ``.fits`` or ``.parquet``.
    settings : Settings
        How to measure.
    read : ReadOptions
        What takes precedence over the files' headers, and which chips are wanted.
    workers : int
        Processes that measure files at the same time. With more than one, a script that calls
        this needs the usual ``if __name__ == "__main__"``.
    near : sequence of NearFit
        PSF fits of other exposures for those of the same chip and filter to begin with; with
        ``settings.similar``, the first exposures do so too.
    xym : path-like, optional
        A star list in hst1pass's manner, written too.
    inspect : callable, optional
        Called with every file and its measurements, where they were made (so it must be a
        function of a module if there are workers): for reports.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    Summary
        What became of every file.

    Raises
    ------
    ParameterError
        If there is no file, one is given twice or as the output, or an argument makes no sense.
    OutputFileError
        If an output cannot be written.
    """
    sources = [Path(path) for path in paths]
    out = check_output(out)
    _check_files(sources, out, None if xym is None else Path(xym), workers)
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        workers = min(workers, len(sources))
        threads = max(1, min(CHIPS_AT_ONCE, available_cores() // workers))
        tasks = [
            Task(path, Path(folder) / f"{i}.parquet", settings, read, threads, inspect)
            for i, path in enumerate(sources)
        ]
        known = Known.of(near, learning=settings.similar and settings.psf == "fit")
        if workers > 1:
            results = run_in_processes(tasks, known, workers, progress)
        else:
            results = run_one_by_one(tasks, known, progress)
        parts = [task.part for task in tasks if task.part.exists()]
        if not parts:
            return Summary(tuple(results), 0, None)
        rows = join_catalogs(parts, out)
        if xym is not None:
            from filar.xym import write_xym

            write_xym(map(read_catalog, parts), xym, mag_system=settings.mag_system)
    return Summary(tuple(results), rows, out)


def _check_files(sources: list[Path], out: Path, xym: Path | None, workers: int) -> None:
    if not sources:
        raise ParameterError("files", [], "at least one FITS file")
    if workers < 1:
        raise ParameterError("workers", workers, "1 or more")
    outputs = [out] if xym is None else [out, xym]
    if xym is not None:
        if xym.resolve() == out.resolve():
            raise ParameterError("xym", str(xym), "another name than the catalogue's")
        check_output(xym, (xym.suffix.lower(),))
    seen = set()
    for path in (source.resolve() for source in sources):
        if path in seen:
            raise ParameterError("files", str(path), "every file once")
        seen.add(path)
    for output in outputs:
        if output.resolve() in seen:
            raise OutputFileError(output, "it is also an input file", "choose another name")
