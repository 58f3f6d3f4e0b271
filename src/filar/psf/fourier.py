"""The transform of an effective PSF on a grid of frequencies, and its values at any offset.

With T the transform of the effective PSF (the fraction of a star's light that falls into a pixel,
as a function of the pixel's offset from the star) on the frequencies of a period of `period`
pixels, ``psf(dx, dy) = sum_f T(f) exp(2 pi i (fx dx + fy dy)) / period^2``. The sum is exact at any
sub-pixel offset because optics cuts the transform off at D / lambda.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complexfloating]


@dataclass(frozen=True)
class FrequencyGrid:
    """Frequencies of images that repeat after `period` pixels.

    Parameters
    ----------
    period : float
        Pixels.
    samples : int
        Even number of samples per axis; transforms are ``rfft2`` halves of shape
        ``(samples, samples // 2 + 1)``.
    """

    period: float
    samples: int

    def __post_init__(self) -> None:
        if self.samples < 2 or self.samples % 2:
            raise ParameterError("samples", self.samples, "an even number, 2 or more")
        if not self.period > 0:
            raise ParameterError("period", self.period, "a positive number of pixels")

    @property
    def fy(self) -> FloatArray:
        """(samples,) frequencies of rows, cycles per pixel."""
        return np.asarray(np.fft.fftfreq(self.samples, self.step), np.float64)

    @property
    def fx(self) -> FloatArray:
        """(samples // 2 + 1,) frequencies of columns, cycles per pixel."""
        return np.asarray(np.fft.rfftfreq(self.samples, self.step), np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a transform."""
        return self.samples, self.samples // 2 + 1

    @property
    def step(self) -> float:
        """Distance between the samples of an image, pixels."""
        return self.period / self.samples

    def offsets(self) -> FloatArray:
        """(samples,) sample positions, pixels, the centre first, in FFT order."""
        return np.asarray(np.fft.fftfreq(self.samples) * self.period, np.float64)


def pixel_transfer(grid: FrequencyGrid) -> FloatArray:
    """Transform of a square pixel of full sensitivity: sinc(fx) sinc(fy)."""
    return np.sinc(grid.fy)[:, None] * np.sinc(grid.fx)[None, :]


def gaussian_transfer(grid: FrequencyGrid, vxx: float, vyy: float, vxy: float = 0.0) -> FloatArray:
    """Transform of a Gaussian blur with the given covariance, pixels squared."""
    fx, fy = grid.fx[None, :], grid.fy[:, None]
    return np.exp(-2 * np.pi**2 * (vxx * fx * fx + vyy * fy * fy + 2 * vxy * fx * fy))


def tail_transfer(grid: FrequencyGrid, tail: float) -> FloatArray:
    """What turns a Gaussian blur into one with an exponential part of the same variance.

    A share v = sqrt(tail) (pixels squared, per axis) of the Gaussian's variance is replaced by an
    exponential profile exp(-r / r0), v = 3 r0^2, whose transform is (1 + v k^2 / 3)^(-3/2). For
    small v the logarithm is tail k^4 / 12: linear in `tail`, which may therefore be fitted from 0;
    negative values mean the opposite, flatter profiles.
    """
    return np.asarray(np.exp(_tail_log(grid, tail)))


def _wave_numbers(grid: FrequencyGrid) -> FloatArray:
    return 4 * np.pi**2 * (grid.fy[:, None] ** 2 + grid.fx[None, :] ** 2)


def _tail_log(grid: FrequencyGrid, tail: float) -> FloatArray:
    k2, v = _wave_numbers(grid), np.sqrt(abs(tail))
    return np.asarray(np.sign(tail) * (v * k2 / 2 - 1.5 * np.log1p(v * k2 / 3)))


def tail_log_slope(grid: FrequencyGrid, tail: float) -> FloatArray:
    """Derivative of the logarithm of `tail_transfer` by `tail`."""
    k2, v = _wave_numbers(grid), np.sqrt(abs(tail))
    return np.asarray(k2 * k2 / 12 / (1 + v * k2 / 3))


def kernel_transfer(grid: FrequencyGrid, edge: float, corner: float) -> FloatArray:
    """Transform of a symmetric 3x3 kernel of detector pixels whose sum is 1.

    Parameters
    ----------
    grid : FrequencyGrid
        Frequencies.
    edge, corner : float
        The kernel's values beside and diagonal to its centre.
    """
    cx = np.cos(2 * np.pi * grid.fx)[None, :]
    cy = np.cos(2 * np.pi * grid.fy)[:, None]
    return 1 - 4 * (edge + corner) + 2 * edge * (cx + cy) + 4 * corner * cx * cy


def values(
    transform: ComplexArray, grid: FrequencyGrid, dy: FloatArray, dx: FloatArray
) -> FloatArray:
    """Evaluate transforms on a rectangular grid of offsets.

    Parameters
    ----------
    transform : (..., samples, samples // 2 + 1) complex array
        One or more transforms.
    grid : FrequencyGrid
        Their frequencies.
    dy, dx : (ny,), (nx,) array
        Offsets of the pixels from the star, pixels.

    Returns
    -------
    (..., ny, nx) float array
        Fraction of the light per pixel.
    """
    weight = np.full(grid.shape[1], 2.0)
    weight[0] = weight[-1] = 1.0
    complex_type = transform.dtype
    ey = np.exp(2j * np.pi * np.outer(dy, grid.fy)).astype(complex_type)
    ex = (np.exp(2j * np.pi * np.outer(grid.fx, dx)) * weight[:, None]).astype(complex_type)
    # the product with ex needs only its real part: one real product instead of a complex one
    half = ey @ transform
    stacked = np.concatenate([half.real, -half.imag], axis=-1)
    both = np.concatenate([ex.real, ex.imag], axis=0)
    return np.asarray(stacked @ both) / grid.period**2
