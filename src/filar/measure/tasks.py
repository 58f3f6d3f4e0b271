"""One file after the other, or several at the same time in processes of their own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from filar.catalogfile import write_catalog
from filar.errors import FilarError
from filar.exposure import Exposure
from filar.instruments.options import ReadOptions
from filar.measure.chip import STEPS, Measurement, Settings, measure_exposure
from filar.measure.similar import Known, Lesson, lessons_of
from filar.measure.summary import FileResult, summarise

Inspector = Callable[[Path, list[Measurement]], None]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Task:
    """What a worker needs to measure a file; it crosses to another process.

    Parameters
    ----------
    path, part : Path
        The file, and where its catalogue goes.
    settings : Settings
        How to measure.
    read : ReadOptions
        How to read.
    threads : int
        Chips measured at the same time.
    inspect : Inspector or None
        Shown the measurements.
    known : Known
        PSF fits to begin with.
    patient : bool
        Whether to leave the file for later if it may teach others.
    """

    path: Path
    part: Path
    settings: Settings
    read: ReadOptions
    threads: int
    inspect: Inspector | None
    known: Known = field(default_factory=Known)
    patient: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Parameters
    ----------
    result : FileResult or None
        None if the file was left for later.
    lessons : tuple of Lesson
        What it teaches.
    """

    result: FileResult | None
    lessons: tuple[Lesson, ...] = ()


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure_chips(
    exposures: Sequence[Exposure],
    settings: Settings,
    threads: int,
    known: Known,
    progress: Progress | None = None,
) -> tuple[list[Measurement], list[str]]:
    """Measure the chips of a file.

    Parameters
    ----------
    exposures : sequence of Exposure
        The chips.
    settings : Settings
        How to measure.
    threads : int
        Chips measured at the same time.
    known : Known
        PSF fits to begin with.
    progress : callable, optional
        See `filar.measure.measure_file`.

    Returns
    -------
    measurements : list of Measurement
        The chips that could be measured, in their order.
    errors : list of str
        Why others could not.
    """
    threads = min(threads, len(exposures))
    step = counter(len(exposures) * len(STEPS), progress)

    def measure(exposure: Exposure) -> Measurement | str:
        try:
            return measure_exposure(
                exposure,
                settings,
                near=known.near(exposure),
                on_step=lambda text: step(f"{exposure.label}: {text}"),
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


def measure_task(task: Task, progress: Progress | None = None) -> Outcome:
    """Measure one file and write its part; never raises for what is wrong with the file.

    Parameters
    ----------
    task : Task
        What to do.
    progress : callable, optional
        See `filar.measure.measure_file`.

    Returns
    -------
    Outcome
    """
    from filar.instruments import read_exposures

    started = perf_counter()
    measurements: list[Measurement] = []
    errors: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exposures = read_exposures(task.path, task.read)
            if task.patient and task.known.is_open(exposures):
                return Outcome(None)
            measurements, errors = measure_chips(
                exposures, task.settings, task.threads, task.known, progress
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
    chips = tuple(summarise(measurement) for measurement in measurements)
    seconds = perf_counter() - started
    result = FileResult(task.path, chips, tuple(errors), tuple(dict.fromkeys(odd)), seconds)
    return Outcome(result, lessons_of(measurements))


def _stack(measurements: list[Measurement]) -> Any:
    """Put the chips of a file below each other."""
    from astropy.table import vstack

    tables = [measurement.catalog for measurement in measurements]
    whole = vstack(tables, metadata_conflicts="silent")
    exposures = [facts for table in tables for facts in table.meta["exposures"]]
    whole.meta = tables[0].meta | {"exposures": exposures}
    return whole


def run_one_by_one(
    tasks: Sequence[Task], known: Known, progress: Progress | None
) -> list[FileResult]:
    """Measure files in their order.

    Parameters
    ----------
    tasks : sequence of Task
        One per file.
    known : Known
        PSF fits to begin with.
    progress : callable or None
        See `filar.measure.measure_files`.

    Returns
    -------
    list of FileResult
    """
    results = []
    for i, task in enumerate(tasks):

        def part(done: float, text: str, before: int = i) -> None:
            if progress is not None:
                progress((before + done) / len(tasks), text)

        outcome = measure_task(replace(task, known=known), part)
        known = known.learn(outcome.lessons)
        if outcome.result is not None:
            results.append(outcome.result)
        part(1.0, task.path.name)
    return results


def run_in_processes(
    tasks: Sequence[Task], known: Known, workers: int, progress: Progress | None
) -> list[FileResult]:
    """Measure files at the same time, with the same results as in their order.

    Parameters
    ----------
    tasks : sequence of Task
        One per file.
    known : Known
        PSF fits to begin with.
    workers : int
        Processes.
    progress : callable or None
        See `filar.measure.measure_files`.

    Returns
    -------
    list of FileResult
    """
    from multiprocessing import get_context

    step = counter(len(tasks), progress)
    results: dict[int, FileResult] = {}
    # Processes are spawned: a fork would inherit the locks of BLAS's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:

        def run(numbers: Sequence[int], patient: bool) -> list[Lesson]:
            futures: dict[Future[Outcome], int] = {
                _submit(pool, replace(tasks[i], known=known, patient=patient)): i for i in numbers
            }
            lessons: list[Lesson] = []
            for future in as_completed(futures):
                i = futures[future]
                outcome = _outcome(future, tasks[i])
                if outcome.result is not None:
                    results[i] = outcome.result
                    lessons.extend(outcome.lessons)
                    step(tasks[i].path.name)
            return lessons

        try:
            while waiting := [i for i in range(len(tasks)) if i not in results]:
                if known.learning:  # the first of those that wait has something to teach
                    known = known.learn(run(waiting[:1], patient=False))
                    waiting = waiting[1:]
                run(waiting, patient=known.learning)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[i] for i in range(len(tasks))]


def _submit(pool: ProcessPoolExecutor, task: Task) -> Future[Outcome]:
    try:
        return pool.submit(measure_task, task)
    except BrokenProcessPool as error:  # a worker was killed while an earlier file was measured
        future: Future[Outcome] = Future()
        future.set_exception(error)
        return future


def _outcome(future: Future[Outcome], task: Task) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        text = f"{task.path}: a worker process was killed; try fewer workers (memory)"
        return Outcome(FileResult(task.path, errors=(text,)))


def counter(total: int, progress: Progress | None) -> Callable[[str], None]:
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
