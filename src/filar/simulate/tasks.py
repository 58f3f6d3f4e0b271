"""Making many exposures in several processes, one run at a time in a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filar.errors import OutputFileError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


@contextmanager
def alone(unfinished: Path, folder: Path) -> Iterator[None]:
    """Refuse a second run in the same folder; the lock goes with its process, if killed too.

    Parameters
    ----------
    unfinished : Path
        Folder for what is not finished; made if it does not exist, it holds the lock.
    folder : Path
        The run's folder, for messages.

    Raises
    ------
    OutputFileError
        If another run is at it, or the folder cannot be written.
    """
    try:
        unfinished.mkdir(exist_ok=True)
        lock = (unfinished / "lock").open("w")
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    with lock:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                advice = "wait until it is done, or choose another folder"
                raise OutputFileError(folder, "another run is writing to it", advice) from error
            except OSError:  # a file system without locks
                pass
        yield


def run_tasks(
    work: Callable[[Task], Outcome], tasks: Sequence[Task], workers: int, folder: Path
) -> Iterator[Outcome]:
    """Do tasks, in other processes if there are workers for it.

    Parameters
    ----------
    work : callable
        A function of a module, called with one task.
    tasks : sequence
        The tasks; they cross to other processes.
    workers : int
        Processes.
    folder : Path
        Where the work goes, for messages.

    Yields
    ------
    Outcome
        What `work` returns, as tasks are done.

    Raises
    ------
    OutputFileError
        If a process was killed.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        for task in tasks:
            yield work(task)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start_worker
    ) as pool:
        try:
            for future in as_completed([pool.submit(work, task) for task in tasks]):
                yield future.result()
        except BrokenProcessPool as error:
            advice = "run the same command again to go on, with fewer workers if memory is short"
            raise OutputFileError(folder, "a worker process was killed", advice) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_worker() -> None:
    """Leave interrupts to the parent, and end when it is gone."""
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    from threadpoolctl import threadpool_limits

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threadpool_limits(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=watch, daemon=True).start()
