"""WFPC2's file layouts: where the four chips, their headers and their quality values lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.instruments.fits import image_plane, number_from, open_fits, warn
from filar.instruments.hst import chip_header, quality_plane
from filar.instruments.wfpc2_facts import CHIPS

_STEM = re.compile(r"_c0(?P<kind>[fmh])(?=[._]|$)", re.IGNORECASE)
_WITHOUT = "bad pixels are not masked, saturation is judged by the level"


@dataclass(frozen=True)
class Plane:
    """One chip as it lies in the file.

    Parameters
    ----------
    chip : str
        ``"PC"``, ``"WF2"``, ``"WF3"`` or ``"WF4"``.
    data : (ny, nx) float32 array
        DN.
    header : astropy.io.fits.Header
        The chip's keywords over the exposure's.
    quality : (ny, nx) int64 array or None
        Quality bits.
    quality_name : str
        Where they come from.
    """

    chip: str
    data: NDArray[np.float32]
    header: Any
    quality: NDArray[np.int64] | None
    quality_name: str


@dataclass(frozen=True)
class _Raw:
    chip: str
    data: Any
    header: Any
    version: int


def read_planes(path: Path, hdus: Any, quality_path: Path | None) -> list[Plane]:
    """Read all chips of an open WFPC2 file.

    Parameters
    ----------
    path : Path
        The file; its neighbours are searched for group table and quality file.
    hdus : astropy.io.fits.HDUList
        The open file.
    quality_path : Path or None
        A quality file that the caller names.

    Returns
    -------
    list of Plane
        In the order of the file.

    Raises
    ------
    InputFileError
        If there is no image, one of the wrong shape, or the named quality file does not fit.
    """
    raws = _raw_planes(path, hdus)
    images = {raw.chip: image_plane(path, raw.data, f"chip {raw.chip}") for raw in raws}
    shapes = {chip: image.shape for chip, image in images.items()}
    versions = {raw.version: raw.chip for raw in raws}
    quality, name = _quality(path, hdus, shapes, versions, quality_path)
    return [
        Plane(
            raw.chip,
            images[raw.chip],
            raw.header,
            quality.get(raw.chip),
            name if raw.chip in quality else "",
        )
        for raw in raws
    ]


def _raw_planes(path: Path, hdus: Any) -> list[_Raw]:
    science = [hdu for hdu in hdus if hdu.name.upper() == "SCI"]
    if science and science[0] is not hdus[0]:
        return [_extension(path, hdus[0].header, hdu) for hdu in science]
    table = _group_table(path, hdus)
    if table is None and hdus[0].header.get("NAXIS3", 1) > 1:
        warn(
            path,
            "no group table in the file or beside it: sky positions and PHOTFLAM are known for "
            "the first chip only",
        )
    return _cube(path, hdus, table)


def _extension(path: Path, primary: Any, hdu: Any) -> _Raw:
    header = chip_header(primary, hdu.header)
    return _Raw(_chip_of(path, header, hdu.ver), hdu.data, header, hdu.ver)


def _chip_of(path: Path, header: Any, default: int) -> str:
    number = number_from(header, "DETECTOR") or default
    if number not in (1, 2, 3, 4):
        raise InputFileError(path, f"DETECTOR = {number:g}", "1, 2, 3 or 4 for a WFPC2 chip")
    return CHIPS[int(number) - 1]


def _cube(path: Path, hdus: Any, table: Any) -> list[_Raw]:
    data, header = hdus[0].data, hdus[0].header
    if data is None:
        raise InputFileError(path, "no image", "a WFPC2 cube or SCI extensions")
    if data.ndim == 2:
        data = data[np.newaxis]
    if data.ndim != 3 or data.shape[0] > 4 or min(data.shape[1:]) < 2:
        raise InputFileError(
            path, f"the image has the shape {data.shape}", "(1 to 4 chips, rows, columns)"
        )
    if table is not None and len(table.data) != len(data):
        warn(path, f"the group table has {len(table.data)} rows for {len(data)} chips: ignored")
        table = None
    planes = []
    for group, plane in enumerate(data):
        own = _plane_header(header, table, group)
        planes.append(_Raw(_chip_of(path, own, group + 1), plane, own, group + 1))
    return planes


def _plane_header(header: Any, table: Any, group: int) -> Any:
    """The keywords of one plane of the cube: the group table's row over the primary header."""
    own = header.copy()
    for keyword in ("NAXIS3", "CTYPE3", "CD3_3", "CD3_1", "CD3_2", "CD1_3", "CD2_3"):
        own.remove(keyword, ignore_missing=True)
    own["NAXIS"] = 2
    if table is not None:
        for name in table.columns.names:
            value = table.data[name][group]
            if isinstance(value, str):
                own[name] = value.strip()
            elif np.isfinite(value):
                own[name] = value.item()
    elif group:
        for keyword in ("DETECTOR", "CTYPE1", "CTYPE2", "PHOTFLAM", "PHOTPLAM", "DEZERO"):
            own.remove(keyword, ignore_missing=True)
    return own


def _group_table(path: Path, hdus: Any) -> Any:
    """The table with a row per chip: in the file itself or in a file beside it."""
    own = _table_in(hdus)
    if own is not None:
        return own
    match = _STEM.search(path.name)
    if match is None:
        return None
    for beside in sorted(path.parent.glob(f"{path.name[: match.start()]}_c0h*.fits*")):
        with open_fits(beside) as other:
            table = _table_in(other)
            if table is not None:
                return table
    return None


def _table_in(hdus: Any) -> Any:
    for hdu in hdus:
        columns = getattr(hdu, "columns", None)
        # Asking for its length reads the data, before the file is closed.
        if columns is not None and "CRVAL1" in columns.names and len(hdu.data):
            return hdu
    return None


def _quality(
    path: Path,
    hdus: Any,
    shapes: dict[str, Any],
    chips: dict[int, str],
    named: Path | None,
) -> tuple[dict[str, NDArray[np.int64]], str]:
    """Quality values by chip, and the name of the file that they come from."""
    if named is not None:
        return _quality_from(named, shapes), named.name
    inside = [hdu for hdu in hdus if hdu.name.upper() == "DQ"]
    if inside:
        return {
            chips[hdu.ver]: quality_plane(
                path, hdu.data, shapes[chips[hdu.ver]], f"DQ extension {hdu.ver}"
            )
            for hdu in inside
            if hdu.ver in chips
        }, path.name
    beside = quality_beside(path)
    if beside is None:
        warn(path, f"no quality file {_expected_name(path)} beside it; {_WITHOUT}")
        return {}, ""
    try:
        return _quality_from(beside, shapes), beside.name
    except InputFileError as error:
        warn(str(error), f"this quality file is ignored; {_WITHOUT}")
        return {}, ""


def _quality_from(path: Path, shapes: dict[str, Any]) -> dict[str, NDArray[np.int64]]:
    with open_fits(path) as hdus:
        extensions = [hdu for hdu in hdus if hdu.name.upper() in {"SCI", "DQ"}]
        if extensions and extensions[0] is not hdus[0]:
            raws = [_extension(path, hdus[0].header, hdu) for hdu in extensions]
        else:
            raws = _cube(path, hdus, _table_in(hdus))
        return {
            raw.chip: quality_plane(path, raw.data, shapes[raw.chip], f"chip {raw.chip}")
            for raw in raws
            if raw.chip in shapes
        }


def _expected_name(path: Path) -> str:
    match = _STEM.search(path.name)
    if match is None:
        return "(its name has no _c0f or _c0m to derive it from)"
    return f"{path.name[: match.start()]}_c1{match['kind']}{path.name[match.end() :]}"


def quality_beside(path: Path) -> Path | None:
    """The quality file that lies beside a science file.

    Parameters
    ----------
    path : Path
        ``*_c0f.fits`` or ``*_c0m.fits``.

    Returns
    -------
    Path or None
        ``*_c1f.fits`` or ``*_c1m.fits`` if there is one, plain or compressed.
    """
    match = _STEM.search(path.name)
    if match is None:
        return None
    stem = f"{path.name[: match.start()]}_c1{match['kind']}"
    candidates = [path.with_name(_expected_name(path))]
    candidates += [path.with_name(stem + suffix) for suffix in (".fits", ".fit", ".fits.gz")]
    return next((candidate for candidate in candidates if candidate.is_file()), None)
