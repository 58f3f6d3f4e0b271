"""Zernike polynomials, orthonormal over a centrally obscured pupil."""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]


def noll_indices(j: int) -> tuple[int, int]:
    """Radial and azimuthal order of Noll's single index.

    Parameters
    ----------
    j : int
        1 piston, 2-3 tilts, 4 focus, 5-6 astigmatism, 7-8 coma, 9-10 trefoil, 11 spherical, ...

    Returns
    -------
    n, m : int
        Orders; a negative m stands for the sine term.

    Raises
    ------
    ParameterError
        If j is below 1.

    References
    ----------
    Noll, R. J. 1976, J. Opt. Soc. Am. 66, 207.
    """
    if j < 1:
        raise ParameterError("j", j, "a Noll index, 1 or more")
    n = 0
    while (n + 1) * (n + 2) // 2 < j:
        n += 1
    rank = j - n * (n + 1) // 2
    m = 2 * (rank // 2) if n % 2 == 0 else 2 * ((rank - 1) // 2) + 1
    return n, (m if j % 2 == 0 else -m)


def zernike(j: int, x: FloatArray, y: FloatArray) -> FloatArray:
    """Noll's Zernike polynomial, unit rms over the full unit disc.

    Parameters
    ----------
    j : int
        Noll index.
    x, y : array
        Pupil coordinates in units of its radius.

    Returns
    -------
    array
        Of the same shape; also defined (as a polynomial) outside of the disc.
    """
    n, m = noll_indices(j)
    r2 = x * x + y * y
    k = abs(m)
    radial = np.zeros_like(r2)
    for s in range((n - k) // 2, -1, -1):
        # R(r) / r^|m| as a polynomial in r^2 keeps the origin free of divisions
        power = (n - k) // 2 - s
        radial += (-1) ** s * comb(n - s, s) * comb(n - 2 * s, (n - k) // 2 - s) * r2**power
    angular = (x + 1j * y) ** k
    if m == 0:
        return np.asarray(np.sqrt(n + 1) * radial)
    part = angular.real if m > 0 else angular.imag
    return np.asarray(np.sqrt(2 * (n + 1)) * radial * part)


@lru_cache(maxsize=16)
def _annular_transform(count: int, obscuration: float) -> FloatArray:
    """Upper triangular matrix that makes the first Zernikes orthonormal on the annulus."""
    radii, r_weights = np.polynomial.legendre.leggauss(48)
    # equal areas: integrate over r^2 from obscuration^2 to 1
    r2 = 0.5 * (1 - obscuration**2) * (radii + 1) + obscuration**2
    angles = np.arange(96) * (2 * np.pi / 96)
    r = np.sqrt(r2)[:, None]
    x, y = (r * np.cos(angles)).ravel(), (r * np.sin(angles)).ravel()
    weights = np.repeat(r_weights / 2, angles.size) / angles.size
    basis = np.stack([zernike(j, x, y) for j in range(1, count + 1)], axis=1)
    gram = basis.T @ (weights[:, None] * basis)
    inverse = np.linalg.inv(np.linalg.cholesky(gram)).T
    return np.asarray(inverse)


def annular_zernikes(count: int, x: FloatArray, y: FloatArray, obscuration: float) -> FloatArray:
    """First Zernike polynomials made orthonormal over an annulus, in Noll's order.

    Parameters
    ----------
    count : int
        How many, from piston on.
    x, y : array
        Pupil coordinates in units of its radius.
    obscuration : float
        Radius of the central obscuration, 0 to below 1.

    Returns
    -------
    (count, ...) array
        Unit rms over the annulus.

    References
    ----------
    Mahajan, V. N. 1981, J. Opt. Soc. Am. 71, 75.
    """
    if not 0 <= obscuration < 1:
        raise ParameterError("obscuration", obscuration, "0 to below 1")
    basis = np.stack([zernike(j, x, y) for j in range(1, count + 1)])
    return np.tensordot(_annular_transform(count, obscuration).T, basis, axes=1)
