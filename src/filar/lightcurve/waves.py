"""Waves: a period's harmonics fitted to magnitudes, each camera and filter with its own mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filar.lightcurve.images import FloatArray, IntArray

MOST_WAVES = 8
_CHUNK = 64
_GROSS = 4.0  # deviations beyond which a point costs no more
_GRID = np.linspace(0, 1, 2000, endpoint=False)


@dataclass(frozen=True, eq=False)
class Points:
    """Magnitudes in time, of several cameras and filters.

    Parameters
    ----------
    time, mag : (n,) arrays
        Days and magnitudes.
    weight : (n,) array
        Inverse variances; 0 leaves a point out.
    group : (n,) int array
        Camera and filter, from 0.
    """

    time: FloatArray
    mag: FloatArray
    weight: FloatArray
    group: IntArray

    @property
    def n_groups(self) -> int:
        """Number of cameras and filters."""
        return int(self.group.max(initial=-1)) + 1

    @property
    def covered(self) -> float:
        """Time from the first to the last point, days."""
        return float(np.ptp(self.time)) if len(self.time) else 0.0

    def without_means(self, values: FloatArray) -> FloatArray:
        """Values less each group's weighted mean: along the last axis."""
        means = values @ self._averaging
        return np.asarray(values - means @ self._member.T)

    @cached_property
    def _member(self) -> FloatArray:
        return np.asarray(self.group[:, None] == np.arange(self.n_groups), float)

    @cached_property
    def _averaging(self) -> FloatArray:
        heavy = self.weight[:, None] * self._member
        return np.asarray(heavy / np.maximum(heavy.sum(axis=0), 1e-30))

    def where(self, chosen: NDArray[np.bool_]) -> Points:
        """Some of the points."""
        return Points(self.time[chosen], self.mag[chosen], self.weight[chosen], self.group[chosen])


def harmonics(phase: FloatArray, number: int) -> FloatArray:
    """Cosines and sines of multiples of phases: the last axis becomes (2 number, n)."""
    first = np.exp(2j * np.pi * phase)
    shape = (*phase.shape[:-1], number, phase.shape[-1])
    power = np.cumprod(np.broadcast_to(first[..., None, :], shape), axis=-2)
    return np.concatenate([power.real, power.imag], axis=-2)


def wave_chi2(points: Points, frequency: FloatArray, number: int) -> FloatArray:
    """Chi-square that harmonics leave.

    Parameters
    ----------
    points : Points
        n points.
    frequency : (f,) array
        1 / day.
    number : int
        Harmonics.

    Returns
    -------
    (f,) array
    """
    target = points.without_means(points.mag)
    whole = float(points.weight @ target**2)
    found = np.empty(len(frequency))
    ridge = 1e-9 * points.weight.sum() * np.eye(2 * number)
    for start in range(0, len(frequency), _CHUNK):
        part = slice(start, start + _CHUNK)
        columns = points.without_means(harmonics(frequency[part, None] * points.time[None], number))
        heavy = columns * points.weight
        inner = heavy @ columns.transpose(0, 2, 1) + ridge
        right = heavy @ target
        solved = np.linalg.solve(inner, right[..., None])[..., 0]
        found[part] = whole - np.einsum("fk,fk->f", solved, right)
    return found


@dataclass(frozen=True, eq=False)
class Wave:
    """A period's harmonics.

    Parameters
    ----------
    period : float
        Days.
    start : float
        Time of phase 0: where the curve is faintest.
    cosine, sine : (k,) arrays
        Coefficients by phase, magnitudes.
    """

    period: float
    start: float
    cosine: FloatArray
    sine: FloatArray

    @property
    def n_parameters(self) -> int:
        """Numbers that were fitted, means apart."""
        return 2 * len(self.cosine) + 1

    def __call__(self, time: FloatArray) -> FloatArray:
        """Magnitudes less the mean: (n,) array."""
        phase = (time - self.start) / self.period
        columns = harmonics(phase, len(self.cosine))
        return np.asarray(np.concatenate([self.cosine, self.sine]) @ columns)

    def columns(self, time: FloatArray) -> FloatArray:
        """What is linear in its coefficients: (n, 2 k) array."""
        return harmonics((time - self.start) / self.period, len(self.cosine)).T

    @property
    def mean(self) -> float:
        """Average over a period."""
        return 0.0

    @property
    def amplitude(self) -> float:
        """From the brightest to the faintest, magnitudes."""
        return float(np.ptp(self(self.start + self.period * _GRID)))

    @property
    def faint_part(self) -> float:
        """Part of the time during which it is fainter than the middle of its range."""
        curve = self(self.start + self.period * _GRID)
        return float(np.mean(curve > (curve.max() + curve.min()) / 2))


def fit_wave(points: Points, frequency: float, number: int) -> Wave:
    """Fit harmonics at a frequency.

    Parameters
    ----------
    points : Points
        n points.
    frequency : float
        1 / day.
    number : int
        Harmonics.

    Returns
    -------
    Wave
        Its phase 0 is where it is faintest.
    """
    middle = float(np.median(points.time))
    columns = points.without_means(harmonics(frequency * (points.time - middle), number))
    root = np.sqrt(points.weight)
    target = points.without_means(points.mag)
    solved = np.asarray(np.linalg.lstsq((columns * root).T, target * root, rcond=None)[0], float)
    first = Wave(1 / frequency, middle, *_halves(solved))
    shift = float(_GRID[np.argmax(first(middle + _GRID / frequency))])
    angle = 2 * np.pi * shift * np.arange(1, number + 1)
    cosine = first.cosine * np.cos(angle) + first.sine * np.sin(angle)
    sine = first.sine * np.cos(angle) - first.cosine * np.sin(angle)
    return Wave(1 / frequency, middle + shift / frequency, cosine, sine)


def _halves(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    return values[: len(values) // 2], values[len(values) // 2 :]


def best_frequency(
    points: Points, around: float, number: int, *, width: float, step: float
) -> float:
    """Frequency near another one at which harmonics leave least.

    Parameters
    ----------
    points : Points
        n points.
    around : float
        1 / day.
    number : int
        Harmonics.
    width, step : float
        Half width and step of the search, in parts of one cycle over the time covered.

    Returns
    -------
    float
        1 / day, between the steps by a parabola.
    """
    unit = 1 / points.covered
    tried = around + unit * np.arange(-width, width + step / 2, step)
    tried = tried[tried > 0.2 * unit]
    if len(tried) < 3:
        return around
    chi2 = wave_chi2(points, tried, number)
    k = int(np.clip(np.argmin(chi2), 1, len(tried) - 2))
    left, mid, right = chi2[k - 1 : k + 2]
    bend = left - 2 * mid + right
    move = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(tried[k] + np.clip(move, -1, 1) * step * unit)


def frequency_error(points: Points, frequency: float, number: int) -> float:
    """Standard error of a frequency by the curvature of chi-square, 1 / day."""
    step = 0.02 / points.covered / number
    chi2 = wave_chi2(points, frequency + step * np.array([-1.0, 0.0, 1.0]), number)
    bend = (chi2[0] - 2 * chi2[1] + chi2[2]) / step**2
    freedom = max(np.count_nonzero(points.weight) - 2 * number - points.n_groups - 1, 1)
    scale = chi2[1] / freedom
    return float(np.sqrt(2 * max(scale, 0.0) / bend)) if bend > 0 else float("nan")


def cost(points: Points, residual: FloatArray, n_parameters: int) -> float:
    """Bayesian information criterion of residuals, gross ones counting no more than 4 deviations.

    Parameters
    ----------
    points : Points
        n points.
    residual : (n,) array
        Magnitudes less the model's, means too.
    n_parameters : int
        What was fitted.

    Returns
    -------
    float
        The lower, the better.
    """
    good = points.weight > 0
    n = int(np.count_nonzero(good))
    far = np.abs(residual[good]) * np.sqrt(points.weight[good])
    scale = 1.4826 * float(np.median(far))
    if not scale > 0:
        scale = float(np.sqrt(np.mean(far**2))) or 1e-12
    squares = np.minimum(far, _GROSS * scale) ** 2
    return float(n * np.log(squares.mean()) + n_parameters * np.log(n))
