"""Light within fixed circles about the middle of a cutout, above the sky at its border.

Circles are matrices of weights, the parts of pixels that lie within them, so that the light within
all of them is one product of matrices. The middle of a cutout is its geometric centre,
(size - 1) / 2: flips and quarter turns leave every sum as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.robust import MAD_TO_SIGMA

RADII = (1.0, 1.5, 2.0, 3.0, 4.5, 6.5, 9.5, 14.0, 20.0)
"""Radii of the circles, pixels."""

LARGEST = 0.65
"""Largest circle as a part of half a cutout's side: beyond it is the sky."""

BORDER = 0.8
"""Where the sky begins, likewise; the corners belong to it."""

_NODES = 32  # rows that a pixel is divided into


def fitting_radii(size: int, radii: Sequence[float] = RADII) -> tuple[float, ...]:
    """Radii of those circles that leave a cutout a border for the sky.

    Parameters
    ----------
    size : int
        Pixels on a cutout's side.
    radii : sequence of float
        To choose from, pixels.

    Returns
    -------
    tuple of float

    Raises
    ------
    ParameterError
        If none does.
    """
    found = tuple(float(radius) for radius in radii if 0 < radius <= LARGEST * size / 2)
    if not found:
        raise ParameterError("radii", list(radii), f"one from 0 to {LARGEST * size / 2:g} pixels")
    return found


def aperture_weights(size: int, radii: Sequence[float] | None = None) -> NDArray[np.float32]:
    """Parts of all pixels that lie within circles about the middle.

    Parameters
    ----------
    size : int
        Pixels on a cutout's side.
    radii : sequence of float, optional
        Pixels; by default `fitting_radii`.

    Returns
    -------
    (k, size, size) float32 array
        From 0 to 1; they add up to the circles' areas.

    Raises
    ------
    ParameterError
        If a circle leaves no border for the sky.
    """
    return _weights(size, _checked(size, radii)).copy()


def _checked(size: int, radii: Sequence[float] | None) -> tuple[float, ...]:
    if radii is None:
        return fitting_radii(size)
    found = fitting_radii(size, radii)
    if len(found) < len(radii):
        allowed = f"radii from 0 to {LARGEST * size / 2:g} pixels for cutouts of {size} pixels"
        raise ParameterError("radii", list(radii), allowed)
    return found


@lru_cache(maxsize=16)
def _weights(size: int, radii: tuple[float, ...]) -> NDArray[np.float32]:
    """Along rows the overlap is exact; across a row it is summed by Gauss's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    middle = np.arange(size) - (size - 1) / 2
    y = middle[:, None] + nodes / 2
    chord = np.sqrt(np.maximum(np.square(radii)[:, None, None] - y**2, 0))[:, :, None, :]
    left, right = middle[:, None] - 0.5, middle[:, None] + 0.5
    inside = np.clip(np.minimum(right, chord) - np.maximum(left, -chord), 0, None)
    whole = inside @ weights / 2
    # The sum over rows is not exact where a circle only grazes them.
    area = np.pi * np.square(radii)[:, None, None]
    scaled = whole * (area / whole.sum(axis=(1, 2), keepdims=True))
    found: NDArray[np.float32] = scaled.astype(np.float32)
    found.setflags(write=False)
    return found


def border(size: int) -> NDArray[np.bool_]:
    """Mark the pixels of a cutout that tell its sky.

    Parameters
    ----------
    size : int
        Pixels on a cutout's side.

    Returns
    -------
    (size, size) bool array
    """
    away = np.arange(size) - (size - 1) / 2
    return np.asarray(away[:, None] ** 2 + away**2 > (BORDER * size / 2) ** 2)


def border_sky(flux: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Sky of every cutout and band: the median of its border.

    Parameters
    ----------
    flux : (n, bands, size, size) array
        Any unit; NaN pixels do not count.

    Returns
    -------
    (n, bands) float32 array
        Per pixel; 0 where no pixel of the border is known.
    """
    pixels = flux[:, :, border(flux.shape[-1])].astype(np.float32, copy=False)
    unknown = ~np.isfinite(pixels)
    if not unknown.any():
        return np.asarray(np.median(pixels, axis=2))
    pixels = np.where(unknown, np.float32(np.nan), pixels)
    empty = unknown.all(axis=2)
    pixels[empty] = 0
    return np.asarray(np.nanmedian(pixels, axis=2), np.float32)


def surroundings(
    flux: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sky and noise at the borders of cutouts.

    Parameters
    ----------
    flux : (n, bands, size, size) array
        Any unit, no NaN.

    Returns
    -------
    sky, noise : (n, bands) float32 arrays
        Median, and standard deviation from the median absolute deviation.
    """
    pixels = flux[:, :, border(flux.shape[-1])]
    sky = np.median(pixels, axis=2)
    pixels -= sky[:, :, None]
    spread = np.median(np.abs(pixels, out=pixels), axis=2)
    return np.asarray(sky, np.float32), np.asarray(MAD_TO_SIGMA * spread, np.float32)


def circle_areas(size: int) -> NDArray[np.float32]:
    """Areas of the `fitting_radii` of cutouts, pixels: (k,)."""
    return np.asarray(np.pi * np.square(fitting_radii(size)), np.float32)


def aperture_fluxes(
    flux: NDArray[np.floating[Any]],
    radii: Sequence[float] | None = None,
    sky: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Light within circles about the middle, above the sky at the border.

    Parameters
    ----------
    flux : (n, bands, size, size) array
        Cutouts. Pixels that are NaN count as sky.
    radii : sequence of float, optional
        Pixels; by default `fitting_radii`.
    sky : (n, bands) array, optional
        Per pixel; by default `border_sky`.

    Returns
    -------
    (n, bands, k) float32 array
        In the cutouts' unit.

    Raises
    ------
    ParameterError
        If cutouts are not square or a circle leaves no border for the sky.
    """
    if flux.ndim != 4 or flux.shape[2] != flux.shape[3]:
        raise ParameterError("flux", f"shape {flux.shape}", "shape (n, bands, size, size)")
    size = flux.shape[-1]
    weights = _weights(size, _checked(size, radii))
    sky = border_sky(flux) if sky is None else sky
    above = flux.astype(np.float32, copy=False) - sky[:, :, None, None]
    above = np.nan_to_num(above, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    n, bands = flux.shape[:2]
    sums = above.reshape(n * bands, size * size) @ weights.reshape(len(weights), -1).T
    return np.asarray(sums.reshape(n, bands, len(weights)))
