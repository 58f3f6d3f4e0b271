"""Measures beside the true positions of a simulated set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.frames.frame import Frame
from filar.frames.master import unspoilt
from filar.frames.matching import mutual_nearest
from filar.frames.polynomial import fit_polynomial
from filar.frames.starlist import BoolArray, FloatArray, Selection

COLUMNS = ("exposure", "chip", "id", "x", "y", "flux", "mag", "x_bound", "y_bound",
           "x_ref", "y_ref")  # fmt: skip
TOLERANCE = 1.0
MAX_EXPOSURES = 120
_TERMS = {3: 10, 2: 6, 1: 3}
_PER_TERM = 3
_LEAST_FOUND = 0.2  # a crowded field gives a few percent by chance


@dataclass(frozen=True, eq=False)
class Truth:
    """True stars, by chip and exposure.

    Parameters
    ----------
    columns : dict of arrays
        Those of `COLUMNS`, without units: pixels and electrons; sorted by chip and exposure.
    rows : dict
        From (chip, exposure) to the slice of its rows.
    """

    columns: Mapping[str, NDArray[Any]]
    rows: Mapping[tuple[str, str], slice]

    @classmethod
    def from_table(cls, table: Any) -> Truth:
        """Sort a table of true stars, one row per star and exposure.

        Parameters
        ----------
        table : QTable, Table or mapping of arrays
            With the columns of `COLUMNS`.

        Returns
        -------
        Truth
            The same, sorted.

        Raises
        ------
        ParameterError
            If a column is missing.
        """
        names = getattr(table, "colnames", None) or list(table)
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise ParameterError("truth", f"a table without {', '.join(missing)}",
                                 f"the columns {', '.join(COLUMNS)}")  # fmt: skip
        columns = {name: np.asarray(getattr(table[name], "value", table[name])) for name in COLUMNS}
        chips, chip = np.unique(columns["chip"].astype(str), return_inverse=True)
        exposures, exposure = np.unique(columns["exposure"].astype(str), return_inverse=True)
        group = chip * len(exposures) + exposure
        order = np.argsort(group, kind="stable")
        numbers, starts = np.unique(group[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        rows = {
            (str(chips[n // len(exposures)]), str(exposures[n % len(exposures)])): slice(a, b)
            for n, a, b in zip(numbers.tolist(), starts.tolist(), ends, strict=True)
        }
        return cls({name: column[order] for name, column in columns.items()}, rows)


@dataclass(frozen=True, eq=False)
class TruthErrors:
    """Measured minus true positions of n measures.

    Parameters
    ----------
    tie : (n,) int array
        Number of the exposure among the frame's ties.
    row : (n,) int array
        Row of that exposure's list.
    id : (n,) int64 array
        Number of the true star.
    x, y, mag : (n,) arrays
        Truth, in the exposure's own pixels.
    dx, dy : (n,) arrays
        Errors after a cubic map per exposure, pixels; NaN where too few stars define it.
    raw_dx, raw_dy : (n,) arrays
        Errors as they are, pixels.
    x_err, y_err, x_bound, y_bound : (n,) arrays
        Quoted errors and Cramer-Rao bounds, pixels.
    good : (n,) bool array
        Well-measured: they define the maps and the summary figures.
    """

    tie: NDArray[np.int64]
    row: NDArray[np.int64]
    id: NDArray[np.int64]
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    dx: FloatArray
    dy: FloatArray
    raw_dx: FloatArray
    raw_dy: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    x_bound: FloatArray
    y_bound: FloatArray
    good: BoolArray

    def __len__(self) -> int:
        return len(self.x)


def truth_errors(
    frame: Frame,
    truth: Truth,
    *,
    selection: Selection | None = None,
    max_exposures: int = MAX_EXPOSURES,
) -> TruthErrors:
    """Match a frame's measures to the truth and take their errors.

    A measure belongs to the nearest true star within a pixel if it is that star's nearest measure.
    Measures that say nothing about a star's place (cosmic rays, edges, failed fits) do not count.

    Parameters
    ----------
    frame : Frame
        One chip, filter and method.
    truth : Truth
        Of the same set.
    selection : Selection, optional
        Which measures are well measured.
    max_exposures : int
        Of more exposures used, so many are taken, evenly spread.

    Returns
    -------
    TruthErrors
        By exposure; empty if the truth has none of the frame's exposures.
    """
    chosen = selection or Selection()
    known = [
        number for number, tie in enumerate(frame.ties)
        if tie.used and (frame.chip, tie.stars.exposure) in truth.rows
    ]  # fmt: skip
    spread = np.linspace(0, len(known) - 1, min(len(known), max_exposures)).round().astype(int)
    parts = [_exposure_errors(frame, known[k], truth, chosen) for k in spread]
    if not parts:
        numbers, values = np.zeros((3, 0), np.int64), np.zeros((11, 0))
        parts = [(*numbers, *values, np.zeros(0, bool))]
    return TruthErrors(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def belongs(frame: Frame, errors: TruthErrors) -> bool:
    """Whether a truth is that of a frame's exposures: most of their stars are in it.

    Parameters
    ----------
    frame : Frame
        One chip, filter and method.
    errors : TruthErrors
        Of the frame.

    Returns
    -------
    bool
        True if true stars lie in the places of a fifth of the measures and more.
    """
    measured = int(np.count_nonzero(np.isin(frame.measures.tie, errors.tie)))
    return len(errors) > 0 and len(errors) >= _LEAST_FOUND * measured


def _exposure_errors(
    frame: Frame, number: int, truth: Truth, chosen: Selection
) -> tuple[NDArray[Any], ...]:
    """Columns of `TruthErrors` for one exposure."""
    stars = frame.ties[number].stars
    at = truth.rows[frame.chip, stars.exposure]
    true = {name: column[at] for name, column in truth.columns.items()}
    row = np.flatnonzero(unspoilt(stars))
    mine, theirs = mutual_nearest(stars.x[row], stars.y[row], true["x"], true["y"], TOLERANCE)
    row = row[mine]
    own = stars[row]
    good = chosen(own)
    x, y = (true[axis][theirs].astype(float) for axis in "xy")
    dx, dy = mapped_errors(own.x, own.y, x, y, good)
    others = [true[name][theirs].astype(float) for name in ("x_bound", "y_bound")]
    return (np.full(len(row), number), row, true["id"][theirs].astype(np.int64), x, y,
            true["mag"][theirs].astype(float), dx, dy, own.x - x, own.y - y,
            own.x_err, own.y_err, *others, good)  # fmt: skip


def mapped_errors(
    x: FloatArray, y: FloatArray, u: FloatArray, v: FloatArray, good: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Errors of positions after a polynomial map to the true ones.

    Parameters
    ----------
    x, y, u, v : (n,) arrays
        Measured and true positions, pixels.
    good : (n,) bool array
        Which define the map: cubic with 30 of them or more, with fewer a lower order.

    Returns
    -------
    dx, dy : (n,) arrays
        Mapped minus true, pixels; all NaN with fewer than 9 good ones.
    """
    number = np.count_nonzero(good & np.isfinite(x) & np.isfinite(u))
    for order, terms in _TERMS.items():
        if number >= _PER_TERM * terms:
            fit = fit_polynomial(x[good], y[good], u[good], v[good], order=order)
            mapped = fit.transform(x, y)
            return mapped[0] - u, mapped[1] - v
    return np.full(len(x), np.nan), np.full(len(x), np.nan)
