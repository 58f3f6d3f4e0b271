"""Reading of artificial and real stars: filar's own tables and those of other programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from filar.catalogfile import SUFFIXES
from filar.completeness.dolphot import photometry_table, read_fake, read_photometry
from filar.completeness.matchfake import read_magnitudes, read_matchfake
from filar.completeness.named import read_named, read_named_stars
from filar.completeness.surroundings import add_crowding, add_image_covariates, refuse_outside
from filar.completeness.table import AnyStars, ArtificialStars, RealStars
from filar.completeness.tables import read_table, require
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable, Table

    from filar.exposure import Exposure

FORMATS = ("auto", "filar", "matchfake", "dolphot", "columns")
LONG = ("filter", "mag", "x_fit", "y_fit")
"""Columns that tell a catalogue of ``filar measure``: a row for each star and exposure."""
_Stars = TypeVar("_Stars", ArtificialStars, RealStars)


def read_artificial_stars(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    columns: Mapping[str, Any] | None = None,
    bands: Sequence[str] = (),
    cuts: Mapping[str, Any] | None = None,
    columns_file: str | os.PathLike[str] | None = None,
    images: Sequence[Exposure] = (),
    detections: RealStars | None = None,
    limit: float | None = None,
    fwhm: float | None = None,
) -> ArtificialStars:
    """Read artificial stars and what became of them.

    Parameters
    ----------
    path : str or path-like
        A table of ``filar asts`` (``.parquet``, ``.ecsv``, ``.fits``); DOLPHOT's ``.fake``; a
        matchfake table (input magnitudes, then differences); or any table, by `columns`.
    format : {"auto", "filar", "matchfake", "dolphot", "columns"}
        What it is. "auto": "columns" if these are given, "dolphot" if the name ends in ``.fake`` or
        a list of columns lies beside, "filar" for its suffixes, else "matchfake".
    columns : mapping, optional
        See `filar.completeness.named.KEYS`.
    bands : sequence of str
        Names of the bands, where the file does not say them or says others.
    cuts : mapping, optional
        ``bands``: those in which a star must be found; DOLPHOT's stars may be cut further, see
        `filar.completeness.dolphot.CUTS`. filar's tables are cut already.
    columns_file : path, optional
        DOLPHOT's list of columns, if it is not beside the file under the same name.
    images : sequence of Exposure
        One for each band: sky noise and surface brightness are measured in them.
    detections : RealStars, optional
        What was found in the real images: crowding is measured by them.
    limit, fwhm : float, optional
        See `filar.completeness.surroundings.add_crowding`.

    Returns
    -------
    ArtificialStars

    Raises
    ------
    InputFileError
        If the file is missing, empty or ragged, or lacks what it must have.
    ParameterError
        If the options make no sense, or artificial stars are outside of the images.
    """
    path = Path(path)
    kind = _kind(path, format, columns)
    asked = dict(cuts or {})
    need = tuple(asked.get("bands", ()))
    if kind != "dolphot" and (other := sorted(set(asked) - {"bands"})):
        raise ParameterError("cuts", other, "bands alone; only DOLPHOT's stars can be cut further")
    if kind == "dolphot":
        named = None if columns_file is None else Path(columns_file)
        stars = read_fake(path, named, bands, cuts)
    elif kind == "columns":
        stars = read_named(path, columns or {}, bands, need)
    elif kind == "filar":
        if asked:
            raise ParameterError("cuts", asked, "none: filar's table says what was recovered")
        stars = _own(path, read_table(path), ArtificialStars, bands)
    else:
        stars = read_matchfake(path, bands, need)
    return _surrounded(stars, images, detections, limit, fwhm)


def read_real_stars(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",
    columns: Mapping[str, Any] | None = None,
    bands: Sequence[str] = (),
    cuts: Mapping[str, Any] | None = None,
    columns_file: str | os.PathLike[str] | None = None,
    images: Sequence[Exposure] = (),
    detections: RealStars | None = None,
    limit: float | None = None,
    fwhm: float | None = None,
) -> RealStars:
    """Read measured stars of the sky, a row for each with the magnitudes in all bands.

    Parameters
    ----------
    path : str or path-like
        A table of ``filar asts --stars``; a catalogue of ``filar measure`` in one filter;
        DOLPHOT's photometry; a catalogue of the DOLPHOT pipelines (``.gst.fits``); text with a
        magnitude for each band; or any table, by `columns`.
    format, columns, bands, columns_file, images, detections, limit, fwhm
        As in `read_artificial_stars`.
    cuts : mapping, optional
        DOLPHOT's stars that fail them are left out. All are kept by default.

    Returns
    -------
    RealStars
        ``meta`` has ``cuts`` where they are known.

    Raises
    ------
    InputFileError
        If the file is missing, empty or ragged, or lacks what it must have.
    ParameterError
        If the options make no sense.
    """
    path = Path(path)
    kind = _kind(path, format, columns)
    if kind != "dolphot" and cuts:
        raise ParameterError("cuts", dict(cuts), "none: only DOLPHOT's photometry can be cut")
    if kind == "dolphot":
        named = None if columns_file is None else Path(columns_file)
        stars = read_photometry(path, named, bands, cuts)
    elif kind == "columns":
        stars = read_named_stars(path, columns, bands)
    elif kind == "filar":
        table = read_table(path)
        if set(LONG) <= set(table.colnames):
            stars = _of_one_band(path, table, bands)
        elif any(name.startswith("mag_") for name in table.colnames):
            stars = _own(path, table, RealStars, bands)
        else:
            stars = read_named_stars(path, None, bands)
    else:
        stars = read_magnitudes(path, bands)
    return _surrounded(stars, images, detections, limit, fwhm)


def read_star_catalog(path: str | os.PathLike[str], **options: Any) -> tuple[QTable, RealStars]:
    """Read measured stars, and all that their file says of them.

    Parameters
    ----------
    path : str or path-like
        As in `read_real_stars`.
    **options
        Its options, but for ``cuts``.

    Returns
    -------
    table : QTable
        The file's own columns, in their order. Text without names has those of
        `RealStars.to_table`; of DOLPHOT's see `filar.completeness.dolphot.photometry_table`.
    stars : RealStars
        The same stars, row by row.

    Raises
    ------
    InputFileError, ParameterError
        As `read_real_stars`.
    """
    from astropy.table import QTable

    path = Path(path)
    stars = read_real_stars(path, **options)
    kind = _kind(path, options.get("format", "auto"), options.get("columns"))
    if kind == "dolphot":
        named = options.get("columns_file")
        columns_file = None if named is None else Path(named)
        return photometry_table(path, columns_file, options.get("bands", ())), stars
    if kind == "matchfake":
        return replace(stars, covariates={}).to_table(), stars
    table = QTable(read_table(path), copy=False)
    for name in table.colnames:
        if table[name].dtype.kind == "O":
            found = f"column {name} holds neither numbers nor text"
            raise InputFileError(path, found, "columns that can be copied", "take it out")
    return table, stars


def _kind(path: Path, format: str, columns: Mapping[str, Any] | None) -> str:
    """Tell what a file is, if that is left to us."""
    if format not in FORMATS:
        raise ParameterError("format", format, ", ".join(FORMATS))
    if format == "columns" and not columns:
        raise ParameterError("columns", columns, "names of columns, with the format columns")
    if format != "auto":
        if columns and format != "columns":
            raise ParameterError("columns", dict(columns), f"none, with the format {format}")
        return format
    require(path)
    if columns:
        return "columns"
    suffix = path.suffix.lower()
    if suffix == ".fake" or path.with_name(path.name + ".columns").is_file():
        return "dolphot"
    if suffix == ".csv":
        expected = "the names of the columns of magnitudes"
        raise InputFileError(path, "a CSV file does not say what its columns are", expected)
    return "filar" if suffix in SUFFIXES else "matchfake"


def _own(path: Path, table: Table, kind: type[_Stars], bands: Sequence[str]) -> _Stars:
    """Take the stars from a table of filar."""
    try:
        stars = kind.from_table(table)
        shapes = [field["shape"] for field in stars.meta.get("fields", [])]
        if shapes and isinstance(stars, ArtificialStars) and np.isfinite(stars.x).any():
            refuse_outside(stars, (max(s[0] for s in shapes), max(s[1] for s in shapes)))
    except ParameterError as error:
        advice = "name its columns if it is another program's"
        raise InputFileError(path, str(error), "a table of filar asts", advice) from error
    if bands and tuple(bands) != stars.bands:
        raise ParameterError("bands", list(bands), f"{', '.join(stars.bands)}, as in {path}")
    return stars


def _of_one_band(path: Path, table: Table, bands: Sequence[str]) -> RealStars:
    """Take the measures of a catalogue of `filar measure` as stars in one band."""
    filters = sorted({str(name) for name in table["filter"]})
    if len(filters) > 1:
        found = f"a row for each measure, in {', '.join(filters)}"
        advice = "make it of the images with filar asts --stars"
        raise InputFileError(path, found, "a row for each star with all its magnitudes", advice)
    named = {"mag": "mag", "x": "x_fit", "y": "y_fit"}
    values = {key: np.asarray(getattr(table[n], "value", table[n])) for key, n in named.items()}
    known = table.meta | table.meta.get("parameters", {})
    meta = {key: known[key] for key in ("mag_system", "cuts") if key in known}
    return RealStars(
        tuple(bands) or (filters[0] or "mag",),
        values["mag"][:, None],
        x=values["x"],
        y=values["y"],
        meta=meta | {"source": path.name},
    )


def _surrounded(
    stars: AnyStars,
    images: Sequence[Exposure],
    detections: RealStars | None,
    limit: float | None,
    fwhm: float | None,
) -> AnyStars:
    """Add the covariates that images and detections give."""
    if images:
        stars = add_image_covariates(stars, images)
    if detections is not None:
        if fwhm is None:
            raise ParameterError("fwhm", None, "the width of the PSF, for the crowding")
        stars = add_crowding(stars, detections, fwhm=fwhm, limit=limit)
    return stars
