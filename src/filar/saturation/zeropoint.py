"""The magnitude of one electron over an image, from its unsaturated stars of known magnitude."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.polynomial.polynomial import polyvander2d
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError
from filar.robust import MAD_TO_SIGMA, robust_rms, robust_rms_error

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MAX_DEGREE = 4
FEWEST_STARS = 3
_STARS_PER_TERM = 3
_FOLDS = 10
_TUKEY = 4.685  # 95% efficient for Gaussian errors; stars farther off have no weight
_FIRST_STEPS = 10
_ROUNDS = 4
_STEPS = 15
_HALVINGS = 18
_NOISE_ROUNDS = 3
_FEWEST_BRIGHT = 20
_LARGEST = 30.0  # magnitude, or times the quoted error: more is no star
_TOLERANCE = 1e-6
_FLOOR = 1e-4  # magnitude; errors of zero would give one star all the weight
_MAG = 2.5 / np.log(10)


@dataclass(frozen=True, eq=False)
class ZeroPoint:
    """The magnitude of a star that gives one electron, at any place of an image.

    Parameters
    ----------
    coefficients : (k,) float64 array
        Of the polynomial of the scaled position, in the order of `terms`.
    covariance : (k, k) float64 array
        Of the coefficients, magnitude squared.
    degree : int
        Highest total power; 0: the same everywhere.
    shape : (int, int)
        Rows and columns of the image, scaled to -1 ... 1.
    scatter : float
        Robust scatter of single stars about it, magnitude.
    intrinsic : float
        That part of the brightest quarter's scatter that the errors of their fluxes and
        magnitudes leave unexplained, magnitude.
    used : (n,) bool array
        Which of the stars it was fitted to had any weight.
    """

    coefficients: FloatArray
    covariance: FloatArray
    degree: int = 0
    shape: tuple[int, int] = (1, 1)
    scatter: float = 0.0
    intrinsic: float = 0.0
    used: BoolArray = field(default_factory=lambda: np.zeros(0, bool))

    @classmethod
    def constant(cls, value: float, error: float = 0.0) -> Self:
        """Make one that is the same everywhere.

        Parameters
        ----------
        value, error : float
            Magnitude of one electron, and its error.
        """
        return cls(np.array([value]), np.array([[error**2]]))

    def __call__(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """Magnitude of one electron.

        Parameters
        ----------
        x, y : (n,) arrays
            Pixels.

        Returns
        -------
        (n,) float64 array
        """
        return np.asarray(self._rows(x, y) @ self.coefficients)

    def error(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """Standard error of the zero point itself, magnitude: (n,) array; `scatter` is apart."""
        rows = self._rows(x, y)
        return np.asarray(np.sqrt(np.einsum("...i,ij,...j->...", rows, self.covariance, rows)))

    def _rows(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        return design(*scaled(x, y, self.shape), self.degree)


def terms(degree: int) -> list[tuple[int, int]]:
    """Powers of x and y in the polynomial of a degree."""
    return [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]


def design(u: FloatArray, v: FloatArray, degree: int) -> FloatArray:
    """Values of the terms at scaled positions: (n, k) array."""
    grid = polyvander2d(u, v, (degree, degree))
    columns = [i * (degree + 1) + j for i, j in terms(degree)]
    return np.asarray(grid[..., columns])


def scaled(x: ArrayLike, y: ArrayLike, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Positions scaled to -1 ... 1 from edge to edge."""
    rows, columns = shape
    u = (np.asarray(x, float) - (columns - 1) / 2) / (columns / 2)
    return u, (np.asarray(y, float) - (rows - 1) / 2) / (rows / 2)


def fit_zero_point(
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    flux_err: ArrayLike | None,
    mag: ArrayLike,
    shape: tuple[int, int],
    *,
    mag_err: ArrayLike | None = None,
    degree: int | None = None,
    seed: int = 0,
) -> ZeroPoint:
    """Fit the zero point of an image, with its vignetting, to unsaturated stars.

    A polynomial of the position is fitted to mag + 2.5 log10(flux) with Tukey's weights, so that
    variables, blends and false matches do not count. Each star's variance is that of its flux,
    times a factor for all, of its magnitude, and one for all: factor and addition make the robust
    scatter of faint and of bright stars what it should be.

    Parameters
    ----------
    x, y : (n,) arrays
        Pixels.
    flux, flux_err : (n,) arrays
        Electrons in the system of the PSF fit; stars without a positive flux are left out.
        Unknown errors (None, NaN) count as zero.
    mag, mag_err : (n,) arrays
        The catalogue's magnitudes; stars without are left out. Unknown errors likewise.
    shape : (int, int)
        Rows and columns of the image.
    degree : int, optional
        Highest total power, 0 to 4. By default that of the least error in predicting stars that
        were left out, of those that have three stars and more for each term.
    seed : int
        Of the choice of stars to leave out.

    Returns
    -------
    ZeroPoint

    Raises
    ------
    ParameterError
        If the arrays are not of one length, the degree makes no sense, or fewer than three stars
        (or than the degree has terms) have flux and magnitude.
    """
    x, y, flux, mag = _alike(x=x, y=y, flux=flux, mag=mag)
    flux_err, mag_err = (
        np.zeros(len(x)) if values is None else np.nan_to_num(_alike(x=x, values=values)[1])
        for values in (flux_err, mag_err)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        good = (flux > 0) & np.isfinite(flux + mag + x + y)
        values = np.where(good, mag + 2.5 * np.log10(flux), 0.0)
        variance = np.where(good, (_MAG * flux_err / flux) ** 2, 1.0)
    rows = np.flatnonzero(good)
    _enough(len(rows), degree)
    u, v = scaled(x[rows], y[rows], shape)
    stars = _Stars(u, v, values[rows], variance[rows], mag_err[rows] ** 2)
    misfit = 0.0
    if degree is None:
        degree = _best_degree(stars, seed)
        misfit = _misfit(stars, degree)
    fit = _fit(stars, degree)
    used = np.zeros(len(x), bool)
    used[rows[np.abs(fit.pull) < _TUKEY]] = True
    scatter = robust_rms(fit.residual)
    intrinsic = _intrinsic(fit, stars)
    covariance = _covariance(stars, fit)
    covariance[0, 0] += misfit**2
    return ZeroPoint(fit.coefficients, covariance, degree, shape, scatter, intrinsic, used)


@dataclass(frozen=True, eq=False)
class _Stars:
    """Scaled positions, zero points of single stars, and what is known of their variances.

    That of the flux and that of the listed magnitude.
    """

    u: FloatArray
    v: FloatArray
    value: FloatArray
    variance: FloatArray
    listed: FloatArray


@dataclass(frozen=True, eq=False)
class _Fit:
    """Coefficients of a degree, what is left over, and its expected size."""

    degree: int
    coefficients: FloatArray
    residual: FloatArray
    sigma: FloatArray

    @property
    def pull(self) -> FloatArray:
        return np.asarray(self.residual / self.sigma)


def _alike(**arrays: ArrayLike) -> list[FloatArray]:
    given = {name: np.asarray(values, float) for name, values in arrays.items()}
    shape = next(iter(given.values())).shape
    for name, values in given.items():
        if values.ndim != 1 or values.shape != shape:
            raise ParameterError(name, values.shape, f"one value for each star, {shape}")
    return list(given.values())


def _enough(number: int, degree: int | None) -> None:
    if degree is not None and degree not in range(MAX_DEGREE + 1):
        raise ParameterError("degree", degree, f"0 to {MAX_DEGREE}")
    fewest = max(FEWEST_STARS, len(terms(degree or 0)) + 1)
    if number < fewest:
        allowed = f"{fewest} or more unsaturated stars with flux and magnitude"
        raise ParameterError("stars", number, f"{allowed}, for a zero point")


def _fit(stars: _Stars, degree: int) -> _Fit:
    """Fit robustly: first the least sum of absolute residuals, then Tukey's weights."""
    rows = design(stars.u, stars.v, degree)
    solution = np.zeros(rows.shape[1])
    solution[0] = np.median(stars.value)
    for _ in range(_FIRST_STEPS):  # all stars alike, as quoted errors may be far too small
        size = np.abs(stars.value - rows @ solution)
        solution = _weighted(rows, stars.value, 1 / (size + 0.1 * np.median(size) + _FLOOR))
    for _ in range(_ROUNDS):
        residual = stars.value - rows @ solution
        sigma = _noise(residual, stars, rows.shape[1])
        solution = _settle(rows, stars.value, sigma, solution)
    residual = stars.value - rows @ solution
    return _Fit(degree, solution, residual, sigma)


def _settle(
    rows: FloatArray, values: FloatArray, sigma: FloatArray, solution: FloatArray
) -> FloatArray:
    """Go on from a solution with Tukey's weights until it stays."""
    for _ in range(_STEPS):
        before = solution
        weight = _tukey((values - rows @ solution) / sigma) / sigma**2
        solution = _weighted(rows, values, weight)
        if np.abs(solution - before).max() < _TOLERANCE:
            break
    return solution


def _weighted(rows: FloatArray, values: FloatArray, weight: FloatArray) -> FloatArray:
    weighted = rows * weight[:, None]
    return np.asarray(np.linalg.lstsq(weighted.T @ rows, weighted.T @ values, rcond=None)[0])


def _tukey(pull: FloatArray) -> FloatArray:
    return np.asarray(np.clip(1 - (pull / _TUKEY) ** 2, 0, None) ** 2)


def _noise(residual: FloatArray, stars: _Stars, parameters: int) -> FloatArray:
    """Give each star's standard error.

    Crowding makes the fluxes of faint stars worse than their errors say; the catalogue's own
    scatter is that of bright stars. So the flux errors are multiplied by a number, and a scatter
    added, such that the median of |residual| / error is what it should be for the fainter and
    for the brighter half of the stars. A number that chance would give is 1.
    """
    faint = stars.variance > np.median(stars.variance)
    factor, added = 1.0, _FLOOR
    for _ in range(_NOISE_ROUNDS if faint.any() else 1):
        bright = ~faint if faint.any() else np.ones(len(residual), bool)
        known = factor**2 * stars.variance + stars.listed
        added = _root(known[bright], np.ones(bright.sum()), residual[bright], parameters / 2, 0.0)
        added = max(added, _FLOOR)
        if faint.any():
            rest = stars.listed[faint] + added**2
            factor = _root(rest, stars.variance[faint], residual[faint], parameters / 2, 1.0)
    return np.sqrt(factor**2 * stars.variance + stars.listed + added**2)


def _intrinsic(fit: _Fit, stars: _Stars) -> float:
    """Scatter of the brightest quarter of the stars in use that quoted errors leave over."""
    kept = np.flatnonzero(np.abs(fit.pull) < _TUKEY)
    order = kept[np.argsort(stars.variance[kept], kind="stable")]
    bright = order[: max(_FEWEST_BRIGHT, len(kept) // 4)]
    known = stars.variance[bright] + stars.listed[bright]
    free = len(fit.coefficients) * len(bright) / len(kept)
    return _root(known, np.ones(len(bright)), fit.residual[bright], free, 0.0)


def _root(
    fixed: FloatArray, scaled_by: FloatArray, residual: FloatArray, parameters: float, least: float
) -> float:
    """Size by which one part of the variances must be scaled to be that of the residuals.

    The least if that is enough, or all but enough: within two standard errors.
    """
    number = len(residual)
    shrunk = np.sqrt(max(number - parameters, 1) / number)  # a fit takes some of the scatter away

    def excess(size: float) -> float:
        sigma = np.sqrt(fixed + size**2 * scaled_by + _FLOOR**2)
        return float(MAD_TO_SIGMA * np.median(np.abs(residual) / sigma) - shrunk)

    low, high = max(least, _FLOOR), _LARGEST
    allowed = 2 * robust_rms_error(1.0, number) if least else 0.0
    if excess(low) <= allowed:
        return low
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _covariance(stars: _Stars, fit: _Fit) -> FloatArray:
    """Covariance of an M-estimator (the sandwich), with the usual factor for few stars."""
    rows = design(stars.u, stars.v, fit.degree)
    number, parameters = rows.shape
    share = (fit.pull / _TUKEY) ** 2
    influence = fit.pull * _tukey(fit.pull)
    slope = np.where(share < 1, (1 - share) * (1 - 5 * share), 0.0)
    scaled_rows = rows / fit.sigma[:, None]
    bread = np.linalg.pinv(scaled_rows.T @ (scaled_rows * slope[:, None]))
    filling = scaled_rows.T @ (scaled_rows * (influence**2)[:, None])
    return np.asarray(bread @ filling @ bread * number / max(number - parameters, 1))


def _misfit(stars: _Stars, degree: int) -> float:
    """How wrong a polynomial chosen by the stars may be everywhere: by what one degree more does.

    Where the stars are too few for one more, by the scatter that quoted errors leave over.
    """
    if degree == MAX_DEGREE:
        return 0.0
    fit = _fit(stars, degree)
    if len(stars.value) < _STARS_PER_TERM * len(terms(degree + 1)):
        return _intrinsic(fit, stars)
    return robust_rms(fit.residual - _fit(stars, degree + 1).residual)


def _best_degree(stars: _Stars, seed: int) -> int:
    """The degree that predicts stars best that it was not fitted to."""
    number = len(stars.value)
    degrees = [d for d in range(MAX_DEGREE + 1) if number >= _STARS_PER_TERM * len(terms(d))]
    if len(degrees) < 2:
        return 0
    fits = [_fit(stars, degree) for degree in degrees]
    sigma = min((fit.sigma for fit in fits), key=np.median)
    fold = np.random.default_rng(seed).permutation(number) % _FOLDS
    scores = []
    for fit in fits:
        rows = design(stars.u, stars.v, fit.degree)
        residual = np.empty(number)
        for part in range(_FOLDS):
            kept = np.flatnonzero(fold != part)
            without = _settle(rows[kept], stars.value[kept], fit.sigma[kept], fit.coefficients)
            out = fold == part
            residual[out] = stars.value[out] - rows[out] @ without
        # Tukey's loss: an outlier costs the same whatever the degree
        scores.append(float(np.mean(1 - np.clip(1 - (residual / sigma / _TUKEY) ** 2, 0, 1) ** 3)))
    return degrees[int(np.argmin(scores))]
