"""The PSF under a raster: any star's image and its slopes, from a few matrix products.

Every pixel of a raster is a Chebyshev series in the star's place between the pixels, as in
`filar.psf.model.PhaseTable`, but for rasters of any size, and made from `PSFSamples`, so that it
does not matter where a PSF came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from filar.psf.model import FieldGrid
from filar.psf.samples import PSFSamples

FloatArray = NDArray[np.float64]
REACH = 0.65
"""Pixels that a star may lie off the middle of its raster: half a pixel and a start's error."""
DEGREE = 11
TERMS = 16
_SPLINE = 9


@dataclass(frozen=True, eq=False)
class RasterPSF:
    """A field-varying PSF over rasters of one size.

    Parameters
    ----------
    size : int
        Pixels of a raster's side.
    nodes : FieldGrid
        Where on the chip.
    mixing : (nodes, terms) float32 array
        How the PSF at each node is made up of a few images.
    series : (terms, size * size * degree * degree) float32 array
        Their Chebyshev coefficients, ``[term][pixel y, pixel x, order y, order x]`` flattened.
    """

    size: int
    nodes: FieldGrid
    mixing: NDArray[np.float32]
    series: NDArray[np.float32]

    @classmethod
    def from_samples(cls, samples: PSFSamples, size: int) -> RasterPSF:
        """Turn samples into series for rasters of this size."""
        axis = _axis_matrix(size, round(samples.radius / samples.step), samples.step)
        series = axis @ samples.values @ axis.T
        d = DEGREE
        series = series.reshape(-1, size, d, size, d).transpose(0, 1, 3, 2, 4)
        flat = np.ascontiguousarray(series, np.float32).reshape(len(samples.values), -1)
        return cls(size, samples.nodes, *_few(flat))

    def local(self, x: FloatArray, y: FloatArray) -> NDArray[np.float32]:
        """Series for stars at chip pixels (x, y): (n, size * size, degree, degree)."""
        flat = self.mixed(self.nodes.weights(x, y).astype(np.float32))
        return flat.reshape(-1, self.size**2, DEGREE, DEGREE)

    def mixed(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Series for the given weights of the nodes: (n, size * size * degree * degree)."""
        return np.asarray((weights @ self.mixing) @ self.series)


def _few(series: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Images of which the PSFs of all nodes are made up, by their principal components.

    The PSF varies over a chip in few ways: what `TERMS` components leave is about 2e-4 of the
    light at most, and a third of the work does.
    """
    if len(series) <= TERMS:
        return np.eye(len(series), dtype=np.float32), series
    gram = series.astype(np.float64) @ series.T
    vectors = np.linalg.eigh(gram)[1][:, : -TERMS - 1 : -1]
    return vectors.astype(np.float32), np.asarray(vectors.T @ series, np.float32)


@lru_cache(maxsize=16)
def _axis_matrix(size: int, count: int, step: float) -> NDArray[np.float32]:
    """From samples along an axis to Chebyshev series of the raster's pixels: (size * d, samples).

    A spline through the samples (zero beyond them) is evaluated at the pixels' offsets for stars
    at the Chebyshev nodes, and these values become series.
    """
    d = DEGREE
    angles = np.pi * (np.arange(d) + 0.5) / d
    to_series = 2 / d * np.cos(np.outer(np.arange(d), angles))
    to_series[0] /= 2
    middle = (size - 1) / 2
    offsets = np.arange(size)[:, None] - middle - REACH * np.cos(angles)
    grid = np.arange(-count, count + 1) * step
    spline = make_interp_spline(grid, np.eye(len(grid)), k=_SPLINE)
    inside = np.abs(offsets) <= grid[-1] + 1e-9
    values = np.where(inside[..., None], spline(np.clip(offsets, grid[0], grid[-1])), 0.0)
    series = np.einsum("ja,pan->pjn", to_series, values).reshape(size * d, -1)
    return np.asarray(series, np.float32)
