"""Many files: read, measure, and put the catalogues together in bounded memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from filar.catalogfile import check_output, join_catalogs, read_catalog, write_catalog
from filar.errors import FilarError, OutputFileError, ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.instruments.options import ReadOptions
from filar.measure.chip import DEFAULT_SETTINGS, STEPS, Measurement, Settings, measure_exposure
from filar.measure.network import BY_NETWORK

CHIPS_AT_ONCE = 2
"""Chips of one file that are measured at the same time: more would cost memory."""

Inspector = Callable[[Path, list[Measurement]], None]
Progress = Callable[[float, str], None]
AS_THE_FILE_SAYS = ReadOptions()


@dataclass(frozen=True)
class ChipSummary:
    """What is told about one measured chip.

    Parameters
    ----------
    label : str
        Exposure and chip.
    n_stars, n_saturated : int
        Stars in the catalogue, and how many of them are saturated.
    n_psf_stars : int
        Stars that the PSF was fitted to; 0 if none was.
    messages : tuple of str
        What the user should know.
    seconds : float
        Time it took.
    n_network, n_outside : int
        Stars whose position is a network's, and how many of them are outside of its domain.
    """

    label: str
    n_stars: int
    n_saturated: int
    n_psf_stars: int
    messages: tuple[str, ...]
    seconds: float
    n_network: int = 0
    n_outside: int = 0


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Parameters
    ----------
    path : Path
        The file.
    chips : tuple of ChipSummary
        The chips that were measured.
    errors : tuple of str
        Why the file, or some of its chips, could not be measured.
    warnings : tuple of str
        What was odd about the file.
    seconds : float
        Time it took.
    """

    path: Path
    chips: tuple[ChipSummary, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Summary:
    """What became of all files.

    Parameters
    ----------
    files : tuple of FileResult
        One per file, in the order given.
    n_rows : int
        Rows of the catalogue.
    output : Path or None
        The catalogue; None if nothing could be measured, and nothing was written.
    """

    files: tuple[FileResult, ...]
    n_rows: int
    output: Path | None

    @property
    def complete(self) -> bool:
        """Whether every chip of every file was measured."""
        return not any(result.errors for result in self.files)


@dataclass(frozen=True)
class _Task:
    """What a worker needs to measure a file; it crosses to another process."""

    path: Path
    part: Path
    settings: Settings
    read: ReadOptions
    threads: int
    inspect: Inspector | None


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure_file(
    path: str | os.PathLike[str],
    settings: Settings = DEFAULT_SETTINGS,
    *,
    read: ReadOptions = AS_THE_FILE_SAYS,
    threads: int | None = None,
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
    threads = min(threads or min(CHIPS_AT_ONCE, available_cores()), len(exposures))
    step = _counter(len(exposures) * len(STEPS), progress)

    def measure(exposure: Exposure) -> Measurement | str:
        try:
            return measure_exposure(
                exposure, settings, on_step=lambda text: step(f"{exposure.label}: {text}")
            )
        except FilarError as error:
            where = exposure.path or exposure.name
            text = str(error)
            return text if text.startswith(str(where)) else f"{where}: {text}"

    with _blas_threads(available_cores() // threads if threads == 1 else 1):
        if threads == 1:
            outcomes = [measure(exposure) for exposure in exposures]
        else:
            with ThreadPoolExecutor(threads) as pool:
                outcomes = list(pool.map(measure, exposures))
    errors = [outcome for outcome in outcomes if isinstance(outcome, str)]
    return [o for o in outcomes if isinstance(o, Measurement)], list(dict.fromkeys(errors))


def measure_files(
    paths: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    settings: Settings = DEFAULT_SETTINGS,
    *,
    read: ReadOptions = AS_THE_FILE_SAYS,
    workers: int = 1,
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
            _Task(path, Path(folder) / f"{i}.parquet", settings, read, threads, inspect)
            for i, path in enumerate(sources)
        ]
        run = _in_processes if workers > 1 else _one_by_one
        results = run(tasks, workers, progress)
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


def _measure_task(task: _Task, progress: Progress | None = None) -> FileResult:
    """Measure one file and write its part; never raises for what is wrong with the file."""
    started = perf_counter()
    measurements: list[Measurement] = []
    errors: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            measurements, errors = measure_file(
                task.path,
                task.settings,
                read=task.read,
                threads=task.threads,
                progress=progress,
            )
            if measurements:
                write_catalog(_stack(measurements), task.part)
                if task.inspect is not None:
                    task.inspect(task.path, measurements)
        except FilarError as error:
            errors.append(str(error))
        except MemoryError:
            errors.append(f"{task.path}: out of memory; try fewer workers")
        except Exception as error:  # one file's surprise must not cost the others' results
            errors.append(f"{task.path}: unexpected {type(error).__name__}: {error}")
    odd = [str(w.message) for w in caught if w.category is UserWarning]
    chips = tuple(_summarise(measurement) for measurement in measurements)
    seconds = perf_counter() - started
    return FileResult(task.path, chips, tuple(errors), tuple(dict.fromkeys(odd)), seconds)


def _stack(measurements: list[Measurement]) -> Any:
    """Put the chips of a file below each other."""
    from astropy.table import vstack

    tables = [measurement.catalog for measurement in measurements]
    whole = vstack(tables, metadata_conflicts="silent")
    exposures = [facts for table in tables for facts in table.meta["exposures"]]
    whole.meta = tables[0].meta | {"exposures": exposures}
    return whole


def _summarise(measurement: Measurement) -> ChipSummary:
    flags = np.asarray(measurement.catalog["flags"])
    fit = measurement.psf_fit
    return ChipSummary(
        measurement.exposure.label,
        len(flags),
        int(np.count_nonzero(flags & Flag.SATURATED)),
        0 if fit is None or fit.fallback else int(fit.n_stars),
        measurement.messages,
        sum(measurement.seconds.values()),
        int(np.count_nonzero(np.asarray(measurement.catalog["method"]) == BY_NETWORK)),
        int(np.count_nonzero(flags & Flag.OUTSIDE_DOMAIN)),
    )


def _one_by_one(tasks: list[_Task], workers: int, progress: Progress | None) -> list[FileResult]:
    def run() -> Iterator[FileResult]:
        for i, task in enumerate(tasks):

            def part(done: float, text: str, before: int = i) -> None:
                if progress is not None:
                    progress((before + done) / len(tasks), text)

            yield _measure_task(task, part)
            part(1.0, task.path.name)

    return list(run())


def _in_processes(tasks: list[_Task], workers: int, progress: Progress | None) -> list[FileResult]:
    from multiprocessing import get_context

    step = _counter(len(tasks), progress)
    # Processes are spawned: a fork would inherit the locks of BLAS's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures: dict[Future[FileResult], int] = {
            pool.submit(_measure_task, task): i for i, task in enumerate(tasks)
        }
        results: dict[int, FileResult] = {}
        try:
            for future in as_completed(futures):
                i = futures[future]
                results[i] = _outcome(future, tasks[i])
                step(tasks[i].path.name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[i] for i in range(len(tasks))]


def _outcome(future: Future[FileResult], task: _Task) -> FileResult:
    try:
        return future.result()
    except BrokenProcessPool:
        text = f"{task.path}: a worker process was killed; try fewer workers (memory)"
        return FileResult(task.path, errors=(text,))


def _counter(total: int, progress: Progress | None) -> Callable[[str], None]:
    """Turn steps into parts of the whole."""
    from threading import Lock

    lock, done = Lock(), [0]

    def step(text: str) -> None:
        with lock:
            done[0] += 1
            if progress is not None:
                progress(done[0] / total, text)

    return step


def _blas_threads(limit: int) -> Any:
    """Keep BLAS from starting a thread per core in each of our own threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(max(1, limit), user_api="blas")
