"""Magnitudes of mock clusters, of stars drawn one by one, and as a catalogue would list them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.populations import Extinction, IsochroneSet, draw_stars

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Ranges:
    """Uniform distributions of log10 age (years), A_V (mag) and log10 mass (suns)."""

    log_age: tuple[float, float]
    a_v: tuple[float, float]
    log_mass: tuple[float, float]

    def holds(
        self, log_age: FloatArray, a_v: FloatArray, log_mass: FloatArray
    ) -> NDArray[np.bool_]:
        """Tell which clusters lie in all three."""
        pairs = ((log_age, self.log_age), (a_v, self.a_v), (log_mass, self.log_mass))
        inside = [(low <= value) & (value <= high) for value, (low, high) in pairs]
        return np.asarray(np.all(inside, axis=0))


PAPER = Ranges((6.6, 8.0), (0.0, 3.0), (3.477, 5.477))
"""Those of the networks' training."""
ALL = Ranges((6.3, 10.1), (0.0, 3.0), (2.7, 6.0))
"""Of whatever is in a catalogue, as far as the isochrones go."""


@dataclass(frozen=True, eq=False)
class Mocks:
    """Mock clusters: absolute Vega magnitudes (n, bands)."""

    bands: tuple[str, ...]
    mags: FloatArray

    def column(self, band: str) -> FloatArray:
        """One band's."""
        return self.mags[:, self.bands.index(band)]


def draw(isochrones: IsochroneSet, z: float, ranges: Ranges, number: int, seed: int) -> Mocks:
    """Draw mock clusters.

    Parameters
    ----------
    isochrones : IsochroneSet
        Their bands are the mocks'.
    z : float
        Metallicity.
    ranges : Ranges
        Of their properties.
    number, seed : int
        How many, and of which random numbers.

    Returns
    -------
    Mocks
    """
    rng = np.random.default_rng(seed)
    dust = Extinction(isochrones.bands)
    sides = (ranges.log_age, ranges.a_v, ranges.log_mass)
    drawn = np.stack([rng.uniform(*side, number) for side in sides], axis=1)
    flux = [
        draw_stars(dust.redden(isochrones.at(age, z), a_v), 10**log_mass, rng).total
        for age, a_v, log_mass in drawn
    ]
    return Mocks(isochrones.bands, -2.5 * np.log10(np.array(flux)))


def listed(
    mocks: Mocks,
    modulus: float,
    limit: float,
    observed: FloatArray,
    errors: FloatArray,
    seed: int,
) -> Mocks:
    """Mocks as a catalogue lists them: brighter than its limit, with its errors.

    Parameters
    ----------
    mocks : Mocks
        As drawn.
    modulus : float
        Distance modulus.
    limit : float
        Faintest absolute magnitude in F555W.
    observed : (n,) array
        The catalogue's magnitudes in F555W.
    errors : (n, bands) array
        Its errors in the mocks' bands; a mock gets those of the cluster that is nearest to it
        in F555W.
    seed : int
        Of the errors.

    Returns
    -------
    Mocks
        Those above the limit; apparent magnitudes.
    """
    bright = mocks.mags[mocks.column("F555W") < limit] + modulus
    order = np.argsort(observed)
    visual = bright[:, mocks.bands.index("F555W")]
    ascending = observed[order]
    nearest = np.searchsorted((ascending[1:] + ascending[:-1]) / 2, visual)
    noise = np.random.default_rng(seed).normal(size=bright.shape)
    return Mocks(mocks.bands, bright + noise * errors[order[nearest]])
