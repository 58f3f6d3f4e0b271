"""Text tables of nothing but numbers, as published catalogues of clusters come."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError

FloatArray = NDArray[np.float64]

_WORDS_FOR_NOTHING = frozenset({"indef", "nan", "null", "--", "..."})


def read_numbers(path: str | PathLike[str], columns: int | None, what: str) -> FloatArray:
    """Read lines of numbers; those that begin with ``#`` are comments.

    Parameters
    ----------
    path : str or path-like
        The file.
    columns : int or None
        How many numbers each line has; None takes what the first line has.
    what : str
        Which table is expected, for messages.

    Returns
    -------
    (rows, columns) float64 array
        IRAF's INDEF and other words for nothing are NaN.

    Raises
    ------
    InputFileError
        If there is no such file, it is no text, has no row, or a line has another number of
        fields or one that is no number.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise InputFileError(path, "there is no such file", what) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"cannot be read as text: {error}", what) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        columns = columns or len(fields)
        if len(fields) != columns:
            found = f"line {number} has {len(fields)} fields"
            raise InputFileError(path, found, f"{columns} numbers in each line: {what}")
        try:
            rows.append([_number(field) for field in fields])
        except ValueError as error:
            found = f"line {number}: {error}"
            raise InputFileError(path, found, f"{columns} numbers in each line: {what}") from error
    if not rows:
        raise InputFileError(path, "it has no line of numbers", what)
    return np.array(rows, dtype=np.float64)


def _number(field: str) -> float:
    return float("nan") if field.lower() in _WORDS_FOR_NOTHING else float(field)


def without(values: FloatArray, missing: tuple[float, ...]) -> FloatArray:
    """Put NaN in the place of a catalogue's numbers for nothing.

    Parameters
    ----------
    values : float64 array
        Numbers as they were read.
    missing : tuple of float
        What stands for nothing, to a few times 1e-4.

    Returns
    -------
    float64 array
        A copy.
    """
    values = values.copy()
    for number in missing:
        values[np.isclose(values, number, rtol=0, atol=5e-4)] = np.nan
    return values


def log10(values: FloatArray) -> FloatArray:
    """Logarithm of positive values; NaN for all others."""
    known = np.where(values > 0, values, np.nan)
    return np.asarray(np.log10(known), dtype=np.float64)
