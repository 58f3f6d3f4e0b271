"""What one chip of the camera is like in every exposure: sensitivity, dark current, bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.exposure import FloatImage
from filar.simulate.darks import dark_current
from filar.simulate.detector import Detector
from filar.simulate.effects import Effects
from filar.simulate.field import Seed
from filar.simulate.flats import flat_field, vignetting

FloatArray = NDArray[np.float64]

BIAS_STRUCTURE = 0.5
"""DN: standard deviation of the bias's structure, columns and a slope along the rows together."""


@dataclass(frozen=True, eq=False)
class Camera:
    """One chip with all that stays the same from exposure to exposure. Can be pickled.

    Parameters
    ----------
    detector : Detector
        The CCD in numbers.
    effects : Effects
        What is switched on.
    response : (ny, nx) float32 array
        Sensitivity, of mean 1 over the usable pixels; 0 in bad ones. (Narrow rows are not in it,
        see :mod:`filar.simulate.rows`.)
    dark : (ny, nx) float32 array
        Dark current, electrons per second.
    bias : (ny, nx) float32 array
        DN.
    """

    detector: Detector
    effects: Effects
    response: FloatImage
    dark: FloatImage
    bias: FloatImage


def make_camera(detector: Detector, *, effects: Effects | None = None, seed: Seed = None) -> Camera:
    """Draw the chip's own sensitivity, dark current and bias.

    Parameters
    ----------
    detector : Detector
        The CCD in numbers.
    effects : Effects or None
        What is switched on; by default the usual ones.
    seed : int, SeedSequence, Generator or None
        Source of randomness: the same seed gives the same chip. Each property has a stream of its
        own: switching one off leaves the others as they were.

    Returns
    -------
    Camera
    """
    effects = Effects() if effects is None else effects
    light, darkness, zero = np.random.default_rng(seed).integers(2**63, size=3)
    response = np.ones(detector.shape)
    if effects.flat:
        response = flat_field(detector.shape, strength=effects.flat, seed=int(light))
    if effects.vignetting:
        response *= vignetting(detector.edge)
    usable = ~detector.unusable
    if usable.any():
        response /= response[usable].mean()
    if detector.bad is not None:
        response[detector.bad] = 0.0
    dark = dark_current(
        detector.shape, dark=effects.dark, hot_pixels=effects.hot_pixels, seed=int(darkness)
    )
    bias = detector.bias + effects.bias * _bias_structure(detector.shape, int(zero))
    return Camera(
        detector,
        effects,
        response.astype(np.float32),
        dark.astype(np.float32),
        bias.astype(np.float32),
    )


def _bias_structure(shape: tuple[int, int], seed: int) -> FloatArray:
    """Columns that differ, and a ramp that dies away from the first rows; mean 0, DN."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=shape[1])
    ramp = 3.0 * np.exp(-np.arange(shape[0]) / (0.1 * shape[0]))
    structure: FloatArray = columns[None, :] + ramp[:, None]
    structure -= structure.mean()
    return structure * (BIAS_STRUCTURE / max(float(structure.std()), 1e-9))
