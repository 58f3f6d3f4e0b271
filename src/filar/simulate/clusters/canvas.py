"""Stars and smooth light drawn together: from places to pixels through Fourier space.

Stars are spread over a fine grid with a kernel whose transform is known (a non-uniform Fourier
transform of type 1; kernel of Barnett, Magland & af Klinteberg 2019, SIAM J. Sci. Comput. 41,
C479), smooth profiles are added by their own transforms, the product with the PSF's transform is
folded into the frequencies of whole pixels, and one inverse transform gives the pixels' values.
Nothing is approximated but the spreading, to about 1e-5 of a star's peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.simulate.clusters.camera import ClusterCamera
from filar.simulate.clusters.profiles import Profile

FloatArray = NDArray[np.float64]
Images = NDArray[np.float32]
ROOM = 80
"""Pixels between an image and its repetition, at least: twice as far as light is followed."""
TAPS = 6
"""Grid points over which a star is spread along each axis."""
SHARPNESS = 13.0
"""Exponent of the spreading kernel: the best for PSFs that nearly end at the grid's frequencies."""
STARS_AT_ONCE = 20_000
"""Or as many as need no more memory than the grid."""


@dataclass(frozen=True, eq=False)
class Glow:
    """Smooth light with a profile.

    Parameters
    ----------
    profile : Profile
        Its shape.
    half_light : float
        Half-light radius, pixels.
    x, y : float
        Its middle, pixels.
    flux : (bands,) array
        All its light, electrons per second.
    """

    profile: Profile
    half_light: float
    x: float
    y: float
    flux: FloatArray


@dataclass(frozen=True, eq=False)
class Canvas:
    """Images of one shape in all bands of a camera, to be drawn on again and again.

    Use `canvas_for`. Light is periodic: what leaves the image by more than half of `ROOM` is
    dropped (stars) or lies between the image and its repetition (smooth light).

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    period : (int, int)
        Pixels after which images repeat.
    fineness : int
        Grid points per pixel.
    transforms : (bands, fineness period_y, fineness period_x // 2 + 1) complex64 array
        Of the effective PSFs, in FFT order.
    """

    shape: tuple[int, int]
    period: tuple[int, int]
    fineness: int
    transforms: NDArray[np.complex64]

    @classmethod
    def of(cls, camera: ClusterCamera, shape: tuple[int, int]) -> Canvas:
        """Prepare a canvas.

        Parameters
        ----------
        camera : ClusterCamera
            Bands and optics.
        shape : (int, int)
            Rows and columns, 8 or more.

        Returns
        -------
        Canvas

        Raises
        ------
        ParameterError
            If the shape is too small.
        """
        from scipy.fft import next_fast_len

        if min(shape) < 8:
            raise ParameterError("shape", shape, "8 pixels or more along each axis")
        period = (next_fast_len(shape[0] + ROOM, True), next_fast_len(shape[1] + ROOM, True))
        optics = [camera.optics(number) for number in range(len(camera.bands))]
        fineness = max(2, int(np.ceil(2.0 * max(one.reach for one in optics))))
        fy, fx = _frequencies(period, fineness)
        transforms = np.stack([one.transform(fy, fx) for one in optics])
        return cls(shape, period, fineness, transforms)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the fine grid."""
        return self.fineness * self.period[0], self.fineness * self.period[1]

    @property
    def margin(self) -> float:
        """Stars so far outside of the image, pixels, still count."""
        return min(p - s for p, s in zip(self.period, self.shape, strict=True)) / 2.0

    @cached_property
    def _spread(self) -> tuple[FloatArray, FloatArray]:
        """Transforms of the spreading kernel along rows' and columns' frequencies."""
        fy, fx = _frequencies(self.period, self.fineness)
        return _kernel_transform(fy / self.fineness), _kernel_transform(fx / self.fineness)

    @cached_property
    def _filters(self) -> NDArray[np.complex64]:
        """The PSFs' transforms over that of the spreading kernel."""
        y, x = self._spread
        return np.asarray(self.transforms / (y[:, None] * x), np.complex64)

    @cached_property
    def _circles(self) -> tuple[FloatArray, NDArray[np.int32], Images]:
        """Different radii in frequency space, which of them each place has, and the kernel."""
        fy, fx = _frequencies(self.period, self.fineness)
        squares = np.round((fy[:, None] ** 2 + fx**2) * 1e9).astype(np.int64)
        known, which = np.unique(squares, return_inverse=True)
        y, x = self._spread
        kernel = (y[:, None] * x).astype(np.float32)
        return np.sqrt(known / 1e9), which.reshape(squares.shape).astype(np.int32), kernel

    def draw(
        self, x: FloatArray, y: FloatArray, flux: FloatArray, glows: Sequence[Glow] = ()
    ) -> Images:
        """Draw stars and smooth light.

        Parameters
        ----------
        x, y : (n,) arrays
            Places of stars, pixels; whole numbers are the middles of pixels.
        flux : (n, bands) array
            Electrons per second.
        glows : sequence of Glow
            Smooth light.

        Returns
        -------
        (bands, ny, nx) float32 array
            Electrons per second and pixel.
        """
        from scipy import fft

        spread = self._stars(np.asarray(x, float), np.asarray(y, float), np.asarray(flux, float))
        spectrum = fft.rfft2(spread)
        for glow in glows:
            self._add(spectrum, glow)
        spectrum *= self._filters
        return self._pixels(spectrum)

    def _stars(self, x: FloatArray, y: FloatArray, flux: FloatArray) -> Images:
        """Stars spread over the fine grid: (bands, rows, columns)."""
        (ny, nx), (rows, columns) = self.shape, self.grid
        near = (np.abs(x - (nx - 1) / 2) < nx / 2 + self.margin) & (
            np.abs(y - (ny - 1) / 2) < ny / 2 + self.margin
        )
        if not near.all():
            x, y, flux = x[near], y[near], flux[near]
        total = np.zeros((len(self.transforms), rows * columns), np.float32)
        step = max(STARS_AT_ONCE, rows * columns // TAPS**2)
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            row, wy = _taps(self.fineness * y[part], rows)
            column, wx = _taps(self.fineness * x[part], columns)
            places = (row[:, :, None] * columns + column[:, None, :]).ravel()
            weights = (wy[:, :, None] * wx[:, None, :]).reshape(len(row), -1)
            for image, light in zip(total, flux[part].T, strict=True):
                image += np.bincount(places, (weights * light[:, None]).ravel(), rows * columns)
        return total.reshape(-1, rows, columns)

    def _add(self, spectrum: NDArray[Any], glow: Glow) -> None:
        """Add smooth light, in place, as if it had been spread like the stars."""
        fy, fx = _frequencies(self.period, self.fineness)
        radii, which, kernel = self._circles
        shape = glow.profile.transform(radii * glow.half_light).astype(np.float32)
        light = np.take(shape, which)
        light *= kernel
        shift_y = np.exp(-2j * np.pi * fy * glow.y).astype(np.complex64)
        shift_x = np.exp(-2j * np.pi * fx * glow.x).astype(np.complex64)
        placed = light * shift_x
        placed *= shift_y[:, None]
        for band, flux in zip(spectrum, glow.flux, strict=True):
            band += np.float32(flux) * placed

    def _pixels(self, spectrum: NDArray[Any]) -> Images:
        """Values at the middles of pixels: frequencies that they cannot tell apart add up."""
        from scipy import fft

        (ny, nx), (py, px) = self.shape, self.period
        bands, _, half = spectrum.shape
        folded = spectrum.reshape(bands, self.fineness, py, half).sum(axis=1)
        lines = fft.ifft(folded, axis=1, overwrite_x=True)[:, :ny]
        kept = px // 2 + 1
        padded = np.zeros((bands, ny, half + 2 * px), lines.dtype)
        padded[:, :, :half] = lines
        total = padded[:, :, :kept].copy()
        for k in range(px, half + px // 2 + 1, px):
            total += padded[:, :, k : k + kept]
            total += np.conj(padded[:, :, k - kept + 1 : k + 1][:, :, ::-1])
        image = fft.irfft(total, px, axis=2)[:, :, :nx]
        return np.asarray(image, np.float32)


@lru_cache(maxsize=8)
def canvas_for(camera: ClusterCamera, shape: tuple[int, int]) -> Canvas:
    """Canvas of a camera and a shape, kept for the next call; see `Canvas.of`."""
    return Canvas.of(camera, shape)


def _frequencies(period: tuple[int, int], fineness: int) -> tuple[FloatArray, FloatArray]:
    """Cycles per pixel along rows (FFT order) and columns (half)."""
    fy = np.fft.fftfreq(fineness * period[0], 1.0 / fineness)
    fx = np.fft.rfftfreq(fineness * period[1], 1.0 / fineness)
    return np.asarray(fy, float), np.asarray(fx, float)


def _kernel(distance: FloatArray) -> FloatArray:
    """The spreading kernel at distances in grid points."""
    inside = np.maximum(1.0 - (2.0 * distance / TAPS) ** 2, 0.0)
    return np.asarray(np.exp(SHARPNESS * (np.sqrt(inside) - 1.0)))


def _kernel_transform(frequency: FloatArray) -> FloatArray:
    """Its transform at cycles per grid point."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    at = nodes * TAPS / 2.0
    waves = np.cos(2.0 * np.pi * np.outer(frequency, at))
    return np.asarray(waves @ (weights * TAPS / 2.0 * _kernel(at)))


def _taps(place: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Grid points (n, taps) around places in grid points, and the kernel there."""
    first = np.ceil(place - TAPS / 2.0)
    points = first[:, None] + np.arange(TAPS)
    return points.astype(np.int64) % count, _kernel(points - place[:, None])
