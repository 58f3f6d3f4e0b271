"""Artificial-star tests of a whole field: chunk by chunk, by several processes, resumable."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.asts.chunk import CHUNK, Columns, place_weights, run_chunk
from filar.asts.field import Field
from filar.asts.realstars import real_stars, stack
from filar.asts.settings import ASTSettings
from filar.asts.tables import artificial_table, stars_table
from filar.errors import FilarError, OutputFileError, ParameterError
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from astropy.table import QTable

FloatArray = NDArray[np.float64]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class _Piece:
    """One chunk of one chip."""

    chip: int
    number: int
    stars: int

    @property
    def name(self) -> str:
        return f"{self.chip}-{self.number}.npz"


def run_asts(
    fields: Sequence[Field],
    settings: ASTSettings,
    *,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> QTable:
    """Make artificial-star tests.

    Parameters
    ----------
    fields : sequence of Field
        The chips.
    settings : ASTSettings
        Which stars, and when one is recovered.
    folder : path-like, optional
        Where finished chunks wait for the others, so that an interrupted run can go on. It is
        removed when all is done.
    resume : bool
        Take the chunks that are in the folder already.
    workers : int
        Processes. The table does not depend on their number.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    QTable
        See `filar.asts.tables.artificial_table`.

    Raises
    ------
    ParameterError
        If the settings do not suit the field, or the folder is of another run.
    OutputFileError
        If the folder cannot be written.
    FilarError
        If a worker process dies.
    """
    further = len(fields[0].bands) - 1
    if further and len(settings.colors) not in (1, further):
        allowed = f"one pair of limits, or {further}"
        raise ParameterError("color", [list(c) for c in settings.colors], allowed)
    if settings.cuts.bands > further + 1:
        raise ParameterError("bands", settings.cuts.bands, f"{further + 1} at most, or 0 for all")
    weights = [place_weights(field, settings.places) for field in fields]
    pieces = _pieces(weights, settings.number)
    store = None if folder is None else _Store.opened(Path(folder), fields, settings, resume)
    results: dict[_Piece, Columns] = {}
    for done, (piece, columns) in enumerate(
        _results(pieces, (fields, weights, settings), store, workers), start=1
    ):
        results[piece] = columns
        if progress is not None:
            progress(done / len(pieces), f"{sum(p.stars for p in results)} artificial stars")
    chips = [fields[piece.chip].chip for piece in pieces]
    table = artificial_table(stack([results[p] for p in pieces], chips), fields, settings)
    if store is not None:
        store.remove()
    return table


def catalogue_of(fields: Sequence[Field], settings: ASTSettings) -> QTable:
    """The real stars of the field, with the cuts and covariates of its artificial stars.

    Parameters
    ----------
    fields : sequence of Field
        The chips.
    settings : ASTSettings
        ``cuts`` and ``match`` are used.

    Returns
    -------
    QTable
        See `filar.asts.tables.stars_table`.
    """
    parts = [real_stars(field, settings.cuts, settings.match) for field in fields]
    return stars_table(stack(parts, [field.chip for field in fields]), fields, settings)


def _pieces(weights: Sequence[FloatArray], number: int) -> list[_Piece]:
    """Share the stars out among chips by their usable area, and cut them into chunks."""
    areas = np.array([np.count_nonzero(weight) for weight in weights], float)
    ends = np.rint(np.cumsum(np.concatenate([[0.0], areas])) / areas.sum() * number).astype(int)
    pieces = []
    for chip, count in enumerate(np.diff(ends)):
        for k, start in enumerate(range(0, int(count), CHUNK)):
            pieces.append(_Piece(chip, k, min(CHUNK, int(count) - start)))
    return pieces


Work = tuple[Sequence[Field], Sequence[FloatArray], ASTSettings]


def _results(
    pieces: Sequence[_Piece], work: Work, store: _Store | None, workers: int
) -> Iterator[tuple[_Piece, Columns]]:
    """All chunks, in the order in which they are ready."""
    todo = []
    for piece in pieces:
        ready = None if store is None else store.read(piece)
        if ready is None:
            todo.append(piece)
        else:
            yield piece, ready
    made = _by_processes(todo, work, workers) if workers > 1 else _one_by_one(todo, work)
    for piece, columns in made:
        if store is not None:
            store.write(piece, columns)
        yield piece, columns


def _make(piece: _Piece, work: Work) -> Columns:
    fields, weights, settings = work
    key = (piece.chip, piece.number)
    return run_chunk(fields[piece.chip], weights[piece.chip], settings, piece.stars, key)


def _one_by_one(todo: Sequence[_Piece], work: Work) -> Iterator[tuple[_Piece, Columns]]:
    for piece in todo:
        yield piece, _make(piece, work)


_work: Work | None = None


def _begin(work: Work) -> None:
    """Keep the field in a worker process, which gets it once, and BLAS to one thread there."""
    from threadpoolctl import threadpool_limits

    global _work
    _work = work
    threadpool_limits(1)


def _make_there(piece: _Piece) -> Columns:
    assert _work is not None
    return _make(piece, _work)


def _by_processes(
    todo: Sequence[_Piece], work: Work, workers: int
) -> Iterator[tuple[_Piece, Columns]]:
    """Chunks made by processes; few are handed out ahead, so that a stop loses little."""
    from multiprocessing import get_context

    waiting = iter(todo)
    running: dict[Future[Columns], _Piece] = {}
    # Processes are spawned: a fork would inherit the locks of BLAS's threads.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (work,))
    try:
        while True:
            for piece in waiting:
                running[pool.submit(_make_there, piece)] = piece
                if len(running) >= 2 * workers:
                    break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                piece = running.pop(future)
                yield piece, future.result()
    except BrokenProcessPool as error:
        raise FilarError("a worker process was killed; try fewer workers (memory)") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Store:
    """The folder of finished chunks."""

    folder: Path

    @classmethod
    def opened(
        cls, folder: Path, fields: Sequence[Field], settings: ASTSettings, resume: bool
    ) -> _Store:
        """Make the folder, or check that its chunks belong to this run."""
        key, note = _key(fields, settings), folder / "run.json"
        try:
            if folder.exists() and not resume:
                if any(folder.iterdir()) and not note.exists():
                    raise ParameterError("folder", str(folder), "a folder of filar's, or a new one")
                shutil.rmtree(folder)
            folder.mkdir(parents=True, exist_ok=True)
            if note.exists():
                if json.loads(note.read_text())["key"] != key:
                    allowed = "the images and options with which it was begun, or no --resume"
                    raise ParameterError("--resume", str(folder), allowed)
            else:
                note.write_text(json.dumps({"key": key}))
        except OSError as error:
            raise OutputFileError(folder, error.strerror or str(error)) from error
        except (ValueError, KeyError) as error:
            raise ParameterError(
                "--resume", str(folder), "a folder of an interrupted run"
            ) from error
        return cls(folder)

    def read(self, piece: _Piece) -> Columns | None:
        """A chunk that is there already; None if it is not, or is damaged."""
        try:
            with np.load(self.folder / piece.name, allow_pickle=False) as arrays:
                columns = {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, KeyError):
            return None
        return columns if len(columns["x"]) == piece.stars else None

    def write(self, piece: _Piece, columns: Columns) -> None:
        """Keep a chunk."""
        with whole_file(self.folder / piece.name) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **columns)

    def remove(self) -> None:
        """All is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _key(fields: Sequence[Field], settings: ASTSettings) -> str:
    """Name all that the chunks depend on."""
    digest = hashlib.sha256(repr(settings.facts()).encode())
    if isinstance(settings.places, np.ndarray):
        digest.update(settings.places.tobytes())
    for field in fields:
        for band in field.bands:
            digest.update(repr((band.name, band.zero, band.settings.facts())).encode())
            digest.update(np.ascontiguousarray(band.exposure.data).tobytes())
            digest.update(np.ascontiguousarray(band.psf.transforms).tobytes())
    return digest.hexdigest()
