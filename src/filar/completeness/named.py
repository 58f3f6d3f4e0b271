"""Tables of any program, through the names of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.completeness.matchfake import filters_in
from filar.completeness.table import ArtificialStars, BoolArray, FloatArray, RealStars
from filar.completeness.tables import found_magnitudes, has_magnitude, read_table
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import Table

KEYS = ("mag_in", "mag_out", "delta", "mag", "recovered", "x", "y", "covariates", "origin")
"""What `columns` may name. ``mag_in``, ``mag_out``, ``delta`` (output - input) and ``mag`` (real
stars) have a column for each band; ``covariates`` lists columns, or gives the covariates' names and
their columns; ``origin`` is the number that the file has for the centre of the first pixel (0)."""
_TRUE, _FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")
_VEGA = "_VEGA"


def read_named(
    path: Path,
    columns: Mapping[str, Any],
    bands: Sequence[str] = (),
    need: Sequence[str] = (),
) -> ArtificialStars:
    """Read artificial stars from a table of any program.

    Parameters
    ----------
    path : Path
        See `filar.completeness.tables.read_table`.
    columns : mapping
        See `KEYS`: ``mag_in``, and ``mag_out`` or ``delta``, at least.
    bands : sequence of str
        Names of the bands; by default the filters that the columns' names have in them, or these
        names.
    need : sequence of str
        Bands in which a star must be found to be recovered, where no column says which are;
        all by default.

    Returns
    -------
    ArtificialStars

    Raises
    ------
    InputFileError
        If the file is missing, empty or ragged, or has no such column, or no numbers in it.
    ParameterError
        If what `columns` says makes no sense.
    """
    asked = _check(columns, ("mag_in",), ("mag_out", "delta"))
    table = read_table(path)
    mag_in = _magnitudes(path, table, asked["mag_in"])
    names = _names(bands, asked["mag_in"])
    if "mag_out" in asked:
        mag_out = _numbers(path, table, asked["mag_out"])
    else:
        mag_out = mag_in + _numbers(path, table, asked["delta"])
    if mag_out.shape != mag_in.shape:
        raise ParameterError("columns", dict(columns), "as many outputs as mag_in has columns")
    mag_out = found_magnitudes(mag_in, mag_out)
    if unknown := [band for band in need if band not in names]:
        raise ParameterError("cuts", unknown, f"some of the bands {', '.join(names)}")
    needed = [names.index(band) for band in need or names]
    recovered: BoolArray = np.asarray(np.isfinite(mag_out[:, needed]).all(axis=1))
    meta: dict[str, Any] = {"source": path.name, "cuts": {"bands": list(need or names)}}
    if "recovered" in asked:
        recovered = _truths(path, table, str(asked["recovered"]))
        meta = {"source": path.name}
        _refuse_unfound(path, recovered & ~np.isfinite(mag_out).any(axis=1))
    return ArtificialStars(
        names, mag_in, mag_out, recovered, **_places(path, table, asked), meta=meta
    )


def read_named_stars(
    path: Path, columns: Mapping[str, Any] | None = None, bands: Sequence[str] = ()
) -> RealStars:
    """Read real stars from a table of any program.

    Parameters
    ----------
    path, bands
        As in `read_named`.
    columns : mapping, optional
        See `KEYS`: ``mag`` at least. Without, the columns are those of the catalogues of the
        DOLPHOT pipelines: ``X``, ``Y`` and ``FILTER_VEGA``.

    Returns
    -------
    RealStars

    Raises
    ------
    InputFileError
        If the file is missing, empty or ragged, or has no such column, or no numbers in it.
    ParameterError
        If what `columns` says makes no sense.
    """
    table = read_table(path)
    asked = _check(columns, ("mag",), ()) if columns else vega_columns(path, table)
    mag = _magnitudes(path, table, asked["mag"])
    meta: dict[str, Any] = {"source": path.name} | ({} if columns else {"mag_system": "vega"})
    return RealStars(_names(bands, asked["mag"]), mag, **_places(path, table, asked), meta=meta)


def vega_columns(path: Path, table: Table) -> dict[str, Any]:
    """Tell the columns of a catalogue of the DOLPHOT pipelines (``.gst.fits``).

    Raises
    ------
    InputFileError
        If it is none.
    """
    mags = [name for name in table.colnames if name.upper().endswith(_VEGA)]
    if not mags:
        expected = "mag_B for each band B, or B_VEGA"
        advice = "say which columns hold the magnitudes"
        raise InputFileError(path, f"columns {_listed(table)}", expected, advice)
    places = {key: key.upper() for key in ("x", "y") if key.upper() in table.colnames}
    return {"mag": mags, "origin": 0.5, **places}


def _check(
    columns: Mapping[str, Any], required: Sequence[str], one_of: Sequence[str]
) -> dict[str, Any]:
    """Check what columns are named, and make lists of them where lists are due."""
    asked = dict(columns)
    if unknown := sorted(set(asked) - set(KEYS)):
        raise ParameterError("columns", unknown, ", ".join(KEYS))
    for key in ("mag_in", "mag_out", "delta", "mag"):
        if key in asked:
            asked[key] = [asked[key]] if isinstance(asked[key], str) else list(asked[key])
    if any(not asked.get(key) for key in required):
        raise ParameterError("columns", asked, f"{', '.join(required)} for each band")
    if one_of and sum(bool(asked.get(key)) for key in one_of) != 1:
        raise ParameterError("columns", asked, f"one of {', '.join(one_of)}, for each band")
    return asked


def _names(bands: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    if bands:
        if len(bands) != len(columns):
            raise ParameterError("bands", list(bands), f"a name for each of {list(columns)}")
        return tuple(bands)
    told = [filters_in(name) for name in columns]
    if all(len(t) == 1 for t in told) and len({t[0] for t in told}) == len(told):
        return tuple(t[0] for t in told)
    return tuple(columns)


def _places(path: Path, table: Table, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Positions and covariates."""
    origin = float(asked.get("origin", 0.0))
    places: dict[str, Any] = {
        key: _numbers(path, table, [asked[key]])[:, 0] - origin
        for key in ("x", "y")
        if key in asked
    }
    wanted = asked.get("covariates", {})
    if not isinstance(wanted, Mapping):
        wanted = {name: name for name in ([wanted] if isinstance(wanted, str) else wanted)}
    places["covariates"] = {
        name: _numbers(path, table, [column])[:, 0] for name, column in wanted.items()
    }
    return places


def _magnitudes(path: Path, table: Table, names: Sequence[str]) -> FloatArray:
    values = _numbers(path, table, names)
    return np.where(has_magnitude(values), values, np.nan)


def _numbers(path: Path, table: Table, names: Sequence[str]) -> FloatArray:
    """Columns as numbers, (n, len(names)); NaN where masked or not finite."""
    columns: list[FloatArray] = []
    for name in names:
        values = _column(path, table, name)
        try:
            numbers: FloatArray = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
        except (TypeError, ValueError) as error:
            raise InputFileError(path, f"column {name}: {error}", "numbers") from error
        if numbers.ndim != 1:
            raise InputFileError(path, f"column {name} of shape {numbers.shape}", "one per star")
        columns.append(np.where(np.isfinite(numbers), numbers, np.nan))
    return np.stack(columns, axis=1)


def _column(path: Path, table: Table, name: str) -> Any:
    if name not in table.colnames:
        expected = f"a column {name} among {_listed(table)}"
        raise InputFileError(path, f"there is no column {name}", expected)
    return getattr(table[name], "value", table[name])


def _truths(path: Path, table: Table, name: str) -> BoolArray:
    """A column of truth values, numbers or words."""
    values = np.ma.filled(np.ma.asarray(_column(path, table, name)))
    if values.dtype.kind not in "US":
        return np.asarray(np.nan_to_num(_numbers(path, table, [name])[:, 0]) > 0.5)
    words = np.char.lower(np.char.strip(values.astype(str)))
    yes = np.isin(words, _TRUE)
    if other := sorted(set(words[~yes & ~np.isin(words, _FALSE)])):
        raise InputFileError(
            path, f"column {name} has {str(other[0])!r}", "true and false, or 1 and 0"
        )
    return np.asarray(yes)


def _refuse_unfound(path: Path, wrong: BoolArray) -> None:
    if wrong.any():
        found = f"{int(wrong.sum())} stars are called recovered and have no output magnitude"
        raise InputFileError(path, found, "a magnitude of each recovered star")


def _listed(table: Table) -> str:
    names = list(table.colnames)
    return ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
