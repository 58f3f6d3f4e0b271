"""How much a network's centres hang on the place and the magnitude that it is told.

C24 (section 3.2): the raster of one bright star near the middle of its chip stays as it is, and
only the scalars that go with it are changed. What the centre does then is what the network has
learnt of the PSF's variation over the chip and with magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.stamps.stamps import Stamps

FloatArray = NDArray[np.float64]
NODES = 9
STEPS = 25
SPAN = 6.0
"""Magnitudes over which C24 changes the one it tells."""
_CENTRAL = 0.25  # of the chip's width, about its middle
_BORDER = 20.0  # pixels


class Positions(Protocol):
    """Centres as a network gives them."""

    @property
    def x(self) -> NDArray[Any]:
        """Columns, pixels of the chip."""

    @property
    def y(self) -> NDArray[Any]:
        """Rows, pixels of the chip."""


Predict = Callable[[Stamps], Positions]


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Changes of a centre while one of its scalars changes.

    Parameters
    ----------
    x, y : float
        Where the star is, pixels of the chip.
    mag : float
        Its instrumental magnitude.
    grid_x, grid_y : (k,) arrays
        Places told instead, pixels.
    place_dx, place_dy : (k,) arrays
        Change of the centre, pixels.
    mags : (m,) array
        Magnitudes told instead.
    mag_dx, mag_dy : (m,) arrays
        Change of the centre, pixels.
    """

    x: float
    y: float
    mag: float
    grid_x: FloatArray
    grid_y: FloatArray
    place_dx: FloatArray
    place_dy: FloatArray
    mags: FloatArray
    mag_dx: FloatArray
    mag_dy: FloatArray


def central_star(stamps: Stamps, snr: NDArray[Any], usable: NDArray[np.bool_]) -> int:
    """Choose a bright star near the middle of its chip.

    Parameters
    ----------
    stamps : Stamps
        n rasters of one chip.
    snr : (n,) array
        Signal-to-noise ratios.
    usable : (n,) bool array
        Stars with nothing against them.

    Returns
    -------
    int
        Row of the one with the highest signal-to-noise ratio in the middle of the chip, or the
        one that is nearest to the middle if there is none.

    Raises
    ------
    ParameterError
        If no star is usable.
    """
    usable = usable & np.isfinite(snr) & ~stamps.bad.any(axis=(1, 2))
    if not usable.any():
        raise ParameterError("stamps", "no usable star", "one whole raster without flags")
    shape = np.array([group.shape for group in stamps.groups], float)[stamps.group]
    u = np.abs(stamps.x_start / np.maximum(shape[:, 1], 1) - 0.5)
    v = np.abs(stamps.y_start / np.maximum(shape[:, 0], 1) - 0.5)
    central = usable & (np.maximum(u, v) < _CENTRAL / 2)
    if central.any():
        return int(np.argmax(np.where(central, snr, -np.inf)))
    return int(np.argmin(np.where(usable, np.hypot(u, v), np.inf)))


def sensitivity(
    predict: Predict,
    star: Stamps,
    mag_range: tuple[float, float] | None = None,
    *,
    nodes: int = NODES,
) -> Sensitivity:
    """Tell a network other places and magnitudes of one star.

    Parameters
    ----------
    predict : callable
        From stamps to centres in pixels of the chip, such as ``StarCenterer.predict``.
    star : Stamps
        One raster.
    mag_range : (float, float), optional
        Magnitudes that the network was trained on; of more than 6, the 6 about the star's own.
    nodes : int
        Places per axis.

    Returns
    -------
    Sensitivity
        The places are moved by whole pixels, so that the star stays where it is in its pixel. The
        flux that goes with the raster changes with the magnitude.

    Raises
    ------
    ParameterError
        If there is not exactly one raster.
    """
    if len(star) != 1:
        raise ParameterError("star", f"{len(star)} rasters", "one")
    ny, nx = star.groups[int(star.group[0])].shape
    grid_x, grid_y = (a.ravel() for a in np.meshgrid(_places(nx, nodes), _places(ny, nodes)))
    own_x, own_y, mag = float(star.x_start[0]), float(star.y_start[0]), float(star.mag[0])
    move_x, move_y = (np.rint(g - own) for g, own in ((grid_x, own_x), (grid_y, own_y)))
    mags = np.linspace(*_span(mag, mag_range), STEPS)
    here = predict(star)
    moved = predict(_moved(star, move_x.astype(np.int32), move_y.astype(np.int32)))
    told = predict(_told(star, mags))
    return Sensitivity(
        float(here.x[0]),
        float(here.y[0]),
        mag,
        own_x + move_x,
        own_y + move_y,
        np.asarray(moved.x - move_x - here.x[0], float),
        np.asarray(moved.y - move_y - here.y[0], float),
        mags,
        np.asarray(told.x - here.x[0], float),
        np.asarray(told.y - here.y[0], float),
    )


def _span(mag: float, limits: tuple[float, float] | None) -> tuple[float, float]:
    """Six magnitudes about the star's own, moved and shortened to stay within limits."""
    if limits is None:
        return mag - SPAN / 2, mag + SPAN / 2
    low, high = min(limits[0], mag), max(limits[1], mag)
    start = min(max(low, mag - SPAN / 2), max(low, high - SPAN))
    return start, min(high, start + SPAN)


def _places(width: int, nodes: int) -> FloatArray:
    border = min(_BORDER, width / 4)
    return np.linspace(border, width - 1 - border, nodes)


def _moved(star: Stamps, move_x: NDArray[np.int32], move_y: NDArray[np.int32]) -> Stamps:
    many = star[np.zeros(len(move_x), np.int64)]
    return replace(
        many,
        corner_x=many.corner_x + move_x,
        corner_y=many.corner_y + move_y,
        x_start=many.x_start + move_x,
        y_start=many.y_start + move_y,
    )


def _told(star: Stamps, mags: FloatArray) -> Stamps:
    many = star[np.zeros(len(mags), np.int64)]
    flux = many.flux * 10 ** (-0.4 * (mags - float(star.mag[0])))
    return replace(many, mag=mags.astype(np.float32), flux=flux.astype(np.float32))
