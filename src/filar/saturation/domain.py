"""What a model of saturated stars was trained on, and which stamps are like that."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from filar.saturation.data import Samples

FloatArray = NDArray[np.float64]
Ranges = dict[str, tuple[float, float]]
TAIL = 0.0005
"""Part of the training stamps beyond each end of a range."""
KNOWN = 0.9
"""Part of the training stamps of which a quantity must be known to have a range."""
MARGINS = {
    "log_n": (0.1, 0.0), "sky": (0.0, 0.1), "noise": (0.0, 0.1), "level": (0.0, 0.1),
    "zero_point": (0.3, 0.0), "x": (10.0, 0.01), "y": (10.0, 0.01), "fwhm": (0.2, 0.05),
    "saturated": (2.0, 0.1), "mag": (0.25, 0.0),
}  # fmt: skip
"""How far beyond a model may be trusted: in the quantity's unit, and as part of its largest."""
CHECKED = tuple(name for name in MARGINS if name != "mag")
"""What must be within; the catalogue's magnitude is only told."""


OFTEN_UNKNOWN = ("zero_point", "fwhm")
"""What need not be known of a stamp, unless the network is told it."""


def learn_domain(samples: Samples) -> Ranges:
    """Say what training samples cover.

    Parameters
    ----------
    samples : Samples
        Those that were trained on.

    Returns
    -------
    dict of str to (low, high)
        log_n; sky, noise and level in electrons; zero_point, mag; x, y and fwhm in pixels; the
        number of saturated pixels in the stamp. Margins are included; what is not known of most
        samples is left out.
    """
    ranges = {}
    for name, values in _numbers(samples, samples.log_n).items():
        good = values[np.isfinite(values)]
        if len(good) and len(good) >= KNOWN * len(values):
            low, high = np.quantile(good, [TAIL, 1 - TAIL]).tolist()
            fixed, part = MARGINS[name]
            margin = fixed + part * max(abs(low), abs(high))
            ranges[name] = (low - margin, high + margin)
    return ranges


def in_domain(
    samples: Samples, log_n: FloatArray, ranges: Mapping[str, tuple[float, float]],
    filters: Collection[str] = (), needed: Collection[str] = (),
) -> NDArray[np.bool_]:  # fmt: skip
    """Mark the stamps that are like those in the training data.

    Parameters
    ----------
    samples : Samples
        n stamps.
    log_n : (n,) array
        What was predicted of them.
    ranges : mapping
        From `learn_domain`.
    filters : collection of str
        Of the training data, whatever their case; empty: not looked at.
    needed : collection of str
        Which of `OFTEN_UNKNOWN` the network is told.

    Returns
    -------
    (n,) bool array
        False also where a quantity is unknown that was known of the training data, but for those
        that often are.
    """
    inside = np.isfinite(log_n)
    for name, values in _numbers(samples, log_n).items():
        if name in ranges and name in CHECKED:
            low, high = ranges[name]
            within = (values >= low) & (values <= high)
            if name in OFTEN_UNKNOWN and name not in needed:
                within |= np.isnan(values)
            inside &= within
    if filters:
        allowed = {one.casefold() for one in filters} | {""}
        known = [one.casefold() in allowed for one in samples.filters]
        inside &= np.asarray(known)[samples.image]
    return inside


def _numbers(samples: Samples, log_n: FloatArray) -> dict[str, FloatArray]:
    """What has a range, by name: (n,) arrays."""
    numbers = {
        "log_n": log_n,
        "sky": samples.sky,
        "noise": samples.noise,
        "level": samples.level,
        "zero_point": samples.zero_point,
        "x": samples.x,
        "y": samples.y,
        "fwhm": samples.of_image("fwhm"),
        "saturated": np.count_nonzero(samples.saturated, axis=(1, 2)),
        "mag": samples.mag,
    }
    return {name: np.asarray(values, np.float64) for name, values in numbers.items()}
