"""Artificial and real stars as arrays, and as the tables that are written to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from filar.completeness.starcolumns import (
    add_column,
    add_covariates,
    add_magnitude,
    begin_table,
    read_columns,
    read_meta,
    read_position,
)
from filar.errors import ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable, Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

AnyStars = TypeVar("AnyStars", bound="ArtificialStars | RealStars")

ARTIFICIAL, REAL = "artificial stars", "stars"
"""What ``meta["kind"]`` of a table of artificial and of real stars says."""


def _nothing() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class ArtificialStars:
    """Stars that were put into images, and what became of them.

    Parameters
    ----------
    bands : tuple of str
        Names of the b filters, in the order of the images.
    mag_in : (n, b) float64 array
        Magnitudes they were given.
    mag_out : (n, b) float64 array
        Magnitudes they were found with; NaN = lost in that band.
    recovered : (n,) bool array
        Which were found and passed all cuts in all the bands that were asked for. A star without
        ``mag_out`` in a band is so only where the cuts ask for fewer bands.
    covariates : dict of (n,) float64 arrays
        What else recovery depends on, as in ``sky_noise_F555W`` (electrons), ``crowding``; NaN
        where unknown.
    x, y : (n,) float64 arrays
        Positions in the first image, pixels from 0; all NaN if not given.
    meta : dict
        ``cuts`` (dict), ``mag_system``, ``source``, ``seed`` and the like.

    Raises
    ------
    ParameterError
        If the shapes do not fit together, there is no row, a number is infinite, or a star is
        called recovered that was found in no band.
    """

    bands: tuple[str, ...]
    mag_in: FloatArray
    mag_out: FloatArray
    recovered: BoolArray
    covariates: dict[str, FloatArray] = field(default_factory=dict)
    x: FloatArray = field(default_factory=_nothing)
    y: FloatArray = field(default_factory=_nothing)
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _settle(self, ("mag_in", "mag_out"))
        recovered = np.asarray(self.recovered, bool)
        if recovered.shape != (len(self),):
            raise ParameterError("recovered", recovered.shape, f"one value for {len(self)} stars")
        object.__setattr__(self, "recovered", recovered)
        unfound = int((recovered & ~self.found.any(axis=1)).sum())
        if unfound:
            allowed = "recovered stars that have an output magnitude in some band"
            raise ParameterError("recovered", f"{unfound} stars without", allowed)

    def __len__(self) -> int:
        return len(self.mag_in)

    @property
    def found(self) -> BoolArray:
        """Where a star has an output magnitude, (n, b)."""
        return np.isfinite(self.mag_out)

    @property
    def delta(self) -> FloatArray:
        """Output minus input magnitude, (n, b); NaN = lost."""
        return np.asarray(self.mag_out - self.mag_in)

    def magnitudes(self, kind: str = "input") -> FloatArray:
        """Give the magnitudes that recovery is to depend on.

        Parameters
        ----------
        kind : {"input", "measured"}
            With "measured" a star has its output magnitude where it was found and its input
            magnitude else (H24).

        Returns
        -------
        (n, b) float64 array

        Raises
        ------
        ParameterError
            If the kind is another one.
        """
        if kind not in ("input", "measured"):
            raise ParameterError("magnitudes", kind, '"input" or "measured"')
        return (
            np.where(self.found, self.mag_out, self.mag_in) if kind == "measured" else self.mag_in
        )

    def select(self, index: Any) -> Self:
        """Keep some stars.

        Parameters
        ----------
        index : slice, bool or int array
            Which, and in what order.

        Returns
        -------
        ArtificialStars
            With the same bands and meta.
        """
        return _select(self, index, ("mag_in", "mag_out", "recovered"))

    def split(self, fractions: Sequence[float], seed: int = 0) -> tuple[Self, ...]:
        """Share the stars out by chance.

        Parameters
        ----------
        fractions : sequence of float
            Size of each part; together 1 or less.
        seed : int
            The same seed gives the same parts.

        Returns
        -------
        tuple of ArtificialStars
            One for each fraction, in order; no star is in two.

        Raises
        ------
        ParameterError
            If the fractions make no sense or leave a part without a star.
        """
        total = sum(fractions)
        if not fractions or min(fractions) <= 0 or total > 1 + 1e-9:
            raise ParameterError("fractions", tuple(fractions), "positive numbers of sum 1 or less")
        ends = np.rint(np.cumsum([0.0, *fractions]) * len(self)).astype(int)
        if np.any(np.diff(ends) < 1):
            allowed = f"parts that each get one or more of {len(self)} stars"
            raise ParameterError("fractions", tuple(fractions), allowed)
        order = np.random.default_rng(seed).permutation(len(self))
        return tuple(self.select(order[a:b]) for a, b in pairwise(ends))

    def to_table(self) -> QTable:
        """Write down as a table.

        Returns
        -------
        QTable
            ``id, x, y``, for each band B ``mag_in_B, mag_out_B, found_B``, ``recovered`` and the
            covariates; ``meta`` has ``kind``, ``bands``, ``covariates`` and what `meta` holds.
        """
        table = begin_table(self, ARTIFICIAL)
        for i, band in enumerate(self.bands):
            add_magnitude(table, f"mag_in_{band}", self.mag_in[:, i], "magnitude given")
            add_magnitude(table, f"mag_out_{band}", self.mag_out[:, i], "magnitude found")
            add_column(table, f"found_{band}", self.found[:, i], "found in this band")
        add_column(table, "recovered", self.recovered, "found, and passed all cuts")
        add_covariates(table, self.covariates)
        return table

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Take from a table as `to_table` makes it; further columns are passed over.

        Parameters
        ----------
        table : Table or QTable
            Columns as `to_table` names them. ``x, y`` and ``found_B`` may be missing. Without
            ``meta["bands"]`` the bands are those of the ``mag_in_B``.

        Returns
        -------
        ArtificialStars

        Raises
        ------
        ParameterError
            If a column is missing or holds no numbers, or the table is one of real stars.
        """
        meta, bands, names = read_meta(table, ARTIFICIAL, "mag_in_")
        mag_out = read_columns(table, [f"mag_out_{band}" for band in bands])
        for i, band in enumerate(bands):
            if f"found_{band}" in table.colnames:
                found = np.asarray(table[f"found_{band}"], bool)
                mag_out[:, i] = np.where(found, mag_out[:, i], np.nan)
        return cls(
            bands=bands,
            mag_in=read_columns(table, [f"mag_in_{band}" for band in bands]),
            mag_out=mag_out,
            recovered=read_columns(table, ["recovered"])[:, 0] > 0.5,
            covariates={name: read_columns(table, [name])[:, 0] for name in names},
            x=read_position(table, "x"),
            y=read_position(table, "y"),
            meta=meta,
        )


@dataclass(frozen=True, eq=False)
class RealStars:
    """Stars of the sky, as they were measured: what a completeness is wanted for.

    Parameters
    ----------
    bands : tuple of str
        Names of the b filters.
    mag : (n, b) float64 array
        Measured magnitudes; NaN where there is none.
    covariates, x, y, meta
        As in `ArtificialStars`.

    Raises
    ------
    ParameterError
        If the shapes do not fit together, there is no row, or a number is infinite.
    """

    bands: tuple[str, ...]
    mag: FloatArray
    covariates: dict[str, FloatArray] = field(default_factory=dict)
    x: FloatArray = field(default_factory=_nothing)
    y: FloatArray = field(default_factory=_nothing)
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _settle(self, ("mag",))

    def __len__(self) -> int:
        return len(self.mag)

    def magnitudes(self, kind: str = "measured") -> FloatArray:
        """Give the magnitudes, (n, b): the measured ones, whatever a model was trained on.

        Parameters
        ----------
        kind : {"input", "measured"}
            As in `ArtificialStars.magnitudes`.

        Returns
        -------
        (n, b) float64 array

        Raises
        ------
        ParameterError
            If the kind is another one.
        """
        if kind not in ("input", "measured"):
            raise ParameterError("magnitudes", kind, '"input" or "measured"')
        return self.mag

    def select(self, index: Any) -> Self:
        """Keep some stars; see `ArtificialStars.select`."""
        return _select(self, index, ("mag",))

    def to_table(self) -> QTable:
        """Write down as a table: ``id, x, y``, ``mag_B`` for each band B, the covariates."""
        table = begin_table(self, REAL)
        for i, band in enumerate(self.bands):
            add_magnitude(table, f"mag_{band}", self.mag[:, i], "measured magnitude")
        add_covariates(table, self.covariates)
        return table

    @classmethod
    def from_table(cls, table: Table) -> Self:
        """Take from a table as `to_table` makes it; further columns are passed over.

        Parameters
        ----------
        table : Table or QTable
            Columns ``mag_B`` of the bands that ``meta["bands"]`` lists, covariates.

        Returns
        -------
        RealStars

        Raises
        ------
        ParameterError
            If a column is missing or holds no numbers, or the table is one of artificial stars.
        """
        meta, bands, names = read_meta(table, REAL, "mag_")
        return cls(
            bands=bands,
            mag=read_columns(table, [f"mag_{band}" for band in bands]),
            covariates={name: read_columns(table, [name])[:, 0] for name in names},
            x=read_position(table, "x"),
            y=read_position(table, "y"),
            meta=meta,
        )


def _settle(stars: Any, magnitudes: tuple[str, ...]) -> None:
    """Give a new set of stars its types, and check its shapes."""
    n_bands = len(stars.bands)
    first = np.asarray(getattr(stars, magnitudes[0]), float)
    if not n_bands or len(set(stars.bands)) != n_bands:
        raise ParameterError("bands", stars.bands, "one or more names, each of them once")
    if first.ndim != 2 or not len(first):
        raise ParameterError(magnitudes[0], first.shape, "a row for each of one or more stars")
    n = len(first)
    values: dict[str, FloatArray] = {
        name: np.asarray(getattr(stars, name), float) for name in magnitudes
    }
    for name in ("x", "y"):
        position = np.asarray(getattr(stars, name), float)
        values[name] = position if position.size else np.full(n, np.nan)
    covariates = {str(name): np.asarray(v, float) for name, v in stars.covariates.items()}
    for name, value in [*values.items(), *covariates.items()]:
        expected = (n, n_bands) if name in magnitudes else (n,)
        if value.shape != expected:
            raise ParameterError(f"{name} of shape", value.shape, f"shape {expected}")
        if np.isinf(value).any():
            raise ParameterError(name, "infinite numbers", "numbers, or NaN where unknown")
    for name, value in values.items():
        object.__setattr__(stars, name, value)
    object.__setattr__(stars, "bands", tuple(str(band) for band in stars.bands))
    object.__setattr__(stars, "covariates", covariates)


def _select(stars: AnyStars, index: Any, names: tuple[str, ...]) -> AnyStars:
    changes = {name: getattr(stars, name)[index] for name in (*names, "x", "y")}
    covariates = {name: value[index] for name, value in stars.covariates.items()}
    return replace(stars, **changes, covariates=covariates)
