"""What users' catalogues call their columns, and what stands in them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.catalogfile import read_catalog
from filar.errors import InputFileError
from filar.gaia import band_of
from filar.saturation.stetson import SUFFIXES as STETSON
from filar.saturation.stetson import read_stetson

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
MAGNITUDES = (
    "{}_mag", "mag_{}", "{}mag", "mag{}", "{}", "m_{}", "{}_mean_mag", "{}meanpsfmag",
    "psfmag_{}", "{}_psf_mag", "mag_psf_{}", "mag_auto_{}", "{}_vega", "{}_ab",
)  # fmt: skip
"""Names of the magnitude in a filter, which stands for the braces."""
ERRORS = ("{}_err", "{}_error", "e_{}", "err_{}", "{}err", "sigma_{}", "{}_sigma", "s_{}")
"""Names of the error of a magnitude, whose name stands for the braces."""
GAIA = {
    "g": ("phot_g_mean_mag", "Gmag"),
    "bp": ("phot_bp_mean_mag", "BPmag"),
    "rp": ("phot_rp_mean_mag", "RPmag"),
}
"""Gaia's magnitudes in the archive and in VizieR, which this once tells G from g."""
NUMBERS = (
    "source_id", "source", "id", "star", "star_id", "objid", "obj_id", "number", "gaia_id",
    "name", "main_id", "designation",
)  # fmt: skip
VARIABLE = ("variable", "phot_variable_flag", "varflag", "is_variable", "var", "vary?")
_YES = ("true", "t", "yes", "y", "1", "variable", "v")
_STETSON_VARIABLE = 0.05  # magnitudes of intrinsic variation above which his standards end

_FORMATS = {
    ".ecsv": "ascii.ecsv", ".fits": "fits", ".fit": "fits", ".fts": "fits", ".csv": "ascii.csv",
    ".vot": "votable", ".votable": "votable", ".xml": "votable",
    ".tsv": "ascii.tab", ".tab": "ascii.tab",
}  # fmt: skip
_NO_MAGNITUDE = 90.0
_HOURS = re.compile(r"^\s*\d+[:\sh]+\d+[:\sm]")
_SPACED_SIGN = re.compile(r"([+-])\s+(?=\d)")


def read_table(path: Path) -> Table:
    """Read a table of any kind of file.

    Parameters
    ----------
    path : Path
        See `filar.saturation.catalogs.read_star_catalog`.

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
        raise InputFileError(path, "there is no such file", "a catalogue of stars")
    if path.suffix.lower() in STETSON:
        return read_stetson(path)
    if path.suffix.lower() == ".parquet":  # astropy's own reader needs pandas
        table = read_catalog(path)
    else:
        table = _read_other(path)
    if not len(table):
        raise InputFileError(path, "there is no row in it", "a row for each star")
    return table


def _read_other(path: Path) -> Table:
    from astropy.table import Table

    suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".bz2")]
    form = _FORMATS.get(suffixes[-1] if suffixes else "", "ascii")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units and the like of other programs
        try:
            return Table.read(path, format=form)
        except Exception as error:  # the libraries raise whatever a file makes them stumble at
            found = f"cannot be read: {error or type(error).__name__}"
            raise InputFileError(path, found, "a table of stars with named columns") from error


def positions(path: Path, table: Table) -> tuple[FloatArray, FloatArray, str]:
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


def magnitudes(path: Path, table: Table, name: str) -> FloatArray:
    """Give a column's magnitudes; NaN for 99.999 and the like."""
    values = numbers(path, table, name)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < _NO_MAGNITUDE, values, np.nan)


def magnitude_errors(path: Path, table: Table, mag: str) -> FloatArray:
    """Give the errors of a column of magnitudes; NaN where not known or not positive."""
    bare = re.sub(r"(?i)^mag_|_?mag$", "", mag)
    wanted = [form.format(name) for name in (mag, bare) for form in ERRORS]
    wanted += [f"magerr_{bare}", f"{bare}_mag_err", f"emag_{bare}", f"dmag_{bare}"]
    found = _first(table, wanted)
    if found is None:
        return np.full(len(table), np.nan)
    errors = numbers(path, table, found)
    with np.errstate(invalid="ignore"):
        return np.where((errors >= 0) & (errors < 9), errors, np.nan)


def magnitude_column(table: Table, filter: str) -> str | None:
    """Name the column that holds the magnitudes in a filter.

    Parameters
    ----------
    table : Table
        A catalogue.
    filter : str
        The filter; upper and lower case of a single letter are different filters. Empty: the
        column ``mag``, or the only one that looks like a magnitude.

    Returns
    -------
    str or None
        None if there is none, or more than one without a filter.
    """
    if not filter:
        found = _first(table, ["mag"])
        rest = magnitude_columns(table)
        return found or (rest[0] if len(rest) == 1 else None)
    for name in dict.fromkeys((filter, filter.strip(" '"), band_of(filter))):
        if not name:
            continue
        exact = f"{re.escape(name)}'?" if len(name) < 3 else f"(?i:{re.escape(name)})"
        for form in MAGNITUDES:
            before, after = form.split("{}")
            pattern = re.compile(f"(?i:{re.escape(before)}){exact}(?i:{re.escape(after)})")
            for column in table.colnames:
                if pattern.fullmatch(column) and column not in _gaia_names():
                    return str(column)
    return None


def magnitude_columns(table: Table) -> list[str]:
    """Names of the columns that look like magnitudes, Gaia's apart."""
    looks = re.compile(r"(?i).*mag.*|[ugrizyUBVRIJHK]'?")
    error = re.compile(r"(?i).*(err|sigma|uncert|flag|num|count).*|e_.*|s_.*|magnitude_type")
    names = [name for name in table.colnames if name not in _gaia_names()]
    return [name for name in names if looks.fullmatch(name) and not error.fullmatch(name)]


def gaia_magnitude(path: Path, table: Table, band: str) -> FloatArray:
    """Give Gaia's magnitudes in G, BP or RP; NaN where there are none."""
    found = next((name for name in GAIA[band] if name in table.colnames), None)
    return np.full(len(table), np.nan) if found is None else magnitudes(path, table, found)


def identity(table: Table) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Give the stars' numbers (rows where there are none) and names (empty likewise)."""
    rows = np.arange(len(table), dtype=np.int64)
    number, name = rows, np.full(len(table), "")
    for found in _all(table, NUMBERS):
        values = np.ma.asanyarray(table[found])
        if values.dtype.kind in "iu" and number is rows and not np.ma.is_masked(values):
            number = np.asarray(values).astype(np.int64)
        elif values.dtype.kind in "USO" and not name.any():
            name = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in values])
    return number, name


def variability(table: Table) -> NDArray[np.bool_]:
    """Tell which stars a catalogue calls variable: (n,) bool array, all False if it tells not."""
    found = _first(table, VARIABLE)
    if found is None:
        return np.zeros(len(table), bool)
    values = np.ma.asanyarray(table[found])
    if values.dtype.kind == "b":
        return np.asarray(values.filled(False))
    if found == "vary?":
        return np.asarray(values.astype(float).filled(0) > _STETSON_VARIABLE)
    if values.dtype.kind in "iuf":
        return np.asarray(values.filled(0) > 0)
    texts = (v.decode() if isinstance(v, bytes) else str(v) for v in values)
    return np.array([text.strip().lower() in _YES for text in texts])


def proper_motions(path: Path, table: Table) -> tuple[FloatArray, FloatArray, float]:
    """Give proper motions (mas / yr; NaN where not known) and the positions' epoch (NaN)."""
    values = [
        np.full(len(table), np.nan) if name is None else numbers(path, table, name)
        for name in (_first(table, ["pmra", "pm_ra"]), _first(table, ["pmdec", "pmde", "pm_dec"]))
    ]
    epoch = _first(table, ["ref_epoch", "epoch"])
    year = np.nan
    if epoch is not None and table[epoch].dtype.kind in "iuf":
        year = float(np.nanmedian(numbers(path, table, epoch)))
    return values[0], values[1], year


def listed(table: Table) -> str:
    """The names of a table's columns, some thirty at most."""
    names = list(table.colnames)
    return ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")


def _gaia_names() -> set[str]:
    return {name for names in GAIA.values() for name in names}


def _all(table: Table, wanted: Iterable[str]) -> list[str]:
    lower = {name.lower(): name for name in reversed(table.colnames)}
    return [lower[name.lower()] for name in wanted if name.lower() in lower]


def _first(table: Table, wanted: Iterable[str]) -> str | None:
    """Name of the first column there is; its own case before others."""
    wanted = list(wanted)
    exact = next((name for name in wanted if name in table.colnames), None)
    return exact or next(iter(_all(table, wanted)), None)
