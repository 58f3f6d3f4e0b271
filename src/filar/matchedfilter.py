"""An exposure after sky subtraction and matched filtering, and what surrounds its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.profile import GaussianPixel
from filar.sky import clipped_statistics

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

_PAD = 12
_RING = 3.5  # width of the ring that gives the local sky, pixels
# Unit steps of the eight directions in which a diffraction spike or trail may run.
_DIRECTIONS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 1), (1, 2), (2, -1), (1, -2)], float)


class FilteredImage:
    """The exposure after sky subtraction and matched filtering, padded for gathering."""

    def __init__(
        self,
        exposure: Exposure,
        sky: FloatArray,
        smear: FloatArray,
        core: GaussianPixel,
        saturated: NDArray[np.bool_],
    ) -> None:
        from scipy import ndimage

        self.core = core
        self.sky = sky
        self.edge = exposure.edge
        self.kernel = core.profile(0.0)
        bad = exposure.unusable
        weight = np.where(bad, 0.0, 1.0 / (np.maximum(sky, 0) + exposure.read_noise**2 + 1e-3))
        self.residual = np.where(bad, 0.0, exposure.data - sky)

        def smooth(array: FloatArray, kernel: FloatArray) -> FloatArray:
            first = ndimage.correlate1d(array, kernel, axis=0, mode="constant")
            result: FloatArray = ndimage.correlate1d(first, kernel, axis=1, mode="constant")
            return result

        norm = smooth(weight, self.kernel**2)
        full = np.sum(self.kernel**2) ** 2
        used = smooth(np.where(bad, 0.0, 1.0), self.kernel**2) / full
        with np.errstate(invalid="ignore", divide="ignore"):
            self.flux = smooth(weight * self.residual, self.kernel) / norm
        self.norm = np.where(used > 0.4, norm, 0.0)
        self.flux[~(used > 0.4)] = 0.0
        self.blocked = saturated
        self.bad = np.pad(bad, _PAD, constant_values=True)
        self.padded = np.pad(self.residual, _PAD)
        self.smear, self.added = smear, exposure.gain**2 / 12.0

    def maxima(
        self, threshold: float, region: NDArray[np.bool_] | None = None
    ) -> tuple[IntArray, IntArray]:
        """Rows and columns of local maxima above the threshold for the noise model.

        Parameters
        ----------
        threshold : float
            Standard deviations.
        region : (ny, nx) bool array, optional
            Where to look; everywhere by default.
        """
        significant = (self.flux * np.sqrt(self.norm) > threshold) & ~self.edge & ~self.blocked
        if region is not None:
            significant &= region
        rows, columns = np.nonzero(significant)
        top = np.pad(np.where(self.blocked, np.inf, self.flux), 1, mode="edge")
        highest = np.ones(len(rows), bool)
        for dy in (0, 1, 2):
            for dx in (0, 1, 2):
                highest &= self.flux[rows, columns] >= top[rows + dy, columns + dx]
        return rows[highest], columns[highest]

    def gather(
        self, rows: IntArray, columns: IntArray, dy: IntArray, dx: IntArray
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Pixels above the mesh sky at offsets from positions, and whether they are unusable."""
        at = (rows[:, None] + dy + _PAD, columns[:, None] + dx + _PAD)
        return self.padded[at], self.bad[at]


def _annulus(inner: float, outer: float) -> tuple[IntArray, IntArray]:
    half = int(outer)
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    radius = np.hypot(dy, dx)
    ring = (radius >= inner) & (radius <= outer)
    return dy[ring], dx[ring]


def sky_reach(sigma: float) -> float:
    """How far around a candidate its local sky is measured, pixels."""
    return min(2.5 + 1.8 * sigma, _PAD - _RING - 1.0) + _RING


def local_sky(
    image: FilteredImage, rows: IntArray, columns: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Sky above the mesh, and noise, in an annulus about each position (0 and NaN if masked)."""
    outer = sky_reach(image.core.sigma)
    dy, dx = _annulus(outer - _RING, outer)
    pixels, bad = image.gather(rows, columns, dy, dx)
    ny, nx = image.smear.shape
    at = np.clip(rows[:, None] + dy, 0, ny - 1), np.clip(columns[:, None] + dx, 0, nx - 1)
    values = np.where(bad, np.nan, pixels + image.smear[at])
    level, sigma, count = clipped_statistics(values.astype(np.float32), clip=2.5)
    sigma = np.sqrt(np.maximum(sigma**2 - image.added, 0.0))
    return np.where(count >= 8, level, 0.0), np.where(count >= 8, sigma, np.nan)


def ridge(image: FilteredImage, rows: IntArray, columns: IntArray) -> FloatArray:
    """Height above the mesh sky of the brightest straight ridge through each position.

    Along a spike or trail the light continues on both sides; beyond a star it does not.
    """
    unit = _DIRECTIONS / np.hypot(*_DIRECTIONS.T)[:, None]
    reach = 1.0 + max(1.0, 2.0 * image.core.sigma)
    steps = reach + np.array([0.0, 1.0, 2.0])
    offsets = np.rint(unit[:, None, :] * steps[:, None]).astype(int).reshape(-1, 2)
    shape = (len(rows), len(unit), len(steps))
    ahead, _ = image.gather(rows, columns, offsets[:, 0], offsets[:, 1])
    behind, _ = image.gather(rows, columns, -offsets[:, 0], -offsets[:, 1])
    both = np.minimum(ahead.reshape(shape).mean(axis=2), behind.reshape(shape).mean(axis=2))
    highest: FloatArray = both.max(axis=1, initial=0.0)
    return highest


def stamps_of(
    image: FilteredImage, rows: IntArray, columns: IntArray, local: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Flattened 5x5 stamps above the local sky, 0 where unusable."""
    dy, dx = (a.ravel() for a in np.mgrid[-2:3, -2:3])
    stamp, bad = image.gather(rows, columns, dy, dx)
    return np.where(bad, 0.0, stamp - local[:, None]), bad
