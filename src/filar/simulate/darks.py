"""Dark current and hot pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.simulate.field import Seed

FloatArray = NDArray[np.float64]

DARK_RATE = 0.0045
"""Electrons per second and pixel at -88 degrees C (WFPC2 Instrument Handbook, chapter 4)."""

HOT_FRACTION = 0.005
"""Part of the pixels that are hot, some weeks after a decontamination."""

HOT_LIMIT = 0.02
"""Electrons per second from which a pixel counts as hot (the same handbook)."""

HOTTEST = 50.0
"""Electrons per second of the hottest pixels."""

_HOT_SLOPE = 1.2
_UNEVENNESS = 0.1


def dark_current(
    shape: tuple[int, int], *, dark: float = 1.0, hot_pixels: float = 1.0, seed: Seed = None
) -> FloatArray:
    """Draw the dark current of a chip.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    dark : float
        Times :data:`DARK_RATE`.
    hot_pixels : float
        Times :data:`HOT_FRACTION`. Rates of hot pixels follow a power law, N(> r) proportional to
        r^-1.2, from :data:`HOT_LIMIT` to :data:`HOTTEST`.
    seed : int, SeedSequence, Generator or None
        Source of randomness: the same seed gives the same chip.

    Returns
    -------
    (ny, nx) float64 array
        Electrons per second.
    """
    rng = np.random.default_rng(seed)
    rates: FloatArray = dark * DARK_RATE * np.exp(_UNEVENNESS * rng.normal(size=shape))
    order = rng.random(shape)
    hot = order < hot_pixels * HOT_FRACTION
    u = rng.random(int(hot.sum()))
    coolest = (HOT_LIMIT / HOTTEST) ** _HOT_SLOPE
    rates[hot] += HOT_LIMIT * (coolest + u * (1.0 - coolest)) ** (-1.0 / _HOT_SLOPE)
    return rates
