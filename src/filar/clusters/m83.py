"""The clusters of M 83 of Chandar et al. (2010, ApJ 719, 966): photometry, and ages beside it."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.clusters.numbertable import log10, read_numbers, without
from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.table import QTable

FloatArray = NDArray[np.float64]

R_V = 3.1
"""Of the extinction that the catalogue's E(B-V) stand for."""
BANDS = (
    "F225W", "F336W", "F373N", "F438W", "F487N", "F502N", "F555W", "F657N", "F673N", "F814W",
)  # fmt: skip
"""In the order of the file's columns."""
CORRECTED_BANDS = ("F336W", "F438W", "F555W", "F814W")
"""Those that the file gives corrected for the Milky Way's extinction."""
H_ALPHA_OFFSET = 1.63
"""To be added to F657N: the file's header says that its zero point was another filter's."""

_PHOTOMETRY = "the photometry of Chandar et al. (2010), hlsp_wfc3ers_..._cat_cluster_auto_v1.txt"
_AGES = "the ages of Chandar et al. (2010), hlsp_m83_autocat_ages_public.data"
_COLUMNS = {_PHOTOMETRY: 53, _AGES: 11}
_FIRST_BAND, _PER_BAND = 11, 4  # apertures of 0.5 and 3 pixels, each with its error
_MISSING = (66.666, 99.999, -999.0)


def read_m83(photometry: str | PathLike[str], ages: str | PathLike[str] | None = None) -> QTable:
    """Read the catalogue of clusters, and what its authors say of their ages.

    Parameters
    ----------
    photometry : str or path-like
        ``hlsp_wfc3ers_hst_wfc3_m83_cat_cluster_auto_v1.txt``.
    ages : str or path-like, optional
        ``hlsp_m83_autocat_ages_public.data``.

    Returns
    -------
    QTable
        ``id``, ``x_init`` and ``y_init`` (pixels, from 0), ``ra`` and ``dec``; for each band
        ``mag_BAND`` and ``mag_err_BAND`` (total, Vega: within 3 pixels, with the catalogue's
        aperture correction by concentration; `CORRECTED_BANDS` without the Milky Way's
        extinction); ``mag_abs_F555W``; ``ci`` (light within 0.5 pixels over that within 3,
        F555W, mag); ``source_flag`` (0 good, 1 saturated star, 2 saturated cluster, 3 nucleus,
        4 artefact). With `ages` also ``log_age``, ``a_v`` (3.1 E(B-V)), each with its limits
        ``_lo`` and ``_hi``, ``log_mass`` (log10 of years and solar masses) and
        ``log_mass_mean_correction``, from one aperture correction for all. What is missing is
        NaN.

    Raises
    ------
    InputFileError
        If a file is not the one that is expected, or the two have no cluster in common.
    """
    values = _numbers(photometry, _PHOTOMETRY)
    table = _photometry_table(values, Path(photometry).name)
    if ages is not None:
        _add_ages(table, _numbers(ages, _AGES), Path(ages))
    return table


def _numbers(path: str | PathLike[str], what: str) -> FloatArray:
    return without(read_numbers(path, _COLUMNS[what], what), _MISSING)


def _photometry_table(values: FloatArray, name: str) -> QTable:
    from astropy import units
    from astropy.table import QTable

    table = QTable()
    table["id"] = values[:, 4].astype(np.int64)
    # IRAF counts pixels from 1
    table["x_init"], table["y_init"] = (values[:, k] - 1 for k in (0, 1))
    table["ra"], table["dec"] = (values[:, k] * units.deg for k in (2, 3))
    for k, band in enumerate(BANDS):
        mag, error = values[:, _FIRST_BAND + _PER_BAND * k + 2 :][:, :2].T
        known = np.isfinite(mag) & np.isfinite(error)
        offset = H_ALPHA_OFFSET if band == "F657N" else 0.0
        total = mag - values[:, 9] + offset
        table[f"mag_{band}"] = np.where(known, total, np.nan) * units.mag
        table[f"mag_err_{band}"] = np.where(known, error, np.nan) * units.mag
    table["mag_abs_F555W"] = values[:, 8] * units.mag
    table["ci"] = values[:, 5] * units.mag
    table["source_flag"] = values[:, 10].astype(np.int64)
    table.meta.update(
        source="Chandar et al. (2010), WFC3 ERS catalogue of M 83", file=name, bands=list(BANDS),
        magnitudes="total, Vega; " + ", ".join(CORRECTED_BANDS)
        + " corrected for the Milky Way's extinction",
    )  # fmt: skip
    return table


def _add_ages(table: QTable, values: FloatArray, path: Path) -> None:
    from astropy import units

    order = np.argsort(values[:, 2], kind="stable")
    place = np.searchsorted(values[order, 2], table["id"]).clip(max=len(order) - 1)
    row = order[place]
    found = values[row, 2] == table["id"]
    if not found.any():
        expected = "numbers (third column) of the photometry's clusters"
        raise InputFileError(path, "no cluster of it is in the photometry", expected)
    known = np.where(found[:, None], values[row], np.nan)
    for j, suffix in enumerate(("_lo", "", "_hi")):
        table[f"log_age{suffix}"] = known[:, 6 + j]
        table[f"a_v{suffix}"] = R_V * known[:, 3 + j] * units.mag
    table["log_mass"] = log10(known[:, 9])
    table["log_mass_mean_correction"] = log10(known[:, 10])
    table.meta["ages"] = path.name
