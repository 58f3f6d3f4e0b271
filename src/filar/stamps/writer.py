"""Writing stamps to disk, piece by piece, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from weakref import WeakKeyDictionary

import numpy as np

from filar.errors import OutputFileError, ParameterError
from filar.psf.samples import PSFSamples
from filar.stamps.labels import TEST, Labels
from filar.stamps.records import begin, finish, record_type, to_records
from filar.stamps.stamps import SIZES, Group, Stamps
from filar.stamps.store import FORMAT, META_FILE, PSF_FILE, RECORDS_FILE, VERSION, StampStore


class StampWriter:
    """Writes a `StampStore`; the folder appears when the ``with`` block ends well.

    Parameters
    ----------
    path : path-like
        The folder.
    size : int
        Side of the rasters, 4 to 12 pixels.
    meta : dict, optional
        Plain values to keep; may be added to until the end.
    overwrite : bool
        Whether another set of stamps of this name is replaced.

    Raises
    ------
    ParameterError
        If the size is none of these.
    OutputFileError
        If the folder exists or cannot be written.

    Examples
    --------
    >>> with StampWriter("stamps", 6) as writer:  # doctest: +SKIP
    ...     writer.append(stamps, labels)
    >>> store = StampStore.open("stamps")  # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: int,
        meta: dict[str, Any] | None = None,
        *,
        overwrite: bool = False,
    ) -> None:
        if size not in SIZES:
            raise ParameterError("size", size, f"{SIZES[0]} to {SIZES[-1]} pixels")
        self.path, self.size, self.meta = Path(path), size, {} if meta is None else meta
        check_store_output(self.path, overwrite=overwrite)
        self._temporary = self.path.with_name(f".{self.path.name}.part")
        self._rows, self._nodes, self._samples = 0, 0, 0
        self._parts = np.zeros(3, np.int64)
        self._groups: list[dict[str, Any]] = []
        self._numbers: WeakKeyDictionary[Group, int] = WeakKeyDictionary()
        self._digest = hashlib.sha256()
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary.mkdir()
            for name in (RECORDS_FILE, PSF_FILE):
                self._files[name] = (self._temporary / name).open("wb")
                begin(self._files[name])
        except OSError as error:
            self._abandon()
            raise OutputFileError(self.path, error.strerror or str(error)) from error
        return self

    def append(self, stamps: Stamps, labels: Labels) -> None:
        """Add stamps below those that are there.

        Parameters
        ----------
        stamps : Stamps
            Of the writer's size. Groups are those of before if they are the same objects.
        labels : Labels
            One per stamp.

        Raises
        ------
        ParameterError
            If sizes or numbers differ.
        OutputFileError
            If the disk is full.
        """
        if stamps.size != self.size:
            raise ParameterError("stamps", f"{stamps.size} pixels wide", f"{self.size} pixels")
        if len(stamps) != len(labels):
            raise ParameterError("labels", len(labels), f"one per stamp, {len(stamps)}")
        if (labels.part > TEST).any():
            raise ParameterError("part", int(labels.part.max()), "0, 1 or 2")
        if not len(stamps):
            return
        records = to_records(stamps, labels)
        try:
            place = np.zeros(len(stamps.groups), np.int32)
            for old in np.unique(stamps.group):
                place[old] = self._number(stamps.groups[old])
            records["group"] = place[stamps.group]
            data = records.tobytes()
            self._digest.update(data)
            self._files[RECORDS_FILE].write(data)
        except OSError as error:
            raise OutputFileError(self.path, error.strerror or str(error)) from error
        self._rows += len(stamps)
        self._parts += np.bincount(labels.part, minlength=3)

    def _number(self, group: Group) -> int:
        """Number of a group; a new one is written down."""
        if group not in self._numbers:
            self._numbers[group] = len(self._groups)
            self._groups.append({
                "exposure": group.exposure, "chip": group.chip, "filter": group.filter,
                "instrument": group.instrument, "shape": list(group.shape),
                "psf": None if group.psf is None else self._psf(group.psf), "facts": group.facts,
            })  # fmt: skip
        return self._numbers[group]

    def _psf(self, psf: PSFSamples) -> dict[str, Any]:
        side = psf.values.shape[1]
        if self._samples not in (0, side):
            expected = f"{self._samples} x {self._samples}, as of the first"
            raise ParameterError("psf", f"{side} x {side} samples", expected)
        data = np.ascontiguousarray(psf.values, "<f4").tobytes()
        self._digest.update(data)
        self._files[PSF_FILE].write(data)
        first, self._samples = self._nodes, side
        self._nodes += len(psf.values)
        return {
            "first": first, "nodes": len(psf.values), "x": list(psf.nodes.x),
            "y": list(psf.nodes.y), "kind": psf.nodes.kind, "radius": psf.radius, "step": psf.step,
        }  # fmt: skip

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            self._finish()
        except OSError as refused:
            raise OutputFileError(self.path, refused.strerror or str(refused)) from refused
        finally:
            self._abandon()

    def _finish(self) -> None:
        shapes = {
            RECORDS_FILE: (record_type(self.size), (self._rows,)),
            PSF_FILE: (np.dtype("<f4"), (self._nodes, self._samples, self._samples)),
        }
        for name, (kind, shape) in shapes.items():
            finish(self._files[name], kind, shape)
            self._files[name].close()
        if not self._nodes:
            (self._temporary / PSF_FILE).unlink()
        self._digest.update(json.dumps(self._groups, sort_keys=True).encode())
        facts = {
            "format": FORMAT, "version": VERSION, "size": self.size, "rows": self._rows,
            "parts": self._parts.tolist(), "digest": self._digest.hexdigest(),
            "meta": self.meta, "groups": self._groups,
        }  # fmt: skip
        (self._temporary / META_FILE).write_text(json.dumps(facts) + "\n", encoding="utf-8")
        old = self.path.with_name(f".{self.path.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.path.exists():
            self.path.rename(old)
        self._temporary.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)

    def _abandon(self) -> None:
        for file in self._files.values():
            file.close()
        shutil.rmtree(self._temporary, ignore_errors=True)


def check_store_output(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Check, before the work is done, that stamps could be written to a folder.

    Parameters
    ----------
    path : path-like
        The folder.
    overwrite : bool
        Whether another set of stamps of this name may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputFileError
        If it exists and is not to be replaced, or the folder that it is to lie in is missing or
        write-protected.
    """
    path = Path(path)
    if path.exists() or path.is_symlink():
        if not overwrite:
            raise OutputFileError(path, "it exists", "choose another name, or remove it first")
        if not (path / META_FILE).is_file() or not (path / RECORDS_FILE).is_file():
            raise OutputFileError(path, "it exists and holds no stamps", "choose another name")
    parent = path.resolve().parent
    if not parent.is_dir():
        raise OutputFileError(path, f"there is no folder {parent}", "make it first")
    if not os.access(parent, os.W_OK):
        raise OutputFileError(path, f"no permission to write {parent}")
    return path


def write_stamps(
    path: str | os.PathLike[str],
    stamps: Stamps,
    labels: Labels,
    meta: dict[str, Any] | None = None,
    *,
    overwrite: bool = False,
) -> StampStore:
    """Write stamps that are in memory.

    Parameters
    ----------
    path, meta, overwrite
        See `StampWriter`.
    stamps : Stamps
        Rasters.
    labels : Labels
        One per stamp.

    Returns
    -------
    StampStore
    """
    with StampWriter(path, stamps.size, meta, overwrite=overwrite) as writer:
        writer.append(stamps, labels)
    return StampStore.open(path)
