"""Sensitivity of a chip's pixels: flat field, vignetted border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.exposure import BoolImage
from filar.simulate.field import Seed

FloatArray = NDArray[np.float64]

PIXEL_SCATTER = 0.015
"""Standard deviation of the pixel-to-pixel sensitivity."""

SMOOTH_SCATTER = 0.03
"""Standard deviation over the chip of the smooth part: corners differ by some per cent."""

DARKEST = 0.02
"""Response at the outermost pixels of the pyramid's shadow."""

_WAVES = 3


def flat_field(shape: tuple[int, int], *, strength: float = 1.0, seed: Seed = None) -> FloatArray:
    """Draw the sensitivity of a chip: white noise and a few long waves.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    strength : float
        Times :data:`PIXEL_SCATTER` and :data:`SMOOTH_SCATTER`.
    seed : int, SeedSequence, Generator or None
        Source of randomness: the same seed gives the same chip.

    Returns
    -------
    (ny, nx) float64 array
        Relative response, positive, of mean 1.
    """
    rng = np.random.default_rng(seed)
    down, across = (
        np.cos(np.pi * np.arange(_WAVES)[:, None] * (np.arange(n) + 0.5) / n) for n in shape
    )
    order = np.arange(_WAVES)
    amplitudes = rng.normal(size=(_WAVES, _WAVES)) / (1.0 + np.hypot(order[:, None], order)) ** 2
    amplitudes[0, 0] = 0.0
    smooth = down.T @ amplitudes @ across
    scatter = smooth.std()
    if scatter > 0:
        smooth *= SMOOTH_SCATTER / scatter
    pixels = PIXEL_SCATTER * rng.normal(size=shape)
    response: FloatArray = np.exp(strength * (smooth + pixels))
    response /= response.mean()
    return response


def vignetting(edge: BoolImage) -> FloatArray:
    """Response that falls from the inner border of the shadow towards the first pixels.

    Parameters
    ----------
    edge : (ny, nx) bool array
        The shadow.

    Returns
    -------
    (ny, nx) float64 array
        1 outside of the shadow, down to :data:`DARKEST` in it.
    """
    from scipy import ndimage

    if not edge.any() or edge.all():
        return np.ones(edge.shape)
    depth = np.asarray(ndimage.distance_transform_edt(edge), float)
    response: FloatArray = np.maximum(1.0 - depth / (depth.max() + 1.0), DARKEST)
    return response
