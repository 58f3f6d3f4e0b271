"""Eclipsing stars: two dips of free depth, width and shape upon slow waves of the orbit.

A dip is the phenomenological function of Mikulasek (2015, A&A 584, A8): flat around, round or
pointed inside, without a model of the stars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from filar.lightcurve.images import FloatArray
from filar.lightcurve.waves import Points

_WIDTHS = (0.004, 0.15)
_SHAPES = (0.3, 8.0)
_ECCENTRIC = 0.3
_ROUNDS = 3
_CLIP = 4.0
_QUICK, _LONG = 6, 25
_GRID = np.linspace(0, 1, 4000, endpoint=False)


def dip(phase: FloatArray, width: float, shape: float) -> FloatArray:
    """A dip of depth 1 at phase 0.

    Parameters
    ----------
    phase : array
        In periods.
    width : float
        Of its flanks, periods.
    shape : float
        Below 1 pointed, 1 round, above flat at the bottom.

    Returns
    -------
    array
    """
    away = np.abs(phase - np.rint(phase)) / width
    with np.errstate(over="ignore"):
        flank = -np.expm1(1 - np.cosh(np.minimum(away, 30.0)))
    return np.asarray(1 - flank**shape)


@dataclass(frozen=True, eq=False)
class Eclipses:
    """A model of an eclipsing star's magnitudes.

    Parameters
    ----------
    period, start : float
        Days, and time of the deeper minimum.
    widths : (float, float)
        Of both dips, periods.
    shape : float
        Of both dips.
    second : float
        Phase of the second dip.
    linear : (4,) array
        Depths of the dips, and coefficients of the orbit's cosine and of its double.
    """

    period: float
    start: float
    widths: tuple[float, float]
    shape: float
    second: float
    linear: FloatArray

    n_parameters = 10

    def columns(self, time: FloatArray) -> FloatArray:
        """What is linear in its coefficients: (n, 4) array."""
        phase = (time - self.start) / self.period
        return np.stack(
            [
                dip(phase, self.widths[0], self.shape),
                dip(phase - self.second, self.widths[1], self.shape),
                np.cos(2 * np.pi * phase),
                np.cos(4 * np.pi * phase),
            ],
            axis=1,
        )

    def __call__(self, time: FloatArray) -> FloatArray:
        """Magnitudes less those of no eclipse: (n,) array."""
        return np.asarray(self.columns(time) @ self.linear)

    @property
    def mean(self) -> float:
        """Average over a period."""
        return float(np.mean(self(self.start + self.period * _GRID)))

    @property
    def amplitude(self) -> float:
        """From the brightest to the faintest, magnitudes."""
        return float(np.ptp(self(self.start + self.period * _GRID)))

    @property
    def faint_part(self) -> float:
        """Part of the time during which it is fainter than the middle of its range."""
        curve = self(self.start + self.period * _GRID)
        return float(np.mean(curve > (curve.max() + curve.min()) / 2))


def fit_eclipses(
    points: Points,
    period: float,
    start: float,
    width: float,
    second: float = 0.5,
    *,
    quick: bool = False,
) -> Eclipses | None:
    """Fit two dips, beginning near a period and a minimum.

    Parameters
    ----------
    points : Points
        n points.
    period, start : float
        Days, and time of a minimum.
    width : float
        Duration of the minimum, periods.
    second : float
        Phase of the second minimum.
    quick : bool
        Whether a few steps are enough, to compare periods.

    Returns
    -------
    Eclipses or None
        None where the fit fails or finds no dip.
    """
    used = points.weight > 0
    if np.count_nonzero(used) < 20:
        return None
    limits = points.covered / period
    first = float(np.clip(width / 4, *_WIDTHS))
    place = np.array([0.0, 0.0, np.log(first), np.log(first), 0.0, second - 0.5])
    wide = np.log(_WIDTHS)
    low = np.array([-0.1, -1.0, wide[0], wide[0], np.log(_SHAPES[0]), -_ECCENTRIC])
    high = np.array([0.1, 1.0, wide[1], wide[1], np.log(_SHAPES[1]), _ECCENTRIC])
    middle = float(np.median(points.time[used]))
    begin = start + period * np.rint((middle - start) / period)

    def model(at: FloatArray) -> Eclipses:
        # The period's unit is what moves the ends of the curve by a tenth of a cycle.
        exact = period * (1 + 0.1 * at[1] / max(limits, 1.0))
        widths = (float(np.exp(at[2])), float(np.exp(at[3])))
        return Eclipses(exact, begin + at[0] * period, widths, float(np.exp(at[4])),
                        0.5 + float(at[5]), np.zeros(4))  # fmt: skip

    weight = points.weight.copy()
    found = None
    for _ in range(1 if quick else _ROUNDS):
        now = Points(points.time, points.mag, weight, points.group)
        place = _climb(now, model, place, (low, high), _QUICK if quick else _LONG)
        found = solved(now, model(place))
        left = np.abs(points.without_means(points.mag - found(points.time))) * np.sqrt(
            points.weight
        )
        scale = 1.4826 * float(np.median(left[used]))
        weight = np.where(left > _CLIP * scale, 0.0, points.weight)
    return _deeper_first(found) if found is not None and found.linear[:2].max() > 0 else None


def _climb(
    points: Points,
    model: Callable[[FloatArray], Eclipses],
    place: FloatArray,
    limits: tuple[FloatArray, FloatArray],
    most: int,
) -> FloatArray:
    from scipy.optimize import least_squares

    root = np.sqrt(points.weight)

    def residuals(at: FloatArray) -> FloatArray:
        one = solved(points, model(at))
        left = root * points.without_means(points.mag - one(points.time))
        # Dips that are bumps cost something.
        bumps = np.minimum(one.linear[:2], 0) * np.sqrt(points.weight.sum())
        return np.concatenate([left, bumps])

    inside = np.clip(place, limits[0] + 1e-6, limits[1] - 1e-6)
    scale = [0.01, 0.1, 0.3, 0.3, 0.5, 0.01]
    found = least_squares(residuals, inside, bounds=limits, x_scale=scale, max_nfev=most)
    return np.asarray(found.x)


def solved(points: Points, model: Eclipses) -> Eclipses:
    """The model with its linear coefficients solved."""
    columns = points.without_means(model.columns(points.time).T)
    root = np.sqrt(points.weight)
    target = points.without_means(points.mag) * root
    ridge = 1e-4 * float(np.sqrt(points.weight.sum())) * np.eye(4)
    both = np.concatenate([(columns * root).T, ridge])
    linear = np.linalg.lstsq(both, np.concatenate([target, np.zeros(4)]), rcond=None)[0]
    return replace(model, linear=linear)


def _deeper_first(model: Eclipses) -> Eclipses:
    first, second = (float(model(np.array([model.start + p * model.period]))[0])
                     for p in (0.0, model.second))  # fmt: skip
    if first >= second:
        return model
    linear = model.linear[[1, 0, 2, 3]] * np.array([1, 1, np.cos(2 * np.pi * model.second), 1])
    return replace(
        model,
        start=model.start + model.second * model.period,
        widths=model.widths[::-1],
        second=1 - model.second,
        linear=linear,
    )
