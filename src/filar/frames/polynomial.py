"""General polynomial transformations of the plane, fitted with iterative clipping."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.robust import MAD_TO_SIGMA

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
MAX_ORDER = 5
_NEWTON_STEPS = 20
_NEWTON_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A general polynomial of x and y for each of two coordinates.

    Parameters
    ----------
    order : int
        Highest total power, 1 to 5.
    coefficients : (2, terms) float64 array
        Of u and v, in the order of `exponents`, for the scaled coordinates
        ``(x - centre) / scale``.
    centre : (float, float)
        Pixels.
    scale : float
        Pixels.
    """

    order: int
    coefficients: FloatArray
    centre: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.order not in range(1, MAX_ORDER + 1):
            raise ParameterError("order", self.order, f"1 to {MAX_ORDER}")
        expected = (2, len(exponents(self.order)))
        if self.coefficients.shape != expected:
            raise ParameterError("coefficients", self.coefficients.shape, f"shape {expected}")

    @classmethod
    def linear(cls, matrix: FloatArray, offset: FloatArray) -> Self:
        """Make the transformation ``matrix @ (x, y) + offset``."""
        return cls(1, np.column_stack([np.asarray(offset, float), np.asarray(matrix, float)]))

    @classmethod
    def identity(cls) -> Self:
        """Make the transformation that changes nothing."""
        return cls.linear(np.eye(2), np.zeros(2))

    def __call__(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Transform positions.

        Parameters
        ----------
        x, y : (n,) arrays
            Pixels.

        Returns
        -------
        u, v : (n,) arrays
            Pixels.
        """
        u, v = self.coefficients @ design(*self._scaled(x, y), self.order).T
        return u, v

    def jacobian(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Give the local derivatives, ``[star, (u, v), (x, y)]``: (n, 2, 2) array."""
        by_x, by_y = _slopes(*self._scaled(x, y), self.order)
        slopes = np.stack([by_x @ self.coefficients.T, by_y @ self.coefficients.T], axis=2)
        return np.asarray(slopes / self.scale)

    def inverse(self, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Find the positions that are transformed to (u, v), by Newton's method.

        Parameters
        ----------
        u, v : (n,) arrays
            Pixels.

        Returns
        -------
        x, y : (n,) arrays
            Pixels, exact to 1e-10; NaN where the method does not converge (far outside of the
            stars that the transformation was fitted to).
        """
        u, v = np.asarray(u, float), np.asarray(v, float)
        centre = np.array(self.centre)
        at_centre = self(centre[:1], centre[1:])
        linear = np.linalg.inv(self.jacobian(centre[:1], centre[1:])[0])
        offset = np.stack([u - at_centre[0], v - at_centre[1]])
        x, y = linear @ offset + centre[:, None]
        step = np.full(u.shape, np.inf)
        with np.errstate(all="ignore"):
            for _ in range(_NEWTON_STEPS):
                found = self(x, y)
                slopes = self.jacobian(x, y)
                du, dv = u - found[0], v - found[1]
                (a, b), (c, d) = np.moveaxis(slopes, 0, 2)
                determinant = a * d - b * c
                dx, dy = (d * du - b * dv) / determinant, (a * dv - c * du) / determinant
                x, y = x + dx, y + dy
                step = np.hypot(dx, dy)
                if not (step > _NEWTON_TOLERANCE).any():
                    break
        good = step <= _NEWTON_TOLERANCE * 1e3
        return np.where(good, x, np.nan), np.where(good, y, np.nan)

    @cached_property
    def linear_part(self) -> FloatArray:
        """Derivatives at the centre: (2, 2) array, ``[[du/dx, du/dy], [dv/dx, dv/dy]]``."""
        centre = np.array(self.centre)
        return np.asarray(self.jacobian(centre[:1], centre[1:])[0])

    def _scaled(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (
            (np.asarray(x, float) - self.centre[0]) / self.scale,
            (np.asarray(y, float) - self.centre[1]) / self.scale,
        )


@dataclass(frozen=True, eq=False)
class PolynomialFit:
    """A fitted transformation and what is left over.

    Parameters
    ----------
    transform : Polynomial
        From (x, y) to (u, v).
    used : (n,) bool array
        Pairs that were not clipped.
    residual_x, residual_y : (n,) float64 arrays
        ``u - transform(x, y)``, pixels, clipped pairs included.
    error_x, error_y : float
        Standard error of the transformation: sqrt(sum of squares / (pairs used - terms)), pixels.
    """

    transform: Polynomial
    used: BoolArray
    residual_x: FloatArray
    residual_y: FloatArray
    error_x: float
    error_y: float


def exponents(order: int) -> list[tuple[int, int]]:
    """Powers of x and y of each term: 1, x, y, x^2, x y, y^2, ..."""
    return [(total - j, j) for total in range(order + 1) for j in range(total + 1)]


def design(x: FloatArray, y: FloatArray, order: int) -> FloatArray:
    """Terms of the polynomial: (n, terms) array in the order of `exponents`."""
    px, py = _powers(x, order), _powers(y, order)
    return np.stack([px[i] * py[j] for i, j in exponents(order)], axis=-1)


def _powers(t: FloatArray, order: int) -> list[FloatArray]:
    powers = [np.ones_like(t)]
    for _ in range(order):
        powers.append(powers[-1] * t)
    return powers


def _slopes(x: FloatArray, y: FloatArray, order: int) -> tuple[FloatArray, FloatArray]:
    px, py = _powers(x, order), _powers(y, order)
    zero = np.zeros_like(x)
    by_x = [i * px[i - 1] * py[j] if i else zero for i, j in exponents(order)]
    by_y = [j * px[i] * py[j - 1] if j else zero for i, j in exponents(order)]
    return np.stack(by_x, axis=-1), np.stack(by_y, axis=-1)


def fit_polynomial(
    x: FloatArray,
    y: FloatArray,
    u: FloatArray,
    v: FloatArray,
    *,
    order: int = 3,
    weight: FloatArray | None = None,
    clip: float = 3.0,
    iterations: int = 10,
) -> PolynomialFit:
    """Fit the transformation from (x, y) to (u, v) by least squares, outliers clipped.

    Parameters
    ----------
    x, y, u, v : (n,) arrays
        Positions of the same stars in two systems, pixels.
    order : int
        1 to 5; 3 is the general cubic of C23.
    weight : (n,) or (n, 2) array, optional
        Weights of the pairs, of u and v apart if there are two columns; all alike by default.
    clip : float
        Pairs whose residual in either coordinate exceeds this many (weighted) standard errors are
        left out, and may come back.
    iterations : int
        At most so many rounds of clipping.

    Returns
    -------
    PolynomialFit
        The first round measures the scatter by the median, so that gross errors do not spoil it.

    Raises
    ------
    ParameterError
        For an order out of range, or fewer pairs than twice the number of terms.
    """
    if order not in range(1, MAX_ORDER + 1):
        raise ParameterError("order", order, f"1 to {MAX_ORDER}")
    terms = len(exponents(order))
    finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(u) & np.isfinite(v)
    if np.count_nonzero(finite) < 2 * terms:
        found = f"{np.count_nonzero(finite)} pairs of stars"
        raise ParameterError("x, y, u, v", found, f"{2 * terms} or more for order {order}")
    px, py = np.asarray(x, float)[finite], np.asarray(y, float)[finite]
    centre = (float(np.median(px)), float(np.median(py)))
    scale = float(max(np.ptp(px), np.ptp(py), 1.0)) / 2
    rows = design((px - centre[0]) / scale, (py - centre[1]) / scale, order)
    target = np.stack([np.asarray(u, float)[finite], np.asarray(v, float)[finite]], axis=1)
    root = np.ones_like(target)
    if weight is not None:
        root = root * np.sqrt(np.asarray(weight, float).reshape(len(finite), -1)[finite])
    used, solution, residual = _clipped(rows, target, root, clip, iterations)
    kept = used.sum()
    error = np.sqrt((residual[used] ** 2).sum(axis=0) / max(kept - terms, 1))
    everywhere = np.full((2, len(finite)), np.nan)
    everywhere[:, finite] = residual.T
    mask = np.zeros(len(finite), bool)
    mask[finite] = used
    transform = Polynomial(order, solution.T, centre, scale)
    return PolynomialFit(transform, mask, *everywhere, *map(float, error))


def _clipped(
    rows: FloatArray, target: FloatArray, root: FloatArray, clip: float, iterations: int
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Solve, clip and solve again: pairs used, coefficients (terms, 2), residuals (n, 2)."""
    terms = rows.shape[1]
    used = np.ones(len(rows), bool)
    for i in range(iterations + 1):
        solution = _solve(rows[used], target[used], root[used])
        residual = target - rows @ solution
        weighted = np.abs(residual) * root
        if i == 0:
            sigma = MAD_TO_SIGMA * np.median(weighted, axis=0)
        else:
            freedom = max(np.count_nonzero(used) - terms, 1)
            sigma = np.sqrt((weighted[used] ** 2).sum(axis=0) / freedom)
        within = np.asarray((weighted <= clip * np.maximum(sigma, 1e-12)).all(axis=1))
        if np.count_nonzero(within) < 2 * terms or (within == used).all() or i == iterations:
            break
        used = within
    return used, np.asarray(solution), np.asarray(residual)


def _solve(rows: FloatArray, target: FloatArray, root: FloatArray) -> FloatArray:
    """Least squares for both coordinates: (terms, 2)."""
    if (root[:, 0] == root[:, 1]).all():
        w = root[:, :1]
        return np.asarray(np.linalg.lstsq(rows * w, target * w, rcond=None)[0])
    columns = [
        np.linalg.lstsq(rows * root[:, [k]], target[:, k] * root[:, k], rcond=None)[0]
        for k in (0, 1)
    ]
    return np.stack(columns, axis=1)
