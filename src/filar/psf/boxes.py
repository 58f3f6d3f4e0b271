"""Boxes of pixels around stars, cut out of an exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Boxes:
    """Pixels around stars.

    Parameters
    ----------
    pixels : (n, box * box) float array
        Electrons, sky included.
    good : (n, box * box) bool array
        Pixels that count.
    x, y : (n,) int array
        Central pixel of every box.
    read_noise : float
        Electrons.
    other : (n, box * box) float array or None
        Light that is known to be there besides star and sky, electrons.
    """

    pixels: NDArray[np.floating]
    good: NDArray[np.bool_]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    read_noise: float
    other: NDArray[np.floating] | None = None

    def __getitem__(self, index: NDArray[np.int64] | slice) -> Boxes:
        other = None if self.other is None else self.other[index]
        return Boxes(
            self.pixels[index], self.good[index], self.x[index], self.y[index],
            self.read_noise, other,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.x)


def cut(
    image: NDArray[Any], x: NDArray[np.int64], y: NDArray[np.int64], box: int, outside: Any
) -> NDArray[Any]:
    """Pixels of boxes around integer centres.

    Parameters
    ----------
    image : (ny, nx) array
    x, y : (n,) int array
        Central pixels.
    box : int
        Odd size.
    outside : scalar
        Value beyond the image.

    Returns
    -------
    (n, box * box) array
    """
    span = np.arange(-(box // 2), box // 2 + 1)
    rows, columns = (y[:, None] + span)[:, :, None], (x[:, None] + span)[:, None, :]
    ny, nx = image.shape
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    pixels = image[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)]
    return np.asarray(np.where(inside, pixels, outside).reshape(len(x), box * box))


def cut_boxes(
    exposure: Exposure, x: FloatArray, y: FloatArray, box: int, other: NDArray[Any] | None = None
) -> Boxes:
    """Boxes around the pixels nearest to stars; pixels beyond the image are not good.

    Parameters
    ----------
    exposure : Exposure
    x, y : (n,) array
        Star positions, pixels.
    box : int
        Odd size.
    other : (n, box * box) array or None
        Light that is known to be there besides star and sky, electrons.

    Returns
    -------
    Boxes
    """
    cx, cy = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    good = ~cut(exposure.unusable, cx, cy, box, True)
    return Boxes(cut(exposure.data, cx, cy, box, 0.0), good, cx, cy, exposure.read_noise, other)
