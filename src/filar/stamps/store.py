"""Stamps and labels on disk: a folder that is read in pieces, however large it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError
from filar.psf.model import FieldGrid
from filar.psf.samples import PSFSamples
from filar.stamps.labels import TEST, TRAIN, VALIDATION, Labels
from filar.stamps.records import HEADER, Records, from_records, record_type, rows_of
from filar.stamps.stamps import SIZES, Group, Index, IntArray, Stamps

META_FILE, RECORDS_FILE, PSF_FILE = "meta.json", "records.npy", "psf.npy"
FORMAT, VERSION = "filar stamps", 1
SCAN = 100_000
"""Records in memory while a column is read."""
_EXPECTED = "a folder of stamps as filar writes it"
_ADVICE = "make it again"


class StampStore:
    """A set of stamps on disk, see `StampStore.open`; nothing of it is kept in memory.

    Parameters
    ----------
    path : Path
        The folder.
    facts : dict
        What its ``meta.json`` says.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self._facts = path, facts

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> StampStore:
        """Open a folder of stamps.

        Parameters
        ----------
        path : path-like
            As `filar.stamps.writer.StampWriter` makes it.

        Returns
        -------
        StampStore

        Raises
        ------
        InputFileError
            If there is no such folder, it is something else, damaged, or of a newer filar.
        """
        path = Path(path)
        if not path.is_dir():
            found = "it is a file" if path.exists() else "there is no such folder"
            raise InputFileError(path, found, _EXPECTED)
        try:
            facts = json.loads((path / META_FILE).read_text(encoding="utf-8"))
            known = isinstance(facts, dict) and facts.get("format") == FORMAT
        except (OSError, ValueError) as error:
            found = f"its {META_FILE} cannot be read: {error}"
            raise InputFileError(path, found, _EXPECTED, _ADVICE) from error
        if not known:
            raise InputFileError(path, f"its {META_FILE} is another program's", _EXPECTED)
        if facts.get("version") != VERSION:
            found = f"stamps of version {facts.get('version')}"
            raise InputFileError(path, found, f"version {VERSION}", "use the filar that made them")
        store = cls(path, facts)
        store._check()
        return store

    def _check(self) -> None:
        """Compare the files with what the meta file says of them."""
        try:
            if self.size not in SIZES:
                raise ValueError(f"rasters of {self.size} pixels")
            rows = rows_of(self.path / RECORDS_FILE, record_type(self.size))
            if rows != len(self):
                raise ValueError(f"{rows} records of {len(self)}")
            self.groups  # noqa: B018 - reads them
            if not self.digest or sum(map(self.count, (TRAIN, VALIDATION, TEST))) != rows:
                raise ValueError("its facts do not fit each other")
        except (OSError, EOFError, LookupError, TypeError, ValueError, ParameterError) as error:
            text = str(error) if str(error) else type(error).__name__
            raise InputFileError(self.path, f"damaged: {text}", _EXPECTED, _ADVICE) from error

    def __len__(self) -> int:
        return int(self._facts["rows"])

    @property
    def size(self) -> int:
        """Side of the rasters, pixels."""
        return int(self._facts["size"])

    @property
    def digest(self) -> str:
        """SHA-256 of the stamps, labels, PSFs and names of exposures; hexadecimal."""
        return str(self._facts["digest"])

    @property
    def meta(self) -> dict[str, Any]:
        """What its maker wrote down about it."""
        return dict(self._facts["meta"])

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Exposures and chips; their PSFs stay on disk until they are looked at."""
        stored = self._facts["groups"]
        needed = sum(facts["psf"]["nodes"] for facts in stored if facts["psf"] is not None)
        sampled = None
        if needed:
            sampled = np.load(self.path / PSF_FILE, mmap_mode="r", allow_pickle=False)
            if sampled.dtype != np.float32 or len(sampled) != needed:
                raise ValueError(f"{PSF_FILE} does not fit the exposures")
        return tuple(_group(facts, sampled) for facts in stored)

    def records(self, start: int, stop: int) -> Records:
        """Read neighbouring records, without the system's counting them as ours.

        Parameters
        ----------
        start, stop : int
            First row, and the one after the last.

        Returns
        -------
        (stop - start,) structured array
        """
        kind = record_type(self.size)
        stop = min(stop, len(self))
        offset = HEADER + start * kind.itemsize
        return np.fromfile(
            self.path / RECORDS_FILE, kind, count=max(0, stop - start), offset=offset
        )

    def read(self, index: Index | None = None) -> tuple[Stamps, Labels]:
        """Read stamps and labels into memory.

        Parameters
        ----------
        index : int array, bool array or slice, optional
            Rows; all by default.

        Returns
        -------
        stamps : Stamps
        labels : Labels
        """
        if index is None:
            index = slice(None)
        if isinstance(index, slice) and index.step in (None, 1):
            start, stop, _ = index.indices(len(self))
            return from_records(self.records(start, max(start, stop)), self.groups)
        mapped = np.load(self.path / RECORDS_FILE, mmap_mode="r", allow_pickle=False)
        return from_records(np.asarray(mapped[index]), self.groups)

    def column(self, name: str) -> NDArray[Any]:
        """One column of all rows.

        Parameters
        ----------
        name : str
            A column of `Stamps` or `Labels`.

        Returns
        -------
        (rows, ...) array

        Raises
        ------
        ParameterError
            If there is no such column.
        """
        kind = record_type(self.size)
        if name not in (kind.names or ()):
            raise ParameterError("name", name, f"one of {', '.join(kind.names or ())}")
        parts = [part[name].copy() for part in self._pieces()]
        return np.concatenate(parts) if parts else np.zeros(0, kind)[name]

    def _pieces(self) -> Iterator[Records]:
        for start in range(0, len(self), SCAN):
            yield self.records(start, start + SCAN)

    def count(self, part: int | None = None) -> int:
        """Number of stamps in a part, see `rows`."""
        return len(self) if part is None else int(self._facts["parts"][part])

    def rows(self, part: int | None = None) -> IntArray:
        """Rows of a part (0 training, 1 validation, 2 test), or all: (n,) int array."""
        if part is None:
            return np.arange(len(self), dtype=np.int64)
        return np.flatnonzero(self.column("part") == part)


def _group(facts: dict[str, Any], sampled: NDArray[np.float32] | None) -> Group:
    names = {name: str(facts[name]) for name in ("exposure", "chip", "filter", "instrument")}
    psf, stored = None, facts["psf"]
    if stored is not None and sampled is not None:
        nodes = FieldGrid(tuple(stored["x"]), tuple(stored["y"]), stored["kind"])
        first = int(stored["first"])
        values = sampled[first : first + int(stored["nodes"])]
        psf = PSFSamples(values, nodes, float(stored["radius"]), float(stored["step"]))
    ny, nx = facts["shape"]
    return Group(shape=(int(ny), int(nx)), psf=psf, facts=dict(facts["facts"]), **names)
