"""The core of a star image as a Gaussian integrated over pixels: enough to find stars with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SIGMAS = np.linspace(0.25, 4.0, 76)
_MINIMUM_STARS = 10


@dataclass(frozen=True)
class GaussianPixel:
    """A circular Gaussian integrated over square pixels.

    Parameters
    ----------
    sigma : float
        Standard deviation before the integration, pixels.
    """

    sigma: float

    def profile(self, centre: float | FloatArray, half: int | None = None) -> FloatArray:
        """Light in the pixels ``-half ... half`` of one axis.

        Parameters
        ----------
        centre : float or (...) array
            Position of the star, pixels.
        half : int or None
            Half size; by default 3 sigma, between 2 and 6.

        Returns
        -------
        (..., 2 half + 1) float64 array
            Fractions of the star's light.
        """
        from scipy.special import erf

        if half is None:
            half = int(np.clip(np.ceil(3 * self.sigma), 2, 6))
        borders = np.arange(-half, half + 2) - 0.5 - np.asarray(centre, float)[..., None]
        below = 0.5 * erf(borders / (np.sqrt(2.0) * self.sigma))
        light: FloatArray = np.diff(below, axis=-1)
        return light

    @property
    def pair_ratio(self) -> float:
        """Light of two opposite edge neighbours over the peak pixel's, for a centred star."""
        light = self.profile(0.0, 1)
        return float(2 * light[0] / light[1])

    def filter_response(self, offset: FloatArray) -> FloatArray:
        """Answer of the matched filter, along one axis, at a star off its pixel's centre.

        Parameters
        ----------
        offset : (n,) array
            Position of the star from the pixel's centre, pixels.

        Returns
        -------
        (n,) float64 array
            Relative to the answer at a centred star.
        """
        kernel = self.profile(0.0)
        response: FloatArray = self.profile(offset) @ kernel / np.sum(kernel**2)
        return response

    def centre(self, stamps: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions from the marginal sums of 3x3 stamps, freed of this profile's pixel-phase bias.

        Parameters
        ----------
        stamps : (n, 3, 3) array
            Electrons above the sky; unusable pixels 0.

        Returns
        -------
        x, y : (n,) float64 arrays
            Offsets from the middle pixel, within 0.7 pixel.
        """
        offsets = np.linspace(-0.7, 0.7, 57)
        light = self.profile(offsets, 1)
        moment = (light[:, 2] - light[:, 0]) / light.sum(axis=1)
        stamps = np.maximum(stamps, 0.0)
        total = stamps.sum(axis=(1, 2))
        safe = np.where(total > 0, total, 1.0)
        along_x = (stamps[:, :, 2] - stamps[:, :, 0]).sum(axis=1) / safe
        along_y = (stamps[:, 2, :] - stamps[:, 0, :]).sum(axis=1) / safe
        return np.interp(along_x, moment, offsets), np.interp(along_y, moment, offsets)


def estimate_sigma(concentration: NDArray[np.floating[Any]]) -> float:
    """Width of the core from the light of 3x3 pixels over that of the brightest one.

    Parameters
    ----------
    concentration : (n,) array
        That ratio for a sample of stars of random pixel phase.

    Returns
    -------
    float
        Standard deviation of the Gaussian whose median ratio over all pixel phases is the sample's,
        pixels; NaN for fewer than 10 stars.
    """
    usable = concentration[np.isfinite(concentration) & (concentration > 1)]
    if len(usable) < _MINIMUM_STARS:
        return float("nan")
    phases = (np.arange(10) + 0.5) / 20
    expected = []
    for sigma in _SIGMAS:
        light = GaussianPixel(float(sigma)).profile(phases, 1)
        ratio = light.sum(axis=1) / light[:, 1]
        expected.append(np.median(np.outer(ratio, ratio)))
    return float(np.interp(np.median(usable), expected, _SIGMAS))
