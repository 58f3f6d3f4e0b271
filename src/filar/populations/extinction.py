"""Extinction of stars by dust, in bands: A_band / A_V of hot and cool stars, much and little dust.

A band's extinction is the loss of the photons that the band counts. It depends on the star's
spectrum, here a black body in a flat passband (`BANDS`), and on the amount of dust, which reddens
what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError
from filar.populations.isochrone import Isochrone
from filar.populations.passbands import passband_edges

FloatArray = NDArray[np.float64]
R_V = 3.1
"""Of the diffuse dust of the Milky Way."""
TEMPERATURES = np.geomspace(2500.0, 60000.0, 33)
"""Temperatures at which coefficients are computed, kelvin; beyond, the ends are taken."""
AMOUNTS = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0])
"""A_V at which coefficients are computed, magnitudes; beyond, the last is taken."""
POINTS = 41
"""Wavelengths in a band."""
HC_K = 1.438777e7
"""h c / k, nm K."""


@dataclass(frozen=True)
class Extinction:
    """The law of Cardelli, Clayton and Mathis (1989) in some bands.

    Parameters
    ----------
    bands : tuple of str
        Filters; see `filar.populations.passbands`.
    r_v : float
        A_V / E(B-V), 2 to 6.

    Raises
    ------
    ParameterError
        If `r_v` is out of range or a band is unknown.
    """

    bands: tuple[str, ...]
    r_v: float = R_V

    def __post_init__(self) -> None:
        if not 2 <= self.r_v <= 6:
            raise ParameterError("r_v", self.r_v, "2 to 6")
        for band in self.bands:
            passband_edges(band)

    @cached_property
    def table(self) -> FloatArray:
        """A_band / A_V (temperatures, amounts, bands)."""
        columns = [_coefficients(band, self.r_v) for band in self.bands]
        return np.stack(columns, axis=-1)

    def coefficients(self, teff: ArrayLike, a_v: ArrayLike) -> FloatArray:
        """Give A_band / A_V of stars.

        Parameters
        ----------
        teff : (n,) array-like
            Effective temperatures, kelvin.
        a_v : array-like
            Extinction in V, magnitudes; one, or one for each star.

        Returns
        -------
        (n, bands) array
        """
        teff = np.asarray(teff, float)
        amount = np.broadcast_to(np.asarray(a_v, float), teff.shape)
        if np.any(~(amount >= 0)):
            raise ParameterError("a_v", float(np.min(amount)), "at least 0")
        i, p = _place(np.log(TEMPERATURES), np.log(teff))
        j, q = _place(AMOUNTS, amount)
        table = self.table
        p, q = p[..., None], q[..., None]
        return np.asarray(
            (1 - p) * ((1 - q) * table[i, j] + q * table[i, j + 1])
            + p * ((1 - q) * table[i + 1, j] + q * table[i + 1, j + 1])
        )

    def redden(self, isochrone: Isochrone, a_v: float) -> Isochrone:
        """Put dust before the stars of an isochrone.

        Parameters
        ----------
        isochrone : Isochrone
            In this law's bands.
        a_v : float
            Extinction in V, magnitudes.

        Returns
        -------
        Isochrone

        Raises
        ------
        ParameterError
            If the bands are others, or the extinction is negative.
        """
        if isochrone.bands != self.bands:
            raise ParameterError("isochrone.bands", isochrone.bands, str(self.bands))
        if not a_v >= 0:
            raise ParameterError("a_v", a_v, "at least 0")
        # one amount for all the stars: interpolated in it first, which is faster
        cell, part = _place(AMOUNTS, np.asarray(a_v, float))
        table = (1 - part) * self.table[:, cell] + part * self.table[:, cell + 1]
        places, grid = np.log(isochrone.teff), np.log(TEMPERATURES)
        columns = [np.interp(places, grid, column) for column in table.T]
        dimmed = isochrone.mags + a_v * np.stack(columns, axis=1)
        return isochrone.with_mags(dimmed)


def law(wavelength: ArrayLike, r_v: float = R_V) -> FloatArray:
    """Give A_lambda / A_V of Cardelli, Clayton and Mathis (1989, ApJ 345, 245).

    Parameters
    ----------
    wavelength : (n,) array-like
        Nanometres, 100 to 3300.
    r_v : float
        A_V / E(B-V).

    Returns
    -------
    (n,) array

    Raises
    ------
    ParameterError
        If a wavelength or `r_v` is outside of the law.
    """
    from astropy import units
    from dust_extinction.parameter_averages import CCM89

    wavelength = np.asarray(wavelength, float)
    if np.any((wavelength < 100) | (wavelength > 3300)):
        raise ParameterError("wavelength", wavelength, "100 to 3300 nm")
    return np.asarray(CCM89(Rv=r_v)(wavelength * units.nm), float)


def _coefficients(band: str, r_v: float) -> FloatArray:
    """Compute A_band / A_V (temperatures, amounts)."""
    low, high = passband_edges(band)
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    wavelength = (low + high) / 2 + nodes * (high - low) / 2
    # photons of a black body, up to a factor
    spectrum = wavelength**-4 / np.expm1(HC_K / (wavelength * TEMPERATURES[:, None]))
    weight = spectrum * weights
    weight /= weight.sum(axis=1, keepdims=True)
    dust = law(wavelength, r_v)
    # without dust, the limit of the ratio is the mean of the law
    amounts = np.maximum(AMOUNTS, 1e-4)
    left = weight @ (10 ** (-0.4 * amounts[:, None] * dust)).T
    return np.asarray(-2.5 * np.log10(left) / amounts)


def _place(grid: FloatArray, values: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    """Find each value's cell, and its place in the cell from 0 to 1."""
    cell = np.clip(np.searchsorted(grid, values, side="right") - 1, 0, len(grid) - 2)
    part = (values - grid[cell]) / (grid[cell + 1] - grid[cell])
    return cell, np.clip(part, 0.0, 1.0)
