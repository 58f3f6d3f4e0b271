"""Noise of drizzled images: neighbouring pixels share photons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.simulate.clusters.camera import ClusterCamera

FloatArray = NDArray[np.float64]
ORDERS = np.arange(-50, 51)
"""Frequencies of which pixels see the sum."""


def power(drop: float, size: int) -> FloatArray:
    """Power of drizzled white noise along one axis.

    An output pixel takes of each input pixel the part of its drop that lies on it; over many
    dithers the noise is as if smoothed by drop and pixel together (Fruchter & Hook 2002,
    PASP 114, 144, section 6).

    Parameters
    ----------
    drop : float
        Side of the drop in output pixels.
    size : int
        Pixels.

    Returns
    -------
    (size,) array
        At `numpy.fft.fftfreq`; its mean is 1.
    """
    frequency = np.fft.fftfreq(size)[:, None] + ORDERS
    found = np.sum((np.sinc(drop * frequency) * np.sinc(frequency)) ** 2, axis=1)
    return np.asarray(found / found.mean())


def drop_of(camera: ClusterCamera) -> float:
    """Side of the drop in pixels of a camera's images; 1 where they are not drizzled."""
    from filar.psf.family import OpticalFamily
    from filar.psf.library import family_for

    if camera.pixfrac is None:
        return 1.0
    family = family_for(camera.instrument, camera.chip, camera.bands[0].filter)
    assert isinstance(family, OpticalFamily)  # of others no mocks are drawn
    return float(camera.pixfrac * family.optics.pixel_scale / camera.pixel_scale)


def in_apertures(drop: float) -> float:
    """Noise of large apertures over what the rms of single pixels lets expect: 1.5 for drop 1."""
    return float(power(drop, 64)[0])


class Drizzled(np.random.Generator):
    """A generator whose normal numbers, where they are images, are those of drizzled noise.

    Parameters
    ----------
    bits : BitGenerator
        Of all randomness.
    drop : float
        Side of the drop in pixels.
    rms : float
        Of a pixel.
    """

    def __init__(self, bits: np.random.BitGenerator, drop: float, rms: float = 1.0) -> None:
        super().__init__(bits)
        self.drop, self.rms = drop, rms

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Draw numbers as numpy does; the last two of three axes and more are an image."""
        white = super().standard_normal(size, dtype, out)
        if np.ndim(white) < 3:
            return white
        for plane in white.reshape(-1, *white.shape[-2:]):
            plane[:] = self._smoothed(plane)
        return white

    def _smoothed(self, plane: NDArray[np.floating[Any]]) -> FloatArray:
        rows, columns = (np.sqrt(power(self.drop, n)) for n in plane.shape)
        spectrum = np.fft.fft2(plane) * np.outer(rows, columns)
        return self.rms * np.fft.ifft2(spectrum).real
