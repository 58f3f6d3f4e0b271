"""One star's light curve: outliers, inter-calibration of cameras and filters, its period."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filar.lightcurve.images import FloatArray, IntArray
from filar.lightcurve.periods import Periodic, at_period, find_period
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
_GAIN = 10.0
"""What a period must gain in log-likelihood beyond the price of its parameters."""


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
    period : float
        Days; NaN if none is given.
    """

    time: FloatArray
    mag: FloatArray
    mag_err: FloatArray
    group: IntArray
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
    groups, member = np.unique(curve.group, return_inverse=True)
    columns = (member[:, None] == np.arange(len(groups))).astype(float)
    known = np.isfinite(curve.period) and curve.period > 0
    walked = process and len(curve) >= _FEWEST
    rejected, walk = _clipped(curve, member, columns, None, settings, walked)
    periodic = None
    if walked and (known or search):
        periodic = _periodic(curve, member, columns, rejected, walk, settings)
    if periodic is not None:
        rejected, walk = _clipped(curve, member, columns, periodic, settings, walked)
        again = _refitted(curve, member, rejected, periodic)
        if again is not None:
            periodic = again
            rejected, walk = _clipped(curve, member, columns, periodic, settings, walked)
    linear = _linear(curve, _with_curve(curve, columns, periodic), walk, rejected)[0]
    g = len(groups)
    means, covariance = linear.coefficients[:g], linear.covariance[:g, :g]
    offsets, errors = offsets_of(means, covariance)
    return Solution(groups, means, np.sqrt(np.diagonal(covariance)), offsets, errors, rejected,
                    walk, periodic)  # fmt: skip


def _with_curve(curve: Curve, columns: FloatArray, periodic: Periodic | None) -> FloatArray:
    """Columns of the means and of the periodic curve, which keeps its shape: (n, p) array."""
    if periodic is None:
        return columns
    shape = periodic.model.columns(curve.time)
    # What all points have in common is the means'.
    return np.column_stack([columns, shape - shape.mean(axis=0)])


def _linear(
    curve: Curve, columns: FloatArray, process: Process, rejected: BoolArray
) -> tuple[Linear, Walk]:
    extra = np.where(rejected, _LEFT_OUT, 0.0)
    walk = Walk(curve.time, curve.mag, curve.mag_err**2 + extra, columns)
    return walk.solve(process, extra), walk


def _clipped(
    curve: Curve,
    member: IntArray,
    columns: FloatArray,
    periodic: Periodic | None,
    settings: LightCurveSettings,
    walked: bool,
) -> tuple[BoolArray, Process]:
    """Outliers, and the process of the others."""
    shape = np.zeros(len(curve)) if periodic is None else periodic.model(curve.time)
    left = curve.mag - shape
    left = left - np.array([np.median(left[member == k]) for k in range(columns.shape[1])])[member]
    design = _with_curve(curve, columns, periodic)
    if settings.reject != "gp":
        rejected = _faintest(left, member) if settings.reject == "faintest" else left > np.inf
        return rejected, _process(curve, design, rejected, walked, None)
    if len(curve) < _FEWEST:
        nothing = np.zeros(len(curve), bool)
        return nothing, _process(curve, design, nothing, walked, None)
    rejected = np.abs(left) > _FAR * np.hypot(robust_rms(left), curve.mag_err)
    process = None
    for _ in range(_ROUNDS):
        process = _process(curve, design, rejected, walked, process)
        linear, _ = _linear(curve, design, process, rejected)
        far = np.abs(linear.left_out) / np.hypot(linear.left_out_err, 0)
        new = far > settings.clip
        if (new == rejected).all():
            break
        rejected = new
    assert process is not None
    return rejected, process


def _faintest(left: FloatArray, member: IntArray) -> BoolArray:
    """The faintest tenth of each camera and filter."""
    rejected = np.zeros(len(left), bool)
    for k in np.unique(member):
        mine = np.flatnonzero(member == k)
        number = int(_FAINTEST * len(mine))
        rejected[mine[np.argsort(-left[mine], kind="stable")[:number]]] = True
    return rejected


def _process(
    curve: Curve, columns: FloatArray, rejected: BoolArray, walked: bool, start: Process | None
) -> Process:
    kept = ~rejected
    covered = (columns[kept] != 0).any(axis=0)
    if not walked or np.count_nonzero(kept) < covered.sum() + 3:
        return Process(0.0, float("nan"), 0.0)
    walk = Walk(curve.time[kept], curve.mag[kept], curve.mag_err[kept] ** 2,
                columns[kept][:, covered])  # fmt: skip
    return fit_process(walk, start)


def _points(curve: Curve, member: IntArray, rejected: BoolArray, jitter: float) -> Points:
    weight = np.where(rejected, 0.0, 1 / (curve.mag_err**2 + jitter**2))
    return Points(curve.time, curve.mag, weight, member)


def _periodic(
    curve: Curve,
    member: IntArray,
    columns: FloatArray,
    rejected: BoolArray,
    walk: Process,
    settings: LightCurveSettings,
) -> Periodic | None:
    """The period that is given, or the best that is found and better than none.

    Eclipses look like faint outliers: what was rejected is looked at again.
    """
    jitter = 0.5 * robust_rms(curve.mag_err)
    nothing = np.zeros(len(curve), bool)
    found = []
    for left_out in [nothing, rejected] if rejected.any() else [nothing]:
        points = _points(curve, member, left_out, jitter)
        if np.isfinite(curve.period) and curve.period > 0:
            one = at_period(points, curve.period)
        else:
            one = find_period(points, settings.period_range)
        if one is not None:
            found.append((_misfit(curve, member, one, jitter), one))
    if not found:
        return None
    best = min(found, key=lambda pair: pair[0])[1]
    if best.given:
        return best
    return best if _gain(curve, member, columns, best, walk, settings) > _GAIN else None


def _misfit(curve: Curve, member: IntArray, periodic: Periodic, jitter: float) -> float:
    """What a curve leaves of all points, gross ones counting no more than 4 deviations."""
    points = _points(curve, member, np.zeros(len(curve), bool), jitter)
    left = curve.mag - periodic.model(curve.time)
    for k in np.unique(member):
        left[member == k] -= np.median(left[member == k])
    squares = np.minimum(left**2 * points.weight, 16.0 * 9)
    return float(squares.sum() + periodic.n_parameters * np.log(len(curve)))


def _gain(
    curve: Curve,
    member: IntArray,
    columns: FloatArray,
    periodic: Periodic,
    walk: Process,
    settings: LightCurveSettings,
) -> float:
    """Log-likelihood gained by a periodic curve over a walk alone, less what it costs."""
    kept, process = _clipped(curve, member, columns, periodic, settings, True)
    kept = ~kept
    shape = periodic.model(curve.time)
    with_it = Walk(curve.time[kept], (curve.mag - shape)[kept], curve.mag_err[kept] ** 2,
                   columns[kept])  # fmt: skip
    without = Walk(curve.time[kept], curve.mag[kept], curve.mag_err[kept] ** 2, columns[kept])
    better = fit_process(with_it, process).log_likelihood - fit_process(without).log_likelihood
    searched = np.log(10 * np.ptp(curve.time) / 0.1)
    return float(better - 0.5 * periodic.n_parameters * np.log(kept.sum()) - searched)


def _refitted(
    curve: Curve, member: IntArray, rejected: BoolArray, periodic: Periodic
) -> Periodic | None:
    """The same period with the outliers left out."""
    points = _points(curve, member, rejected, 0.5 * robust_rms(curve.mag_err))
    again = at_period(points, periodic.period)
    if again is None or again.kind != periodic.kind:
        return None
    return replace(again, given=periodic.given, remark=periodic.remark)
