"""What is known of an exposure before its stars are looked for; no single star changes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ground:
    """Sky, noise and sharpness of an exposure.

    Parameters
    ----------
    sky, noise : (ny, nx) float64 arrays
        Level and standard deviation of every pixel, electrons, see `filar.sky.background`.
    smear : (ny, nx) float64 array
        What `filar.sky.undigitised` adds to the pixels, electrons.
    sigma : float
        Width of the Gaussian core of the PSF before pixel integration, pixels.
    saturated_light : float
        Median of the saturated pixels above the sky, electrons; NaN if there are none.
    """

    sky: FloatArray
    noise: FloatArray
    smear: FloatArray
    sigma: float
    saturated_light: float
