"""Columns of the tables of artificial and real stars: writing and reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable, Table

    from filar.completeness.table import ArtificialStars, RealStars

FloatArray = NDArray[np.float64]


def begin_table(stars: ArtificialStars | RealStars, kind: str) -> QTable:
    """Make a table with the numbers and positions of stars, and what is known of all."""
    from astropy.table import QTable

    facts = {"kind": kind, "bands": list(stars.bands), "covariates": list(stars.covariates)}
    table = QTable(meta=facts | stars.meta)
    add_column(table, "id", np.arange(1, len(stars) + 1), "number of the star")
    for name in ("x", "y"):
        values = getattr(stars, name)
        add_column(table, name, values, f"{name} in the first image, from 0", "pix", ".3f")
    return table


def add_column(
    table: QTable, name: str, values: Any, description: str, unit: str = "", form: str = ""
) -> None:
    """Add a column with its description, unit and format."""
    from astropy.table import Column
    from astropy.units import Quantity

    table[name] = Quantity(values, unit) if unit else Column(values)
    table[name].info.description = description
    if form:
        table[name].info.format = form


def add_magnitude(table: QTable, name: str, values: FloatArray, description: str) -> None:
    """Add a column of magnitudes."""
    add_column(table, name, values, description, "mag", ".4f")


def add_covariates(table: QTable, covariates: Mapping[str, FloatArray]) -> None:
    """Add those covariates that the table does not have as its positions."""
    for name, values in covariates.items():
        if name not in table.colnames:
            add_column(table, name, values, "covariate of completeness")


def read_meta(table: Table, kind: str, prefix: str) -> tuple[dict[str, Any], Any, list[str]]:
    """Give a table's own facts, its bands and the names of its covariates."""
    meta = dict(table.meta)
    found = meta.pop("kind", kind)
    if found != kind:
        raise ParameterError("table", f"a table of {found}", f"a table of {kind}")
    listed = {key: meta.pop(key, None) or [] for key in ("bands", "covariates")}
    for key, value in listed.items():
        if not isinstance(value, list | tuple):
            raise ParameterError(key, value, "a list of names")
    names = [str(name) for name in listed["covariates"]]
    skipped = ("mag_in_", "mag_out_", "mag_err_")
    bands = listed["bands"] or [
        name.removeprefix(prefix)
        for name in table.colnames
        if name.startswith(prefix) and (prefix in skipped or not name.startswith(skipped))
    ]
    if not bands:
        there = ", ".join(table.colnames)
        raise ParameterError("columns", there, f"{prefix}B for each of one or more bands B")
    return meta, tuple(str(band) for band in bands), names


def read_columns(table: Table, names: Sequence[str]) -> FloatArray:
    """Give columns as numbers, (n, len(names)), NaN where they are masked or not finite."""
    columns: list[FloatArray] = []
    for name in names:
        if name not in table.colnames:
            raise ParameterError("columns", ", ".join(table.colnames), f"a column {name} too")
        column = table[name]
        values = getattr(column, "value", column)
        try:
            numbers: FloatArray = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"column {name}", str(error), "numbers") from error
        columns.append(np.where(np.isfinite(numbers), numbers, np.nan))
    return np.stack(columns, axis=1)


def read_position(table: Table, name: str) -> FloatArray:
    """Give x or y; an empty array where the table has none."""
    return read_columns(table, [name])[:, 0] if name in table.colnames else np.empty(0)
