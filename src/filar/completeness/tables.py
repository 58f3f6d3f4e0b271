"""Tables of other programs: bare numbers, text with a header, CSV, ECSV, FITS, Parquet."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.catalogfile import SUFFIXES, read_catalog
from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.table import Table

FloatArray = NDArray[np.float64]

LOST_DELTA = 9.0
"""No star is measured that many magnitudes off: such a difference says that it was lost."""
NO_MAGNITUDE = 90.0
"""Programs write 99.99, 99.999 or -99 where there is no magnitude."""
_NINES = 9.999  # written for "none" too, and a magnitude that a bright star may have


def read_numbers(path: Path) -> FloatArray:
    """Read a text file of bare numbers between blanks; what follows a # is passed over.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    (n, m) float64 array
        One or more rows.

    Raises
    ------
    InputFileError
        If there is no such file, it has no row, rows of different lengths, or text in it.
    """
    require(path)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*input contained no data")
            numbers = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "rows of numbers") from error
    if not numbers.size:
        raise InputFileError(path, "there is no row in it", "a row of numbers for each star")
    return numbers


def read_table(path: Path) -> Table:
    """Read a table of any kind of file.

    Parameters
    ----------
    path : Path
        ``.ecsv``, ``.fits`` or ``.parquet``; ``.csv``; any other file is taken as text between
        blanks, its columns named by a first line of words, with or without a # before them, or
        else ``col1, col2, ...``.

    Returns
    -------
    Table
        With one or more rows. Nothing is masked: missing numbers are NaN, missing truth is False;
        times and coordinates are columns of numbers.

    Raises
    ------
    InputFileError
        If there is no such file, it cannot be understood or has no row.
    """
    require(path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="astropy")  # units of other programs
        table = _read_known(path) if path.suffix.lower() in SUFFIXES else _read_text(path)
    if not len(table):
        raise InputFileError(path, "there is no row in it", "a row for each star")
    for name in table.colnames:
        _unmask(table, name)
    return table


def require(path: Path) -> None:
    """Raise an InputFileError if there is no such file."""
    if not path.is_file():
        raise InputFileError(path, "there is no such file", "a table of stars")


def has_magnitude(values: FloatArray) -> NDArray[np.bool_]:
    """Tell which are magnitudes, and not NaN or the 99.999 of other programs."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(values) & (np.abs(values) < NO_MAGNITUDE)


def found_magnitudes(mag_in: FloatArray, mag_out: FloatArray) -> FloatArray:
    """Give output magnitudes with NaN for those that say "lost".

    Parameters
    ----------
    mag_in, mag_out : (n, b) array
        Magnitudes given and found.

    Returns
    -------
    (n, b) float64 array
        NaN where the output is not finite, 9 or more magnitudes off, or 9.999 and no match.
    """
    with np.errstate(invalid="ignore"):
        off = np.abs(mag_out - mag_in)
        nines = (np.abs(mag_out - _NINES) < 6e-4) & (off > 2.0)
        return np.where(has_magnitude(mag_out) & ~nines & ~(off > LOST_DELTA), mag_out, np.nan)


def _read_known(path: Path) -> Table:
    """Read ECSV, FITS or Parquet; times and coordinates, which filar does not write, as numbers."""
    try:
        return read_catalog(path)
    except InputFileError:
        if path.suffix.lower() == ".parquet":
            raise
        from astropy.table import Table, serialize

        form = "ascii.ecsv" if path.suffix.lower() == ".ecsv" else "fits"
        try:
            flat = serialize.represent_mixins_as_columns(Table.read(path, format=form))
        except Exception:  # as above: what it is, the first error says
            flat = None
        if flat is None:
            raise
        flat.meta.pop("__serialized_columns__", None)
        return flat


def _unmask(table: Table, name: str) -> None:
    """Put what filar's files can hold in the place of masked values and unsigned numbers."""
    from astropy.table import Column

    column = table[name]
    mask = getattr(column, "mask", None)
    if mask is None and column.dtype.kind != "u" and column.dtype.isnative:
        return
    missing = np.broadcast_to(False if mask is None else mask, column.shape)
    values: NDArray[Any] = np.array(_bare(column))
    kind = values.dtype.kind
    if kind in "iuf" and missing.any():
        values = values.astype(float)
    elif kind == "u":
        values = values.astype(np.int64)
    values = values.astype(values.dtype.newbyteorder("="))
    if missing.any():
        values[missing] = {"U": "", "S": b"", "b": False}.get(kind, np.nan)
    info = column.info
    plain = Column(values, unit=info.unit, description=info.description)
    plain.info.format = info.format
    table[name] = plain


def _bare(column: Any) -> Any:
    """Give the values below a unit and a mask."""
    values = getattr(column, "value", column)
    return getattr(values, "unmasked", getattr(values, "data", values))


def _read_text(path: Path) -> Table:
    from astropy.io import ascii as text
    from astropy.table import Table

    options: dict[str, Any] = {"format": "csv"}
    try:
        if path.suffix.lower() != ".csv":
            options = _text_options(path)
        return Table(text.read(path, guess=False, **options))
    except InputFileError:
        raise
    except Exception as error:  # the parsers raise whatever a damaged file makes them stumble at
        found = f"cannot be read: {error}"
        raise InputFileError(path, found, "a table with as many fields in each row") from error


def _text_options(path: Path) -> dict[str, Any]:
    """Tell by its first lines how a text file names its columns."""
    with path.open(encoding="utf-8") as file:
        lines = (line.strip() for _, line in zip(range(1000), file, strict=False))
        filled = [line for line in lines if line.strip("# ")]
    if not filled:
        raise InputFileError(path, "there is no row in it", "a row for each star")
    data = next((i for i, line in enumerate(filled) if line[0] != "#"), len(filled) - 1)
    if data and len(filled[data - 1].lstrip("#").split()) == len(filled[data].split()):
        # the last of the comments has a word for each field
        return {
            "format": "no_header",
            "names": filled[data - 1].lstrip("#").split(),
            "comment": "#",
        }
    bare = all(_is_number(word) for word in filled[data].split())
    return {"format": "no_header" if bare else "basic", "comment": "#"}


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
