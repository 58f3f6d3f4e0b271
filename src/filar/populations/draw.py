"""Stars of one cluster, drawn one by one down to where they are a smooth light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.populations.imf import IMF, KROUPA
from filar.populations.isochrone import Isochrone
from filar.populations.light import Population

FloatArray = NDArray[np.float64]
SCATTER = 0.005
"""Scatter of the light that is not drawn star by star, of a cluster's mean light."""


@dataclass(frozen=True, eq=False)
class Stars:
    """What a cluster of stars shines with.

    Parameters
    ----------
    mass : (n,) array
        Initial masses of the living stars that were drawn, suns.
    flux : (n, bands) array
        Their fluxes, ``10**(-0.4 * M)``.
    unresolved : (bands,) array
        Light of all other stars, in the same unit.
    limit : float
        The least mass that was drawn, suns.
    smooth_mass : float
        Initial mass of the stars below the limit, suns.
    dead : int
        Stars that were drawn and have died.
    total_mass : float
        Initial mass of all of them, suns.
    """

    mass: FloatArray
    flux: FloatArray
    unresolved: FloatArray
    limit: float
    smooth_mass: float
    dead: int
    total_mass: float

    @property
    def total(self) -> FloatArray:
        """All light (bands,)."""
        return np.asarray(self.flux.sum(axis=0) + self.unresolved)


def draw_stars(
    isochrone: Isochrone | Population,
    mass: float,
    rng: np.random.Generator,
    *,
    imf: IMF = KROUPA,
    scatter: float = SCATTER,
    limit: float | None = None,
) -> Stars:
    """Draw the stars of a cluster.

    Stars are born one after the other until the cluster's mass is reached. Those above the limit
    are drawn; the mass of the others that come between two of them has an exponential
    distribution (a sum over a geometric number of small stars), and their light is that of
    the mean. The star that crosses the wanted mass is kept if that comes nearer to it, and the
    small stars then fill up or give way, so that the total is the wanted mass (unless a single
    star is heavier). So a cluster that happens to have many massive stars has fewer others.

    Parameters
    ----------
    isochrone : Isochrone or Population
        The stars, reddened or not. A population is faster if many clusters are drawn of it.
    mass : float
        Initial mass, suns.
    rng : Generator
        Random numbers.
    imf : IMF
        Numbers of stars; not used if a population is given.
    scatter : float
        The limit is put where all fainter stars scatter the cluster's light by no more than
        this part of its mean in any band.
    limit : float, optional
        Least mass that is drawn, suns, instead.

    Returns
    -------
    Stars

    Raises
    ------
    ParameterError
        If mass, scatter or limit are not positive.
    """
    for name, value in (
        ("mass", mass),
        ("scatter", scatter),
        ("limit", 1 if limit is None else limit),
    ):
        if not value > 0:
            raise ParameterError(name, value, "above 0")
    population = isochrone if isinstance(isochrone, Population) else Population(isochrone, imf)
    tracks, imf = population.isochrone, population.imf
    if limit is None:
        limit = population.limit(mass, scatter)
    limit = float(np.clip(limit, max(imf.edges[0], tracks.mass[0]), 0.999 * imf.edges[-1]))
    born = _born(mass, limit, imf, rng)
    smooth_mass = max(mass - float(born.sum()), 0.0)
    alive = born[born <= tracks.mass[-1]]
    share = float(imf.mass(imf.edges[0], limit))
    unresolved = population.light_up_to(limit) * (smooth_mass / share if share > 0 else 0.0)
    mags = [np.interp(alive, tracks.mass, column) for column in tracks.mags.T]
    flux = 10 ** (-0.4 * np.stack(mags, axis=1))
    total = smooth_mass + float(born.sum())
    return Stars(alive, flux, unresolved, limit, smooth_mass, len(born) - len(alive), total)


def _born(mass: float, limit: float, imf: IMF, rng: np.random.Generator) -> FloatArray:
    """Draw the stars above the limit that are born until the mass is reached."""
    per_sun = float(imf.number(limit, imf.edges[-1]))
    between = float(imf.mass(imf.edges[0], limit)) / per_sun
    mean = mass * per_sun
    stars: list[FloatArray] = []
    reached = 0.0
    while True:
        count = int(mean + 5 * np.sqrt(mean)) + 10
        drawn = imf.draw(limit, count, rng)
        after = reached + np.cumsum(rng.exponential(between, count) + drawn)
        crossing = int(np.searchsorted(after, mass, side="right"))
        if crossing < count:
            keep = crossing + int(after[crossing] - mass < drawn[crossing] / 2)
            return np.concatenate([*stars, drawn[:keep]])
        stars.append(drawn)
        reached = float(after[-1])
