"""Light of simple populations: the initial mass function integrated along an isochrone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.populations.imf import IMF, KROUPA
from filar.populations.isochrone import Isochrone

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Population:
    """Stars of one isochrone in the numbers of an initial mass function.

    Between the isochrone's points the magnitude goes linearly with the mass. Stars less massive
    than the first point and more massive than the last give no light but have mass.

    Parameters
    ----------
    isochrone : Isochrone
        The stars.
    imf : IMF
        Their numbers.
    """

    isochrone: Isochrone
    imf: IMF = KROUPA

    @cached_property
    def numbers(self) -> FloatArray:
        """Stars between the points of the isochrone (n - 1,), per sun of stars formed."""
        return np.diff(self.imf.number(0.0, self.isochrone.mass))

    @cached_property
    def light_below(self) -> FloatArray:
        """Light of the stars below each point (n, bands), per sun of stars formed."""
        return self._below(self.isochrone.flux)

    @cached_property
    def squares_below(self) -> FloatArray:
        """Sum of squared fluxes of the stars below each point (n, bands), per sun."""
        return self._below(self.isochrone.flux**2)

    @property
    def light(self) -> FloatArray:
        """Light of all stars (bands,), per sun of stars formed."""
        return np.asarray(self.light_below[-1])

    def _below(self, values: FloatArray) -> FloatArray:
        inner = self.numbers[:, None] * log_mean(values[:-1], values[1:])
        return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(inner, axis=0)])

    def scatter(self, mass: float) -> FloatArray:
        """Relative standard deviation of the light of clusters.

        Parameters
        ----------
        mass : float
            Initial mass, suns.

        Returns
        -------
        (bands,) array
            From the Poisson scatter of the numbers of stars.
        """
        return np.asarray(np.sqrt(self.squares_below[-1] / mass) / self.light)

    def limit(self, mass: float, scatter: float) -> float:
        """Find the stars that may be taken as a smooth light.

        Parameters
        ----------
        mass : float
            Initial mass of a cluster, suns.
        scatter : float
            The standard deviation of the light of all stars below the limit, in any band,
            relative to the light of the cluster's mean.

        Returns
        -------
        float
            The mass below which they are, suns.
        """
        relative = (self.squares_below / (mass * self.light**2)).max(axis=1)
        point = int(np.searchsorted(relative, scatter**2, side="right")) - 1
        return float(self.isochrone.mass[max(point, 0)])

    def light_up_to(self, limit: float) -> FloatArray:
        """Give the light of stars below a mass.

        Parameters
        ----------
        limit : float
            Suns.

        Returns
        -------
        (bands,) array
            Per sun of stars formed.
        """
        mass = self.isochrone.mass
        return np.array([np.interp(limit, mass, column) for column in self.light_below.T])


def log_mean(a: FloatArray, b: FloatArray) -> FloatArray:
    """Average between two values of what goes exponentially from one to the other.

    Parameters
    ----------
    a, b : arrays
        Positive.

    Returns
    -------
    array
    """
    ratio = np.log(b / a)
    near = np.abs(ratio) < 1e-6
    return np.where(near, (a + b) / 2, (b - a) / np.where(near, 1.0, ratio))


def integrated_mags(isochrone: Isochrone, mass: float = 1.0, imf: IMF = KROUPA) -> FloatArray:
    """Give the magnitudes of a simple population, the mean of infinitely many clusters.

    Parameters
    ----------
    isochrone : Isochrone
        The stars.
    mass : float
        Initial mass, suns.
    imf : IMF
        Numbers of stars.

    Returns
    -------
    (bands,) array
        Absolute magnitudes.

    Raises
    ------
    ParameterError
        If the mass is not positive.
    """
    if not mass > 0:
        raise ParameterError("mass", mass, "above 0 suns")
    return np.asarray(-2.5 * np.log10(mass * Population(isochrone, imf).light))
