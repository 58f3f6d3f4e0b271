"""What is before and behind the galaxy: stars of the Milky Way and distant galaxies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.populations.isochrone import Isochrone, IsochroneSet

FloatArray = NDArray[np.float64]
DWARF_LOG_AGE = 9.7
DWARF_MASSES = (0.15, 0.95)
POINTS = 3000  # that a galaxy is made of
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
ARCMIN2 = 3600.0


@dataclass(frozen=True)
class InterloperSettings:
    """How many interlopers, and which; every pair is a range.

    Parameters
    ----------
    stars, galaxies : float
        Mean number per square arcmin.
    star_mags, galaxy_mags : (float, float)
        Vega magnitude in the last band, brightest first. Numbers grow with magnitude m as
        10^(0.15 m) for stars, 10^(0.3 m) for galaxies, about as in deep counts in I.
    galaxy_radius : (float, float)
        Half-light radius of galaxies, arcsec.

    Raises
    ------
    ParameterError
        For a range the wrong way round or out of bounds.
    """

    stars: float = 6.0
    star_mags: tuple[float, float] = (15.0, 24.0)
    galaxies: float = 15.0
    galaxy_mags: tuple[float, float] = (19.0, 24.0)
    galaxy_radius: tuple[float, float] = (0.12, 1.2)

    def __post_init__(self) -> None:
        for name in ("stars", "galaxies"):
            if not 0 <= getattr(self, name) <= 1e4:
                raise ParameterError(name, getattr(self, name), "0 to 10,000")
        bounds = {"star_mags": (0, 40), "galaxy_mags": (0, 40), "galaxy_radius": (0.01, 100)}
        for name, (lowest, highest) in bounds.items():
            low, high = getattr(self, name)
            if not lowest <= low <= high <= highest:
                allowed = f"two numbers from {lowest:g} to {highest:g}, the smaller first"
                raise ParameterError(name, (low, high), allowed)


@dataclass(frozen=True, eq=False)
class Interlopers:
    """Points of light that stand for stars or galaxies.

    Parameters
    ----------
    x, y : (points,) array
        Pixels.
    flux : (points, bands) array
        ``10**(-0.4 m)`` with m the apparent Vega magnitudes.
    middles : (objects, 2) array
        x and y of the objects, pixels.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    middles: FloatArray


def foreground_stars(
    settings: InterloperSettings,
    isochrones: IsochroneSet,
    shape: tuple[int, int],
    pixel_scale: float,
    rng: np.random.Generator,
) -> Interlopers:
    """Draw dwarfs of the Milky Way.

    Parameters
    ----------
    settings : InterloperSettings
        How many.
    isochrones : IsochroneSet
        Whose old dwarfs have the colours.
    shape : (int, int)
        Rows and columns.
    pixel_scale : float
        Arcsec per pixel.
    rng : Generator
        Random numbers.

    Returns
    -------
    Interlopers
        One point each.
    """
    count = _count(settings.stars, shape, pixel_scale, rng)
    dwarfs = _dwarfs(isochrones)
    mass = rng.uniform(*DWARF_MASSES, count)
    mags = np.stack([np.interp(mass, dwarfs.mass, band) for band in dwarfs.mags.T], axis=1)
    last = _power_law(*settings.star_mags, 0.15, count, rng)
    mags += (last - mags[:, -1])[:, None]
    middles = _places(count, shape, rng)
    return Interlopers(middles[:, 0], middles[:, 1], 10 ** (-0.4 * mags), middles)


def background_galaxies(
    settings: InterloperSettings,
    isochrones: IsochroneSet,
    shape: tuple[int, int],
    pixel_scale: float,
    rng: np.random.Generator,
) -> Interlopers:
    """Draw distant galaxies, Sersic profiles of many points.

    Parameters
    ----------
    settings : InterloperSettings
        How many.
    isochrones : IsochroneSet
        Dwarfs of 0.5 to 1.4 suns have about the colours of redshifted galaxies.
    shape : (int, int)
        Rows and columns.
    pixel_scale : float
        Arcsec per pixel.
    rng : Generator
        Random numbers.

    Returns
    -------
    Interlopers
        `POINTS` points each, evenly spaced in the light of the profile.
    """
    from scipy.special import gammaincinv

    count = _count(settings.galaxies, shape, pixel_scale, rng)
    dwarfs = _dwarfs(isochrones)
    mass = rng.uniform(0.5, 0.95, count)
    mags = np.stack([np.interp(mass, dwarfs.mass, band) for band in dwarfs.mags.T], axis=1)
    last = _power_law(*settings.galaxy_mags, 0.3, count, rng)
    flux = 10 ** (-0.4 * (mags + (last - mags[:, -1])[:, None]))
    middles = _places(count, shape, rng)
    index = rng.uniform(0.8, 4.0, count)[:, None]
    # the brightest are the largest, on average
    faint = np.clip((last - settings.galaxy_mags[0]) / max(np.ptp(settings.galaxy_mags), 1.0), 0, 1)
    small, large = np.log(settings.galaxy_radius)
    radius = np.exp(np.clip(large - faint * (large - small) + 0.3 * rng.standard_normal(count),
                            small, large))[:, None] / pixel_scale  # fmt: skip
    part = (np.arange(POINTS) + 0.5) / POINTS
    steepness = gammaincinv(2.0 * index, 0.5)
    r = radius * (gammaincinv(2.0 * index, part) / steepness) ** index
    angle = GOLDEN_ANGLE * np.arange(POINTS) + rng.uniform(0.0, 2.0 * np.pi, (count, 1))
    u, v = r * np.cos(angle), r * np.sin(angle) * rng.uniform(0.25, 1.0, (count, 1))
    turn = rng.uniform(0.0, np.pi, (count, 1))
    x = middles[:, :1] + np.cos(turn) * u - np.sin(turn) * v
    y = middles[:, 1:] + np.sin(turn) * u + np.cos(turn) * v
    points = np.repeat(flux / POINTS, POINTS, axis=0)
    return Interlopers(x.ravel(), y.ravel(), points, middles)


def _dwarfs(isochrones: IsochroneSet) -> Isochrone:
    ages = isochrones.log_ages
    return isochrones.at(float(np.clip(DWARF_LOG_AGE, ages[0], ages[-1])))


def _count(
    density: float, shape: tuple[int, int], pixel_scale: float, rng: np.random.Generator
) -> int:
    return int(rng.poisson(density * shape[0] * shape[1] * pixel_scale**2 / ARCMIN2))


def _places(count: int, shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    return np.asarray(rng.uniform(size=(count, 2)) * (shape[1], shape[0]) - 0.5)


def _power_law(
    bright: float, faint: float, slope: float, count: int, rng: np.random.Generator
) -> FloatArray:
    """Magnitudes whose numbers grow as 10^(slope m)."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return np.asarray(np.log10(low + rng.uniform(size=count) * (high - low)) / slope)
