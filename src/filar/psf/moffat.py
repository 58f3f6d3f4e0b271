"""Seeing-limited PSFs: an elliptical Moffat profile, integrated over pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from filar.psf.family import ComplexArray, FloatArray, Parameter, Points
from filar.psf.fourier import FrequencyGrid, pixel_transfer

STEP = 1e-4  # relative step of the numerical derivatives


@dataclass(frozen=True)
class MoffatFamily:
    """Moffat profile for cameras whose optics are unknown.

    Local parameters: ``log_fwhm`` (natural logarithm of pixels), ellipticities ``e1``, ``e2``
    (of the squared radius) and ``beta_inverse`` (0 is a Gaussian).

    Parameters
    ----------
    fwhm : float
        Expected full width at half maximum, pixels.

    References
    ----------
    Moffat, A. F. J. 1969, A&A 3, 455; its transform is a modified Bessel function.
    """

    fwhm: float

    @cached_property
    def grid(self) -> FrequencyGrid:
        """Frequencies of the transforms."""
        period = float(np.clip(2 * round(4 * self.fwhm), 24, 96))
        return FrequencyGrid(period, int(4 * period))

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The local parameters in their order."""
        return (
            Parameter("log_fwhm", float(np.log(self.fwhm)), 0.7, 2, 0.1),
            Parameter("e1", 0.0, 0.2, 2, 0.05),
            Parameter("e2", 0.0, 0.2, 2, 0.05),
            Parameter("beta_inverse", 0.3, 0.15, 0, 0.0),
        )

    def coarse(self) -> MoffatFamily:
        """The same: it is simple enough."""
        return self

    def starts(self) -> list[dict[str, float]]:
        """A range of widths."""
        return [{"log_fwhm": float(np.log(w))} for w in (1.5, 2.5, 4.5)]

    def nearby(self) -> list[dict[str, float]]:
        """Width, which follows the seeing."""
        return [{"log_fwhm": change} for change in (0.0, 0.2, -0.2, 0.4, -0.4)]

    def transforms(self, points: Points, local: FloatArray) -> ComplexArray:
        """Effective PSFs at pixels (x, y) with local parameters of shape (points, parameters)."""
        return np.stack([self._transform(row) for row in local])

    def derivatives(self, points: Points, local: FloatArray) -> ComplexArray:
        """Their derivatives, of shape (points, parameters, samples, samples // 2 + 1)."""
        result = []
        for row in local:
            steps = STEP * np.eye(len(row))
            result.append(
                [(self._transform(row + h) - self._transform(row - h)) / (2 * STEP) for h in steps]
            )
        return np.array(result, np.complex64)

    def _transform(self, local: NDArray[np.float64]) -> ComplexArray:
        log_fwhm, e1, e2, beta_inverse = local
        beta = 1 / np.clip(beta_inverse, 0.05, 0.6)
        alpha = np.exp(log_fwhm) / (2 * np.sqrt(2 ** (1 / beta) - 1))
        fx, fy = self.grid.fx[None, :], self.grid.fy[:, None]
        squared = (1 + e1) * fx * fx + (1 - e1) * fy * fy + 2 * e2 * fx * fy
        k = 2 * np.pi * alpha * np.sqrt(np.maximum(squared, 1e-12))
        order = beta - 1
        # 2 (k/2)^order K_order(k) / Gamma(order) tends to 1 at k = 0
        profile = 2 * np.exp(
            order * np.log(k / 2) + np.log(special.kve(order, k)) - k - special.gammaln(order)
        )
        profile[0, 0] = 1.0
        return np.asarray(profile * pixel_transfer(self.grid), np.complex64)
