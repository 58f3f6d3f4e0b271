"""Searching a recipe's space by successive halving: on disk, resumable, with several processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from os import PathLike
from pathlib import Path
from typing import Any

from filar.errors import FilarError, OutputFileError, ParameterError
from filar.learn.recipe import Recipe, override, save_recipe
from filar.learn.study import Study, Trial
from filar.learn.train import Progress

BEST = "best.toml"
POLL = 0.5  # seconds between two looks at what the processes have done

Fit = Callable[[Recipe, Path, Callable[[Progress], None]], object]


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is.

    Attributes
    ----------
    done, trials : int
        Trials that have ended, and all that are asked for.
    best : float
        The least figure so far of a trial that went all the way; NaN before the first.
    """

    done: int
    trials: int
    best: float


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    recipe : Recipe
        The best.
    value : float
        Its figure.
    trials : tuple of Trial
        All that ended, in order.
    """

    recipe: Recipe
    value: float
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class _Task:
    """What a process must know."""

    recipe: Recipe
    fit: Fit
    folder: Path
    figure: str
    limit: int
    seed: int


class _StoppedError(Exception):
    """The search is to end before this trial has."""


def search_recipe(
    recipe: Recipe,
    fit: Fit,
    folder: str | PathLike[str],
    *,
    trials: int,
    workers: int = 1,
    seed: int = 0,
    figure: str = "validation_loss",
    data: str = "",
    progress: Callable[[SearchProgress], None] | None = None,
) -> SearchResult:
    """Search a recipe's space.

    Trials are drawn by tree-structured Parzen estimators; after some epochs, and three times as
    many, and so on, only the best third goes on (asynchronous successive halving). Everything is
    kept in `search.sqlite` in the folder: killed or interrupted, the search goes on from there,
    and trials that were running begin again. `best.toml` there is the best recipe.

    Parameters
    ----------
    recipe : Recipe
        With a space in `search`; its epochs are what a trial gets that goes all the way.
    fit : callable
        Trains by a recipe, in a folder for itself, and passes a callback to `train` as
        `progress`. With several workers it must be picklable and importable.
    folder : str or path-like
        For the search; made if need be.
    trials : int
        How many, those before an interruption included.
    workers : int, optional
        Processes at the same time.
    seed : int, optional
        With one worker the same seed gives the same search.
    figure : str, optional
        What is to be small, among the figures of an epoch.
    data : str, optional
        A digest of the data, so that a search is not continued with others.
    progress : callable, optional
        Told how far the search is, at least after every trial.

    Returns
    -------
    SearchResult
        The best recipe and all trials.

    Raises
    ------
    ParameterError
        If the recipe has no space, the folder's search was for another recipe or data, or every
        trial failed.
    InputFileError
        If the folder's search is damaged.
    OutputFileError
        If the folder cannot be written, or another search is at work in it.
    """
    _check(recipe, trials, workers)
    folder = Path(folder)
    with Study.alone(folder, _identity(recipe, figure, data), recipe.budget.epochs) as study:
        study.requeue()
        limit = trials + study.failed()
        task = _Task(recipe, fit, folder, figure, limit, seed)

        def tell() -> None:
            if progress is not None:
                progress(SearchProgress(len(study.ended()), trials, study.best_value()))

        if workers == 1:
            _work(task, 0, lambda: False, tell)
        else:
            _spread(task, workers, tell)
        return _result(recipe, study, folder)


def _check(recipe: Recipe, trials: int, workers: int) -> None:
    if not recipe.search:
        raise ParameterError("recipe", recipe.name, "one with a [search] table")
    for name, value in (("trials", trials), ("workers", workers)):
        if value < 1:
            raise ParameterError(name, value, "1 or more")


def _identity(recipe: Recipe, figure: str, data: str) -> str:
    return hashlib.sha256(repr((recipe.model_dump(), figure, data)).encode()).hexdigest()


def _result(recipe: Recipe, study: Study, folder: Path) -> SearchResult:
    ended = study.ended()
    whole = [trial for trial in ended if trial.complete]
    if not whole:
        reasons = [trial.error for trial in ended if trial.error] or ["none ended"]
        allowed = f"one by which at least one trial can train; the first failed: {reasons[0]}"
        raise ParameterError("recipe", recipe.name, allowed)
    best = min(whole, key=lambda trial: trial.value)
    about = f"{recipe.about}; best of {len(ended)} trials (trial {best.number})".lstrip("; ")
    found = override(recipe, best.settings | {"name": f"{recipe.name}-best", "about": about})
    save_recipe(folder / BEST, found)
    return SearchResult(found, best.value, tuple(ended))


def _spread(task: _Task, workers: int, tell: Callable[[], None]) -> None:
    """Work in several processes until all trials have ended."""
    context = get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=_begin,
        initargs=(stop, max(1, (os.cpu_count() or 1) // workers)),
    ) as pool:
        running: set[Future[None]] = {
            pool.submit(_work_there, task, number) for number in range(workers)
        }
        try:
            while running:
                done, running = wait(running, timeout=POLL)
                tell()
                for future in done:
                    future.result()
        except BrokenProcessPool as error:
            raise OutputFileError(
                task.folder, "a process of the search was killed", "search again to go on"
            ) from error
        finally:
            stop.set()


# Set when a process of a search shall end after the running epoch.
_stop: Any = None


def _begin(stop: Any, cores: int) -> None:
    global _stop
    _stop = stop
    # Torch reads it when it is imported.
    os.environ["OMP_NUM_THREADS"] = str(cores)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_there(task: _Task, number: int) -> None:
    _work(task, number, _stop.is_set, lambda: None)


def _work(task: _Task, number: int, stopped: Callable[[], bool], tell: Callable[[], None]) -> None:
    """Do one trial after the other."""
    study = Study.join(task.folder, task.recipe.budget.epochs, (task.seed, number))
    while not stopped():
        trial = study.ask(task.recipe.search, task.limit)
        if trial is None:
            return
        try:
            _try(task, study, trial, stopped)
        except _StoppedError:
            return
        tell()


def _try(task: _Task, study: Study, trial: Any, stopped: Callable[[], bool]) -> None:
    """Train once; the trial ends as complete, pruned or (bad settings) failed but counted."""
    values: list[float] = []

    class PrunedError(Exception):
        pass

    def watch(now: Progress) -> None:
        if stopped():
            raise _StoppedError
        if now.epoch <= len(values) or task.figure not in now.figures:
            return
        values.append(now.figures[task.figure])
        hopeless = study.hopeless(trial, min(values), now.epoch)
        if hopeless and now.epoch < now.epochs:
            raise PrunedError

    own = task.folder / f"trial-{trial.number:05d}"
    shutil.rmtree(own, ignore_errors=True)
    try:
        task.fit(override(task.recipe, trial.params), own, watch)
        if not values:
            raise ParameterError("figure", task.figure, "a figure that the training tells")
        study.complete(trial, min(values))
    except PrunedError:
        study.give_up(trial)
    except FilarError as error:
        study.give_up(trial, str(error))
    finally:
        shutil.rmtree(own, ignore_errors=True)
