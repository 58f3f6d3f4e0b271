"""One star's light curve: outliers, inter-calibration of cameras and filters, its period."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filar.lightcurve.images import FloatArray, IntArray
from filar.lightcurve.periods import Periodic, again, at_period, find_periods
from filar.lightcurve.process import Linear, Process, Walk, fit_process
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.waves import Points
from filar.robust import robust_rms

BoolArray = NDArray[np.bool_]
_LEFT_OUT = 1e4  # magnitudes^2: added to the variance of points that are left out
_FAR = 6.0
_FAINTEST = 0.1  # W24
_ROUNDS = 6
_FEWEST = 5
_REFITS = 2
_FEWEST_IN_BAND = 15
_RARE = 0.05  # part of the points that may be outliers
_SEARCHED = 25.0
"""Log-likelihood that a period found among some 10^5, and phases, may gain by chance, and more."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The epochs of one star, rising in time.

    Parameters
    ----------
    time : (n,) array
        Days.
    mag, mag_err : (n,) arrays
        Magnitudes of each camera and filter.
    group : (n,) int array
        Camera and filter, any numbers.
    band : (n,) int array, optional
        Filter, any numbers; by default one.
    period : float
        Days; NaN if none is given.
    """

    time: FloatArray
    mag: FloatArray
    mag_err: FloatArray
    group: IntArray
    band: IntArray | None = None
    period: float = float("nan")

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Solution:
    """What was found for one star.

    Parameters
    ----------
    groups : (g,) int array
        Its cameras and filters.
    means, means_err : (g,) arrays
        Mean magnitude in each, and its error.
    offsets, offsets_err : (g,) arrays
        To be added to a group's magnitudes to bring its mean to the median of the means.
    rejected : (n,) bool array
        Epochs that were left out.
    process : Process
        The walk; sigma 0 where there is none.
    periodic : Periodic or None
        The period.
    """

    groups: IntArray
    means: FloatArray
    means_err: FloatArray
    offsets: FloatArray
    offsets_err: FloatArray
    rejected: BoolArray
    process: Process
    periodic: Periodic | None = None

    def calibrated(self, curve: Curve) -> FloatArray:
        """Magnitudes with the offsets added: (n,) array."""
        return np.asarray(curve.mag + self.offsets[np.searchsorted(self.groups, curve.group)])


def offsets_of(means: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Offsets from means to their median, as in W24, with errors by their covariance.

    Parameters
    ----------
    means : (g,) array
        Means of the groups.
    covariance : (g, g) array
        Their covariance.

    Returns
    -------
    offsets, errors : (g,) arrays
    """
    order = np.argsort(means, kind="stable")
    g = len(means)
    middle = np.zeros(g)
    for k in {(g - 1) // 2, g // 2}:
        middle[order[k]] = 1.0
    middle /= middle.sum()
    change = np.ones((g, 1)) * middle[None] - np.eye(g)
    variance = np.einsum("ij,jk,ik->i", change, covariance, change)
    return change @ means, np.sqrt(np.maximum(variance, 0))


def solve_curve(
    curve: Curve, settings: LightCurveSettings, *, process: bool = True, search: bool = True
) -> Solution:
    """Inter-calibrate one star's cameras and filters, find outliers and the period.

    Parameters
    ----------
    curve : Curve
        n epochs, at least one.
    settings : LightCurveSettings
        ``reject``, ``clip`` and ``period_range`` are used.
    process : bool
        Whether a Gaussian process takes part; otherwise means alone.
    search : bool
        Whether a period is searched for if none is given.

    Returns
    -------
    Solution
    """
    solver = _Solver(curve, settings, process and len(curve) >= _FEWEST)
    rejected, walk = solver.clipped(None)
    periodic = None
    if solver.walked and (search or curve.period > 0):
        periodic = solver.periodic(rejected)
    if periodic is not None:
        for _ in range(_REFITS):
            rejected, walk = solver.clipped(periodic)
            periodic = solver.refitted(periodic, rejected)
        rejected, walk = solver.clipped(periodic)
    linear = solver.linear(solver.columns(periodic), walk, rejected)
    g = len(solver.groups)
    means, covariance = linear.coefficients[:g], linear.covariance[:g, :g]
    offsets, errors = offsets_of(means, covariance)
    return Solution(solver.groups, means, np.sqrt(np.diagonal(covariance)), offsets, errors,
                    rejected, walk, periodic)  # fmt: skip


class _Solver:
    """The steps for one star."""

    def __init__(self, curve: Curve, settings: LightCurveSettings, walked: bool) -> None:
        self.curve, self.settings, self.walked = curve, settings, walked
        self.groups, self.member = np.unique(curve.group, return_inverse=True)
        self.means = np.asarray(self.member[:, None] == np.arange(len(self.groups)), float)
        band = np.zeros(len(curve), np.int64) if curve.band is None else curve.band
        self.bands, self.band = np.unique(band, return_inverse=True)
        self.jitter = 0.5 * robust_rms(curve.mag_err) if len(curve) > 1 else 0.0

    def columns(self, periodic: Periodic | None) -> FloatArray:
        """Means, and the periodic curve in each filter: its amplitude there is free."""
        if periodic is None:
            return self.means
        shape = periodic.curve(self.curve.time)
        each = shape[:, None] * (self.band[:, None] == np.arange(len(self.bands)))
        return np.column_stack([self.means, each])

    def linear(self, columns: FloatArray, process: Process, rejected: BoolArray) -> Linear:
        """Solve the linear model with outliers left out."""
        extra = np.where(rejected, _LEFT_OUT, 0.0)
        curve = self.curve
        return Walk(curve.time, curve.mag, curve.mag_err**2 + extra, columns).solve(process, extra)

    def less(self, periodic: Periodic | None) -> FloatArray:
        """Magnitudes less the periodic curve and the medians of cameras and filters."""
        left = self.curve.mag
        if periodic is not None:
            left = left - periodic.curve(self.curve.time) * self.scales(periodic)[self.band]
        medians = [np.median(left[self.member == k]) for k in range(len(self.groups))]
        return np.asarray(left - np.array(medians)[self.member])

    def scales(self, periodic: Periodic) -> FloatArray:
        """Amplitude in each filter over that of the curve, which is the first filter's."""
        return np.array([periodic.scales.get(int(band), 1.0) for band in self.bands])

    def clipped(self, periodic: Periodic | None) -> tuple[BoolArray, Process]:
        """Outliers, and the process of the others."""
        left, columns = self.less(periodic), self.columns(periodic)
        nothing = np.zeros(len(left), bool)
        if self.settings.reject != "gp" or len(left) < _FEWEST:
            by_rank = self.settings.reject == "faintest"
            rejected = faintest(left, self.member) if by_rank else nothing
            return rejected, self.process(columns, rejected, None)
        rejected = np.abs(left) > _FAR * np.hypot(robust_rms(left), self.curve.mag_err)
        process = None
        for _ in range(_ROUNDS):
            process = self.process(columns, rejected, process)
            found = self.linear(columns, process, rejected)
            new = np.abs(found.left_out) > self.settings.clip * found.left_out_err
            if (new == rejected).all():
                break
            rejected = new
        assert process is not None
        return rejected, process

    def process(self, columns: FloatArray, rejected: BoolArray, start: Process | None) -> Process:
        """The process of what is not rejected."""
        kept = ~rejected
        covered = (columns[kept] != 0).any(axis=0)
        if not self.walked or np.count_nonzero(kept) < covered.sum() + 3:
            return Process(0.0, float("nan"), 0.0)
        curve = self.curve
        walk = Walk(curve.time[kept], curve.mag[kept], curve.mag_err[kept] ** 2,
                    columns[kept][:, covered])  # fmt: skip
        return fit_process(walk, start)

    def points(self, rejected: BoolArray, periodic: Periodic | None = None) -> Points:
        """What a period is fitted to: each filter's amplitude brought to the first's."""
        curve = self.curve
        weight = np.where(rejected, 0.0, 1 / (curve.mag_err**2 + self.jitter**2))
        if periodic is None:
            return Points(curve.time, curve.mag, weight, self.member)
        scale = self.scales(periodic)[self.band]
        return Points(curve.time, curve.mag / scale, weight * scale**2, self.member)

    def periodic(self, rejected: BoolArray) -> Periodic | None:
        """The period that is given, or the likeliest if it is likelier than none."""
        nothing = np.zeros(len(rejected), bool)
        if self.curve.period > 0:
            tried = [at_period(self.points(out), self.curve.period) for out in (rejected, nothing)]
            given = [one for one in tried if one is not None]
            return max(given, key=self.evidence) if given else None
        found = find_periods(self.points(nothing), rejected, self.settings.period_range)
        if not found:
            return None
        best = max(found, key=self.evidence)
        gain = self.evidence(best) - self.evidence(None) - _SEARCHED
        return best if gain > 0 else None

    def evidence(self, periodic: Periodic | None) -> float:
        """Log-likelihood of all points, outliers as rare and anywhere, less what parameters cost.

        What eclipses explain and a walk alone would reject, counts for eclipses.
        """
        n = len(self.curve)
        rejected, process = self.clipped(periodic)
        kept = ~rejected
        walk = Walk(self.curve.time[kept], self.less(periodic)[kept],
                    self.curve.mag_err[kept] ** 2, self.means[kept])  # fmt: skip
        likely = fit_process(walk, process).log_likelihood
        anywhere = np.log(_RARE / max(float(np.ptp(self.curve.mag)), 1e-6))
        price = 0.0 if periodic is None else 0.5 * periodic.n_parameters * np.log(n)
        return float(likely + rejected.sum() * anywhere - price)

    def refitted(self, periodic: Periodic, rejected: BoolArray) -> Periodic:
        """The same curve with outliers left out, and its amplitude in each filter."""
        found = self.linear(self.columns(periodic), Process(0.0, float("nan"), 0.0), rejected)
        number = np.bincount(self.band[~rejected], minlength=len(self.bands))
        scale = found.coefficients[len(self.groups) :]
        first = int(np.argmax(number))
        known = (number >= _FEWEST_IN_BAND) & (scale[first] > 0)
        ratio = np.where(known, scale / max(scale[first], 1e-6), 1.0)
        ratio = np.where((ratio > 0.2) & (ratio < 5), ratio, 1.0)
        scales = {int(b): float(r) for b, r in zip(self.bands, ratio, strict=True)}
        new = replace(periodic, scales=scales)
        return replace(again(self.points(rejected, new), new), scales=scales)


def faintest(left: FloatArray, member: IntArray) -> BoolArray:
    """The faintest tenth of each camera and filter, which W24 drops.

    Parameters
    ----------
    left : (n,) array
        Magnitudes.
    member : (n,) int array
        Camera and filter of each.

    Returns
    -------
    (n,) bool array
    """
    rejected = np.zeros(len(left), bool)
    for k in np.unique(member):
        mine = np.flatnonzero(member == k)
        number = int(_FAINTEST * len(mine))
        rejected[mine[np.argsort(-left[mine], kind="stable")[:number]]] = True
    return rejected
