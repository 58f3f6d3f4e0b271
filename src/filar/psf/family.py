"""Parametric PSFs: a few numbers at every place of the chip, and the transform they stand for.

A family turns local parameters into transforms and their derivatives. `fitted` fits any family to
an exposure's stars; how parameters vary over the chip, and their priors, are the family's too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from filar.psf.fourier import (
    FrequencyGrid,
    gaussian_transfer,
    kernel_transfer,
    pixel_transfer,
    tail_log_slope,
    tail_transfer,
)
from filar.psf.optics import FOCUS_WAVES_PER_MICRON, Optics

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex64]
Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Parameter:
    """One local parameter of a family.

    Parameters
    ----------
    name : str
        For example ``"focus"``.
    start : float
        Value at the start of a fit, the centre of its prior.
    sigma : float
        Standard deviation of the prior of its mean over the chip.
    order : int
        Order of the polynomial by which it varies over the chip.
    variation : float
        Standard deviation of the prior of the linear terms; each further order has 0.7 of it.
    """

    name: str
    start: float
    sigma: float
    order: int = 0
    variation: float = 0.0


class Family(Protocol):
    """What `fitted` asks of a parametric PSF."""

    @property
    def grid(self) -> FrequencyGrid:
        """Frequencies of the transforms."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The local parameters in their order."""

    def transforms(self, points: Points, local: FloatArray) -> ComplexArray:
        """Effective PSFs at pixels (x, y) with local parameters of shape (points, parameters)."""

    def derivatives(self, points: Points, local: FloatArray) -> ComplexArray:
        """Their derivatives, of shape (points, parameters, samples, samples // 2 + 1)."""

    def coarse(self) -> Family:
        """A simpler family, to find the right minimum with."""

    def starts(self) -> list[dict[str, float]]:
        """Named parameters from which to start."""

    def nearby(self) -> list[dict[str, float]]:
        """Changes from one exposure to another, to be added to named parameters."""


MODE_NAMES = (
    "focus", "astig45", "astig0", "coma_y", "coma_x", "trefoil_y", "trefoil_x", "spherical",
)  # fmt: skip
COARSE_MODES = 8  # focus to spherical
BREATHING = (0.0, 3.0, -3.0, 6.0, -6.0, 9.0, -9.0)  # microns between two exposures
EXTRA_MODES = 4  # shift of the camera's obscuration, shape of the passband


def mode_parameters(count: int) -> tuple[Parameter, ...]:
    """Priors of the Zernike coefficients, waves rms at 547 nm, from focus on.

    Low orders are alignment and vary over the field; high orders are polishing errors of the
    mirrors, smaller and nearly the same all over the chip.
    """
    result = []
    for k in range(count):
        noll = k + 4
        name = MODE_NAMES[k] if k < len(MODE_NAMES) else f"z{noll}"
        if noll <= 11:
            sigma, order, variation = (0.08 if noll == 4 else 0.04), 3, 0.02
        elif noll <= 21:
            sigma, order, variation = 0.012, 1, 0.003
        else:
            sigma, order, variation = 0.012 * 21 / noll, 0, 0.0
        result.append(Parameter(name, 0.0, sigma, order, variation))
    return tuple(result)


@dataclass(frozen=True)
class OpticalFamily:
    """Wavefront, jitter and charge diffusion on known optics.

    Local parameters: the Zernike coefficients; the shift of the camera's obscuration
    (``shift_x``, ``shift_y``, primary radii); ``band_tilt`` and ``band_bend`` of the passband;
    the covariance of the blur (jitter and diffusion), pixels squared, Gaussian but for ``tail``
    (see `tail_transfer`); and ``scatter``, the value beside the centre of a 3x3 kernel of charge
    diffusion whose corners hold a quarter of it.

    Parameters
    ----------
    optics : Optics
        Pupil, passband and scale.
    blur : float
        Expected standard deviation of the Gaussian blur, pixels.
    scatter : float
        Expected scatter.
    """

    optics: Optics
    blur: float = 0.1
    scatter: float = 0.05

    @property
    def grid(self) -> FrequencyGrid:
        """Frequencies of the transforms."""
        return self.optics.grid

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The local parameters in their order."""
        variance = self.blur**2
        return (
            *mode_parameters(self.optics.modes),
            Parameter("shift_x", 0.0, 0.02, 1, 0.005),
            Parameter("shift_y", 0.0, 0.02, 1, 0.005),
            Parameter("band_tilt", 0.0, 0.2),
            Parameter("band_bend", 0.0, 0.2),
            Parameter("blur_xx", variance, 0.04, 1, 0.01),
            Parameter("blur_yy", variance, 0.04, 1, 0.01),
            Parameter("blur_xy", 0.0, 0.02),
            Parameter("scatter", self.scatter, 0.025),
            Parameter("tail", 0.0, 0.003),
        )

    def coarse(self) -> OpticalFamily:
        """The same with the low orders of the wavefront alone."""
        return replace(self, optics=replace(self.optics, modes=COARSE_MODES))

    def starts(self) -> list[dict[str, float]]:
        """Both sides of focus: at focus the even modes have no first derivative."""
        return [{"focus": -0.04}, {"focus": 0.0}, {"focus": 0.04}]

    def nearby(self) -> list[dict[str, float]]:
        """Focus, which breathes by some microns within an orbit and the next."""
        return [{"focus": FOCUS_WAVES_PER_MICRON * microns} for microns in BREATHING]

    def start(self, **values: float) -> FloatArray:
        """Local parameters at the centre of their priors, but for those given by name."""
        names = [p.name for p in self.parameters]
        local = np.array([p.start for p in self.parameters])
        for name, value in values.items():
            local[names.index(name)] = value
        return local

    def transforms(self, points: Points, local: FloatArray) -> ComplexArray:
        """Effective PSFs at pixels (x, y) with local parameters of shape (points, parameters)."""
        light_size = self.optics.modes + EXTRA_MODES
        result = np.empty((len(points), *self.grid.shape), np.complex64)
        for k, (x, y) in enumerate(points):
            light, _ = self.optics.transform(self.optics.amplitudes(x, y), local[k, :light_size])
            result[k] = light * self._detector(local[k, light_size:])
        return result

    def derivatives(self, points: Points, local: FloatArray) -> ComplexArray:
        """Their derivatives, of shape (points, parameters, samples, samples // 2 + 1)."""
        size = self.optics.modes + EXTRA_MODES
        result = np.empty((len(points), len(self.parameters), *self.grid.shape), np.complex64)
        for k, (x, y) in enumerate(points):
            light, slopes = self.optics.transform(
                self.optics.amplitudes(x, y), local[k, :size], derivatives=True
            )
            detector = self._detector(local[k, size:])
            result[k, :size] = np.asarray(slopes) * detector.astype(np.float32)
            result[k, size:] = (light * detector) * self._log_slopes(local[k, size:])
        return result

    def _detector(self, blur: FloatArray) -> FloatArray:
        """Transfer of jitter, charge diffusion and pixel."""
        vxx, vyy, vxy, scatter, tail = blur
        return np.asarray(
            pixel_transfer(self.grid)
            * gaussian_transfer(self.grid, vxx, vyy, vxy)
            * kernel_transfer(self.grid, scatter, scatter / 4)
            * tail_transfer(self.grid, tail)
        )

    def _log_slopes(self, blur: FloatArray) -> FloatArray:
        """Derivatives of the logarithm of the transfer: (parameters, samples, samples // 2 + 1)."""
        fx, fy = self.grid.fx[None, :], self.grid.fy[:, None]
        scatter, tail = blur[3:]
        squares = [fx * fx + 0 * fy, fy * fy + 0 * fx, 2 * fx * fy]
        kernel = kernel_transfer(self.grid, scatter, scatter / 4)
        slope = kernel_transfer(self.grid, 1.0, 0.25) - 1
        by_tail = tail_log_slope(self.grid, tail)
        return np.stack([*(-2 * np.pi**2 * f for f in squares), slope / kernel, by_tail])
