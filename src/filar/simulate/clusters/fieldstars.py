"""The stars of a galaxy's field: ages, numbers, magnitudes; the light of those too faint to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.populations.imf import KROUPA
from filar.populations.isochrone import Isochrone, IsochroneSet

FloatArray = NDArray[np.float64]
MOST_STARS = 1.2
"""Per pixel, of one population; where there are more, the brightest are drawn one by one."""


@dataclass(frozen=True)
class Mixture:
    """Stars of several ages.

    Parameters
    ----------
    log_ages : tuple of float
        log10 of years.
    masses : tuple of float
        Initial mass formed at each age, per sun formed in all.
    mass_to_light : float
        Initial mass over V luminosity, suns.
    """

    log_ages: tuple[float, ...]
    masses: tuple[float, ...]
    mass_to_light: float


def formed(edges: tuple[float, ...], timescale: float = np.inf) -> Mixture:
    """Stars of a star formation that is constant or declines exponentially.

    Parameters
    ----------
    edges : tuple of float
        Edges of bins of log age, ascending.
    timescale : float
        Gyr in which the rate falls by e; infinite for a constant one.

    Returns
    -------
    Mixture
        Of one age in each bin, its middle.
    """
    ages = 10.0 ** np.array(edges) / 1e9
    # the rate grows with age; the youngest edge keeps the numbers small
    since = (ages - ages[0]) / timescale
    lengths = np.diff(ages if np.isinf(timescale) else np.exp(since))
    masses = lengths / lengths.sum()
    middles = (np.array(edges[1:]) + np.array(edges[:-1])) / 2.0
    light = masses / np.exp(np.interp(middles, _LOG_AGES, np.log(_MASS_TO_LIGHT)))
    return Mixture(
        tuple(float(one) for one in np.round(middles, 4)),
        tuple(float(one) for one in masses),
        float(1.0 / light.sum()),
    )


# initial mass over V luminosity of single ages, PARSEC v1.2S at Z = 0.0155 with Kroupa's IMF
_LOG_AGES = (6.6, 6.8, 7.0, 7.2, 7.4, 7.6, 7.8, 8.0, 8.2, 8.5, 8.9, 9.3, 9.65, 9.95)
_MASS_TO_LIGHT = (
    0.0129, 0.0144, 0.0236, 0.0481, 0.0655, 0.085, 0.1151, 0.1617, 0.2226, 0.3452, 0.6829,
    1.5666, 3.2937, 6.1045,
)  # fmt: skip
OLD_EDGES = (8.3, 8.7, 9.1, 9.5, 9.8, 10.1)
"""0.2 to 12.6 Gyr."""
YOUNG = formed(tuple(round(6.6 + 0.1 * i, 2) for i in range(18)))
"""4 to 200 Myr."""


@dataclass(frozen=True, eq=False)
class FieldStars:
    """Stars drawn one by one, and the light of the others.

    Parameters
    ----------
    flux : (n, bands) array
        ``10**(-0.4 M)`` with M the absolute magnitudes, without dust.
    teff : (n,) array
        Effective temperatures, kelvin.
    unresolved : (bands,) array
        Flux of all stars that were not drawn.
    unresolved_teff : float
        Temperature of their light.
    """

    flux: FloatArray
    teff: FloatArray
    unresolved: FloatArray
    unresolved_teff: float

    def __len__(self) -> int:
        return len(self.flux)


def draw_field_stars(
    isochrones: IsochroneSet,
    mixture: Mixture,
    mass: float,
    limit: FloatArray,
    rng: np.random.Generator,
    *,
    most: float,
    z: float | None = None,
) -> FieldStars:
    """Draw the stars of a population.

    Parameters
    ----------
    isochrones : IsochroneSet
        Of the bands that are wanted.
    mixture : Mixture
        Ages.
    mass : float
        Initial mass in all, Msun.
    limit : (bands,) array
        Flux ``10**(-0.4 M)`` from which, in any band, a star is drawn by itself.
    rng : Generator
        Random numbers.
    most : float
        Stars that are drawn at most, on average; the limit rises until they are no more.
    z : float, optional
        Metallicity; the Sun's by default.

    Returns
    -------
    FieldStars
        Numbers are Poisson draws from Kroupa's IMF along the isochrones, piece by piece; stars
        more massive than an isochrone's last are dead.
    """
    pieces = [
        _Pieces.of(isochrones.at(age, z), mass * part)
        for age, part in zip(mixture.log_ages, mixture.masses, strict=True)
    ]
    number = np.concatenate([one.number for one in pieces])
    ends = np.concatenate([one.ends for one in pieces])
    teffs = np.concatenate([one.teff for one in pieces])
    means = ends.mean(axis=1)
    drawn = _drawn(np.max(means / limit, axis=1), number, most)
    expected = np.cumsum(np.where(drawn, number, 0.0))
    count = int(rng.poisson(expected[-1]))
    place = rng.uniform(0.0, expected[-1], count)
    piece = np.minimum(np.searchsorted(expected, place, side="right"), len(number) - 1)
    along = rng.uniform(size=(count, 1))
    flux = (1.0 - along) * ends[piece, 0] + along * ends[piece, 1]
    rest = np.where(drawn, 0.0, number)[:, None] * means
    light = rest.sum(axis=1)
    teff = float(np.average(teffs, weights=light)) if light.sum() > 0 else 5000.0
    return FieldStars(flux, teffs[piece], rest.sum(axis=0), teff)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces between neighbouring points of an isochrone."""

    number: FloatArray
    ends: FloatArray
    teff: FloatArray

    @classmethod
    def of(cls, isochrone: Isochrone, mass: float) -> _Pieces:
        """Expected numbers of stars, fluxes at both ends (n, 2, bands), temperatures."""
        number = mass * np.asarray(KROUPA.number(isochrone.mass[:-1], isochrone.mass[1:]))
        ends = np.stack([isochrone.flux[:-1], isochrone.flux[1:]], axis=1)
        teff = np.sqrt(isochrone.teff[:-1] * isochrone.teff[1:])
        return cls(number, ends, teff)


def _drawn(brightness: FloatArray, number: FloatArray, most: float) -> NDArray[np.bool_]:
    """Which pieces are drawn star by star: those above 1, unless they are too many."""
    order = np.argsort(-brightness)
    fits = np.cumsum(number[order]) <= most
    drawn = np.zeros(len(number), bool)
    drawn[order] = fits
    return drawn & (brightness > 1.0)


def mean_flux(isochrones: IsochroneSet, mixture: Mixture, *, z: float | None = None) -> FloatArray:
    """Mean light of a population per solar mass formed.

    Parameters
    ----------
    isochrones : IsochroneSet
        Of the bands that are wanted.
    mixture : Mixture
        Ages.
    z : float, optional
        Metallicity; the Sun's by default.

    Returns
    -------
    (bands,) array
        ``10**(-0.4 M)``.
    """
    total = np.zeros(len(isochrones.bands))
    for age, part in zip(mixture.log_ages, mixture.masses, strict=True):
        pieces = _Pieces.of(isochrones.at(age, z), part)
        total += pieces.number @ pieces.ends.mean(axis=1)
    return total
