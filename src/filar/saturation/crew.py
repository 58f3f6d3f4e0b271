"""Processes that train side by side; what they do is left behind in checkpoints."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from filar.errors import OutputFileError
from filar.saturation.batches import Columns
from filar.wholefile import whole_file

POLL = 0.5
"""Seconds between two looks at what the processes have done."""


class Task(Protocol):
    """A training that another process can be told."""

    @property
    def place(self) -> Path:
        """Its own folder."""
        ...

    def run(self, columns: dict[str, Columns], tell: None = None) -> Any:
        """Train it."""
        ...


class Crew:
    """Processes that train on the same data, which they read from a file.

    Parameters
    ----------
    folder : Path
        Of all trainings; made if need be.
    columns : dict of str to dict of str to tensor
        The data, by part.
    workers : int
        Processes.
    """

    def __init__(self, folder: Path, columns: dict[str, Columns], workers: int) -> None:
        self._folder, self._workers = folder, workers
        self._columns: dict[str, Columns] | None = columns
        self._files = {part: folder / f".{part}.safetensors" for part in columns}

    def __enter__(self) -> Self:
        from multiprocessing import get_context

        self._pool = ProcessPoolExecutor(self._workers, get_context("spawn"), _begin)
        return self

    def train(self, tasks: Sequence[Task], tell: Callable[[int], None]) -> None:
        """Train.

        Parameters
        ----------
        tasks : sequence of Task
            Trainings.
        tell : callable
            Told now and then how many epochs are in their histories.

        Raises
        ------
        OutputFileError
            If a process was killed, or the data cannot be written.
        """
        self._write()
        try:
            running = {self._pool.submit(_run, task, self._files) for task in tasks}
            while running:
                done, running = wait(running, timeout=POLL)
                for future in done:
                    future.result()
                # The pool itself may not see one end that it has just started.
                if any(process.exitcode for process in self._processes()):
                    raise BrokenProcessPool
                tell(sum(map(_epochs, tasks)))
        except BrokenProcessPool as error:
            advice = "train again with --resume to go on, with fewer workers if memory was short"
            raise OutputFileError(
                self._folder, "a process of the training was killed", advice
            ) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            # Their checkpoints hold all that they have done.
            for process in self._processes():
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for file in self._files.values():
            file.unlink(missing_ok=True)

    def _processes(self) -> list[BaseProcess]:
        return list((self._pool._processes or {}).values())

    def _write(self) -> None:
        from safetensors.torch import save_file

        if self._columns is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for part, file in self._files.items():
            with whole_file(file) as temporary:
                save_file(self._columns[part], temporary)
        self._columns = None


def _run(task: Task, files: dict[str, Path]) -> None:
    task.run({part: _read(file) for part, file in files.items()})


@lru_cache(maxsize=2)
def _read(file: Path) -> Columns:
    from safetensors.torch import load_file

    return dict(load_file(file))


def _epochs(task: Task) -> int:
    """Epochs in a training's history."""
    from filar.learn.history import NAME

    try:
        return max(0, (task.place / NAME).read_bytes().count(b"\n") - 1)
    except OSError:
        return 0


def _begin() -> None:
    """A process whose parent was killed would train on for nobody."""
    from multiprocessing import parent_process

    parent = parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
