"""Lists of places where clusters are, in pixels or on the sky."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.images import ClusterImages
from filar.clusters.m83 import read_m83
from filar.clusters.numbertable import read_numbers
from filar.errors import InputFileError, ParameterError
from filar.tablefile import listed, numbers, read_table, sky_positions

if TYPE_CHECKING:
    from astropy.table import Table

FloatArray = NDArray[np.float64]

PIXELS = (
    ("x", "y"), ("x_fit", "y_fit"), ("x_init", "y_init"), ("xcentroid", "ycentroid"),
    ("x_centroid", "y_centroid"), ("xcenter", "ycenter"), ("x_center", "y_center"),
    ("x_pix", "y_pix"), ("xpix", "ypix"),
)  # fmt: skip
"""Names of columns of pixels, upper and lower case alike, the best pair first."""
PIXELS_FROM_1 = (
    ("x_image", "y_image"), ("xwin_image", "ywin_image"), ("xpeak_image", "ypeak_image"),
)  # fmt: skip
"""The same for SExtractor's, which count from 1 in any case."""
NUMBERS = ("id", "number", "cluster_id", "objid", "source_id")
NAMES = ("name", "cluster", "object", "main_id", "designation")
_WHAT = "a list of positions"
_EXPECTED = "columns x and y (pixels) or ra and dec (degrees), or two columns of numbers"
_LARGEST_DEC = 90.0


@dataclass(frozen=True, eq=False)
class Listed:
    """Places of a list.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Pixels from 0; NaN where the list has none.
    ra, dec : (n,) float64 arrays
        Degrees; NaN where the list has none.
    id : (n,) int64 array
        The list's numbers, or 1, 2 ... where it has none or they are not unique.
    name : (n,) str array
        The list's names; empty where it has none.
    path : Path
        The list.
    """

    x: FloatArray
    y: FloatArray
    ra: FloatArray
    dec: FloatArray
    id: NDArray[np.int64]
    name: NDArray[np.str_]
    path: Path

    def __len__(self) -> int:
        return len(self.x)


def read_positions(path: str | PathLike[str], *, origin: int = 0) -> Listed:
    """Read a list of positions.

    Parameters
    ----------
    path : path-like
        ``.ecsv``, ``.fits``, ``.csv``, ``.parquet``, VOTable or text with a line of column names,
        with x and y or ra and dec or both (any of the usual names); two columns of numbers
        without names, which are x and y; or a published catalogue without names: LEGUS
        (``hlsp_legus_*.tab``), M 83 (``hlsp_wfc3ers_*_m83_cat_cluster_auto_*.txt``).
    origin : {0, 1}
        What the first pixel is called (SExtractor's and LEGUS's are 1 in any case).

    Returns
    -------
    Listed
        All rows, also those without position.

    Raises
    ------
    InputFileError
        If the file cannot be read or has no positions.
    ParameterError
        If the origin makes no sense.
    """
    path = Path(path)
    if origin not in (0, 1):
        raise ParameterError("origin", origin, "0 or 1, the number of the first pixel")
    if path.suffix.lower() == ".tab" and "legus" in path.name.lower():
        return _legus(path)
    if "m83_cat_cluster" in path.name.lower():
        return _of_table(path, read_m83(path), 0)
    return _of_table(path, read_table(path, _WHAT), origin)


def _of_table(path: Path, table: Table, origin: int) -> Listed:
    ra, dec = _sky(path, table)
    x, y = _pixels(path, table, origin)
    if not (np.isfinite(x + y) | np.isfinite(ra + dec)).any():
        raise InputFileError(path, f"no positions; its columns: {listed(table)}", _EXPECTED)
    return Listed(x, y, ra, dec, _ids(table), _names(table), path)


def place(positions: Listed, images: ClusterImages, *, pixels: bool = False) -> FloatArray:
    """Find where the places of a list are in images.

    Parameters
    ----------
    positions : Listed
        The list. Its ra and dec are taken where it has them and the images have a WCS.
    images : ClusterImages
        The images.
    pixels : bool
        Take the list's pixels even so.

    Returns
    -------
    (n, 2) float64 array
        x and y, pixels of the images; NaN where not known.

    Raises
    ------
    InputFileError
        If the list has only ra and dec and the images have no WCS, or only pixels where these are
        not wanted, or nothing of it is in the images.
    """
    sky = np.isfinite(positions.ra + positions.dec)
    own = np.isfinite(positions.x + positions.y)
    found = np.full((len(positions), 2), np.nan)
    if pixels and not own.any():
        raise InputFileError(positions.path, "it has no pixels", "columns x and y")
    if images.wcs is None and not own.any():
        expected = "columns x and y, or images with a WCS in their headers"
        raise InputFileError(positions.path, "it has no pixels, and the images no WCS", expected)
    found[own] = np.column_stack([positions.x[own], positions.y[own]])
    if images.wcs is not None and sky.any() and not pixels:
        world = images.wcs.all_world2pix(positions.ra[sky], positions.dec[sky], 0, quiet=True)
        found[sky] = np.column_stack(world)
    ny, nx = images.shape
    with np.errstate(invalid="ignore"):
        inside = np.all((found >= -0.5) & (found < np.array([nx, ny]) - 0.5), axis=1)
    if not inside.any():
        known = found[np.isfinite(found).all(axis=1)]
        seen = np.round(np.median(known, axis=0), 1).tolist() if len(known) else "far away"
        raise InputFileError(
            positions.path, f"none of its {len(positions)} positions is in the images",
            f"x from 0 to {nx - 1}, y from 0 to {ny - 1} (their median is {seen})",
            "is it the list of this field?",
        )  # fmt: skip
    return found


def _legus(path: Path) -> Listed:
    """Columns 1 to 5 of the survey's catalogues are number, x, y (from 1), ra and dec."""
    values = read_numbers(path, None, "a LEGUS catalogue of clusters")
    if values.shape[1] < 5:
        raise InputFileError(path, f"{values.shape[1]} columns", "id, x, y, ra, dec and more")
    number, x, y, ra, dec = values[:, :5].T
    ids = number.astype(np.int64)
    return Listed(x - 1, y - 1, ra, dec, ids, np.full(len(ids), ""), path)


def _sky(path: Path, table: Table) -> tuple[FloatArray, FloatArray]:
    """Right ascension and declination; NaN if the table has none."""
    try:
        ra, dec, where = sky_positions(path, table)
    except InputFileError as error:
        if "no positions" not in str(error):
            raise
        return np.full(len(table), np.nan), np.full(len(table), np.nan)
    good = np.isfinite(ra) & np.isfinite(dec)
    if good.any() and (np.abs(dec[good]).max() > _LARGEST_DEC or np.abs(ra[good]).max() > 360):
        raise InputFileError(path, f"no positions on the sky in {where}", "degrees")
    return ra, dec


def _pixels(path: Path, table: Table, origin: int) -> tuple[FloatArray, FloatArray]:
    lower = {name.lower(): name for name in reversed(table.colnames)}
    for names, first in ((PIXELS, origin), (PIXELS_FROM_1, 1), ((("col1", "col2"),), origin)):
        for x, y in names:
            if x in lower and y in lower:
                if x == "col1" and len(table.colnames) != 2:
                    break  # which of them are positions nobody can tell
                columns = (numbers(path, table, lower[name]) - first for name in (x, y))
                one, two = columns
                return one, two
    return np.full(len(table), np.nan), np.full(len(table), np.nan)


def _ids(table: Table) -> NDArray[np.int64]:
    for values in _columns(table, NUMBERS):
        if values.dtype.kind in "iu" and not np.ma.is_masked(values):
            plain = np.asarray(values).astype(np.int64)
            if len(np.unique(plain)) == len(plain):
                return plain
    return np.arange(1, len(table) + 1, dtype=np.int64)


def _names(table: Table) -> NDArray[np.str_]:
    for values in _columns(table, (*NAMES, *NUMBERS)):
        if values.dtype.kind in "US":
            return np.asarray(values.filled("")).astype(str)
    return np.full(len(table), "")


def _columns(table: Table, wanted: tuple[str, ...]) -> list[Any]:
    lower = {name.lower(): name for name in reversed(table.colnames)}
    found = [table[lower[name]] for name in wanted if name in lower]
    return [np.ma.asanyarray(getattr(column, "value", column)) for column in found]
