"""A PSF as plain numbers: sampled around the star, the same way for every camera and source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.psf.fourier import values
from filar.psf.model import FieldGrid, FieldPSF
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
STEP = 0.2
"""Pixels between samples: two and a half cycles per pixel, beyond what diffusion leaves of them."""


@dataclass(frozen=True, eq=False)
class PSFSamples:
    """The effective PSF of one chip during one exposure, sampled around the star.

    Parameters
    ----------
    values : (nodes, samples, samples) float32 array
        Fraction of the light in a pixel at the offset (pixel minus star), ``[node, dy, dx]``.
    nodes : FieldGrid
        Where on the chip.
    radius : float
        Largest offset in either axis, pixels.
    step : float
        Pixels between samples.

    Raises
    ------
    ParameterError
        If the array does not fit the nodes, the radius and the step.
    """

    values: NDArray[np.float32]
    nodes: FieldGrid
    radius: float
    step: float = STEP

    def __post_init__(self) -> None:
        side = len(self.offsets)
        expected = (len(self.nodes.points), side, side)
        if self.values.shape != expected:
            raise ParameterError("values", self.values.shape, f"the shape {expected}")

    @property
    def offsets(self) -> FloatArray:
        """(samples,) offsets of the samples in either axis, pixels."""
        count = round(self.radius / self.step)
        return np.arange(-count, count + 1, dtype=np.float64) * self.step

    def at(self, x: FloatArray, y: FloatArray) -> NDArray[np.float32]:
        """Samples for stars at (x, y): (n, samples, samples)."""
        weights = self.nodes.weights(np.asarray(x, float), np.asarray(y, float))
        return np.asarray(np.tensordot(weights.astype(np.float32), self.values, axes=1))


@one_blas_thread
def sample_psf(psf: FieldPSF, radius: float, step: float = STEP) -> PSFSamples:
    """Sample a PSF at its nodes.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    radius : float
        Largest offset in either axis, pixels.
    step : float
        Pixels between samples.

    Returns
    -------
    PSFSamples
    """
    count = round(radius / step)
    offsets = np.arange(-count, count + 1, dtype=np.float64) * step
    sampled = values(psf.transforms, psf.grid, offsets, offsets)
    return PSFSamples(sampled.astype(np.float32), psf.nodes, count * step, step)
