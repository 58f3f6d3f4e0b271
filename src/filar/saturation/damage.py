"""Pixels that an overflow in a survey's pipeline has set to exactly one count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.exposure import BoolImage, Exposure

IntArray = NDArray[np.int64]

_BELOW = 5.0  # times the noise that one count must lie below the sky
_DARKEST = 0.01  # part of the pixels that tell where the sky is darkest
_SAMPLE = 200_000  # pixels that tell the sky


def one_count(exposure: Exposure) -> float:
    """Electrons that one count of the file has become.

    Parameters
    ----------
    exposure : Exposure
        As its reader gave it; ``meta["units"]`` tells whether the file holds rates.

    Returns
    -------
    float
        The gain, or the gain times the exposure time.
    """
    units = str(exposure.meta.get("units", "")).upper().replace(" ", "")
    rate = units.endswith(("/S", "/SEC", "/SECOND", "S-1"))
    return float(exposure.gain * (exposure.exposure_time if rate else 1.0))


def damaged_pixels(exposure: Exposure) -> BoolImage:
    """Find the pixels of exactly one count where no pixel should be that dark.

    Parameters
    ----------
    exposure : Exposure
        Not resampled, so that a count is still a count.

    Returns
    -------
    (ny, nx) bool array
        All False where one count is nothing unusual: less than five times the noise below the
        darkest hundredth of the other pixels. (The scatter of all pixels says nothing where stars
        crowd.)
    """
    one = np.float32(one_count(exposure))
    usable = exposure.data[~exposure.unusable & (exposure.data != one)]
    values = usable[:: max(1, usable.size // _SAMPLE)].astype(float)
    dark = np.quantile(values, _DARKEST) if values.size else np.nan
    if not dark - one > _BELOW * np.sqrt(exposure.variance(np.asarray(dark))):
        return np.zeros(exposure.shape, bool)
    return np.asarray((exposure.data == one) & ~exposure.mask)
