"""Labels: where the stars of an exposure truly are, as far as other exposures or a truth tell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.frames.columns import read_columns
from filar.frames.frame import Frame
from filar.frames.master import unspoilt
from filar.frames.matching import mutual_nearest
from filar.frames.starlist import BoolArray, FloatArray, StarList
from filar.frames.truth import TOLERANCE

FEWEST_MEASURES = 5
"""Measures below which a star's mean and its error are too poor for a label."""

_FAINT = 2.5 * np.log10(1 / 0.05)  # a neighbour of less light than that spoils nothing
_FAR = 60.0
_TRUTH = ("chip", "exposure", "id", "x", "y")
_NEAREST = 12  # others that are looked at


@dataclass(frozen=True, eq=False)
class Places:
    """Where n stars of one exposure's list truly are.

    Parameters
    ----------
    row : (n,) int64 array
        Row of the list.
    star : (n,) int64 array
        Number of the star, the same in all exposures.
    x, y : (n,) float64 arrays
        Pixels of the exposure.
    x_err, y_err : (n,) float64 arrays
        Errors, pixels; 0 where the truth is known.
    isolation : (n,) float64 array
        Distance to the nearest other star that any exposure shows, pixels; as far as is known.
    """

    row: NDArray[np.int64]
    star: NDArray[np.int64]
    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    isolation: FloatArray

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, index: NDArray[np.int64] | BoolArray) -> Self:
        columns: dict[str, Any] = {
            name: getattr(self, name)[index] for name in self.__dataclass_fields__
        }
        return replace(self, **columns)


class FramePlaces:
    """Labels from a mean catalogue, carried back into its exposures.

    Parameters
    ----------
    frame : Frame
        One chip and filter.
    fewest : int
        Measures that a star's mean must have.

    Notes
    -----
    This is C23's label. The measure that is to be labelled is itself one of the N in the mean, so
    a label shares 1/N of its error.
    """

    def __init__(self, frame: Frame, fewest: int = FEWEST_MEASURES) -> None:
        self._frame = frame
        known = np.isfinite(frame.x_err) & np.isfinite(frame.y_err)
        self._known = known & (frame.n_used >= fewest)
        self._isolation = star_isolation(frame.x, frame.y, frame.mag)
        order = np.argsort(frame.measures.tie, kind="stable")
        self._by_tie = (
            order,
            np.searchsorted(frame.measures.tie[order], np.arange(len(frame.ties) + 1)),
        )

    def of(self, tie: int) -> Places:
        """Labels of the stars of an exposure.

        Parameters
        ----------
        tie : int
            Its number in the frame.

        Returns
        -------
        Places
            None if the exposure was left out.
        """
        frame, transform = self._frame, self._frame.ties[tie].to_frame
        order, borders = self._by_tie
        members = order[borders[tie] : borders[tie + 1]]
        members = members[self._known[frame.measures.star[members]]]
        star = frame.measures.star[members].astype(np.int64)
        if transform is None or not len(star):
            return _places(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((5, 0)))
        x, y = transform.inverse(frame.x[star], frame.y[star])
        back = np.abs(np.linalg.inv(transform.linear_part))
        variances = np.stack([frame.x_err[star] ** 2, frame.y_err[star] ** 2])
        x_err, y_err = np.sqrt(back**2 @ variances)
        values = np.stack([x, y, x_err, y_err, self._isolation[star]])
        good = np.isfinite(values[:2]).all(axis=0)
        row = frame.measures.row[members].astype(np.int64)
        return _places(row[good], star[good], values[:, good])


class TruePlaces:
    """Labels from a table of true positions.

    Parameters
    ----------
    x, y : (m,) arrays
        Pixels of the exposure that the row is of.
    star : (m,) int array
        Number of the star within its chip, the same in all exposures.
    rows : dict
        From (chip, exposure) to its rows.
    """

    def __init__(
        self,
        x: FloatArray,
        y: FloatArray,
        star: NDArray[np.int64],
        rows: Mapping[tuple[str, str], NDArray[np.int64]],
    ) -> None:
        self._x, self._y, self._star, self._rows = x, y, star, rows

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a table, its columns ``chip, exposure, id, x, y`` only.

        Parameters
        ----------
        path : path-like
            ``.parquet``, ``.ecsv`` or ``.fits``, such as ``truth.parquet`` of `filar simulate
            dithers`.

        Returns
        -------
        TruePlaces

        Raises
        ------
        InputFileError
            If it cannot be read or lacks a column.
        ParameterError
            If the suffix is another one.
        """
        columns = read_columns(Path(path), [], list(_TRUTH))
        if missing := [name for name in _TRUTH if name not in columns]:
            found = f"it has no column {', '.join(missing)}"
            raise InputFileError(path, found, f"a table of true stars: {', '.join(_TRUTH)}")
        names = [columns["exposure:values"], columns["chip:values"]]
        number = columns["chip"].astype(np.int64) * len(names[0]) + columns["exposure"]
        order = np.argsort(number, kind="stable")
        kinds, starts = np.unique(number[order], return_index=True)
        rows = {
            (str(names[1][kind // len(names[0])]), str(names[0][kind % len(names[0])])): members
            for kind, members in zip(kinds, np.split(order, starts[1:]), strict=True)
        }
        x, y = (np.asarray(columns[name], float) for name in "xy")
        return cls(x, y, columns["id"].astype(np.int64), rows)

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._rows

    def of(self, stars: StarList) -> Places:
        """Labels of the stars of an exposure.

        Parameters
        ----------
        stars : StarList
            One exposure and chip. What says nothing about a star's place gets no label.

        Returns
        -------
        Places
            Of the stars that are each other's nearest within a pixel.
        """
        at = self._rows.get((stars.chip, stars.exposure), np.zeros(0, np.int64))
        rows = np.flatnonzero(unspoilt(stars))
        place = self._x[at], self._y[at]
        mine, theirs = mutual_nearest(stars.x[rows], stars.y[rows], *place, TOLERANCE)
        theirs, nothing = at[theirs], np.zeros(len(mine))
        far = np.full(len(mine), _FAR)
        values = np.stack([self._x[theirs], self._y[theirs], nothing, nothing, far])
        return _places(rows[mine], self._star[theirs], values)


def for_list(places: Places, own: StarList, other: StarList) -> tuple[Places, NDArray[np.int64]]:
    """Hand labels of one list of an exposure to another list of the same exposure.

    Parameters
    ----------
    places : Places
        Of `other`.
    own, other : StarList
        Two lists of one exposure and chip, in the same pixels.

    Returns
    -------
    places : Places
        Of `own`: of the stars that are each other's nearest within a pixel.
    rows : (n,) int64 array
        Their rows of `other`.
    """
    rows = np.flatnonzero(unspoilt(own))
    at = places.row
    mine, theirs = mutual_nearest(own.x[rows], own.y[rows], other.x[at], other.y[at], TOLERANCE)
    found = places[theirs]
    return replace(found, row=rows[mine].astype(np.int64)), found.row


def star_isolation(x: FloatArray, y: FloatArray, mag: FloatArray) -> FloatArray:
    """Distance of each star to the nearest other one that has a twentieth of its light or more.

    Parameters
    ----------
    x, y : (n,) arrays
        Pixels.
    mag : (n,) array
        Magnitudes; a star without one disturbs all others.

    Returns
    -------
    (n,) array
        Pixels, 60 at most.
    """
    from scipy.spatial import cKDTree

    distance = np.full(len(x), _FAR)
    good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(good) < 2:
        return distance
    place = np.column_stack([x[good], y[good]])
    apart, which = cKDTree(place).query(place, k=min(len(good), _NEAREST))
    difference = mag[good[which]] - mag[good][:, None]
    apart[difference > _FAINT] = _FAR
    apart[which == np.arange(len(good))[:, None]] = _FAR
    distance[good] = np.minimum(apart.min(axis=1), _FAR)
    return distance


def _places(row: NDArray[np.int64], star: NDArray[np.int64], values: FloatArray) -> Places:
    x, y, x_err, y_err, isolation = np.asarray(values, np.float64)
    return Places(row, star, x, y, x_err, y_err, isolation)
