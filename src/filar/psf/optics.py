"""Optical PSFs: pupil and wavefront to the transform of the intensity, with derivatives.

The pupil of each wavelength is sampled so that the image repeats after the same number of pixels;
monochromatic intensities then lie on one common grid and simply add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from filar.errors import ParameterError
from filar.psf.fourier import FrequencyGrid
from filar.psf.pupil import Pupil
from filar.psf.zernike import annular_zernikes

FloatArray = NDArray[np.float64]
REFERENCE_WAVELENGTH = 547e-9  # aberrations are given in waves rms at this wavelength
FOCUS_WAVES_PER_MICRON = 0.011  # of secondary despace, HST
ARCSEC = np.pi / 180 / 3600


@dataclass(frozen=True)
class Optics:
    """What the light of one filter meets on its way to one chip; the wavefront is left open.

    Parameters
    ----------
    pupil : Pupil
        Geometry, in detector axes.
    wavelengths, weights : tuple of float
        Metres, and the fraction of the light at each.
    pixel_scale : float
        Arcsec per pixel.
    modes : int
        Number of Zernike coefficients, from Noll index 4 (focus) on.
    period : float
        Pixels after which images repeat: twice the largest radius that is represented.
    """

    pupil: Pupil
    wavelengths: tuple[float, ...]
    weights: tuple[float, ...]
    pixel_scale: float
    modes: int = 34
    period: float = 24.0

    def __post_init__(self) -> None:
        if not self.pixel_scale > 0:
            raise ParameterError("pixel_scale", self.pixel_scale, "a positive number of arcsec")

    @cached_property
    def grid(self) -> FrequencyGrid:
        """Frequencies that hold everything up to the cut-off of the shortest wavelength."""
        needed = int(np.ceil(2 * max(self._samples(w) for w in self.wavelengths)))
        samples = int(fft.next_fast_len(needed, real=True))
        while samples % 2:
            samples = int(fft.next_fast_len(samples + 1, real=True))
        return FrequencyGrid(self.period, samples)

    def _step(self, wavelength: float) -> float:
        """Distance of pupil samples, primary radii."""
        return wavelength / (self.period * self.pixel_scale * ARCSEC * self.pupil.radius)

    def _samples(self, wavelength: float) -> int:
        return 2 * int(np.ceil(1 / self._step(wavelength) + 0.5)) + 1

    def _coordinates(self, wavelength: float) -> FloatArray:
        n = self._samples(wavelength)
        return (np.arange(n) - n // 2) * self._step(wavelength)

    @cached_property
    def _phases(self) -> list[NDArray[np.float32]]:
        """Per wavelength, the phase (radians) of one wave rms of each mode: (modes, n, n)."""
        phases = []
        for wavelength in self.wavelengths:
            u = self._coordinates(wavelength)
            x, y = np.meshgrid(u, u)
            # beyond the rim only grey border samples count: keep the polynomials tame there
            r = np.maximum(np.hypot(x, y), 1.0)
            basis = annular_zernikes(self.modes + 3, x / r, y / r, self.pupil.telescope.radius)[3:]
            phases.append(
                (2 * np.pi * REFERENCE_WAVELENGTH / wavelength * basis).astype(np.float32)
            )
        return phases

    def amplitudes(self, x: float, y: float) -> list[NDArray[np.float32]]:
        """Pupil amplitudes for a star at pixel (x, y), one array per wavelength.

        Samples are means over their cells. All light that passes the pupil counts as 1: what the
        sharp edges send beyond the period is missing from the images, not folded into them.
        """
        return _amplitudes(self, x, y)

    def intensity(
        self,
        amplitudes: list[NDArray[np.float32]],
        coefficients: FloatArray,
        derivatives: bool = False,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Monochromatic images added up.

        Parameters
        ----------
        amplitudes : list of arrays
            From `amplitudes`.
        coefficients : (modes,) array
            Waves rms at 547 nm.
        derivatives : bool
            Whether the derivatives by the coefficients are wanted.

        Returns
        -------
        image : (samples, samples) array
            Fraction of the light per sample, in FFT order (the centre first).
        derivative : (modes, samples, samples) array or None
            By each coefficient.
        """
        n = self.grid.samples
        image = np.zeros((n, n), np.float32)
        gradient = np.zeros((self.modes, n, n), np.float32) if derivatives else None
        for amplitude, phases in zip(amplitudes, self._phases, strict=True):
            wavefront = np.tensordot(coefficients.astype(np.float32), phases, axes=1)
            field = (amplitude * np.exp(1j * wavefront)).astype(np.complex64)
            focal = fft.fft2(field, (n, n))
            image += focal.real**2 + focal.imag**2
            if gradient is not None:
                focal_modes = fft.fft2(field * phases, (n, n), overwrite_x=True)
                # d|E|^2 = 2 Re(conj(E) i dE) = 2 (Im E Re dE - Re E Im dE)
                gradient += 2 * (focal.imag * focal_modes.real - focal.real * focal_modes.imag)
        return image, gradient

    def transform(
        self,
        amplitudes: list[NDArray[np.float32]],
        coefficients: FloatArray,
        derivatives: bool = False,
    ) -> tuple[NDArray[np.complex64], NDArray[np.complex64] | None]:
        """Transform of `intensity` (and of its derivatives), ``rfft2`` halves."""
        image, gradient = self.intensity(amplitudes, coefficients, derivatives)
        return fft.rfft2(image), None if gradient is None else fft.rfft2(gradient)


@lru_cache(maxsize=512)
def _amplitudes(optics: Optics, x: float, y: float) -> list[NDArray[np.float32]]:
    fine = optics.pupil.transmission(x, y)
    edges = np.linspace(-1, 1, fine.shape[0] + 1)
    result = []
    for wavelength, weight in zip(optics.wavelengths, optics.weights, strict=True):
        u, step = optics._coordinates(wavelength), optics._step(wavelength)
        low = np.maximum(u[:, None] - step / 2, edges[None, :-1])
        high = np.minimum(u[:, None] + step / 2, edges[None, 1:])
        overlap = np.maximum(high - low, 0) / step
        cells = overlap @ fine @ overlap.T
        power = np.sum(cells) * optics.grid.samples**2
        result.append((cells * np.sqrt(weight / power)).astype(np.float32))
    return result
