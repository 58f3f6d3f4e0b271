"""How a stamp and its label lie in a file: one record of numbers."""

from __future__ import annotations

import struct
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from filar.stamps.labels import Labels
from filar.stamps.stamps import Group, Stamps

Records = NDArray[np.void]
HEADER = 4096
"""Bytes before the data of a file whose number of rows is not known when it is begun."""

_STAMPS = {
    "pixels": "<f4", "bad": "?", "corner_x": "<i4", "corner_y": "<i4", "x_start": "<f8",
    "y_start": "<f8", "flux": "<f4", "sky": "<f4", "read_noise": "<f4", "mag": "<f4",
    "group": "<i4",
}  # fmt: skip
_LABELS = {one.name: "<f4" for one in fields(Labels)}
_LABELS |= {"star": "<i8", "part": "u1", "row": "<i4", "flags": "<i4"}


def record_type(size: int) -> np.dtype[np.void]:
    """Type of the records of rasters of a size."""
    shaped = ("pixels", "bad")
    columns = [
        (name, kind, (size, size)) if name in shaped else (name, kind)
        for name, kind in {**_STAMPS, **_LABELS}.items()
    ]
    return np.dtype(columns)


def to_records(stamps: Stamps, labels: Labels) -> Records:
    """Put n stamps and their labels into records: (n,) structured array."""
    records: Records = np.empty(len(stamps), record_type(stamps.size))
    for name, column in {**stamps.columns(), **labels.columns()}.items():
        records[name] = column
    return records


def from_records(records: Records, groups: tuple[Group, ...]) -> tuple[Stamps, Labels]:
    """Take records apart; the arrays are new."""
    columns: dict[str, Any] = {
        name: np.ascontiguousarray(records[name]) for name in records.dtype.names or ()
    }
    labels = Labels(**{name: columns.pop(name) for name in _LABELS})
    return Stamps(**columns, groups=groups), labels


def begin(file: IO[bytes]) -> None:
    """Leave room for the header of an array file."""
    file.write(b"\0" * HEADER)


def finish(file: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Write the header of an array file (numpy's format 1.0) before the data that follow it."""
    facts = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    text = repr(facts).encode("latin1")
    room = HEADER - len(npy.magic(1, 0)) - 2
    file.seek(0)
    file.write(npy.magic(1, 0) + struct.pack("<H", room) + text.ljust(room - 1) + b"\n")


def rows_of(path: Path, kind: np.dtype[Any]) -> int:
    """Number of rows of an array file.

    Raises
    ------
    ValueError
        If it holds something else, or less than its header says.
    OSError
        If it cannot be read.
    """
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != kind:
        raise ValueError(f"{path.name} holds other columns")
    return len(array)
