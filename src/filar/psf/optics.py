"""Optical PSFs: pupil and wavefront to the transform of the intensity, with derivatives.

The pupil of each wavelength is sampled so that the image repeats after the same number of pixels;
monochromatic intensities then lie on one common grid and simply add up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        return np.asarray((np.arange(n) - n // 2) * self._step(wavelength), np.float64)

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
        """Pupil amplitudes for a star at pixel (x, y), and how they change with the camera's shift.

        Samples are means over their cells. All light that passes the pupil counts as 1: what the
        sharp edges send beyond the period is missing from the images, not folded into them.

        Returns
        -------
        list of (3, n, n) arrays, one per wavelength
            Amplitude, and its derivatives by a shift of the camera's obscuration along x and y
            (per primary radius).
        """
        return _amplitudes(replace(self, modes=0), x, y)  # kept whatever the number of modes

    def image(
        self, amplitudes: list[NDArray[np.float32]], state: FloatArray, derivatives: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Monochromatic images added up.

        Parameters
        ----------
        amplitudes : list of arrays
            From `amplitudes`.
        state : (modes + 4,) array
            Zernike coefficients (waves rms at 547 nm), shift of the camera's obscuration along x
            and y (primary radii), tilt and curvature of the passband (relative weights).
        derivatives : bool
            Whether the derivatives by the state are wanted.

        Returns
        -------
        image : (samples, samples) array
            Fraction of the light per sample, in FFT order (the centre first).
        derivative : (modes + 4, samples, samples) array or None
            By each element of the state.
        """
        n, modes = self.grid.samples, self.modes
        coefficients = state[:modes].astype(np.float32)
        shift_x, shift_y, tilt, curvature = state[modes:].astype(np.float32)
        image = np.zeros((n, n), np.float32)
        gradient = np.zeros((modes + 4, n, n), np.float32) if derivatives else None
        for k, (amplitude, phases) in enumerate(zip(amplitudes, self._phases, strict=True)):
            slope, bend = self._band_shapes[:, k]
            weight = np.float32(1 + tilt * slope + curvature * bend)
            unit = np.exp(1j * np.tensordot(coefficients, phases, axes=1)).astype(np.complex64)
            pupil = (amplitude[0] + shift_x * amplitude[1] + shift_y * amplitude[2]) * unit
            focal = _to_focus(pupil, n)
            # an obscuration that blocks less makes the whole brighter: that is not the PSF's matter
            clear = amplitude.sum(axis=(1, 2))
            by_shift = clear[1:] / clear[0]
            area = 1 + shift_x * by_shift[0] + shift_y * by_shift[1]
            light = (focal.real**2 + focal.imag**2) / area
            image += weight * light
            if gradient is not None:
                sources = np.empty((modes + 2, *pupil.shape), np.complex64)
                np.multiply(phases, np.complex64(1j) * pupil, out=sources[:modes])
                np.multiply(amplitude[1:], unit, out=sources[modes:])
                _add_changes(gradient[: modes + 2], sources, focal, 2 * weight / area)
                gradient[modes : modes + 2] -= (weight / area) * by_shift[:, None, None] * light
                gradient[modes + 2] += slope * light
                gradient[modes + 3] += bend * light
        return image, gradient

    @cached_property
    def _band_shapes(self) -> NDArray[np.float32]:
        """(2, wavelengths) relative changes of the passband that keep the total: tilt and bend."""
        weights, wavelengths = np.array(self.weights), np.array(self.wavelengths)
        if len(weights) == 1:
            return np.zeros((2, 1), np.float32)
        slope = wavelengths - weights @ wavelengths
        slope /= np.abs(slope).max()
        bend = slope**2 - weights @ slope**2
        bend -= slope * (weights @ (bend * slope)) / (weights @ slope**2)
        return np.stack([slope, bend / np.abs(bend).max()]).astype(np.float32)

    def transform(
        self, amplitudes: list[NDArray[np.float32]], state: FloatArray, derivatives: bool = False
    ) -> tuple[NDArray[np.complex64], NDArray[np.complex64] | None]:
        """Transform of `image` (and of its derivatives), ``rfft2`` halves."""
        image, gradient = self.image(amplitudes, state, derivatives)
        return fft.rfft2(image), None if gradient is None else fft.rfft2(gradient)


MODES_AT_ONCE = 8  # their images stay in the processor's cache


def _to_focus(pupil: NDArray[np.complex64], n: int) -> NDArray[np.complex64]:
    """Amplitudes in the focal plane: (..., n, n)."""
    # one axis at a time: rows of nothing need no transform
    return np.asarray(fft.fft(fft.fft(pupil, n, axis=-1), n, axis=-2))


def _add_changes(
    total: NDArray[np.float32],
    sources: NDArray[np.complex64],
    focal: NDArray[np.complex64],
    factor: np.float32,
) -> None:
    """Add ``factor Re(conj(E) dE)`` of every change of the pupil: d|E|^2 is twice that."""
    weighted = np.conj(focal) * np.complex64(factor)
    for start in range(0, len(sources), MODES_AT_ONCE):
        part = slice(start, start + MODES_AT_ONCE)
        change = _to_focus(sources[part], len(focal))
        change *= weighted
        total[part] += change.real


SHIFT_STEP = 0.02  # primary radii, for derivatives by the camera's shift


@lru_cache(maxsize=512)
def _amplitudes(optics: Optics, x: float, y: float) -> list[NDArray[np.float32]]:
    pupil, h = optics.pupil, SHIFT_STEP
    fine = [pupil.transmission(x, y)]
    for dx, dy in ((h, 0.0), (0.0, h)):
        change = pupil.transmission(x, y, extra=(dx, dy)) - pupil.transmission(
            x, y, extra=(-dx, -dy)
        )
        fine.append(change / (2 * h))
    edges = np.linspace(-1, 1, fine[0].shape[0] + 1)
    result = []
    for wavelength, weight in zip(optics.wavelengths, optics.weights, strict=True):
        u, step = optics._coordinates(wavelength), optics._step(wavelength)
        low = np.maximum(u[:, None] - step / 2, edges[None, :-1])
        high = np.minimum(u[:, None] + step / 2, edges[None, 1:])
        overlap = np.maximum(high - low, 0) / step
        cells = np.stack([overlap @ f @ overlap.T for f in fine])
        power = np.sum(cells[0]) * optics.grid.samples**2
        result.append((cells * np.sqrt(weight / power)).astype(np.float32))
    return result
