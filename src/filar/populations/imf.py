"""The initial mass function of Kroupa (2001): numbers, masses and draws in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class IMF:
    """A function of broken power laws, by default Kroupa's (2001, MNRAS 322, 231, eq. 2).

    ``dN/dm`` goes as ``m**-slope`` between edges, is continuous, and is normalised to one solar
    mass of stars between the first and the last edge.

    Parameters
    ----------
    edges : tuple of float
        Masses, suns, ascending.
    slopes : tuple of float
        Exponents between the edges.

    Raises
    ------
    ParameterError
        If edges and slopes do not fit each other.
    """

    edges: tuple[float, ...] = (0.08, 0.5, 120.0)
    slopes: tuple[float, ...] = (1.3, 2.3)

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.slopes) + 1:
            raise ParameterError("edges", self.edges, f"{len(self.slopes) + 1} masses")
        if self.edges[0] <= 0 or any(
            b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)
        ):
            raise ParameterError("edges", self.edges, "positive masses, ascending")

    @cached_property
    def _scale(self) -> FloatArray:
        """Factors of the power laws."""
        scale = np.ones(len(self.slopes))
        for i, edge in enumerate(self.edges[1:-1]):
            scale[i + 1] = scale[i] * edge ** (self.slopes[i + 1] - self.slopes[i])
        total = sum(
            factor * _integral(low, high, 1 - slope)
            for factor, low, high, slope in zip(
                scale, self.edges, self.edges[1:], self.slopes, strict=False
            )
        )
        return np.asarray(scale / total)

    def _below(self, mass: ArrayLike, power: int) -> FloatArray:
        """Integrate ``m**power dN`` from the least mass."""
        mass = np.asarray(mass, float)
        total = np.zeros(mass.shape)
        for factor, low, high, slope in zip(
            self._scale, self.edges, self.edges[1:], self.slopes, strict=False
        ):
            upper = np.clip(mass, low, high)
            total = total + factor * _integral(low, upper, power - slope)
        return np.asarray(total)

    def number(self, low: ArrayLike, high: ArrayLike) -> FloatArray:
        """Count stars between two masses.

        Parameters
        ----------
        low, high : array-like
            Masses, suns.

        Returns
        -------
        array
            Stars per sun of stars formed.
        """
        return np.asarray(self._below(high, 0) - self._below(low, 0))

    def mass(self, low: ArrayLike, high: ArrayLike) -> FloatArray:
        """Sum the masses of stars between two masses.

        Parameters
        ----------
        low, high : array-like
            Masses, suns.

        Returns
        -------
        array
            Suns per sun of stars formed.
        """
        return np.asarray(self._below(high, 1) - self._below(low, 1))

    def draw(self, limit: float, count: int, rng: np.random.Generator) -> FloatArray:
        """Draw masses of stars above a limit.

        Parameters
        ----------
        limit : float
            Least mass, suns.
        count : int
            Stars.
        rng : Generator
            Random numbers.

        Returns
        -------
        (count,) array
            Suns.

        Raises
        ------
        ParameterError
            If there is no star above the limit.
        """
        if not limit < self.edges[-1]:
            raise ParameterError("limit", limit, f"below {self.edges[-1]:g}, the most massive star")
        ends = self._below(np.array(self.edges), 0)
        low = float(self._below(max(limit, self.edges[0]), 0))
        place = rng.uniform(low, ends[-1], count)
        return self._mass_at(place, ends)

    def _mass_at(self, place: FloatArray, ends: FloatArray) -> FloatArray:
        """Invert the number of stars below a mass."""
        piece = np.clip(np.searchsorted(ends, place, side="right") - 1, 0, len(self.slopes) - 1)
        edges = np.array(self.edges)[piece]
        power = 1 - np.array(self.slopes)[piece]
        inner = (place - ends[piece]) / self._scale[piece]
        flat = np.abs(power) < 1e-9
        safe = np.where(flat, 1.0, power)
        return np.asarray(
            np.where(flat, edges * np.exp(inner), (edges**safe + safe * inner) ** (1 / safe))
        )


KROUPA = IMF()
"""Kroupa (2001) from 0.08 to 120 suns."""


def _integral(low: float, high: ArrayLike, power: float) -> FloatArray:
    """Integrate ``m**power``."""
    high = np.asarray(high, float)
    if abs(power + 1) < 1e-9:
        return np.asarray(np.log(high / low))
    return np.asarray((high ** (power + 1) - low ** (power + 1)) / (power + 1))
