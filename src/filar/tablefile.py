"""Tables in files of any kind, and where in the sky their rows are."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.catalogfile import read_catalog
from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.table import Table

FloatArray = NDArray[np.float64]

POSITIONS = (
    ("ra", ("dec", "de", "decl")),
    ("ra_deg", ("dec_deg", "de_deg")),
    ("radeg", ("decdeg", "dedeg")),
    ("ra_icrs", ("de_icrs", "dec_icrs")),
    ("raj2000", ("dej2000", "decj2000")),
    ("_raj2000", ("_dej2000",)),
    ("_ra_icrs", ("_de_icrs",)),
    ("_ra", ("_de", "_dec")),
    ("ra_j2000", ("dec_j2000", "de_j2000")),
    ("alpha_j2000", ("delta_j2000",)),
    ("alphawin_j2000", ("deltawin_j2000",)),
    ("ramean", ("decmean",)),
    ("alpha", ("delta",)),
    ("right_ascension", ("declination",)),
)
"""Names of right ascension and declination, upper and lower case alike, the best pair first."""

_FORMATS = {
    ".ecsv": "ascii.ecsv", ".fits": "fits", ".fit": "fits", ".fts": "fits", ".csv": "ascii.csv",
    ".vot": "votable", ".votable": "votable", ".xml": "votable",
    ".tsv": "ascii.tab", ".tab": "ascii.tab",
}  # fmt: skip
_HOURS = re.compile(r"^\s*\d+[:\sh]+\d+[:\sm]")
_SPACED_SIGN = re.compile(r"([+-])\s+(?=\d)")


def read_table(path: Path, expected: str = "a table") -> Table:
    """Read a table of any kind of file.

    Parameters
    ----------
    path : Path
        ``.ecsv``, ``.fits``, ``.csv``, ``.tsv``, ``.parquet``, VOTable (``.vot``, ``.xml``), or
        text with a line of column names.
    expected : str
        What it should be, for messages.

    Returns
    -------
    Table
        With one or more rows.

    Raises
    ------
    InputFileError
        If there is no such file, it cannot be understood or has no row.
    """
    if not path.is_file():
        raise InputFileError(path, "there is no such file", expected)
    if path.suffix.lower() == ".parquet":  # astropy's own reader needs pandas
        table = read_catalog(path)
    else:
        table = _read_other(path, expected)
    if not len(table):
        raise InputFileError(path, "there is no row in it", expected)
    return table


def _read_other(path: Path, expected: str) -> Table:
    from astropy.table import Table

    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".bz2")]
    form = _FORMATS.get(suffixes[-1] if suffixes else "", "ascii")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units and the like of other programs
        try:
            return Table.read(path, format=form)
        except Exception as error:  # the libraries raise whatever a file makes them stumble at
            # Of what was tried on text, astropy tells pages.
            lines = str(error).strip().splitlines() or [type(error).__name__]
            found = "no table in any form that is known" if len(lines) > 2 else lines[0]
            raise InputFileError(
                path, f"cannot be read: {found}", f"{expected}, with named columns"
            ) from error


def sky_positions(path: Path, table: Table) -> tuple[FloatArray, FloatArray, str]:
    """Find right ascensions and declinations.

    Parameters
    ----------
    path : Path
        The file, for messages.
    table : Table
        Its content.

    Returns
    -------
    ra, dec : (n,) float64 arrays
        Degrees; NaN where missing.
    where : str
        The columns' names, for messages.

    Raises
    ------
    InputFileError
        If there are no such columns, or text in them that is no position.
    """
    lower = {name.lower(): name for name in reversed(table.colnames)}
    for ra, decs in POSITIONS:
        for dec in decs:
            if ra in lower and dec in lower:
                first, second = lower[ra], lower[dec]
                east = _degrees(path, table, first, hours=True)
                north = _degrees(path, table, second, hours=False)
                return east, north, f"columns {first} and {second}"
    expected = "columns ra and dec (or RA_ICRS and DE_ICRS, RAJ2000 and DEJ2000 ...), degrees"
    raise InputFileError(path, f"no positions; its columns: {listed(table)}", expected)


def _degrees(path: Path, table: Table, name: str, *, hours: bool) -> FloatArray:
    """Angles in degrees; text like 21:33:27 is hours in right ascension."""
    from astropy import units
    from astropy.coordinates import Angle

    column = table[name]
    if np.asarray(column[:1]).dtype.kind not in "USO":
        unit = getattr(column, "unit", None)
        factor = 1.0
        if unit is not None and unit.is_equivalent(units.deg):
            factor = float(unit.to(units.deg))
        return factor * numbers(path, table, name)
    text = [_SPACED_SIGN.sub(r"\1", str(value).strip()) for value in column]
    sexagesimal = any(_HOURS.match(value.lstrip("+-")) for value in text)
    unit = units.hourangle if hours and sexagesimal else units.deg
    try:
        if not sexagesimal:
            return np.array([float(value or "nan") for value in text])
        return np.array([Angle(v, unit).deg if v and v != "--" else np.nan for v in text])
    except Exception as error:  # astropy's parser raises several kinds
        found = f"column {name} holds text that is no angle: {error}"
        raise InputFileError(path, found, "degrees, or 21:33:27 -00:49:24") from error


def numbers(path: Path, table: Table, name: str) -> FloatArray:
    """Give a column's numbers; NaN where masked or empty.

    Raises
    ------
    InputFileError
        If it holds something else.
    """
    values = np.ma.asanyarray(getattr(table[name], "value", table[name]))
    try:
        if values.dtype.kind in "US":
            text = np.char.strip(np.asarray(values).astype(str))
            values = np.ma.array(np.where(text == "", "nan", text), mask=np.ma.getmask(values))
        plain: FloatArray = values.astype(float).filled(np.nan)
    except (TypeError, ValueError) as error:
        found = f"column {name} holds {np.asarray(values)[0]!r}"
        raise InputFileError(path, found, "numbers") from error
    if plain.ndim != 1:
        raise InputFileError(path, f"column {name} has several values in a row", "one")
    return plain


def listed(table: Table) -> str:
    """The names of a table's columns, some thirty at most."""
    names = list(table.colnames)
    return ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
