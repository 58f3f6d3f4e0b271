"""Errors after a map to the truth whose own noise is accounted for.

`filar.frames.truth.mapped_errors` weighs all stars alike: the faint ones' noise, carried by the
map, can then exceed a bright star's own error. To compare errors with the Cramer-Rao bound at all
magnitudes, stars weigh here by their bounds, and every error is divided by how much the fit has
shrunk it (stars of the fit) or how much the map's noise has widened it (all others).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from filar.frames.polynomial import PolynomialFit, design, fit_polynomial
from filar.frames.starlist import BoolArray, FloatArray
from filar.frames.truth import TruthErrors

FLOOR = 0.002
"""Pixels added to the bounds in quadrature, so that no few stars make the map."""
_TERMS = {3: 10, 2: 6, 1: 3}
_PER_TERM = 3


def weighted_errors(
    x: FloatArray,
    y: FloatArray,
    u: FloatArray,
    v: FloatArray,
    good: BoolArray,
    bounds: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:
    """Errors of positions after a weighted polynomial map to the true ones.

    Parameters
    ----------
    x, y, u, v : (n,) arrays
        Measured and true positions, pixels.
    good : (n,) bool array
        Which define the map: cubic with 30 of them or more, with fewer a lower order.
    bounds : two (n,) arrays
        Expected errors of x and of y, pixels; those unknown have the median's weight.

    Returns
    -------
    dx, dy : (n,) arrays
        Mapped minus true, pixels, with the variance that they would have with the true map; all
        NaN with fewer than 9 good ones.
    """
    good = good & np.isfinite(x) & np.isfinite(y) & np.isfinite(u) & np.isfinite(v)
    weight = np.stack([1 / (_known(bound) ** 2 + FLOOR**2) for bound in bounds], axis=1)
    number = int(np.count_nonzero(good))
    for order, terms in _TERMS.items():
        if number >= _PER_TERM * terms:
            fit = fit_polynomial(x[good], y[good], u[good], v[good], order=order,
                                 weight=weight[good])  # fmt: skip
            used = np.zeros(len(x), bool)
            used[good] = fit.used
            mapped = fit.transform(x, y)
            errors = [
                (place - true) / _shrinking(fit, x, y, used, weight[:, k])
                for k, (place, true) in enumerate(zip(mapped, (u, v), strict=True))
            ]
            return errors[0], errors[1]
    return np.full(len(x), np.nan), np.full(len(x), np.nan)


def _known(bound: FloatArray) -> FloatArray:
    known = np.isfinite(bound) & (bound > 0)
    return np.where(known, bound, np.median(bound[known]) if known.any() else FLOOR)


def _shrinking(
    fit: PolynomialFit, x: FloatArray, y: FloatArray, used: BoolArray, weight: FloatArray
) -> FloatArray:
    """Standard deviations of the errors after the map in units of those of the measures: (n,)."""
    centre, scale = fit.transform.centre, fit.transform.scale
    there = np.isfinite(x) & np.isfinite(y)
    at_x, at_y = (np.where(there, t - c, 0.0) / scale for t, c in zip((x, y), centre, strict=True))
    rows = design(at_x, at_y, fit.transform.order) * np.sqrt(weight)[:, None]
    root: FloatArray = np.asarray(np.linalg.qr(rows[used], mode="r"), float)
    leverage = (np.linalg.solve(root.T, rows.T) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(np.where(used, np.maximum(1 - leverage, 0.05), 1 + leverage)))


def reweighted(errors: TruthErrors) -> TruthErrors:
    """Take errors against the truth again, after weighted maps.

    Parameters
    ----------
    errors : TruthErrors
        Of n measures.

    Returns
    -------
    TruthErrors
        With other `dx` and `dy`.
    """
    found = np.full((2, len(errors)), np.nan)
    x, y = errors.x + errors.raw_dx, errors.y + errors.raw_dy
    for tie in np.unique(errors.tie):
        rows = errors.tie == tie
        bounds = errors.x_bound[rows], errors.y_bound[rows]
        found[:, rows] = weighted_errors(x[rows], y[rows], errors.x[rows], errors.y[rows],
                                         errors.good[rows], bounds)  # fmt: skip
    return replace(errors, dx=found[0], dy=found[1])
