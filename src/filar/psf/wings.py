"""A PSF with its wings: the fitted PSF in the middle, a measured profile of radius outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.psf.model import FieldPSF

FloatArray = NDArray[np.float64]
BOX = 15
"""Pixels on a side within which the fitted PSF gives the shape."""
TAPER = (5.0, 7.5)
"""Radii between which the fitted PSF fades out, pixels: beyond, its images begin to repeat."""
KNOTS = (
    2.5, 3.2, 4.0, 5.0, 6.0, 7.0, 8.5, 10.0, 12.0, 14.5, 18.0, 23.0, 30.0, 40.0, 56.0, 80.0, 112.0,
)  # fmt: skip
"""Radii at which wings are measured, pixels."""
AUREOLE_LIGHT, AUREOLE_RADIUS, AUREOLE_SLOPE = 0.03, 3.0, 2.7
"""What the wings are taken for before they are measured (King 1971, PASP 83, 199, has r^-2)."""
CHUNK = 2_000_000
"""Pixels drawn at once."""


@dataclass(frozen=True, eq=False)
class WingedPSF:
    """A PSF that goes on beyond the box in which it was fitted.

    The light per pixel is that of the fitted PSF, faded out between two radii, plus a profile of
    radius. The unit of flux stays that of the fitted PSF, so that the light over all radii may be
    more than 1.

    Parameters
    ----------
    core : FieldPSF
        The fitted PSF.
    light : (k,) float64 array
        The profile at `KNOTS`, per pixel of unit flux. Times radius squared it is linear between
        them; it is 0 within 2 pixels and falls as r^-3 beyond the last.
    """

    core: FieldPSF
    light: FloatArray

    def __post_init__(self) -> None:
        if self.light.shape != (len(KNOTS),):
            raise ParameterError("light", self.light.shape, f"{len(KNOTS)} values")

    @classmethod
    def unmeasured(cls, core: FieldPSF) -> Self:
        """The PSF with the aureole that is assumed before the wings are measured."""
        return cls(core, assumed_wings())

    def with_light(self, light: FloatArray) -> Self:
        """The same core with other wings."""
        return replace(self, light=light)

    def stamps(self, x: FloatArray, y: FloatArray, half: int) -> FloatArray:
        """Images of stars of unit flux.

        Parameters
        ----------
        x, y : (n,) array
            Star positions, pixels.
        half : int
            The stamps reach so many pixels to each side.

        Returns
        -------
        (n, 2 half + 1, 2 half + 1) float64 array
            ``[star, y, x]``; the centre is the pixel (rint(x), rint(y)).
        """
        x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        size = 2 * half + 1
        out = np.empty((len(x), size, size))
        step = max(1, CHUNK // size**2)
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            out[part] = self._stamps(x[part], y[part], half)
        return out

    def _stamps(self, x: FloatArray, y: FloatArray, half: int) -> FloatArray:
        r2 = squared_distances(x, y, half)
        image = self.profile(np.sqrt(r2))
        inner = min(half, BOX // 2)
        at = (slice(None), *[slice(half - inner, half + inner + 1)] * 2)
        image[at] += self.core_stamps(x, y, inner)
        return image

    def core_stamps(self, x: FloatArray, y: FloatArray, half: int = BOX // 2) -> FloatArray:
        """Images of the faded core alone, as `stamps`; half is at most 7 pixels."""
        middle = BOX // 2
        own = (slice(None), *[slice(middle - half, middle + half + 1)] * 2)
        r = np.sqrt(squared_distances(x, y, half))
        fade = np.clip((TAPER[1] - r) / (TAPER[1] - TAPER[0]), 0, 1)
        return np.maximum(self.core.stamps(x, y, BOX)[own], 0) * fade

    def profile(self, r: FloatArray) -> FloatArray:
        """The wings at some radii, pixels: light per pixel of unit flux."""
        knots = np.concatenate([[2.0], KNOTS])
        scaled = np.concatenate([[0.0], self.light * np.array(KNOTS) ** 2])
        value = np.interp(r, knots, scaled) * np.minimum(1, KNOTS[-1] / np.maximum(r, 1))
        return np.asarray(value / np.maximum(r, 1) ** 2)


def assumed_wings() -> FloatArray:
    """What wings are taken for before they are measured: light at `KNOTS`."""
    norm = AUREOLE_LIGHT * (AUREOLE_SLOPE - 2) / (2 * np.pi * AUREOLE_RADIUS**2)
    r = np.array(KNOTS)
    return np.asarray(norm * (1 + (r / AUREOLE_RADIUS) ** 2) ** (-AUREOLE_SLOPE / 2))


def squared_distances(x: FloatArray, y: FloatArray, half: int) -> FloatArray:
    """Squared distance of pixels from the stars that they surround.

    Parameters
    ----------
    x, y : (n,) array
        Stars, pixels.
    half : int
        Pixels to each side of (rint(x), rint(y)).

    Returns
    -------
    (n, 2 half + 1, 2 half + 1) array
    """
    span = np.arange(-half, half + 1.0)
    dx, dy = span - (x - np.rint(x))[:, None], span - (y - np.rint(y))[:, None]
    return np.asarray(dy[:, :, None] ** 2 + dx[:, None, :] ** 2)
