"""Star lists and the stamps of a store: from one to the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.errors import ParameterError
from filar.flags import Flag
from filar.frames.matching import mutual_nearest
from filar.frames.starlist import SPOILT, FloatArray, StarList
from filar.measure.heldout import CLASSIC, IntArray, Measured, Positions, by_group
from filar.stamps.labels import TEST

NEAR = 0.7
"""Pixels between a list's position and the classic one of the same star."""


def star_lists(
    measured: Measured, method: str, part: int | None = TEST, *, common: bool = False
) -> list[StarList]:
    """Lists of one method's positions, to be tied together.

    Parameters
    ----------
    measured : Measured
        A store's stamps.
    method : str
        One of its methods.
    part : int or None
        Only the stars of this part; None for all.
    common : bool
        Whether the errors are the Cramer-Rao bounds instead of the quoted ones (the classic ones
        where there is no bound). Stars then have the same weights and limits of clipping in all
        methods, whatever these say of their errors.

    Returns
    -------
    list of StarList
        One per group that has stars.

    Raises
    ------
    ParameterError
        If there is no such method.
    """
    if method not in measured.methods:
        raise ParameterError("method", method, f"one of {', '.join(measured.methods)}")
    own = measured.methods[method]
    chosen = np.isfinite(own.x) & np.isfinite(own.y)
    if part is not None:
        chosen &= measured.part == part
    found = []
    for k, rows in by_group(measured.group, chosen):
        group = measured.groups[k]
        values = {name: getattr(own, name)[rows] for name in ("x", "y", "x_err", "y_err")}
        if common:
            values |= _common_errors(measured, rows)
        found.append(
            StarList.build(
                **values,
                exposure=group.exposure,
                chip=group.chip,
                filter=group.filter,
                mag=measured.mag[rows],
                snr=measured.snr[rows],
                flags=measured.flags[rows].astype(np.int32),
                method=method,
            )
        )
    return found


def _common_errors(measured: Measured, rows: IntArray) -> dict[str, FloatArray]:
    bounds = {"x_err": measured.x_bound[rows], "y_err": measured.y_bound[rows]}
    classic = measured.methods[CLASSIC]
    return {
        name: np.where(np.isfinite(bound), bound, getattr(classic, name)[rows])
        for name, bound in bounds.items()
    }


def positions_of(measured: Measured, lists: Sequence[StarList]) -> Positions:
    """Give the positions that star lists have for a store's stamps.

    Parameters
    ----------
    measured : Measured
        A store's stamps.
    lists : sequence of StarList
        Of the same exposures and chips, by another method.

    Returns
    -------
    Positions
        NaN for stars that the lists do not have.
    """
    own = measured.methods[CLASSIC]
    columns = np.full((4, len(measured)), np.nan)
    inside = np.ones(len(measured), bool)
    known = {(stars.exposure, stars.chip): stars for stars in lists}
    for k, rows in by_group(measured.group, np.isfinite(own.x) & np.isfinite(own.y)):
        group = measured.groups[k]
        stars = known.get((group.exposure, group.chip))
        if stars is None or stars.filter not in ("", group.filter):
            continue
        usable = np.isfinite(stars.x) & np.isfinite(stars.y) & ((stars.flags & int(SPOILT)) == 0)
        stars = stars[usable]
        mine, theirs = mutual_nearest(own.x[rows], own.y[rows], stars.x, stars.y, NEAR)
        for column, name in zip(columns, ("x", "y", "x_err", "y_err"), strict=True):
            column[rows[mine]] = getattr(stars, name)[theirs]
        inside[rows[mine]] = (stars.flags[theirs] & int(Flag.OUTSIDE_DOMAIN)) == 0
    return Positions(columns[0], columns[1], columns[2], columns[3], inside)
