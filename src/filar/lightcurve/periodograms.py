"""Periodograms: where Lomb-Scargle's power and that of boxes peak."""

from __future__ import annotations

import numpy as np

from filar.lightcurve.images import FloatArray
from filar.lightcurve.waves import Points

DURATION = 0.08
"""Of the boxes, periods; half and twice as much are tried too."""
_PER_BOX = 0.5


def lomb_scargle_peaks(points: Points, low: float, high: float, number: int) -> FloatArray:
    """Frequencies of the highest peaks of a periodogram, highest first, 1 / day.

    Parameters
    ----------
    points : Points
        n points of positive weight.
    low, high : float
        Limits of the period, days.
    number : int
        Peaks wanted.

    Returns
    -------
    (k,) array
    """
    from astropy.timeseries import LombScargle

    step = 0.2 / points.covered
    frequency = np.arange(1 / high, 1 / low + step, step)
    target = points.without_means(points.mag)
    spectrum = LombScargle(points.time, target, 1 / np.sqrt(points.weight)).power(
        frequency, method="fast", assume_regular_frequency=True
    )
    padded = np.concatenate([[-np.inf], spectrum, [-np.inf]])
    top = np.flatnonzero((padded[1:-1] >= padded[:-2]) & (padded[1:-1] > padded[2:]))
    return np.asarray(frequency[top[np.argsort(-spectrum[top])[:number]]])


def box_peaks(
    points: Points, low: float, high: float, number: int
) -> list[tuple[float, float, float]]:
    """Best boxes: period (days), time of the minimum, duration in periods.

    Parameters
    ----------
    points : Points
        n points of positive weight.
    low, high : float
        Limits of the period, days.
    number : int
        Boxes wanted.

    Returns
    -------
    list of (float, float, float)
        Best first.
    """
    from astropy.timeseries import BoxLeastSquares

    # The search knows eclipses as dips of flux.
    search = BoxLeastSquares(points.time, -points.without_means(points.mag),
                             1 / np.sqrt(points.weight))  # fmt: skip
    step = _PER_BOX * DURATION / points.covered
    found: list[tuple[float, float, float, float]] = []
    short = low
    while short < high:
        long = min(2 * short, high)
        periods = 1 / np.arange(1 / long, 1 / short + step, step)
        durations = short * np.array([DURATION / 2, DURATION, 2 * DURATION])
        power = search.power(periods[::-1], durations, oversample=4)
        for k in _separate(1 / power.period, power.power, 5 / points.covered, number):
            period = float(power.period[k])
            found.append((float(power.power[k]), period, float(power.transit_time[k]),
                          float(power.duration[k]) / period))  # fmt: skip
        short = long
    found.sort(reverse=True)
    return [one[1:] for one in found[:number]]


def _separate(frequency: FloatArray, power: FloatArray, apart: float, number: int) -> list[int]:
    """Rows of the highest peaks that are not each other's neighbours."""
    chosen: list[int] = []
    for k in np.argsort(-power)[: 50 * number]:
        if all(abs(frequency[k] - frequency[j]) > apart for j in chosen):
            chosen.append(int(k))
        if len(chosen) == number:
            break
    return chosen
