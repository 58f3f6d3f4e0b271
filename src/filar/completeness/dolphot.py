"""Photometry and artificial stars of DOLPHOT, read by the list of columns that it writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filar.completeness.table import ArtificialStars, BoolArray, FloatArray, RealStars
from filar.completeness.tables import found_magnitudes, has_magnitude, read_numbers
from filar.errors import InputFileError, ParameterError

OFFSET = 0.5
"""DOLPHOT's centre of the lower left pixel is 0.5, 0.5."""
NOT_FOUND = 16
"""Bit of the quality flag of a star, or an image of it, that was not found."""
HEAD = 4
"""Columns before the input counts and magnitudes of artificial stars: extension, chip, X, Y."""

CUTS = ("snr", "chi", "sharp", "round", "crowd", "flag", "type", "bands")
"""What stars may be cut by: least S/N; largest chi, absolute sharpness, roundness, crowding and
quality flag, in each of the ``bands``; largest object type."""

_SHARED = {
    "x": "Object X position",
    "y": "Object Y position",
    "chi": "Chi for fit",
    "snr": "Signal-to-noise",
    "sharp": "Object sharpness",
    "round": "Object roundness",
    "crowd": "Crowding",
    "type": "Object type",
}
_MEASURED = {
    "counts": "(?:Measured|Total) counts",
    "sky": "(?:Measured|Total) sky level",
    "rate": "Normalized count rate",
    "rate_err": "Normalized count rate uncertainty",
    "mag": "Instrumental (?:[A-Z]+ )?magnitude",
    "mag_err": "Magnitude uncertainty",
    "chi": "Chi",
    "snr": "Signal-to-noise",
    "sharp": "Sharpness",
    "round": "Roundness",
    "crowd": "Crowding",
    "fwhm": "PSF FWHM",
    "flag": "Photometry quality flag",
}
_IMAGE = re.compile(r"(?P<name>.*?)\s*\((?:(?P<filter>[^(),]+),\s*)?[^(),]* sec\)")


@dataclass(frozen=True)
class Columns:
    """What stands in which column of DOLPHOT's photometry.

    Parameters
    ----------
    number : int
        Number of columns.
    shared : dict of str to int
        Columns of the object as such, from 0: ``x, y, chi, snr, sharp, round, crowd, type``.
    bands : dict of str to dict of str to int
        For each band ``mag, mag_err, snr, sky, flag`` and the like. Bands are the filters where
        DOLPHOT has combined the images of a filter, else the images.
    images : tuple of str
        For each image, in order, the band that it belongs to.
    mag_system : str
        "vega" or "instrumental".
    """

    number: int
    shared: dict[str, int]
    bands: dict[str, dict[str, int]]
    images: tuple[str, ...]
    mag_system: str


def read_columns(path: Path) -> Columns:
    """Read the list of columns that DOLPHOT writes beside its photometry.

    Parameters
    ----------
    path : Path
        Lines such as ``16. Instrumental magnitude, img1 (1000.0 sec)`` or, where a filter's images
        were combined, ``17. Instrumental VEGAMAG magnitude, WFPC2_F555W``.

    Returns
    -------
    Columns

    Raises
    ------
    InputFileError
        If there is no such file, its lines are others, or no magnitude is among them.
    """
    if not path.is_file():
        advice = "name DOLPHOT's list of columns"
        raise InputFileError(path, "there is no such file", "the list of columns", advice)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "DOLPHOT's columns") from error
    texts: list[str] = []
    for line in filter(str.strip, lines):
        match = re.fullmatch(r"\s*(\d+)\.\s*(.*\S)\s*", line)
        if not match or int(match.group(1)) != len(texts) + 1:
            expected = f'column {len(texts) + 1}, as in "3. Object X position ..."'
            raise InputFileError(path, f"the line {line[:60]!r}", expected)
        texts.append(match.group(2))
    shared = {
        key: i for key, start in _SHARED.items() for i, t in enumerate(texts) if _is(t, start)
    }
    blocks, systems = _blocks(texts)
    missing = [key for key in ("x", "y") if key not in shared]
    if missing or not any("mag" in block for block in blocks.values()):
        found = f"no column of {'position' if missing else 'magnitudes'} among {len(texts)}"
        raise InputFileError(path, found, "the columns of DOLPHOT's photometry")
    bands, images = _bands(blocks)
    system = "vega" if systems == {"VEGAMAG"} else "instrumental"
    return Columns(len(texts), shared, bands, images, system)


def _is(text: str, start: str) -> bool:
    """Whether a column is one of the object as such: only those have no label after a comma."""
    return text == start or text.startswith((f"{start} (", f"{start} on "))


def _blocks(texts: Sequence[str]) -> tuple[dict[str, dict[str, int]], set[str]]:
    """Columns by label (filter or image) and quantity; words before "magnitude"."""
    blocks: dict[str, dict[str, int]] = {}
    systems = set()
    for i, text in enumerate(texts):
        for key, pattern in _MEASURED.items():
            match = re.fullmatch(rf"{pattern}, (.+)", text)
            if match:
                blocks.setdefault(match.group(1), {})[key] = i
        system = re.match(r"Instrumental ([A-Z]+) magnitude", text)
        if system:
            systems.add(system.group(1))
    return blocks, systems


def _bands(
    blocks: dict[str, dict[str, int]],
) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """Tell filters' blocks from images'; name the band of each image."""
    images = {label: m for label in blocks if (m := _IMAGE.fullmatch(label))}
    filters = [label for label in blocks if label not in images]
    if not filters:
        names = [m["name"] for m in images.values()]
        unique = names if len(set(names)) == len(names) else list(images)
        return {n: blocks[label] for n, label in zip(unique, images, strict=True)}, tuple(unique)
    bare = [label.rsplit("_", 1)[-1] for label in filters]
    names = bare if len(set(bare)) == len(bare) else filters
    known = dict(zip(filters, names, strict=True)) | dict(zip(names, names, strict=True))
    of_images = tuple(known.get(str(m["filter"]).strip(), "") for m in images.values())
    return {n: blocks[label] for n, label in zip(names, filters, strict=True)}, of_images


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
    layout_path = columns or path.with_name(path.name + ".columns")
    layout = read_columns(layout_path)
    rows = read_numbers(path)
    if rows.shape[1] != layout.number:
        expected = f"the {layout.number} of {layout_path.name}"
        raise InputFileError(path, f"{rows.shape[1]} columns", expected)
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
            found = found & ((rows[:, block["flag"]].astype(int) & NOT_FOUND) == 0)
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
    facts = {"program": "DOLPHOT", "mag_system": layout.mag_system}
    return mag, passed, facts | {"cuts": asked | {"bands": list(need)}}


def _column(block: Mapping[str, int], key: str, label: str) -> int:
    if key not in block:
        raise ParameterError("cuts", key, f"one of the columns of {label}: {', '.join(block)}")
    return block[key]
