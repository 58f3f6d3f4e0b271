"""Zero points as polynomials over the chip: evaluating them and adding to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filar.lightcurve.images import FloatArray, Images, IntArray


@dataclass(frozen=True, eq=False)
class ZeroPoints:
    """Zero points of m images, to be subtracted from magnitudes.

    Parameters
    ----------
    degree : (m,) int array
        Degree of each image's polynomial; -1 where there is no zero point.
    coefficients : (m, t) array
        Of the terms of `terms`, magnitudes; 0 beyond the degree.
    covariance : (m, t, t) array
        Of the coefficients.
    centre, half : (m, 2) arrays
        Middle and half size of the chip (what its stars fill), pixels.
    number : (m,) int array
        Stars that define each.
    scatter : (m,) array
        Robust scatter of these stars, magnitudes.
    remarks : tuple of str
        What the user should know.
    errors : tuple of str
        A line for each image without a zero point.
    """

    degree: IntArray
    coefficients: FloatArray
    covariance: FloatArray
    centre: FloatArray
    half: FloatArray
    number: IntArray
    scatter: FloatArray
    remarks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    def at(
        self, image: NDArray[np.integer], x: NDArray[np.floating], y: NDArray[np.floating]
    ) -> tuple[FloatArray, FloatArray]:
        """Zero points at places.

        Parameters
        ----------
        image : (n,) int array
            Rows of the images.
        x, y : (n,) arrays
            Pixels.

        Returns
        -------
        zero, error : (n,) arrays
            Magnitudes; NaN for images without a zero point.
        """
        zero, error = np.empty(len(image)), np.empty(len(image))
        for start in range(0, len(image), 200_000):  # bounds the memory of the terms
            part = slice(start, start + 200_000)
            who = image[part]
            u = (x[part] - self.centre[who, 0]) / self.half[who, 0]
            v = (y[part] - self.centre[who, 1]) / self.half[who, 1]
            rows = terms(u, v, self.coefficients.shape[1])
            zero[part] = np.einsum("nt,nt->n", rows, self.coefficients[who])
            squares = np.einsum("nt,nts,ns->n", rows, self.covariance[who], rows)
            error[part] = np.sqrt(np.maximum(squares, 0))
        return zero, error


def no_zero_points(images: Images) -> ZeroPoints:
    """Zero points of 0 for magnitudes that are calibrated already."""
    m = len(images)
    nothing = np.zeros((m, 1))
    return ZeroPoints(
        np.zeros(m, np.int64), nothing, np.zeros((m, 1, 1)), np.zeros((m, 2)), np.ones((m, 2)),
        np.zeros(m, np.int64), np.full(m, np.nan),
    )  # fmt: skip


def n_terms(degree: int) -> int:
    """Terms of a polynomial of two variables."""
    return (degree + 1) * (degree + 2) // 2


def terms(u: FloatArray, v: FloatArray, number: int) -> FloatArray:
    """Products of Legendre polynomials of u and v, by rising degree: (n, number) array."""
    from numpy.polynomial import legendre

    degree = 0
    while n_terms(degree) < number:
        degree += 1
    # Beyond the stars that defined them, polynomials go on as at the edge.
    u, v = np.clip(u, -1.1, 1.1), np.clip(v, -1.1, 1.1)
    pu, pv = legendre.legvander(u, degree), legendre.legvander(v, degree)
    columns = [pu[:, d - j] * pv[:, j] for d in range(degree + 1) for j in range(d + 1)]
    return np.stack(columns[:number], axis=1)


def shifted(zero: ZeroPoints, images: Images, shift: FloatArray) -> ZeroPoints:
    """Zero points with a polynomial per camera and filter added.

    Parameters
    ----------
    zero : ZeroPoints
        Of the images.
    images : Images
        The images.
    shift : (g, t) array
        Coefficients of what is to be subtracted from all magnitudes of a group; NaN for none.

    Returns
    -------
    ZeroPoints
    """
    m, width = zero.coefficients.shape
    wider = max(width, shift.shape[1])
    coefficients = np.zeros((m, wider))
    coefficients[:, :width] = zero.coefficients
    coefficients[:, : shift.shape[1]] += np.nan_to_num(shift)[images.group]
    covariance = np.zeros((m, wider, wider))
    covariance[:, :width, :width] = zero.covariance
    return replace(zero, coefficients=coefficients, covariance=covariance)
