"""Damped random walk: how a star's magnitude at one time goes with that at another.

Magnitudes are a linear model (means of cameras and filters, perhaps waves) plus a Gaussian
process of covariance sigma^2 exp(-|t - t'| / tau), plus noise of the quoted errors and a jitter.
The linear parameters are solved exactly and marginalised, as in Kozlowski et al. (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from filar.lightcurve.images import FloatArray

_GAIN = 6.0
"""Log-likelihood by which a walk must beat white noise before it is believed."""
_SMALLEST = 1e-4  # magnitudes: of sigma and jitter
_LONGEST = 3.0  # of the time covered: what is slower cannot be told from it
_AT_ONCE = 1000
_STARTS = (0.02, 0.3)  # tau to begin with, in parts of the time covered


@dataclass(frozen=True)
class Process:
    """A damped random walk and white noise.

    Parameters
    ----------
    sigma : float
        Standard deviation of the walk, magnitudes; 0 if there is none.
    tau : float
        Damping time, days; NaN if there is no walk.
    jitter : float
        Standard deviation of white noise beyond the quoted errors, magnitudes.
    log_likelihood : float
        Of the fit, linear parameters marginalised.
    """

    sigma: float
    tau: float
    jitter: float
    log_likelihood: float = float("nan")


@dataclass(frozen=True, eq=False)
class Linear:
    """The linear model under a process.

    Parameters
    ----------
    coefficients : (p,) array
        Of the columns.
    covariance : (p, p) array
        Their covariance.
    left_out : (n,) array
        What a point differs from its prediction by all other points, magnitudes.
    left_out_err : (n,) array
        Standard error of that difference, the point's own included.
    """

    coefficients: FloatArray
    covariance: FloatArray
    left_out: FloatArray
    left_out_err: FloatArray


class Walk:
    """Points in time, with what is linear in them: makes covariances and solves with them.

    Parameters
    ----------
    time : (n,) array
        Days, rising.
    mag : (n,) array
        Magnitudes.
    variance : (n,) array
        Of each, magnitudes^2.
    columns : (n, p) array
        Of the linear model.
    """

    def __init__(
        self, time: FloatArray, mag: FloatArray, variance: FloatArray, columns: FloatArray
    ) -> None:
        self.time, self.variance, self.columns = time, variance, columns
        # Small numbers keep their digits.
        self.zero = float(np.median(mag)) if len(mag) else 0.0
        self.mag = mag - self.zero
        self.both = np.column_stack([self.mag, columns])

    def _inverse_times(self, sigma: float, tau: float, jitter: float, right: FloatArray) -> Any:
        """Inverse of the covariance times columns, and the logarithm of its determinant."""
        diagonal = self.variance + jitter**2
        if not sigma > 0:
            return right / diagonal[:, None], float(np.log(diagonal).sum())
        from celerite2 import GaussianProcess, terms

        process = GaussianProcess(terms.RealTerm(a=sigma**2, c=1 / tau))
        process.compute(self.time, diag=diagonal, check_sorted=False)
        return process.apply_inverse(right), float(process._log_det)

    def log_likelihood(self, sigma: float, tau: float, jitter: float) -> float:
        """Logarithm of the likelihood, linear parameters marginalised with flat priors."""
        solved, log_det = self._inverse_times(sigma, tau, jitter, self.both)
        products = self.both.T @ solved
        inner = products[1:, 1:]
        sign, inner_det = np.linalg.slogdet(inner)
        if not sign > 0:
            return -np.inf
        coefficients = np.linalg.solve(inner, products[1:, 0])
        chi2 = products[0, 0] - products[1:, 0] @ coefficients
        freedom = len(self.mag) - inner.shape[0]
        return float(-0.5 * (chi2 + log_det + inner_det + freedom * np.log(2 * np.pi)))

    def solve(self, process: Process, inflated: FloatArray | None = None) -> Linear:
        """Solve the linear model, and predict every point by the others.

        Parameters
        ----------
        process : Process
            The walk.
        inflated : (n,) array, optional
            Variance that was added to points to leave them out; it is not part of their own error.

        Returns
        -------
        Linear
        """
        n = len(self.mag)
        extra = np.zeros(n) if inflated is None else inflated
        shape = (process.sigma, process.tau, process.jitter)
        solved, _ = self._inverse_times(*shape, self.both)
        half = solved[:, 1:]
        covariance = np.linalg.inv(self.columns.T @ half)
        coefficients = covariance @ (self.columns.T @ solved[:, 0])
        precision = self._inverse_diagonal(*shape)
        precision -= np.einsum("np,pq,nq->n", half, covariance, half)
        precision = np.maximum(precision, 1e-12)
        away = (solved[:, 0] - half @ coefficients) / precision
        own = np.maximum(1 / precision - extra, self.variance - extra)
        return Linear(self._with_zero(coefficients), covariance, away, np.sqrt(own))

    def _inverse_diagonal(self, sigma: float, tau: float, jitter: float) -> FloatArray:
        """Diagonal of the inverse of the covariance, in parts that bound the memory."""
        n = len(self.mag)
        found = np.empty(n)
        for start in range(0, n, _AT_ONCE):
            stop = min(start + _AT_ONCE, n)
            right = np.zeros((n, stop - start))
            right[np.arange(start, stop), np.arange(stop - start)] = 1.0
            solved, _ = self._inverse_times(sigma, tau, jitter, right)
            found[start:stop] = solved[np.arange(start, stop), np.arange(stop - start)]
        return found

    def _with_zero(self, coefficients: FloatArray) -> FloatArray:
        """Coefficients for the magnitudes themselves: the columns of means take the zero."""
        shift = np.linalg.lstsq(self.columns, np.ones(len(self.mag)), rcond=None)[0]
        return np.asarray(coefficients + self.zero * shift)

    def predict(self, process: Process, linear: Linear, time: FloatArray) -> FloatArray:
        """Expectation of the walk (without the linear model) at other times: (m,) array."""
        if not process.sigma > 0:
            return np.zeros(len(time))
        left = self.mag + self.zero - self.columns @ linear.coefficients
        solved, _ = self._inverse_times(process.sigma, process.tau, process.jitter, left[:, None])
        lag = np.abs(time[:, None] - self.time[None])
        return np.asarray(process.sigma**2 * np.exp(-lag / process.tau) @ solved[:, 0])


def fit_process(walk: Walk, start: Process | None = None) -> Process:
    """Find sigma, tau and jitter by maximum likelihood.

    White noise is preferred unless a walk is much likelier: a constant star has no tau.

    Parameters
    ----------
    walk : Walk
        The points.
    start : Process, optional
        A solution nearby, to begin with instead of a search.

    Returns
    -------
    Process
    """
    white = _fit_white(walk)
    covered = float(np.ptp(walk.time)) if len(walk.time) else 0.0
    steps = np.diff(walk.time)
    steps = steps[steps > 1e-6]
    if len(walk.time) < walk.columns.shape[1] + 5 or not len(steps):
        return white
    shortest = min(float(np.median(steps)) / 2, covered / 4)
    spread = max(float(np.std(walk.mag)), 2 * _SMALLEST)
    bounds = [
        (np.log(_SMALLEST), np.log(10 * spread)),
        (np.log(shortest), np.log(_LONGEST * covered)),
        (np.log(_SMALLEST), np.log(3 * spread)),
    ]
    starts = [[spread, part * covered, max(white.jitter / 3, _SMALLEST)] for part in _STARTS]
    if start is not None and start.sigma > 0:
        starts = [[start.sigma, start.tau, max(start.jitter, _SMALLEST)]]
    best = max((_climb(walk, np.log(one), bounds) for one in starts), key=_likelihood)
    return best if best.log_likelihood > white.log_likelihood + _GAIN else white


def _likelihood(process: Process) -> float:
    return process.log_likelihood


def _climb(walk: Walk, start: FloatArray, bounds: list[tuple[float, float]]) -> Process:
    from scipy.optimize import minimize

    def cost(place: FloatArray) -> float:
        value = -walk.log_likelihood(*np.exp(place))
        return value if np.isfinite(value) else 1e10

    low, high = np.array(bounds).T
    found = minimize(cost, np.clip(start, low, high), method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": 60})  # fmt: skip
    sigma, tau, jitter = (float(value) for value in np.exp(found.x))
    return Process(sigma, tau, jitter, -float(found.fun))


def _fit_white(walk: Walk) -> Process:
    from scipy.optimize import minimize_scalar

    spread = max(float(np.std(walk.mag)), 2 * _SMALLEST) if len(walk.mag) else _SMALLEST * 2

    def cost(place: float) -> float:
        return -walk.log_likelihood(0.0, np.nan, float(np.exp(place)))

    bounds = (np.log(_SMALLEST), np.log(3 * spread))
    found = minimize_scalar(cost, bounds=bounds, method="bounded")
    none = walk.log_likelihood(0.0, np.nan, 0.0)
    if none >= -found.fun:
        return Process(0.0, float("nan"), 0.0, none)
    return Process(0.0, float("nan"), float(np.exp(found.x)), -float(found.fun))
