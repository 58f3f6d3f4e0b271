"""SDSS mask files (fpM): spans of saturated, interpolated and cosmic-ray pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.exposure import BoolImage
from filar.instruments.fits import open_fits

_PREFIX = "S_MASK_"
_SPAN_BYTES = 6  # row, first and last column, two bytes each, most significant first


def read_mask(path: Path, shape: tuple[int, int], kinds: tuple[str, ...]) -> dict[str, BoolImage]:
    """Read planes of an fpM file.

    Rows and columns count from 0 as those of the frame do; both ends of a span belong to it.

    Parameters
    ----------
    path : Path
        The file.
    shape : (int, int)
        Rows and columns of the frame.
    kinds : tuple of str
        Planes wanted, by the names of the file's own list without prefix: ``"SATUR"``,
        ``"INTERP"``, ``"CR"`` ...

    Returns
    -------
    dict
        A (ny, nx) bool array for each.

    Raises
    ------
    InputFileError
        If the file is no mask file, lacks a plane, belongs to a frame of another shape or holds
        spans outside of it.
    """
    with open_fits(path) as hdus:
        header = hdus[0].header
        found = (header.get("MASKROWS", shape[0]), header.get("MASKCOLS", shape[1]))
        if found != shape:
            raise InputFileError(
                path, f"a mask of {found[0]} x {found[1]} pixels", f"{shape[0]} x {shape[1]}"
            )
        numbers = _plane_numbers(path, hdus)
        planes: dict[str, BoolImage] = {}
        for kind in kinds:
            number = numbers.get(kind)
            if number is None or number >= len(hdus):
                raise InputFileError(
                    path, f"no plane {kind}", f"one of {', '.join(numbers) or 'SATUR, INTERP'}"
                )
            planes[kind] = _plane(path, hdus[number].data, shape)
    return planes


def _plane_numbers(path: Path, hdus: Any) -> dict[str, int]:
    """Which extension holds which kind of mask: a table at the end of the file says."""
    for hdu in hdus[1:]:
        names = {name.lower(): name for name in getattr(hdu.data, "names", None) or ()}
        if {"attributename", "value"} <= names.keys():
            return {
                str(row[names["attributename"]]).strip().removeprefix(_PREFIX): int(
                    row[names["value"]]
                )
                + 1
                for row in hdu.data
                if str(row[names["attributename"]]).strip().startswith(_PREFIX)
            }
    raise InputFileError(path, "no table of mask types", "an SDSS fpM file")


def _plane(path: Path, table: Any, shape: tuple[int, int]) -> BoolImage:
    plane = np.zeros(shape, dtype=bool)
    if table is None or len(table) == 0:
        return plane
    if "s" not in (table.names or ()):
        raise InputFileError(path, "a plane without spans", "a column s")
    spans = np.concatenate([_spans(path, cell) for cell in table["s"]])
    row, first, last = spans.T
    outside = (row >= shape[0]) | (last >= shape[1]) | (first > last)
    if outside.any():
        bad = spans[outside][0]
        raise InputFileError(
            path,
            f"the span of columns {bad[1]} to {bad[2]} in row {bad[0]}",
            f"spans within {shape[0]} x {shape[1]} pixels",
        )
    # A difference array: +1 where a span begins, -1 behind its end.
    steps = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    np.add.at(steps, (row, first), 1)
    np.add.at(steps, (row, last + 1), -1)
    plane[:] = np.cumsum(steps[:, :-1], axis=1) > 0
    return plane


def _spans(path: Path, cell: Any) -> NDArray[np.intp]:
    """One object's spans: (n, 3) of row, first and last column."""
    raw = np.ascontiguousarray(cell, dtype=np.uint8)
    if raw.size % _SPAN_BYTES:
        raise InputFileError(
            path, f"spans of {raw.size} bytes", f"a multiple of {_SPAN_BYTES}", "fetch it again"
        )
    return raw.view(">u2").reshape(-1, 3).astype(np.intp)
