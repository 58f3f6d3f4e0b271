"""Isochrones: stars of one age and metallicity, and sets of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.populations.ages import between

FloatArray = NDArray[np.float64]
SOLAR = 0.0152
"""Metallicity of the Sun in PARSEC's scale (Bressan et al. 2012)."""
SLACK = 1e-6
"""Ages and metallicities in files are rounded."""
NEAR = 0.1
"""How far outside of the tabulated metallicities a metallicity may lie, dex."""


@dataclass(frozen=True, eq=False)
class Isochrone:
    """Stars of one age and metallicity; those more massive than the last point are dead.

    Parameters
    ----------
    bands : tuple of str
        Filters, for example ``"F336W"``.
    mass : (n,) array
        Initial masses, suns, ascending.
    mags : (n, bands) array
        Absolute Vega magnitudes.
    teff : (n,) array
        Effective temperatures, kelvin.
    logg : (n,) array
        log10 of the surface gravity, cm/s2.
    log_age : float
        log10 of the age in years.
    z : float
        Mass fraction of metals.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other, or there are fewer than two stars.
    """

    bands: tuple[str, ...]
    mass: FloatArray
    mags: FloatArray
    teff: FloatArray
    logg: FloatArray
    log_age: float
    z: float

    def __post_init__(self) -> None:
        if len(self.mass) < 2 or np.any(np.diff(self.mass) < 0):
            raise ParameterError("mass", self.mass, "at least two masses, ascending")
        if self.mags.shape != (len(self.mass), len(self.bands)):
            raise ParameterError("mags", self.mags.shape, f"{len(self.mass), len(self.bands)}")

    @cached_property
    def flux(self) -> FloatArray:
        """Fluxes (n, bands): ``10**(-0.4 * mags)``."""
        return np.asarray(10 ** (-0.4 * self.mags))

    def with_mags(self, mags: FloatArray) -> Isochrone:
        """Give the same stars other magnitudes, for example reddened ones.

        Parameters
        ----------
        mags : (n, bands) array
            Absolute magnitudes.

        Returns
        -------
        Isochrone
        """
        return replace(self, mags=np.asarray(mags, float))


@dataclass(frozen=True, eq=False)
class IsochroneSet:
    """Isochrones of several ages and metallicities.

    Parameters
    ----------
    bands : tuple of str
        Filters.
    source : str
        Where the isochrones come from.
    group_z, group_log_age : (g,) arrays
        Metallicity and log10 age of each isochrone, sorted by metallicity, then age.
    start : (g + 1,) integer array
        Row at which each isochrone starts; the last is the number of rows.
    mass, teff, logg : (rows,) arrays
        As in `Isochrone`.
    mags : (rows, bands) array
        Absolute Vega magnitudes.
    phase : (rows,) array, optional
        A coordinate that grows along each isochrone and at which stars of neighbouring ages are
        in the same phase of life (equivalent evolutionary points). Ages are interpolated along
        it; without it, or where it is NaN, the nearest age is taken.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other.
    """

    bands: tuple[str, ...]
    source: str
    group_z: FloatArray
    group_log_age: FloatArray
    start: NDArray[np.int64]
    mass: FloatArray
    mags: FloatArray
    teff: FloatArray
    logg: FloatArray
    phase: FloatArray | None = None

    def __post_init__(self) -> None:
        rows = len(self.mass)
        if len(set(self.bands)) != len(self.bands):
            raise ParameterError("bands", self.bands, "each filter once")
        if self.mags.shape != (rows, len(self.bands)):
            raise ParameterError("mags", self.mags.shape, f"{rows, len(self.bands)}")
        if len(self.start) != len(self.group_z) + 1 or self.start[-1] != rows:
            raise ParameterError("start", self.start, f"{len(self.group_z) + 1} rows up to {rows}")

    @cached_property
    def metallicities(self) -> FloatArray:
        """Mass fractions of metals, ascending."""
        return np.unique(self.group_z)

    @cached_property
    def log_ages(self) -> FloatArray:
        """log10 of the ages in years that every metallicity has, ascending."""
        shared = self._ages(self.metallicities[0])
        for z in self.metallicities[1:]:
            shared = shared[np.isin(np.round(shared, 6), np.round(self._ages(z), 6))]
        return shared

    def _ages(self, z: float) -> FloatArray:
        return np.asarray(self.group_log_age[self.group_z == z])

    def nearest_z(self, z: float | None = None) -> float:
        """Find the tabulated metallicity nearest to one, in the logarithm.

        Parameters
        ----------
        z : float, optional
            Mass fraction of metals; the Sun's if not given.

        Returns
        -------
        float

        Raises
        ------
        ParameterError
            If it lies more than 0.1 dex outside of the tabulated ones.
        """
        known = np.log10(self.metallicities)
        if z is None:
            return float(self.metallicities[np.argmin(np.abs(known - np.log10(SOLAR)))])
        low, high = float(10 ** known[0]), float(10 ** known[-1])
        if not low * 10**-NEAR <= z <= high * 10**NEAR:
            raise ParameterError("z", z, f"{low:.4g} to {high:.4g}, the isochrones' metallicities")
        return float(self.metallicities[np.argmin(np.abs(known - np.log10(z)))])

    def at(self, log_age: float, z: float | None = None) -> Isochrone:
        """Give the isochrone of an age.

        Parameters
        ----------
        log_age : float
            log10 of the age in years. Between tabulated ages the isochrones are interpolated
            along the phase of life where the set knows it, else the nearest age is taken.
        z : float, optional
            Mass fraction of metals; the nearest tabulated one is taken. The Sun's by default.

        Returns
        -------
        Isochrone
            Its `log_age` is the age that it stands for, and `z` the tabulated metallicity.

        Raises
        ------
        ParameterError
            If age or metallicity are outside of the set.
        """
        chosen = self.nearest_z(z)
        groups = np.flatnonzero(self.group_z == chosen)
        ages = self.group_log_age[groups]
        if not ages[0] - SLACK <= log_age <= ages[-1] + SLACK:
            allowed = f"{ages[0]:g} to {ages[-1]:g}, the isochrones' log10 ages at Z = {chosen:g}"
            raise ParameterError("log_age", log_age, allowed)
        after = min(max(int(np.searchsorted(ages, log_age)), 1), len(ages) - 1)
        before = max(after - 1, 0)
        step = ages[after] - ages[before]
        part = float(np.clip((log_age - ages[before]) / step, 0, 1)) if step > 0 else 0.0
        first, second = int(groups[before]), int(groups[after])
        if part < SLACK or part > 1 - SLACK or not (self._phased(first) and self._phased(second)):
            return self._tabulated(second if part > 0.5 else first)
        return self._between(first, second, part, float(log_age))

    def _phased(self, group: int) -> bool:
        return self.phase is not None and not np.isnan(self.phase[self._rows(group)]).any()

    def _rows(self, group: int) -> slice:
        return slice(int(self.start[group]), int(self.start[group + 1]))

    def _tabulated(self, group: int) -> Isochrone:
        rows = self._rows(group)
        return Isochrone(
            self.bands, self.mass[rows], self.mags[rows], self.teff[rows], self.logg[rows],
            float(self.group_log_age[group]), float(self.group_z[group]),
        )  # fmt: skip

    def _between(self, first: int, second: int, part: float, log_age: float) -> Isochrone:
        assert self.phase is not None
        sides = []
        for group in (first, second):
            rows = self._rows(group)
            columns = (np.log10(self.mass[rows]), np.log10(self.teff[rows]), self.logg[rows])
            sides.append((self.phase[rows], np.column_stack([*columns, self.mags[rows]])))
        mixed = between(*sides[0], *sides[1], part)
        return Isochrone(
            self.bands, np.maximum.accumulate(10 ** mixed[:, 0]), mixed[:, 3:],
            10 ** mixed[:, 1], mixed[:, 2], log_age, float(self.group_z[first]),
        )  # fmt: skip

    def with_bands(self, bands: Sequence[str]) -> IsochroneSet:
        """Keep some bands, in the order given.

        Parameters
        ----------
        bands : sequence of str
            Filters.

        Returns
        -------
        IsochroneSet

        Raises
        ------
        ParameterError
            If the set lacks one.
        """
        absent = [band for band in bands if band not in self.bands]
        if absent or not bands:
            raise ParameterError("bands", tuple(bands), f"some of {', '.join(self.bands)}")
        chosen = [self.bands.index(band) for band in bands]
        return replace(self, bands=tuple(bands), mags=self.mags[:, chosen])


def make_set(
    bands: Sequence[str],
    source: str,
    z: FloatArray,
    log_age: FloatArray,
    columns: dict[str, FloatArray],
) -> IsochroneSet:
    """Sort stars into isochrones.

    Parameters
    ----------
    bands : sequence of str
        Filters.
    source : str
        Where the stars come from.
    z, log_age : (rows,) arrays
        Metallicity and log10 age of each star.
    columns : dict
        ``mass, teff, logg`` (rows,), ``mags`` (rows, bands) and, if known, ``phase`` (rows,).

    Returns
    -------
    IsochroneSet

    Raises
    ------
    ParameterError
        If an isochrone has fewer than two stars.
    """
    order = np.lexsort((columns["mass"], log_age, z))
    z, log_age = np.asarray(z, float)[order], np.round(np.asarray(log_age, float)[order], 6)
    changes = np.flatnonzero((np.diff(z) != 0) | (np.diff(log_age) != 0)) + 1
    start = np.concatenate([[0], changes, [len(z)]]).astype(np.int64)
    if len(z) == 0 or np.diff(start).min() < 2:
        raise ParameterError("isochrones", len(z), "at least two stars for each age")
    phase = columns.get("phase")
    return IsochroneSet(
        tuple(bands), source, z[start[:-1]], log_age[start[:-1]], start,
        columns["mass"][order], columns["mags"][order], columns["teff"][order],
        columns["logg"][order], None if phase is None else phase[order],
    )  # fmt: skip
