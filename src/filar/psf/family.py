"""Parametric PSFs: a few numbers at every place of the chip, and the transform they stand for.

A family turns local parameters into transforms and their derivatives. `fitted` fits any family to
an exposure's stars; how parameters vary over the chip, and their priors, are the family's too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from filar.psf.fourier import FrequencyGrid, gaussian_transfer, kernel_transfer, pixel_transfer
from filar.psf.optics import Optics

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
        Standard deviation of the prior of the varying terms.
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


MODE_NAMES = (
    "focus", "astig45", "astig0", "coma_y", "coma_x", "trefoil_y", "trefoil_x", "spherical",
)  # fmt: skip
BLUR_NAMES = ("blur_xx", "blur_yy", "blur_xy", "scatter")


def mode_parameters(count: int) -> tuple[Parameter, ...]:
    """Priors of the Zernike coefficients, waves rms at 547 nm, from focus on.

    Low orders are alignment and vary over the field; high orders are polishing errors of the
    mirrors, smaller and the same all over the chip.
    """
    result = []
    for k in range(count):
        noll = k + 4
        name = MODE_NAMES[k] if k < len(MODE_NAMES) else f"z{noll}"
        if noll <= 11:
            sigma, order, variation = (0.08 if noll == 4 else 0.04), 2, 0.02
        elif noll <= 21:
            sigma, order, variation = 0.012, 1, 0.003
        else:
            sigma, order, variation = 0.012 * (21 / noll) ** 1.0, 0, 0.0
        result.append(Parameter(name, 0.0, sigma, order, variation))
    return tuple(result)


@dataclass(frozen=True)
class OpticalFamily:
    """Wavefront, jitter and charge diffusion on known optics.

    Local parameters: the Zernike coefficients; the covariance of a Gaussian blur (jitter, and
    diffusion that is wider than the kernel), pixels squared; and ``scatter``, the value beside the
    centre of the 3x3 kernel of charge diffusion, whose corners hold a quarter of it.

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
            Parameter("blur_xx", variance, 0.04, 1, 0.01),
            Parameter("blur_yy", variance, 0.04, 1, 0.01),
            Parameter("blur_xy", 0.0, 0.02, 0, 0.0),
            Parameter("scatter", self.scatter, 0.015, 0, 0.0),
        )

    def start(self, **values: float) -> FloatArray:
        """Local parameters at the centre of their priors, but for those given by name."""
        names = [p.name for p in self.parameters]
        local = np.array([p.start for p in self.parameters])
        for name, value in values.items():
            local[names.index(name)] = value
        return local

    def transforms(self, points: Points, local: FloatArray) -> ComplexArray:
        """Effective PSFs at pixels (x, y) with local parameters of shape (points, parameters)."""
        modes = self.optics.modes
        result = np.empty((len(points), *self.grid.shape), np.complex64)
        for k, (x, y) in enumerate(points):
            light, _ = self.optics.transform(self.optics.amplitudes(x, y), local[k, :modes])
            result[k] = light * self._detector(local[k, modes:])
        return result

    def derivatives(self, points: Points, local: FloatArray) -> ComplexArray:
        """Their derivatives, of shape (points, parameters, samples, samples // 2 + 1)."""
        modes = self.optics.modes
        fx, fy = self.grid.fx[None, :], self.grid.fy[:, None]
        result = np.empty((len(points), len(self.parameters), *self.grid.shape), np.complex64)
        for k, (x, y) in enumerate(points):
            light, by_mode = self.optics.transform(
                self.optics.amplitudes(x, y), local[k, :modes], derivatives=True
            )
            detector = self._detector(local[k, modes:])
            whole = light * detector
            result[k, :modes] = by_mode * detector.astype(np.float32)
            for j, factor in enumerate((fx * fx + 0 * fy, fy * fy + 0 * fx, 2 * fx * fy)):
                result[k, modes + j] = -2 * np.pi**2 * factor * whole
            kernel = kernel_transfer(self.grid, local[k, -1], local[k, -1] / 4)
            slope = kernel_transfer(self.grid, 1.0, 0.25) - 1
            result[k, -1] = whole * (slope / kernel)
        return result

    def _detector(self, blur: FloatArray) -> FloatArray:
        """Transfer of jitter, charge diffusion and pixel."""
        vxx, vyy, vxy, scatter = blur
        return np.asarray(
            pixel_transfer(self.grid)
            * gaussian_transfer(self.grid, vxx, vyy, vxy)
            * kernel_transfer(self.grid, scatter, scatter / 4)
        )
