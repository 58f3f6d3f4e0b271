"""Finding a star's period: candidates by two periodograms, the best by waves and by eclipses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from filar.lightcurve.eclipses import Eclipses, fit_eclipses
from filar.lightcurve.images import FloatArray
from filar.lightcurve.waves import (
    MOST_WAVES,
    Points,
    Wave,
    best_frequency,
    cost,
    fit_wave,
    frequency_error,
)

SHORTEST = 0.1
"""Days: of periods that are searched for, unless told otherwise."""
_FEWEST = 20
_PEAKS, _BOXES, _KEPT = 12, 4, 5
_SCREEN = 3
_DURATION = 0.08  # of the period, of the boxes
_PER_BOX = 0.5
_NARROW = 0.46
"""Part of the time that a wave spends below its middle: less than this only where eclipses, or a
star's tides, make the minima narrower than the maxima."""
_DETACHED = 0.25
_CYCLES = 1.5  # that must be covered


@dataclass(frozen=True, eq=False)
class Periodic:
    """A star's period and its curve.

    Parameters
    ----------
    model : Wave or Eclipses
        The curve.
    period, period_err : float
        Days.
    cost : float
        See `filar.lightcurve.waves.cost`.
    given : bool
        Whether the period was given and not searched for.
    remark : str
        How half and double of the period were told apart.
    """

    model: Wave | Eclipses
    period: float
    period_err: float
    cost: float
    given: bool = False
    remark: str = ""

    @property
    def kind(self) -> str:
        """Either "waves" or "eclipses"."""
        return "eclipses" if isinstance(self.model, Eclipses) else "waves"

    @property
    def amplitude(self) -> float:
        """From the brightest to the faintest of the curve, magnitudes."""
        return self.model.amplitude

    @property
    def n_parameters(self) -> int:
        """Numbers that were fitted, means apart."""
        return self.model.n_parameters

    @property
    def start(self) -> float:
        """Time of phase 0, the faintest; days."""
        return self.model.start

    def phase(self, time: FloatArray) -> FloatArray:
        """Phases from 0 to 1: (n,) array."""
        return np.asarray((time - self.start) / self.period % 1)


def find_period(points: Points, limits: tuple[float, float] | None = None) -> Periodic | None:
    """Search for the period that describes magnitudes best.

    Candidates are the highest peaks of a Lomb-Scargle periodogram, of which the aliases of daily
    observing are some, and those of a box search for eclipses, with their halves and doubles.
    Each is fitted by waves, as many as the Bayesian information criterion wants, and the best by
    a model of eclipses too; the criterion chooses. Half and double are told apart by it where
    minima differ. Where they do not, a wave whose minima are narrower than its maxima (less than
    46 % of the time below its middle) is an orbit of two like minima, and is given twice the
    period; narrow eclipses are left with the period of the eclipses.

    Parameters
    ----------
    points : Points
        n points.
    limits : (float, float), optional
        Of the periods, days; by default 0.1 and what is covered one and a half times.

    Returns
    -------
    Periodic or None
        None with fewer than 20 points. Whether the star is periodic at all is for the caller to
        judge.
    """
    good = points.weight > 0
    if np.count_nonzero(good) < _FEWEST or not points.covered > 0:
        return None
    used = Points(points.time[good], points.mag[good], points.weight[good], points.group[good])
    low, high = limits or (SHORTEST, used.covered / _CYCLES)
    high = min(high, used.covered / _CYCLES)
    if not high > low:
        return None
    waves = _best_waves(used, low, high)
    dips = _best_eclipses(used, waves, low, high)
    found = min([*waves[:1], *dips], key=lambda one: one.cost)
    return _doubled(used, found, high)


def at_period(points: Points, period: float) -> Periodic | None:
    """Describe magnitudes by a period that is given.

    Parameters
    ----------
    points : Points
        n points.
    period : float
        Days; it is refined within what the time covered tells.

    Returns
    -------
    Periodic or None
        None with fewer than 20 points.
    """
    good = points.weight > 0
    if np.count_nonzero(good) < _FEWEST or not points.covered > 0:
        return None
    used = Points(points.time[good], points.mag[good], points.weight[good], points.group[good])
    found = [_waves(used, 1 / period, width=0.3)]
    begin = found[0].start
    dips = fit_eclipses(used, found[0].period, begin, _DURATION)
    if dips is not None:
        found.append(_of_eclipses(used, dips))
    return replace(min(found, key=lambda one: one.cost), given=True)


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


def box_peaks(points: Points, low: float, high: float, number: int) -> list[Any]:
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
    step = _PER_BOX * _DURATION / points.covered
    found: list[tuple[float, float, float, float]] = []
    short = low
    while short < high:
        long = min(2 * short, high)
        periods = 1 / np.arange(1 / long, 1 / short + step, step)
        durations = short * np.array([_DURATION / 2, _DURATION, 2 * _DURATION])
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


def _waves(points: Points, frequency: float, *, width: float = 0.2) -> Periodic:
    """Harmonics at a frequency, as many as pay."""
    found: list[tuple[float, Wave, float]] = []
    misses = 0
    for number in range(1, MOST_WAVES + 1):
        exact = best_frequency(points, frequency, number, width=width, step=0.03 / number)
        wave = fit_wave(points, exact, number)
        left = points.without_means(points.mag - wave(points.time))
        found.append((cost(points, left, wave.n_parameters + points.n_groups), wave, exact))
        misses = misses + 1 if found[-1][0] > min(one[0] for one in found) else 0
        if misses == 3 or wave.n_parameters + points.n_groups > len(points.time) / 3:
            break
    best, wave, exact = min(found, key=lambda one: one[0])
    error = frequency_error(points, exact, len(wave.cosine)) / exact**2
    return Periodic(wave, wave.period, error, best)


def _best_waves(points: Points, low: float, high: float) -> list[Periodic]:
    """Best periods by waves, best first."""
    peaks = lomb_scargle_peaks(points, low, high, _PEAKS)
    tried = np.concatenate([peaks, peaks[:6] / 2, peaks[:6] / 3, peaks[:3] * 2])
    tried = tried[(tried >= 1 / high) & (tried <= 1 / low)]
    screened = []
    for frequency in tried:
        exact = best_frequency(points, frequency, _SCREEN, width=0.6, step=0.06)
        wave = fit_wave(points, exact, _SCREEN)
        left = points.without_means(points.mag - wave(points.time))
        screened.append((cost(points, left, wave.n_parameters + points.n_groups), exact))
    screened.sort()
    kept: list[float] = []
    for _, exact in screened:
        if all(abs(exact - other) > 0.3 / points.covered for other in kept):
            kept.append(exact)
    found = [_waves(points, exact) for exact in kept[:_KEPT]]
    return sorted(found, key=lambda one: one.cost)


def _of_eclipses(points: Points, model: Eclipses) -> Periodic:
    left = points.without_means(points.mag - model(points.time))
    worth = cost(points, left, model.n_parameters + points.n_groups)
    number = int(np.clip(round(0.5 / max(model.widths[0] * 4, 0.02)), 1, MOST_WAVES))
    error = frequency_error(points, 1 / model.period, number) * model.period**2
    return Periodic(model, model.period, error, worth)


def _best_eclipses(
    points: Points, waves: list[Periodic], low: float, high: float
) -> list[Periodic]:
    """Models of eclipses at the periods of the best boxes and waves, and at their doubles."""
    tried: list[tuple[float, float, float]] = []
    for period, start, duration in box_peaks(points, low, high, _BOXES):
        tried += [(factor * period, start, duration / factor) for factor in (1, 2)]
        tried.append((period / 2, start, min(2 * duration, 0.3)))
    for one in waves[:2]:
        tried += [(factor * one.period, one.start, 0.3 / factor) for factor in (1, 2)]
    found = []
    for period, start, duration in tried:
        if not low <= period <= high:
            continue
        model = fit_eclipses(points, period, start, duration)
        if model is not None:
            found.append(_of_eclipses(points, model))
    return sorted(found, key=lambda one: one.cost)


def _doubled(points: Points, found: Periodic, high: float) -> Periodic:
    """Twice the period where the curve is one of two like minima per orbit."""
    part = found.model.faint_part
    if found.kind == "eclipses":
        assert isinstance(found.model, Eclipses)
        if found.model.linear[1] > 0.05 * found.model.linear[0]:
            return replace(found, remark="two minima per orbit, as they differ")
        return replace(found, remark="one eclipse per period; twice the period if two are alike")
    if part >= _NARROW or part < _DETACHED or 2 * found.period > high:
        return found
    remark = "doubled: minima narrower than maxima, two of them per orbit"
    double = _waves(points, 0.5 / found.period)
    return replace(double, cost=found.cost, remark=remark)
