"""Catalogues of clusters: what a model says of each, as columns; and whole posteriors as files."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.catalogfile import check_output, read_catalog, write_catalog
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.table import QTable

FloatArray = NDArray[np.float64]

LEVELS = {"med": 0.5, "lo": 0.16, "hi": 0.84, "lo95": 0.025, "hi95": 0.975}
"""Suffix of a column to the quantile of the posterior that it holds."""
QUANTITIES = {
    "log_age": ("", "log10 of the age in years", ".3f"),
    "a_v": ("mag", "extinction A_V", ".3f"),
    "log_mass": ("", "log10 of the initial mass in solar masses", ".3f"),
    "r_h": ("arcsec", "projected half-light radius", ".4f"),
}
"""Columns of the parameters: unit, meaning, format."""
SUFFIXES = (".fits", ".parquet")
"""Of files of posteriors."""
_MEANING = {
    "med": "median of the posterior",
    "lo": "16% of the posterior are below",
    "hi": "84% of the posterior are below",
    "lo95": "2.5% of the posterior are below",
    "hi95": "97.5% of the posterior are below",
}


def parameter_columns(found: Predictions) -> dict[str, FloatArray]:
    """Mean and quantiles of each parameter.

    Parameters
    ----------
    found : Predictions
        n answers.

    Returns
    -------
    dict of str to (n,) float64 array
        ``NAME`` (the mean), ``NAME_med``, ``NAME_lo``, ``NAME_hi``, ``NAME_lo95`` and
        ``NAME_hi95`` for log_age, a_v, log_mass and r_h (in arcsec, not its logarithm).
    """
    quantiles = found.quantiles(tuple(LEVELS.values()))
    means = found.mean()
    radius = 10.0 ** found.samples[:, :, PARAMETERS.index("log_r_h")].astype(np.float64)
    columns: dict[str, FloatArray] = {}
    for k, name in enumerate(QUANTITIES):
        is_radius = name == "r_h"
        columns[name] = radius.mean(axis=1) if is_radius else means[:, k]
        for j, suffix in enumerate(LEVELS):
            values = quantiles[:, j, k]
            columns[f"{name}_{suffix}"] = 10.0**values if is_radius else values
    return columns


def build_catalog(columns: Mapping[str, NDArray[Any]], meta: dict[str, Any]) -> QTable:
    """Give arrays the units and descriptions of a catalogue of clusters.

    Parameters
    ----------
    columns : mapping of str to (n,) array
        ``id, x, y, ra, dec``, those of `parameter_columns`, ``p_cluster, snr, in_domain, flags``;
        ``name`` and ``p_map`` if there are any.
    meta : dict
        Goes to the table's ``meta``.

    Returns
    -------
    QTable
        n rows, in this order of columns.
    """
    from astropy.table import Column, QTable
    from astropy.units import Quantity

    table = QTable(meta=meta)
    for name, (unit, dtype, description, form) in _known_columns().items():
        if name not in columns:
            continue
        data = np.asarray(columns[name])
        data = data.astype(str) if dtype == "str" else data.astype(dtype)
        table[name] = Quantity(data, unit) if unit else Column(data)
        table[name].info.description = description
        table[name].info.format = form or None
    return table


def columns_table() -> str:
    """Document the columns.

    Returns
    -------
    str
        A Markdown table of name, unit, type and meaning of every column.
    """
    rows = ["| column | unit | type | meaning |", "|---|---|---|---|"]
    rows += [f"| `{n}` | {u} | {t} | {d} |" for n, (u, t, d, _) in _known_columns().items()]
    return "\n".join(rows) + "\n"


def _known_columns() -> dict[str, tuple[str, str, str, str]]:
    """Name to unit, type, description and format."""
    known = {
        "id": ("", "int64", "number in the list of positions, or of the detection, from 1", ""),
        "name": ("", "str", "name in the list of positions", ""),
        "x": ("pix", "float64", "column of the first image; 0 is the first pixel's centre", ".3f"),
        "y": ("pix", "float64", "row of the first image; 0 is the first pixel's centre", ".3f"),
        "ra": ("deg", "float64", "right ascension by the first image's WCS", ".7f"),
        "dec": ("deg", "float64", "declination by the first image's WCS", ".7f"),
    }
    for name, (unit, meaning, form) in QUANTITIES.items():
        text = f"{meaning}: mean of the posterior, if it is a cluster"
        known[name] = (unit, "float64", text, form)
        for suffix, quantile in _MEANING.items():
            known[f"{name}_{suffix}"] = (unit, "float64", f"{meaning}: {quantile}", form)
    known |= {
        "p_cluster": ("", "float64", "probability of being a cluster", ".4f"),
        "p_map": ("", "float64", "the same in the map in which it was detected", ".4f"),
        "snr": ("", "float64", "visibility: signal to noise within the half-light radius", ".2f"),
        "in_domain": ("", "bool", "the model was trained on such cutouts", ""),
        "flags": ("", "int32", "bit field, see filar.flags; 0 = nothing against it", ""),
    }
    return known


def write_posterior(
    path: str | PathLike[str],
    id: NDArray[np.int64],
    samples: NDArray[np.float32],
    meta: dict[str, Any],
) -> None:
    """Write draws from the joint posteriors of clusters.

    Parameters
    ----------
    path : path-like
        ``.fits``: a row per cluster, each parameter a column of vectors; ``.parquet``: a row per
        draw, with ``id`` and ``draw``.
    id : (n,) int64 array
        The catalogue's.
    samples : (n, draws, 4) float32 array
        Of `PARAMETERS`; the radius as log10 of arcsec.
    meta : dict
        Goes to the table's ``meta``.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    OutputFileError
        If the file cannot be written.
    """
    from astropy.table import QTable

    path = check_output(path, SUFFIXES)
    n, draws = samples.shape[:2]
    table = QTable(meta=meta)
    if path.suffix.lower() == ".parquet":
        table["id"] = np.repeat(np.asarray(id, np.int64), draws)
        table["draw"] = np.tile(np.arange(draws, dtype=np.int32), n)
        for k, name in enumerate(PARAMETERS):
            table[name] = samples[:, :, k].ravel()
    else:
        table["id"] = np.asarray(id, np.int64)
        for k, name in enumerate(PARAMETERS):
            table[name] = samples[:, :, k]
    write_catalog(table, path)


def read_posterior(path: str | PathLike[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Read what `write_posterior` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    id : (n,) int64 array
        Of the clusters.
    samples : (n, draws, 4) float32 array
        Of `PARAMETERS`.

    Raises
    ------
    InputFileError
        If it is no such file.
    """
    path = Path(path)
    table = read_catalog(path)
    missing = [name for name in ("id", *PARAMETERS) if name not in table.colnames]
    if missing:
        expected = "a file of filar clusters --posterior"
        raise InputFileError(path, f"it has no column {missing[0]}", expected)
    id = np.asarray(table["id"])
    columns = [np.asarray(table[name], np.float32) for name in PARAMETERS]
    if "draw" in table.colnames:
        draws = int(np.max(table["draw"], initial=-1)) + 1
        columns = [column.reshape(-1, max(draws, 1)) for column in columns]
        id = id[:: max(draws, 1)]
    return id.astype(np.int64), np.stack(columns, axis=2)
