"""Photometry and artificial stars of DOLPHOT, read by the list of columns that it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.completeness.dolphotcolumns import Columns, read_columns
from filar.completeness.table import REAL, ArtificialStars, BoolArray, FloatArray, RealStars
from filar.completeness.tables import found_magnitudes, has_magnitude, read_numbers
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

PROGRAM = "DOLPHOT"
OFFSET = 0.5
"""DOLPHOT's centre of the lower left pixel is 0.5, 0.5."""
NOT_FOUND = 16
"""Bit of the quality flag of a star, or an image of it, that was not found."""
HEAD = 4
"""Columns before the input counts and magnitudes of artificial stars: extension, chip, X, Y."""

CUTS = ("snr", "chi", "sharp", "round", "crowd", "flag", "type", "bands")
"""What stars may be cut by: least S/N; largest chi, absolute sharpness, roundness, crowding and
quality flag, in each of the ``bands``; largest object type."""


def read_fake(
    path: Path,
    columns: Path | None = None,
    bands: Sequence[str] = (),
    cuts: Mapping[str, Any] | None = None,
) -> ArtificialStars:
    """Read the artificial stars of DOLPHOT.

    Parameters
    ----------
    path : Path
        The ``.fake`` file: position, input counts and magnitude for each image, and after them a
        row as in the photometry.
    columns : Path, optional
        The list of columns; by default the file's name with ``.columns``.
    bands : sequence of str
        Which bands, or, as many as there are, new names for them.
    cuts : mapping, optional
        See `CUTS`: what a found star must pass to be recovered.

    Returns
    -------
    ArtificialStars
        Recovered are stars with a position, a magnitude in each of the bands asked for (all by
        default) and no flag of a star not found, that pass the cuts.

    Raises
    ------
    InputFileError
        If a file is missing or not what its list of columns says.
    ParameterError
        If there is no such band or cut, or no such column for it.
    """
    path = Path(path)
    layout_path = columns or path.with_suffix(".columns")
    layout = read_columns(layout_path)
    numbers = read_numbers(path)
    n_before = numbers.shape[1] - layout.number
    if n_before <= HEAD or n_before % 2:
        expected = f"{HEAD}, two for each image, and the {layout.number} of {layout_path.name}"
        raise InputFileError(path, f"{numbers.shape[1]} columns", expected)
    labels, names = _choose(layout, bands)
    mag_in = _input_magnitudes(path, numbers[:, HEAD:n_before], layout, labels)
    rows = numbers[:, n_before:]
    mag_out, passed, meta = _measured(rows, layout, labels, names, cuts)
    mag_out = found_magnitudes(mag_in, mag_out)
    needed = [names.index(band) for band in meta["cuts"]["bands"]]
    return ArtificialStars(
        names,
        mag_in,
        mag_out,
        passed & np.isfinite(mag_out[:, needed]).all(axis=1),
        x=numbers[:, 2] - OFFSET,
        y=numbers[:, 3] - OFFSET,
        meta=meta | {"source": path.name},
    )


def read_photometry(
    path: Path,
    columns: Path | None = None,
    bands: Sequence[str] = (),
    cuts: Mapping[str, Any] | None = None,
) -> RealStars:
    """Read the photometry of DOLPHOT.

    Parameters
    ----------
    path : Path
        The photometry.
    columns : Path, optional
        The list of columns; by default the file's name with ``.columns`` after it.
    bands, cuts
        As in `read_fake`. With cuts, only the stars that pass them are kept; without, all are.

    Returns
    -------
    RealStars

    Raises
    ------
    InputFileError
        If a file is missing or not what its list of columns says, or no star passes the cuts.
    ParameterError
        If there is no such band or cut, or no such column for it.
    """
    path = Path(path)
    rows, layout = _photometry(path, columns)
    labels, names = _choose(layout, bands)
    mag, passed, meta = _measured(rows, layout, labels, names, cuts)
    if cuts is None:
        passed[:] = True
        del meta["cuts"]
    else:
        needed = [names.index(band) for band in meta["cuts"]["bands"]]
        passed &= np.isfinite(mag[:, needed]).all(axis=1)
        if not passed.any():
            raise InputFileError(path, f"none of {len(rows)} stars passes the cuts {dict(cuts)}")
    place = rows[passed][:, [layout.shared["x"], layout.shared["y"]]] - OFFSET
    meta = meta | {"source": path.name}
    return RealStars(names, mag[passed], x=place[:, 0], y=place[:, 1], meta=meta)


def photometry_table(path: Path, columns: Path | None = None, bands: Sequence[str] = ()) -> QTable:
    """Read all columns of DOLPHOT's photometry.

    Parameters
    ----------
    path, columns, bands
        As in `read_photometry`.

    Returns
    -------
    QTable
        The columns in their order: ``x, y`` (from 0, as everywhere in filar), ``snr``, ``type``
        and the like, ``mag_B``, ``mag_err_B``, ``snr_B`` ... for each band B, ``colN`` for those
        without such a name; descriptions are DOLPHOT's. Magnitudes that there are not, and their
        errors, are NaN.

    Raises
    ------
    InputFileError
        If a file is missing or not what its list of columns says.
    ParameterError
        If there is no such band.
    """
    from astropy.table import Column, QTable
    from astropy.units import Quantity

    rows, layout = _photometry(Path(path), columns)
    labels, names = _choose(layout, bands)
    place = {number: key for key, number in layout.shared.items()}
    renamed = dict(zip(layout.bands, layout.bands, strict=True))
    renamed |= dict(zip(labels, names, strict=True))
    for label, name in renamed.items():
        place |= {number: f"{key}_{name}" for key, number in layout.bands[label].items()}
    mags = {
        f"{key}_{name}": layout.bands[label]["mag"]
        for label, name in renamed.items()
        for key in ("mag", "mag_err")
    }
    facts = {"kind": REAL, "bands": list(renamed.values()), "covariates": []}
    facts |= {"program": PROGRAM, "mag_system": layout.mag_system, "source": Path(path).name}
    table = QTable(meta=facts)
    for i, text in enumerate(layout.texts):
        name, values = place.get(i, f"col{i + 1}"), rows[:, i]
        if name in ("x", "y"):
            values, text = values - OFFSET, f"{text}, less {OFFSET}: pixels from 0"
        is_mag = name.startswith("mag_")
        if is_mag:
            values = np.where(has_magnitude(rows[:, mags[name]]), values, np.nan)
        elif np.all(values == np.rint(values)) and np.abs(values).max() < 2**31:
            values = values.astype(np.int32)
        table[name] = Quantity(values, "mag") if is_mag else Column(values)
        table[name].info.description = text
    return table


def _photometry(path: Path, columns: Path | None) -> tuple[FloatArray, Columns]:
    """Rows of the photometry, and what stands in them."""
    layout_path = columns or path.with_name(path.name + ".columns")
    layout = read_columns(layout_path)
    rows = read_numbers(path)
    if rows.shape[1] != layout.number:
        expected = f"the {layout.number} of {layout_path.name}"
        raise InputFileError(path, f"{rows.shape[1]} columns", expected)
    return rows, layout


def _choose(layout: Columns, bands: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Give the labels of the bands that are wanted, and their names."""
    known = list(layout.bands)
    if not bands:
        return known, tuple(known)
    if all(band in known for band in bands):
        return list(bands), tuple(bands)
    if len(bands) != len(known):
        allowed = f"some of {', '.join(known)}, or a new name for each of them"
        raise ParameterError("bands", list(bands), allowed)
    return known, tuple(bands)


def _input_magnitudes(
    path: Path, pairs: FloatArray, layout: Columns, labels: Sequence[str]
) -> FloatArray:
    """Magnitudes given, (n, b), from counts and magnitude for each image (or each band)."""
    number = pairs.shape[1] // 2
    owners = layout.images if number == len(layout.images) else tuple(layout.bands)
    if number != len(owners) or not set(labels) <= set(owners):
        found = f"input magnitudes for {number} images"
        expected = f"for {len(layout.images)} images or {len(layout.bands)} bands"
        raise InputFileError(path, found, expected)
    given = pairs[:, 1::2][:, [owners.index(label) for label in labels]]
    return np.where(has_magnitude(given), given, np.nan)


def _measured(
    rows: FloatArray,
    layout: Columns,
    labels: Sequence[str],
    names: tuple[str, ...],
    cuts: Mapping[str, Any] | None,
) -> tuple[FloatArray, BoolArray, dict[str, Any]]:
    """Magnitudes found (NaN: none), which stars pass the cuts, and what is known of all."""
    x, y = (rows[:, layout.shared[name]] for name in ("x", "y"))
    there = (x != 0) | (y != 0)
    mag = np.full((len(rows), len(labels)), np.nan)
    for i, label in enumerate(labels):
        block = layout.bands[label]
        if "mag" not in block:
            raise ParameterError("bands", label, "bands with a column of magnitudes")
        value, found = rows[:, block["mag"]], there
        if "flag" in block:
            flags = np.nan_to_num(rows[:, block["flag"]], posinf=NOT_FOUND).astype(np.int64)
            found = found & ((flags & NOT_FOUND) == 0)
        mag[:, i] = np.where(found & has_magnitude(value), value, np.nan)
    asked = dict(cuts or {})
    need = tuple(asked.get("bands", names))
    if unknown := [*(set(asked) - set(CUTS)), *(set(need) - set(names))] or not need:
        raise ParameterError("cuts", unknown or "no band", f"{CUTS}, bands of {names}")
    passed = there.copy()
    for key, limit in asked.items():
        if key == "type":
            passed &= rows[:, _column(layout.shared, key, "the object")] <= limit
        elif key != "bands":
            for band in need:
                label = labels[names.index(band)]
                value = rows[:, _column(layout.bands[label], key, label)]
                passed &= value >= limit if key == "snr" else np.abs(value) <= limit
    facts = {"program": PROGRAM, "mag_system": layout.mag_system}
    return mag, passed, facts | {"cuts": asked | {"bands": list(need)}}


def _column(block: Mapping[str, int], key: str, label: str) -> int:
    if key not in block:
        raise ParameterError("cuts", key, f"one of the columns of {label}: {', '.join(block)}")
    return block[key]
