"""All light of an exposure's stars: what is to be taken off before one of them is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.grown import grown
from filar.psf.wings import WingedPSF
from filar.robust import MAD_TO_SIGMA
from filar.saturation.windows import add

FloatArray = NDArray[np.float64]
BoolImage = NDArray[np.bool_]
REACHES = (7, 15, 30, 60, 120)
"""Sizes of the images that stars are drawn in, pixels to each side."""
FAINT = 0.2
"""Of the sky's noise: light below that is not drawn."""
BLOCK = 8
"""Pixels on the side of the blocks whose scatter tells how well the sky is known."""
NEIGHBOURHOOD = 9
"""Blocks on the side of the neighbourhood whose scatter counts."""
CLIP = 6.0
"""Times the typical scatter: a block strays no farther."""
LEAST_SKY_ERROR = 0.05
"""Of the sky's noise in a pixel."""


@dataclass(frozen=True, eq=False)
class Scene:
    """An exposure with its sky and its stars.

    Parameters
    ----------
    exposure : Exposure
        The image.
    sky, noise : (ny, nx) float64 arrays
        Electrons.
    psf : WingedPSF
        How a star looks.
    x, y : (n,) float64 arrays
        All stars, pixels.
    flux : (n,) float64 array
        Their light, electrons; 0 if unknown.
    """

    exposure: Exposure
    sky: FloatArray
    noise: FloatArray
    psf: WingedPSF
    x: FloatArray
    y: FloatArray
    flux: FloatArray

    def changed(self, **changes: object) -> Self:
        """Return a copy with some fields changed; what follows from them is worked out anew."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @cached_property
    def typical_noise(self) -> float:
        """Median of the sky's noise, electrons; NaN where no pixel is usable."""
        return float(np.median(self.noise))

    @cached_property
    def light(self) -> FloatArray:
        """Image of all stars, electrons."""
        image = np.zeros(self.exposure.shape)
        reach = self.reach(self.flux)
        for half in REACHES:
            some = np.flatnonzero((reach == half) & (self.flux > 0))
            step = max(1, 1_000_000 // (2 * half + 1) ** 2)
            for start in range(0, len(some), step):
                part = some[start : start + step]
                stamps = self.psf.stamps(self.x[part], self.y[part], half)
                stamps *= self.flux[part, None, None]
                add(image, stamps, self.x[part], self.y[part])
        return image

    @cached_property
    def spoilt(self) -> BoolImage:
        """Pixels that tell nothing of the light that fell on them: (ny, nx)."""
        saturated = self.exposure.saturated
        return grown(saturated, 2, 1) | self.exposure.mask

    @cached_property
    def sky_error(self) -> FloatArray:
        """How far what is left without stars and sky strays over some pixels, electrons: (ny, nx).

        Faint stars that nobody found and wings that are not quite right make it, not the photons:
        it is large where stars crowd.
        """
        from scipy import ndimage

        ny, nx = (size // BLOCK * BLOCK for size in self.exposure.shape)
        rest = (self.exposure.data - self.light - self.sky)[:ny, :nx]
        good = ~self.spoilt[:ny, :nx] & (self.light[:ny, :nx] < self.noise[:ny, :nx])
        blocks = (ny // BLOCK, BLOCK, nx // BLOCK, BLOCK)
        count = good.reshape(blocks).sum(axis=(1, 3))
        total = np.where(good, rest, 0).reshape(blocks).sum(axis=(1, 3))
        enough = count > BLOCK**2 // 2
        least = LEAST_SKY_ERROR * self.typical_noise
        if not enough.any():
            return np.full(self.exposure.shape, least)
        means = np.where(enough, total / np.maximum(count, 1), 0)
        typical = MAD_TO_SIGMA * float(np.median(np.abs(means[enough])))
        photons2 = self.typical_noise**2 / np.maximum(count, 1)
        excess = np.where(enough, np.minimum(means**2, (CLIP * typical) ** 2) - photons2, 0)
        around = ndimage.uniform_filter(enough.astype(float), NEIGHBOURHOOD)
        mean = ndimage.uniform_filter(excess, NEIGHBOURHOOD) / np.maximum(around, 1e-3)
        local = np.sqrt(np.maximum(mean, least**2))
        rows = np.minimum(np.arange(self.exposure.shape[0]) // BLOCK, local.shape[0] - 1)
        columns = np.minimum(np.arange(self.exposure.shape[1]) // BLOCK, local.shape[1] - 1)
        return np.asarray(local[rows[:, None], columns])

    @cached_property
    def profile(self) -> FloatArray:
        """Light per pixel of unit flux at `REACHES` from a star in the middle of the chip."""
        ny, nx = self.exposure.shape
        half = REACHES[-1]
        stamp = self.psf.stamps(np.array([nx // 2]), np.array([ny // 2]), half)[0]
        return np.array([stamp[half, half + reach] for reach in REACHES])

    @cached_property
    def peak(self) -> float:
        """Light of the central pixel of unit flux, of a star centred on it."""
        ny, nx = self.exposure.shape
        return float(self.psf.stamps(np.array([nx // 2]), np.array([ny // 2]), 0)[0, 0, 0])

    def reach(self, flux: FloatArray) -> NDArray[np.intp]:
        """How far stars of some flux are to be drawn, pixels: one of `REACHES` for each."""
        limit = FAINT * self.typical_noise
        bright = np.asarray(flux)[:, None] * self.profile[:-1] > limit
        return np.asarray(np.array(REACHES)[bright.sum(axis=1)], np.intp)


def star_width(psf: WingedPSF, x: FloatArray, y: FloatArray) -> FloatArray:
    """FWHM of the Gaussian with as many equivalent noise pixels, 1 / sum(P^2): (n,) pixels."""
    stamps = psf.core.stamps(np.atleast_1d(x), np.atleast_1d(y), 15)
    pixels = 1 / np.sum(stamps**2, axis=(1, 2))
    return np.asarray(2.3548 * np.sqrt(pixels / (4 * np.pi)))


def at_pixels(
    scene: Scene, x: FloatArray, y: FloatArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pixels that stars are on; the nearest for those beside the image."""
    ny, nx = scene.exposure.shape
    rows = np.clip(np.rint(y), 0, ny - 1).astype(np.intp)
    return rows, np.clip(np.rint(x), 0, nx - 1).astype(np.intp)
