"""What users' catalogues call their columns, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar import tablefile
from filar.gaia import band_of
from filar.saturation.stetson import SUFFIXES as STETSON
from filar.saturation.stetson import read_stetson
from filar.tablefile import numbers

if TYPE_CHECKING:
    from astropy.table import Table

FloatArray = NDArray[np.float64]

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

_NO_MAGNITUDE = 90.0


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
    if path.is_file() and path.suffix.lower() in STETSON:
        return read_stetson(path)
    return tablefile.read_table(path, "a catalogue of stars")


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
