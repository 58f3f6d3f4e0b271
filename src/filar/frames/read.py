"""Reading star lists: from catalogues of `filar measure` and from hst1pass."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.catalogfile import SUFFIXES
from filar.errors import FilarError, InputFileError, ParameterError
from filar.flags import Flag
from filar.frames.columns import Columns, read_columns
from filar.frames.starlist import FloatArray, StarList

POSITIONS = ("auto", "xy", "uv", "XY")
_ENDING = re.compile(r"_(flt|flc|c[01][fm])$")
_TEXT = ("exposure", "chip", "filter", "method")
MIXED = "auto"
"""Method of a list of which some stars were measured by one method, some by another."""
_NUMBERS = {
    "mag": "mag",
    "x_err": "x_err",
    "y_err": "y_err",
    "snr": "snr",
    "qfit": "q",
    "flags": "flags",
}


def read_lists(
    paths: Sequence[str | os.PathLike[str]],
    *,
    positions: str = "auto",
    method: str | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[list[StarList], list[str]]:
    """Read the star lists of many files.

    Parameters
    ----------
    paths : sequence of path-like
        Catalogues (``.ecsv``, ``.fits``, ``.parquet``) of any number of exposures and chips, and
        star lists of hst1pass (any other suffix).
    positions : {"auto", "xy", "uv", "XY"}
        Columns of an hst1pass list to take: measured (xy), distortion corrected in the reference
        frame (uv) or on the chip (XY). ``auto`` takes the first of these that is there.
    method : str, optional
        Of catalogues, take only what this method measured.
    progress : callable, optional
        Called with the part that is done, 0 to 1, and what is being done.

    Returns
    -------
    lists : list of StarList
        In the order of the files, and within a file as the exposures first occur.
    errors : list of str
        A line for each file that could not be read.

    Raises
    ------
    ParameterError
        If ``positions`` is none of these.
    """
    if positions not in POSITIONS:
        raise ParameterError("positions", positions, "one of " + ", ".join(POSITIONS))
    lists: list[StarList] = []
    errors: list[str] = []
    for i, path in enumerate(map(Path, paths)):
        if progress is not None:
            progress(i / len(paths), f"reading {path.name}")
        try:
            if path.suffix.lower() in SUFFIXES:
                lists += read_catalog_lists(path, method=method)
            else:
                lists += read_hst1pass(path, positions=positions)
        except FilarError as error:
            errors.append(str(error))
    return lists, errors


def read_catalog_lists(path: Path, *, method: str | None = None) -> list[StarList]:
    """Read the star lists of a catalogue, one per exposure and chip.

    Stars of one exposure that were measured by different methods, as `filar measure` does where
    a network does not apply to all of them, make one list; unless a star is there twice.

    Parameters
    ----------
    path : Path
        ``.ecsv``, ``.fits`` or ``.parquet``.
    method : str, optional
        Take only what this method measured.

    Returns
    -------
    list of StarList
        In the order in which they first occur.

    Raises
    ------
    InputFileError
        If it cannot be read, lacks ``exposure``, ``x_fit`` or ``y_fit``, holds no stars, or
        nothing by that method.
    """
    columns = read_columns(path, ["exposure", "x_fit", "y_fit"], [*_TEXT[1:], "id", *_NUMBERS])
    if not len(columns["x_fit"]):
        raise InputFileError(path, "it holds no stars", "one or more")
    lists = []
    for rows in _groups(columns, method):
        names = {name: _text(columns, name, rows) for name in _TEXT}
        numbers: dict[str, Any] = {
            key: columns[name][rows] for name, key in _NUMBERS.items() if name in columns
        }
        numbers = {k: v.astype(np.int32 if k == "flags" else float) for k, v in numbers.items()}
        x, y = columns["x_fit"][rows], columns["y_fit"][rows]
        lists.append(StarList.build(x, y, **names, **numbers, source=str(path)))
    if not lists:
        found = ", ".join(sorted({str(v) for v in columns.get("method:values", []) if v}))
        expected = f"one of {found}" if found else "a catalogue that names its method"
        raise InputFileError(path, f"nothing in it was measured by {method}", expected)
    return lists


def _groups(columns: Columns, method: str | None) -> list[NDArray[np.int64]]:
    """Rows of each list, in the order in which the lists first occur."""
    lists = []
    for rows in _split_by(columns, np.arange(len(columns["x_fit"])), _TEXT[:3]):
        methods = _split_by(columns, rows, ("method",))
        if method is not None:
            lists += [part for part in methods if _text(columns, "method", part) == method]
        elif "id" in columns and len(np.unique(columns["id"][rows])) == len(rows):
            lists.append(rows)
        else:
            lists += methods
    return lists


def _split_by(
    columns: Columns, rows: NDArray[np.int64], names: Sequence[str]
) -> list[NDArray[np.int64]]:
    """Rows that agree in the texts of some columns, in the order in which they first occur."""
    number = np.zeros(len(rows), np.int64)
    for name in names:
        if name in columns:
            number = number * (len(columns[f"{name}:values"]) + 1) + columns[name][rows] + 1
    borders = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
    runs: dict[int, list[NDArray[np.int64]]] = {}
    stops = np.append(borders[1:], len(number))
    for start, stop in zip(borders, stops, strict=True):
        runs.setdefault(int(number[start]), []).append(rows[start:stop])
    return [np.concatenate(parts) for parts in runs.values()]


def _text(columns: Columns, name: str, rows: NDArray[np.int64]) -> str:
    if name not in columns:
        return ""
    codes = columns[name][rows]
    return str(columns[f"{name}:values"][codes[0]]) if (codes == codes[0]).all() else MIXED


def read_hst1pass(path: Path, *, positions: str = "auto") -> list[StarList]:
    """Read a star list of hst1pass, or one that `filar measure --xym` wrote.

    Parameters
    ----------
    path : Path
        The header names the columns, as ``OUT=`` asked for them. The exposure is the file's name
        up to the first dot, less ``_flt`` and the like; the filter is the header's.
    positions : {"auto", "xy", "uv", "XY"}
        See `read_lists`.

    Returns
    -------
    list of StarList
        One per chip (column ``k``), or per exposure and chip of a list of ours; pixels from 0.
        Stars of q = 0, by which hst1pass marks saturated ones, are flagged.

    Raises
    ------
    InputFileError
        If it cannot be read, lacks the positions asked for, or holds no stars.
    """
    from filar.xym import read_xym

    table = read_xym(path)
    kinds = [positions] if positions != "auto" else list(POSITIONS[1:])
    kind = next((kind for kind in kinds if set(kind) <= set(table.colnames)), None)
    if kind is None:
        found = f"its columns are {''.join(table.colnames)}"
        measured = " as measured on the detector" if kinds == ["xy"] else ""
        advice = f"ask hst1pass for them, e.g. OUT={kinds[0]}mq"
        raise InputFileError(path, found, f"positions {' or '.join(kinds)}{measured}", advice)
    if not len(table):
        raise InputFileError(path, "it holds no stars", "one or more")
    ours = "f" in table.colnames
    values: dict[str, Any] = {"mag": _column(table, "wmM" if kind == "uv" else "mMw")}
    values["q"] = _column(table, "q")
    if ours:
        values |= {"x_err": _column(table, "e"), "y_err": _column(table, "e")}
        values["flags"] = np.asarray(table["f"], np.int32)
    elif "q" in table.colnames:
        values["flags"] = np.where(values["q"] == 0, int(Flag.SATURATED), 0).astype(np.int32)
    everything = StarList.build(
        table[kind[0]].value,
        table[kind[1]].value,
        exposure=_ENDING.sub("", path.name.split(".")[0]),
        filter=str(table.meta.get("filter", "")),
        method="filar" if ours else "hst1pass",
        source=str(path),
        **values,
    )
    return _split(everything, table, ours)


def _split(stars: StarList, table: Any, ours: bool) -> list[StarList]:
    """Make one list of each chip, and of each exposure where the column ``n`` names them."""
    none = np.full(len(stars), "")
    chips = none if "k" not in table.colnames else _names(table["k"])
    names = np.asarray(table["n"]) if ours and "n" in table.colnames else none
    lists = []
    for name, chip in dict.fromkeys(zip(names.tolist(), chips.tolist(), strict=True)):
        part = stars[(names == name) & (chips == chip)]
        lists.append(replace(part, exposure=name or stars.exposure, chip=chip))
    return lists


def _names(chips: Any) -> NDArray[np.str_]:
    """Names of chips that hst1pass numbers: a whole number without its point."""
    return np.array([str(chip).removesuffix(".0") for chip in np.asarray(chips).tolist()])


def _column(table: Any, keys: str) -> FloatArray:
    """First of the columns that is there, NaN if none is: (n,) array."""
    for key in keys:
        if key in table.colnames:
            return np.asarray(table[key], float)
    return np.full(len(table), np.nan)
