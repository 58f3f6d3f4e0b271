"""WFPC2's 34th-row error: every 34th row of its CCDs is narrower than the others.

The mask that the CCDs were made with was stepped by 512 microns, 34.1333 pixels of 15 microns; the
row at each step is about 3% narrower than its neighbours (Anderson & King 1999, PASP 111, 1095).
It collects 3% less light, and a star's row as counted in pixels jumps by 0.03 over each of them.

Two coordinates along y: the *pixel* coordinate counts rows, as a fit in the image does; the *ideal*
coordinate runs evenly over the focal plane. Their mean scale is one and their mean difference over
a period zero, so that the error is a sawtooth between -0.015 and +0.015 pixels with no trend over
the chip. (A trend would be part of the scale, which every transformation fits.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]

PERIOD = 1024.0 / 30.0
"""Rows from one narrow row to the next: 512 microns of 15 microns each."""

FIRST = 20.0
"""A narrow row, from 0. Ours: the value is a convention of the simulator, to be replaced by the
chip's own where it is known."""

WIDTH = 0.03
"""By which part of a row the narrow rows are narrower."""


def narrow_rows(
    number: int, *, period: float = PERIOD, first: float = FIRST
) -> NDArray[np.integer[Any]]:
    """Find the narrow rows of a chip.

    Parameters
    ----------
    number : int
        How many rows the chip has.
    period, first : float
        Rows from one narrow row to the next, and one of them.

    Returns
    -------
    int array
        Their numbers from 0, rising.

    Raises
    ------
    ParameterError
        For a period of less than two rows.
    """
    rows: NDArray[np.integer[Any]] = _narrow_around(-0.5, number - 0.5, period, first)
    return rows[(rows >= 0) & (rows < number)]


def to_ideal(
    y_pixel: ArrayLike, *, period: float = PERIOD, first: float = FIRST, width: float = WIDTH
) -> FloatArray:
    """Correct a pixel coordinate for the 34th-row error.

    Parameters
    ----------
    y_pixel : array
        Rows, from 0.
    period, first, width : float
        Rows from one narrow row to the next, one of them, and what they lack in width.

    Returns
    -------
    float64 array
        Ideal coordinates, pixels, of the same shape; NaN stays NaN.

    Raises
    ------
    ParameterError
        For a period of less than two rows or a width that is not below one.
    """
    return _along(y_pixel, period, first, width, inverse=False)


def to_pixels(
    y_ideal: ArrayLike, *, period: float = PERIOD, first: float = FIRST, width: float = WIDTH
) -> FloatArray:
    """Find the pixel coordinate at which light of an ideal coordinate falls.

    Parameters
    ----------
    y_ideal : array
        Ideal coordinates, pixels.
    period, first, width : float
        Rows from one narrow row to the next, one of them, and what they lack in width.

    Returns
    -------
    float64 array
        Rows, from 0, of the same shape; NaN stays NaN.

    Raises
    ------
    ParameterError
        For a period of less than two rows or a width that is not below one.
    """
    return _along(y_ideal, period, first, width, inverse=True)


def beside_narrow_row(
    y_ideal: ArrayLike, *, period: float = PERIOD, first: float = FIRST, width: float = WIDTH
) -> tuple[NDArray[np.integer[Any]], FloatArray, FloatArray]:
    """Find the nearest narrow row and the pixel coordinates that rows below and above it see.

    To the rows below, a star is where it would be if no row above were narrow; to those above, it
    is higher by the width that is missing.

    Parameters
    ----------
    y_ideal : (n,) array
        Ideal coordinates, pixels.
    period, first, width : float
        Rows from one narrow row to the next, one of them, and what they lack in width.

    Returns
    -------
    row : (n,) int array
        The narrow row.
    below, above : (n,) float64 arrays
        Pixel coordinates in the grid of the rows below and above.

    Raises
    ------
    ParameterError
        For a period of less than two rows or a width that is not below one.
    """
    y = np.atleast_1d(np.asarray(y_ideal, float))
    row = _number(first + period * np.round((y - first) / period))
    lower = to_ideal(row - 0.5, period=period, first=first, width=width)
    # away from the narrow row both coordinates have the same scale
    scale = 1.0 + width / period
    below = row - 0.5 + (y - lower) / scale
    return row, below, below + width / scale


def _along(
    values: ArrayLike, period: float, first: float, width: float, *, inverse: bool
) -> FloatArray:
    """Interpolate between the borders of the narrow rows, where the two coordinates are known."""
    if not 0 <= width < 1:
        raise ParameterError("width", width, "a part of a row: 0 or more, below 1")
    given = np.asarray(values, float)
    finite = given[np.isfinite(given)]
    if finite.size == 0:
        return given.copy()
    rows = _narrow_around(float(finite.min()), float(finite.max()), period, first)
    count = np.round((rows - first) / period)
    borders = np.stack([rows - 0.5, rows + 0.5], axis=1).ravel()
    passed = np.stack([count, count + 1.0], axis=1).ravel()
    ideal = borders + width * ((borders - first) / period + 0.5 - passed)
    known, wanted = (ideal, borders) if inverse else (borders, ideal)
    return np.asarray(np.interp(given, known, wanted), float).reshape(given.shape)


def _narrow_around(
    low: float, high: float, period: float, first: float
) -> NDArray[np.integer[Any]]:
    """Numbers of the narrow rows from below one coordinate to above another."""
    if not period >= 2:
        raise ParameterError("period", period, "two rows or more")
    steps = np.arange(np.floor((low - first) / period) - 2, np.ceil((high - first) / period) + 3)
    return _number(first + period * steps)


def _number(y: FloatArray) -> NDArray[np.integer[Any]]:
    """The row that holds a coordinate."""
    return np.floor(y + 0.5).astype(np.int64)
