"""Finding a star's period: candidates by two periodograms, the best by waves and by eclipses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from filar.lightcurve.eclipses import Eclipses, fit_eclipses
from filar.lightcurve.images import FloatArray
from filar.lightcurve.periodograms import DURATION, box_peaks, lomb_scargle_peaks
from filar.lightcurve.waves import (
    MOST_WAVES,
    Points,
    Wave,
    best_frequency,
    cost,
    fit_wave,
    frequency_error,
)
from filar.robust import MAD_TO_SIGMA

BoolArray = NDArray[np.bool_]
SHORTEST = 0.1
"""Days: of periods that are searched for, unless told otherwise."""
_FEWEST = 20
_WIDTH = 0.2  # of the search about a frequency, cycles over the time covered
_PEAKS, _BOXES, _KEPT = 12, 4, 5
_SCREEN = 3
_NARROW = 0.46
"""Part of the time that a wave spends below its middle: less than this only where eclipses, or a
star's tides, make the minima narrower than the maxima."""
_DETACHED = 0.25
_SYMMETRIC = 0.4
_RAYLEIGH = 8.0
_SECOND = 0.05  # of the first minimum's depth: a second one that is there
_FITTED = 3  # models of eclipses, after a quick look at all
_WITHIN = 1.5  # errors: what waves may leave
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
    scales : mapping of int to float
        Amplitude in each filter in units of the curve's.
    """

    model: Wave | Eclipses
    period: float
    period_err: float
    cost: float
    given: bool = False
    remark: str = ""
    scales: Mapping[int, float] = field(default_factory=dict)

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

    def curve(self, time: FloatArray) -> FloatArray:
        """Magnitudes less their average over a period: (n,) array."""
        return np.asarray(self.model(time) - self.model.mean)

    def phase(self, time: FloatArray) -> FloatArray:
        """Phases from 0 to 1: (n,) array."""
        return np.asarray((time - self.start) / self.period % 1)


def find_periods(
    points: Points, doubtful: BoolArray, limits: tuple[float, float] | None = None
) -> list[Periodic]:
    """Search for the periods that may describe magnitudes.

    Candidates are the highest peaks of a Lomb-Scargle periodogram, of which the aliases of daily
    observing are some, and their simple fractions; waves are fitted to each, as many as the
    Bayesian information criterion wants. Where they do not describe the points within their
    errors, eclipses are looked for by boxes, doubtful points included, for eclipses look like
    outliers.

    Half and double are told apart by the criterion where minima differ. Where they do not, a wave
    whose minima are narrower than its maxima (less than 46 % of the time below its middle) is an
    orbit of two like minima, and is given twice the period; narrow eclipses are left with the
    period of the eclipses.

    Parameters
    ----------
    points : Points
        n points of positive weight.
    doubtful : (n,) bool array
        Points that may be outliers.
    limits : (float, float), optional
        Of the periods, days; by default 0.1 and what is covered one and a half times.

    Returns
    -------
    list of Periodic
        Empty with fewer than 20 points. Which is best, and whether the star is periodic at all, is
        for the caller to judge.
    """
    kept = points.where(~doubtful)
    if len(kept.time) < _FEWEST or not kept.covered > 0:
        return []
    low, high = limits or (SHORTEST, kept.covered / _CYCLES)
    high = min(high, kept.covered / _CYCLES)
    if not high > low:
        return []
    waves = _best_waves(kept, low, high)
    found = [_doubled(kept, one, high) for one in waves[:1]]
    if waves and _enough(kept, waves[0]) and not _clumped(points.time[doubtful], waves[0].period):
        return found
    if doubtful.any():
        every = _best_waves(points, low, high)
        found += [_doubled(points, one, high) for one in every[:1]]
    return found + _best_eclipses(points, waves, low, high)


def _enough(points: Points, found: Periodic) -> bool:
    """Whether waves describe points within their errors, and are more than a small part of them."""
    scale = MAD_TO_SIGMA * np.sqrt(points.weight)
    before = np.median(scale * np.abs(points.without_means(points.mag)))
    after = np.median(scale * np.abs(points.without_means(points.mag - found.model(points.time))))
    return bool(after < _WITHIN and after < before / 2)


def _clumped(time: FloatArray, period: float) -> bool:
    """Whether times gather in phase, as eclipses do and outliers do not (Rayleigh's test)."""
    turns = np.exp(2j * np.pi * time[None] / (period * np.array([[0.5], [1.0], [2.0]])))
    return bool((np.abs(turns.sum(axis=1)) ** 2 > _RAYLEIGH * max(len(time), 1)).any())


def at_period(points: Points, period: float) -> Periodic | None:
    """Describe magnitudes by a period that is given.

    Parameters
    ----------
    points : Points
        n points; those of weight 0 are left out.
    period : float
        Days; it is refined within what the time covered tells.

    Returns
    -------
    Periodic or None
        None with fewer than 20 points.
    """
    used = points.where(points.weight > 0)
    if len(used.time) < _FEWEST or not used.covered > 0:
        return None
    wave = _waves(used, 1 / period)
    if _enough(used, wave):
        return replace(wave, given=True)
    found = [wave]
    dips = fit_eclipses(used, wave.period, wave.start, 2 * DURATION)
    if dips is not None:
        found.append(_of_eclipses(used, dips))
    return replace(min(found, key=lambda one: one.cost), given=True)


def again(points: Points, found: Periodic) -> Periodic:
    """Fit the same kind of curve near the same period to other points.

    Parameters
    ----------
    points : Points
        n points; those of weight 0 are left out.
    found : Periodic
        What to begin with.

    Returns
    -------
    Periodic
        The one given where the fit fails.
    """
    used = points.where(points.weight > 0)
    if len(used.time) < _FEWEST:
        return found
    if isinstance(found.model, Eclipses):
        first = found.model
        dips = fit_eclipses(used, first.period, first.start, 4 * first.widths[0], first.second)
        new = None if dips is None else _of_eclipses(used, dips)
    else:
        # A period that was given has moved as far as it may.
        new = _waves(used, 1 / found.period, width=0.0 if found.given else _WIDTH)
    if new is None:
        return found
    return replace(new, given=found.given, remark=found.remark)


def _waves(points: Points, frequency: float, *, width: float = _WIDTH) -> Periodic:
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
    if model.linear[1] > _SECOND * model.linear[0]:
        remark = "two minima per orbit, as they differ"
    else:
        remark = "one eclipse per period; twice the period if two are alike"
    return Periodic(model, model.period, _eclipses_error(points, model), worth, remark=remark)


def _eclipses_error(points: Points, model: Eclipses) -> float:
    """Standard error of the period by the curvature of chi-square, days."""
    cycles = max(points.covered / model.period, 1.0)
    step = 0.1 * min(model.widths) * model.period / cycles
    middle = model.start + model.period * np.rint(
        (float(np.median(points.time)) - model.start) / model.period
    )
    chi2 = []
    for shift in (-step, 0.0, step):
        moved = replace(model, period=model.period + shift, start=middle)
        left = points.without_means(points.mag - moved(points.time))
        chi2.append(float(points.weight @ left**2))
    bend = (chi2[0] - 2 * chi2[1] + chi2[2]) / step**2
    freedom = max(len(points.time) - model.n_parameters - points.n_groups, 1)
    return float(np.sqrt(2 * chi2[1] / freedom / bend)) if bend > 0 else float("nan")


def _best_eclipses(
    points: Points, waves: list[Periodic], low: float, high: float
) -> list[Periodic]:
    """Best model of eclipses at the periods of boxes and waves, their halves and doubles."""
    tried: list[tuple[float, float, float]] = []
    for period, start, duration in box_peaks(points, low, high, _BOXES):
        tried += [(factor * period, start, duration / factor) for factor in (1, 2)]
        tried.append((period / 2, start, min(2 * duration, 0.3)))
    for one in waves[:2]:
        tried += [(factor * one.period, one.start, 0.3 / factor) for factor in (1, 2)]
    screened = []
    for period, start, duration in tried:
        if low <= period <= high:
            model = fit_eclipses(points, period, start, duration, quick=True)
            if model is not None:
                screened.append((_of_eclipses(points, model).cost, model))
    screened.sort(key=lambda pair: pair[0])
    found = []
    for _, model in screened[:_FITTED]:
        width = 4 * model.widths[0]
        better = fit_eclipses(points, model.period, model.start, width, model.second)
        if better is not None:
            found.append(_of_eclipses(points, better))
    return sorted(found, key=lambda one: one.cost)[:1]


def _doubled(points: Points, found: Periodic, high: float) -> Periodic:
    """Twice the period where the wave is one of two like minima per orbit."""
    model = found.model
    if not isinstance(model, Wave) or not _DETACHED <= model.faint_part < _NARROW:
        return found
    if 2 * found.period > high or _minima_alike(model) or _asymmetry(model) > _SYMMETRIC:
        return found
    double = _waves(points, 0.5 / found.period)
    remark = "doubled: narrow minima, two like ones per orbit"
    return replace(double, cost=found.cost, remark=remark)


def _minima_alike(model: Wave) -> bool:
    """Whether both halves of the period are much alike already."""
    size = np.hypot(model.cosine, model.sine)
    return bool(np.sum(size[1::2] ** 2) > np.sum(size[::2] ** 2))


def _asymmetry(model: Wave) -> float:
    """Part of what is no sinusoid that changes sign when time runs backwards from the minimum.

    Pulsating stars may have narrow minima too, but theirs are not symmetric.
    """
    phase = np.arctan2(model.sine[0], model.cosine[0])
    turned = (model.cosine - 1j * model.sine) * np.exp(
        1j * phase * np.arange(1, len(model.sine) + 1)
    )
    above = turned[1:]
    total = float(np.sum(np.abs(above) ** 2))
    return float(np.sqrt(np.sum(above.imag**2) / total)) if total > 0 else 1.0
