"""A network's centres and the classic ones beside labels and truth, for stars held out of training.

All stamps of a store are measured, so that transformations are made with all stars; what is judged
are the stars of one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.centering.limits import raster_bound
from filar.errors import ParameterError
from filar.frames.matching import mutual_nearest
from filar.frames.starlist import BoolArray, FloatArray, Selection
from filar.frames.truemap import weighted_errors
from filar.frames.trueneighbours import neighbour_share
from filar.frames.truth import TOLERANCE, Truth, TruthErrors
from filar.stamps.labels import TEST
from filar.stamps.stamps import Group, Stamps
from filar.stamps.store import SCAN, StampStore

Progress = Callable[[float, str], None]
IntArray = NDArray[np.int64]
CLASSIC = "classic"
MIN_SNR = 20.0


class Centers(Protocol):
    """What a network answers."""

    @property
    def x(self) -> NDArray[Any]:
        """Columns, pixels of the chip."""

    @property
    def y(self) -> NDArray[Any]:
        """Rows."""

    @property
    def x_err(self) -> NDArray[Any]:
        """Errors of the columns, pixels; NaN if none are quoted."""

    @property
    def y_err(self) -> NDArray[Any]:
        """Errors of the rows."""

    @property
    def in_domain(self) -> NDArray[np.bool_]:
        """Whether the network was trained on such stars."""


class Centerer(Protocol):
    """What gives them."""

    def predict(self, stamps: Stamps) -> Centers:
        """Measure stamps."""


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions of n stamps by one method.

    Parameters
    ----------
    x, y : (n,) arrays
        Pixels of the chip.
    x_err, y_err : (n,) arrays
        Quoted errors, pixels; NaN if there are none.
    in_domain : (n,) bool array
        Whether the method is made for such stars.
    """

    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    in_domain: BoolArray


@dataclass(frozen=True, eq=False)
class Measured:
    """All stamps of a store, measured: n rows.

    Parameters
    ----------
    groups : tuple of Group
        Exposures and chips.
    group, part, star, flags : (n,) int arrays
        As in the store.
    label : Positions
        The labels, in pixels of the chip.
    flux, mag, snr : (n,) arrays
        Classic.
    x_bound, y_bound : (n,) arrays
        Cramer-Rao bound with the PSF of the store, pixels; NaN without one.
    methods : dict
        From the name of a method to its positions, `CLASSIC` first.
    """

    groups: tuple[Group, ...]
    group: IntArray
    part: IntArray
    star: IntArray
    flags: IntArray
    label: Positions
    flux: FloatArray
    mag: FloatArray
    snr: FloatArray
    x_bound: FloatArray
    y_bound: FloatArray
    methods: Mapping[str, Positions]

    def __len__(self) -> int:
        return len(self.group)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Chips and filters, each once, in the order of the groups."""
        return list(dict.fromkeys((group.chip, group.filter) for group in self.groups))

    def of(self, kind: tuple[str, str]) -> BoolArray:
        """Rows of one chip and filter: (n,) bool array."""
        mine = np.array([(g.chip, g.filter) == kind for g in self.groups], bool)
        return np.asarray(mine[self.group])

    @property
    def split_by_star(self) -> bool:
        """Whether no star is in the test part and another one, as it should be."""
        test = np.unique(self.star[self.part == TEST])
        return not np.isin(self.star[self.part != TEST], test).any()


def measure_store(
    store: StampStore,
    networks: Mapping[str, Centerer],
    *,
    progress: Progress | None = None,
) -> Measured:
    """Measure all stamps of a store, a piece at a time.

    Parameters
    ----------
    store : StampStore
        Stamps with labels and classic positions.
    networks : mapping
        From a name to a network.
    progress : callable, optional
        Called with the part that is done, 0 to 1, and what is being done.

    Returns
    -------
    Measured
        Positions and what is needed to judge them; not the pixels.

    Raises
    ------
    ParameterError
        If the store is empty or a network is called like the classic method.
    """
    if not len(store):
        raise ParameterError("store", str(store.path), "stamps, one or more")
    if CLASSIC in networks:
        raise ParameterError("networks", CLASSIC, "other names")
    parts = []
    for start in range(0, len(store), SCAN):
        if progress is not None:
            progress(start / len(store), f"measuring {len(store)} stamps")
        parts.append(_piece(store, slice(start, start + SCAN), networks))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def positions(name: str) -> Positions:
        return Positions(*(columns[f"{name}.{one.name}"] for one in fields(Positions)))

    methods = {name: positions(name) for name in (CLASSIC, *networks)}
    plain = {name: column for name, column in columns.items() if "." not in name}
    return Measured(store.groups, label=positions(""), methods=methods, **plain)


def _piece(store: StampStore, rows: slice, networks: Mapping[str, Centerer]) -> dict[str, Any]:
    stamps, labels = store.read(rows)
    corner = {"x": stamps.corner_x, "y": stamps.corner_y}
    everywhere = np.ones(len(stamps), bool)
    bounds = raster_bound(stamps, labels.x.astype(float), labels.y.astype(float))
    columns: dict[str, Any] = {
        "group": stamps.group.astype(np.int64),
        "part": labels.part.astype(np.int64),
        "star": labels.star,
        "flags": labels.flags.astype(np.int64),
        "flux": stamps.flux.astype(float),
        "mag": stamps.mag.astype(float),
        "snr": labels.snr.astype(float),
        "x_bound": bounds[0],
        "y_bound": bounds[1],
    }
    for name, suffix in (("", ""), (CLASSIC, "_classic")):
        for axis in "xy":
            place = getattr(labels, f"{axis}{suffix}").astype(float)
            columns[f"{name}.{axis}"] = place + corner[axis]
            columns[f"{name}.{axis}_err"] = getattr(labels, f"{axis}{suffix}_err").astype(float)
        columns[f"{name}.in_domain"] = everywhere
    for name, network in networks.items():
        found = network.predict(stamps)
        for one in fields(Positions):
            kind = bool if one.name == "in_domain" else float
            columns[f"{name}.{one.name}"] = np.asarray(getattr(found, one.name), kind)
    return columns


@dataclass(frozen=True, eq=False)
class CenterErrors(TruthErrors):
    """Errors of n measures by one method, see `TruthErrors`; `tie` is the group in the store.

    Parameters
    ----------
    flux, snr : (n,) arrays
        Electrons; true ones if the truth is known.
    in_domain : (n,) bool array
        Whether the method is made for such stars.
    judged : (n,) bool array
        Measures that count: bright enough, with nothing against them, measured by all methods.
    against : str
        "truth" or "labels". The labels' own errors are in the bounds and quoted errors then, in
        quadrature.
    """

    flux: FloatArray
    snr: FloatArray
    in_domain: BoolArray
    judged: BoolArray
    against: str = "labels"


def errors_of(
    measured: Measured,
    kind: tuple[str, str],
    *,
    truth: Truth | None = None,
    part: int | None = TEST,
    min_snr: float = MIN_SNR,
    max_neighbours: float = np.inf,
    selection: Selection | None = None,
) -> dict[str, CenterErrors]:
    """Errors of all methods for the stars held out, on one chip in one filter.

    Parameters
    ----------
    measured : Measured
        A store's stamps.
    kind : (str, str)
        Chip and filter.
    truth : Truth, optional
        True positions; errors are then taken after a weighted cubic map per exposure, made with
        the well-measured stars of all parts. Without, against the labels.
    part : int or None
        The part to judge; None for all.
    min_snr : float
        Fainter measures do not count.
    max_neighbours : float
        With truth: stars do not count whose true neighbours, found or not, have more than this
        share of their light, see `filar.frames.trueneighbours.neighbour_share`.
    selection : Selection, optional
        Well-measured stars.

    Returns
    -------
    dict
        From method to errors, the same measures for all; empty ones if the truth has none of the
        exposures.
    """
    chosen = selection or Selection()
    rows = np.flatnonzero(measured.of(kind))
    clean = (measured.flags[rows] & chosen.reject) == 0
    good = clean & (measured.snr[rows] >= chosen.min_snr)
    counts = clean & (measured.snr[rows] >= min_snr)
    for own in measured.methods.values():
        counts &= np.isfinite(own.x[rows]) & np.isfinite(own.y[rows])
    true = None if truth is None else _true(measured, rows, truth)
    wanted = np.ones(len(rows), bool) if part is None else measured.part[rows] == part
    alone = np.ones(len(rows), bool)
    if true is not None and np.isfinite(max_neighbours):
        alone = true["neighbours"] <= max_neighbours
    found = {}
    for name, own in measured.methods.items():
        known, columns = _differences(measured, rows, own, good & counts, true)
        keep = known & wanted
        every = (*columns, own.in_domain[rows], counts & alone)
        one = CenterErrors(*(column[keep] for column in every))
        one = replace(one, good=one.good & alone[keep])
        found[name] = one if true is None else replace(one, against="truth")
    return found


def _differences(
    measured: Measured,
    rows: IntArray,
    own: Positions,
    good: BoolArray,
    true: Mapping[str, Any] | None,
) -> tuple[BoolArray, tuple[NDArray[Any], ...]]:
    """Which rows are known, and the columns of `CenterErrors` up to `snr`."""
    x, y = own.x[rows], own.y[rows]
    label = measured.label
    errs = [own.x_err[rows], own.y_err[rows]]
    bounds = [measured.x_bound[rows], measured.y_bound[rows]]
    if true is None:
        known = np.isfinite(label.x[rows]) & np.isfinite(label.y[rows])
        u, v, ident = label.x[rows], label.y[rows], measured.star[rows]
        mag, flux = measured.mag[rows], measured.flux[rows]
        raw_x, raw_y = x - u, y - v
        dx, dy = raw_x, raw_y
        spread = [np.nan_to_num(e[rows]) for e in (label.x_err, label.y_err)]
        errs = [np.hypot(e, s) for e, s in zip(errs, spread, strict=True)]
        bounds = [np.hypot(b, s) for b, s in zip(bounds, spread, strict=True)]
    else:
        known, u, v, ident = true["known"], true["x"], true["y"], true["id"]
        mag, flux = true["mag"], true["flux"]
        bounds = [true["x_bound"], true["y_bound"]]
        raw_x, raw_y = x - u, y - v
        dx, dy = np.full((2, len(rows)), np.nan)
        for _, at in by_group(measured.group[rows], known):
            dx[at], dy[at] = weighted_errors(
                x[at], y[at], u[at], v[at], good[at], (bounds[0][at], bounds[1][at])
            )
    columns = (measured.group[rows], rows, ident, u, v, mag, dx, dy, raw_x, raw_y, *errs, *bounds,
               good & known, flux, measured.snr[rows])  # fmt: skip
    return known, columns


def _true(measured: Measured, rows: IntArray, truth: Truth) -> dict[str, Any]:
    """Columns of the true stars that belong to rows; `known` where there is one."""
    names = ("x", "y", "mag", "flux", "x_bound", "y_bound", "neighbours")
    found: dict[str, Any] = {name: np.full(len(rows), np.nan) for name in names}
    found["id"] = np.full(len(rows), -1, np.int64)
    found["known"] = np.zeros(len(rows), bool)
    label = measured.label
    placed = np.isfinite(label.x[rows]) & np.isfinite(label.y[rows])
    for k, mine in by_group(measured.group[rows], placed):
        own = measured.groups[k]
        if (own.chip, own.exposure) not in truth.rows:
            continue
        at = truth.rows[own.chip, own.exposure]
        true = {name: column[at] for name, column in truth.columns.items()}
        true["neighbours"] = neighbour_share(true["x"], true["y"], true["flux"])
        first, second = mutual_nearest(
            label.x[rows][mine], label.y[rows][mine], true["x"], true["y"], TOLERANCE
        )
        for name in (*names, "id"):
            found[name][mine[first]] = true[name][second]
        found["known"][mine[first]] = True
    return found


def by_group(group: IntArray, chosen: BoolArray) -> Iterator[tuple[int, IntArray]]:
    """Go through groups.

    Parameters
    ----------
    group : (n,) int array
        Number of each row's group.
    chosen : (n,) bool array
        Rows that count.

    Yields
    ------
    number : int
        Of a group that has chosen rows, rising.
    rows : int array
        These rows, rising.
    """
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(group[rows], kind="stable")]
    numbers, starts = np.unique(group[rows], return_index=True)
    yield from zip(numbers.tolist(), np.split(rows, starts[1:]), strict=False)
