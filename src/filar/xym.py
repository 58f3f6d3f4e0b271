"""Star lists as text in the manner of hst1pass: the only place where pixels count from 1."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.table import QTable

_LEGEND = (
    ("x", "x position, pixels from 1"),
    ("y", "y position, pixels from 1"),
    ("m", "magnitude"),
    ("q", "quality of fit"),
    ("e", "1-sigma error of a coordinate, pixels, mean of x and y"),
    ("f", "flags, a bit field; 0 = good"),
    ("k", "chip"),
    ("n", "exposure"),
)
_KEY_LINE = re.compile(r"#\s*\(\d+\)\s+(\S+)\s+--")
_OUT = re.compile(r"#.*\bOUT=(\S+)")
_FILTER = re.compile(r"#\s*FILT:\s+(\S+)")


def to_one_based(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Count pixels from 1 instead of from 0.

    Parameters
    ----------
    pixels : array
        Positions; 0 is the first pixel's centre.

    Returns
    -------
    array
        The same positions; 1 is the first pixel's centre.
    """
    return np.asarray(pixels, dtype=np.float64) + 1.0


def from_one_based(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Count pixels from 0 instead of from 1: the inverse of `to_one_based`.

    Parameters
    ----------
    pixels : array
        Positions; 1 is the first pixel's centre.

    Returns
    -------
    array
        The same positions; 0 is the first pixel's centre.
    """
    return np.asarray(pixels, dtype=np.float64) - 1.0


def write_xym(
    tables: Iterable[QTable], path: str | os.PathLike[str], *, mag_system: str = "instrumental"
) -> int:
    """Write star lists as text, columns named in the header as hst1pass does.

    Parameters
    ----------
    tables : iterable of QTable
        Catalogues, taken one after the other.
    path : str or path-like
        The file.
    mag_system : str
        System of the magnitudes, named in the header.

    Returns
    -------
    int
        Number of stars written.

    Raises
    ------
    OutputFileError
        If the file cannot be written; nothing is left behind then.
    """
    from filar.wholefile import whole_file

    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        _write_header(file, Path(path).name, mag_system)
        return sum(_write_rows(file, table) for table in tables)


def _write_header(file: IO[str], name: str, system: str) -> None:
    from filar import __version__

    keys = "".join(key for key, _ in _LEGEND)
    file.write(f"# filar {__version__}\n# OUT={keys}\n# FILEOUT: {name}\n#\n")
    for i, (key, text) in enumerate(_LEGEND, start=1):
        extra = f", {system}" if key == "m" else ""
        file.write(f"# ({i:02d})  {key} -- {text}{extra}\n")
    file.write("#\n#....x..... ....y..... ...m.... ...q... ...e... ..f.. .k. .n.\n#\n")


def _write_rows(file: IO[str], table: QTable) -> int:
    x, y = to_one_based(table["x_fit"].value), to_one_based(table["y_fit"].value)
    error = np.hypot(table["x_err"].value, table["y_err"].value) / np.sqrt(2)
    columns = (table["mag"].value, table["qfit"], error, table["flags"])
    names = (table["chip"], table["exposure"])
    for row in zip(x, y, *columns, *names, strict=True):
        numbers = "%11.4f %10.4f %8.4f %7.4f %7.4f %5d" % row[:6]  # noqa: UP031
        file.write(f"{numbers} {row[6] or '-'} {row[7] or '-'}\n")
    return len(table)


def read_xym(path: str | os.PathLike[str]) -> QTable:
    """Read a star list whose header names its columns: ours or hst1pass's own.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    QTable
        One column per key of the header, ``x``, ``y``, ``X``, ``Y``, ``u``, ``v`` in pixels
        from 0. Columns of ours that hold names are text. Numbers too long for their columns,
        which Fortran prints as asterisks, are NaN. ``meta["filter"]`` is the header's filter,
        if it names one.

    Raises
    ------
    InputFileError
        If it cannot be read, the header names no columns or a row does not fit them.
    """
    from astropy.table import QTable
    from astropy.units import Quantity

    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "a star list") from error
    header = [line for line in lines if line.startswith("#")]
    keys = _keys(header)
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise InputFileError(
            path,
            "no header line names a column",
            "a line such as '# (01)  x -- x position' or '# OUT=xym'",
        )
    if any(len(row) != len(keys) for row in rows):
        raise InputFileError(path, "a row has another number of values", f"{len(keys)} per row")
    filters = [match.group(1) for line in header if (match := _FILTER.match(line))]
    table = QTable(meta={"filter": filters[0]} if filters else {})
    try:
        for i, key in enumerate(keys):
            text = np.array([row[i] for row in rows], dtype=str)
            text = np.where(np.char.startswith(text, "***"), "nan", text)
            if key in ("k", "n") and "f" in keys:
                table[key] = np.where(text == "-", "", text)
            elif key in tuple("xyXYuv"):
                table[key] = Quantity(from_one_based(text.astype(np.float64)), "pix")
            else:
                table[key] = text.astype(np.int32 if key == "f" else np.float64)
    except ValueError as error:
        raise InputFileError(path, f"not a number: {error}", "numbers") from error
    return table


def _keys(header: list[str]) -> list[str]:
    """Names of the columns: those that are explained one by one, or else the ``OUT=`` given."""
    keys = [match.group(1) for line in header if (match := _KEY_LINE.match(line))]
    if keys:
        return keys
    given = [match.group(1) for line in header if (match := _OUT.match(line))]
    return list(given[-1]) if given else []
