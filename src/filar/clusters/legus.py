"""Cluster catalogues of LEGUS, the Legacy ExtraGalactic Ultraviolet Survey.

Calzetti et al. (2015, AJ 149, 51) describe the survey, Adamo et al. (2017, ApJ 841, 131) the
catalogues. The tables have no header; their columns are those of the readme that comes with each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.clusters.numbertable import log10, read_numbers, without
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

FloatArray = NDArray[np.float64]

R_V = 3.1
"""Of the extinction that the catalogues' E(B-V) stand for."""

_MISSING = (66.666, 99.999)  # not covered by the band; not detected in it
_NO_RESIDUAL = (200.0,)
_FIXED, _PER_BAND = 20, 3  # columns beside the bands'; magnitude, error and residual
_PLACES = 5  # id, x, y, ra, dec
_README_BAND = re.compile(r"final total mag in\s+\S*?(F\d{3}W)", re.IGNORECASE)


def read_legus(path: str | PathLike[str], bands: Sequence[str] | None = None) -> QTable:
    """Read a catalogue, ``hlsp_legus_..._multiband_v1_....tab``.

    Parameters
    ----------
    path : str or path-like
        The table.
    bands : sequence of str, optional
        The filters from blue to red, such as F275W, F336W, F435W, F555W, F814W; by default those
        that the readme beside the table names.

    Returns
    -------
    QTable
        ``id``, ``x_init`` and ``y_init`` (pixels of the reference frame, from 0), ``ra`` and
        ``dec``; for each band ``mag_BAND`` and ``mag_err_BAND`` (total, Vega, corrected for the
        Milky Way's extinction); ``ci`` (light within 1 pixel over that within 3, F555W, mag);
        ``log_age``, ``log_mass`` (log10 of years and solar masses) and ``a_v`` (3.1 E(B-V)) with
        their 68% limits ``_lo`` and ``_hi``; ``residual_BAND`` (observed minus model, mag of
        flux), ``chi2_reduced``, ``q_probability``, ``n_bands``, ``class_mode`` and
        ``class_mean`` (1 symmetric, 2 asymmetric, 3 several peaks, 4 no cluster, 0 not looked
        at). What is missing is NaN: 66.666 (not covered), 99.999 (not detected), the figures of
        sources that were not fitted.

    Raises
    ------
    InputFileError
        If it is no such table, or nothing says what its bands are.
    ParameterError
        If the bands are not as many as the table has.

    Notes
    -----
    The readme's list of columns: number, x, y, RA, Dec, five times total magnitude and its error,
    concentration index, age, mass and E(B-V) (best, maximum, minimum each), five residuals,
    reduced chi square, Q, number of filters, class by mode and by mean.
    """
    path = Path(path)
    values = read_numbers(path, None, "a LEGUS catalogue of clusters")
    number, rest = divmod(values.shape[1] - _FIXED, _PER_BAND)
    if rest or number < 2:
        found = f"its lines have {values.shape[1]} numbers"
        advice = "files with other columns are not known"
        raise InputFileError(path, found, "35, as five bands have, or 3 for each band more", advice)
    if bands is None:
        bands = _bands_of_readme(path, number)
    if len(bands) != number or len(set(bands)) != number:
        raise ParameterError("bands", tuple(bands), f"the names of the {number} bands of {path}")
    return _table(path, values, tuple(bands))


def _bands_of_readme(path: Path, number: int) -> tuple[str, ...]:
    readme = path.with_suffix(".readme.txt")
    try:
        text = readme.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    bands = tuple(dict.fromkeys(name.upper() for name in _README_BAND.findall(text)))
    if len(bands) != number:
        raise InputFileError(
            path, f"nothing says which its {number} bands are",
            f"a {readme.name} beside it that names them", "or name them yourself",
        )  # fmt: skip
    return bands


def _table(path: Path, values: FloatArray, bands: tuple[str, ...]) -> QTable:
    from astropy import units
    from astropy.table import QTable

    after = _PLACES + 2 * len(bands) + 1  # first column of the fit
    last = after + 9 + len(bands)
    fitted = values[:, after] > 0
    table = QTable()
    table["id"] = values[:, 0].astype(np.int64)
    # the survey's tools count pixels from 1
    table["x_init"], table["y_init"] = (values[:, k] - 1 for k in (1, 2))
    table["ra"], table["dec"] = (values[:, k] * units.deg for k in (3, 4))
    for k, band in enumerate(bands):
        columns = without(values[:, _PLACES + 2 * k : _PLACES + 2 * k + 2], _MISSING)
        columns[np.isnan(columns).any(axis=1)] = np.nan
        table[f"mag_{band}"], table[f"mag_err_{band}"] = (c * units.mag for c in columns.T)
    table["ci"] = without(values[:, after - 1], _MISSING) * units.mag
    for j, suffix in enumerate(("", "_hi", "_lo")):
        # limits of zero beside a fit say that there are none
        known = fitted & (values[:, after + j] > 0)
        table[f"log_age{suffix}"] = log10(values[:, after + j])
        table[f"log_mass{suffix}"] = log10(values[:, after + 3 + j])
        table[f"a_v{suffix}"] = np.where(known, R_V * values[:, after + 6 + j], np.nan) * units.mag
    for k, band in enumerate(bands):
        residual = without(values[:, after + 9 + k], _NO_RESIDUAL)
        table[f"residual_{band}"] = np.where(fitted, residual, np.nan)
    table["chi2_reduced"] = np.where(fitted, values[:, last], np.nan)
    table["q_probability"] = np.where(fitted, values[:, last + 1], np.nan)
    table["n_bands"] = values[:, last + 2].astype(np.int64)
    table["class_mode"] = values[:, last + 3].astype(np.int64)
    table["class_mean"] = values[:, last + 4]
    table.meta.update(
        source="LEGUS (Calzetti et al. 2015; Adamo et al. 2017)", file=path.name,
        bands=list(bands), magnitudes="total, Vega, corrected for the Milky Way's extinction",
    )  # fmt: skip
    return table
