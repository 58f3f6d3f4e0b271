"""Projected profiles of star clusters by their half-light radius: draws, brightness, transforms.

All lengths are in half-light radii and all light adds up to 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
GAMMAS = (2.02, 8.0)
"""Slopes of EFF profiles that are possible: towards 2 the light moves to the edge."""
CONCENTRATIONS = (0.2, 2.5)
"""Concentrations of King profiles that are possible."""
TRUNCATION = 10.0
"""Where an EFF profile ends, half-light radii: one that falls slowly has no finite light."""


class Profile(ABC):
    """A round profile that ends at some radius."""

    @property
    @abstractmethod
    def edge(self) -> float:
        """Radius at which it ends, half-light radii."""

    @abstractmethod
    def light_within(self, radius: ArrayLike) -> FloatArray:
        """Part of the light within radii (half-light radii): 0.5 within 1."""

    @abstractmethod
    def brightness(self, radius: ArrayLike) -> FloatArray:
        """Surface brightness at radii, per square half-light radius; 0 beyond the edge."""

    @abstractmethod
    def radius_of(self, part: ArrayLike) -> FloatArray:
        """Radii within which there are parts (0 to 1) of the light, half-light radii."""

    @abstractmethod
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Wave numbers (cycles per edge) and the transform there."""

    def draw(self, count: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw stars.

        Parameters
        ----------
        count : int
            Stars.
        rng : Generator
            Random numbers.

        Returns
        -------
        x, y : (count,) arrays
            Places about the middle, half-light radii.
        """
        radius = self.radius_of(rng.random(count))
        angle = rng.uniform(0.0, 2.0 * np.pi, count)
        return radius * np.cos(angle), radius * np.sin(angle)

    def transform(self, frequency: ArrayLike) -> FloatArray:
        """Fourier transform of the profile, which is real and 1 at frequency 0.

        Parameters
        ----------
        frequency : array-like
            Cycles per half-light radius; ascending ones are fastest.

        Returns
        -------
        array
            To 1e-4; 0 beyond 300 cycles per edge.
        """
        waves, values = self._table()
        result: FloatArray = np.interp(np.asarray(frequency) * self.edge, waves, values, right=0.0)
        return result


@dataclass(frozen=True)
class EFF(Profile):
    """Profile of Elson, Fall & Freeman (1987, ApJ 323, 54): ``(1 + r^2 / a^2)**(-gamma / 2)``.

    Parameters
    ----------
    gamma : float
        Slope far out, 2.02 to 8.
    truncation : float
        Where it ends, half-light radii (those of the truncated profile), 2 to 100.

    Raises
    ------
    ParameterError
        For a slope or a truncation out of range.
    """

    gamma: float
    truncation: float = TRUNCATION

    def __post_init__(self) -> None:
        low, high = GAMMAS
        if not low <= self.gamma <= high:
            raise ParameterError("gamma", self.gamma, f"{low:g} to {high:g}")
        if not 2.0 <= self.truncation <= 100.0:
            raise ParameterError("truncation", self.truncation, "2 to 100 half-light radii")

    @property
    def edge(self) -> float:
        """Radius at which it ends, half-light radii."""
        return self.truncation

    @cached_property
    def scale(self) -> float:
        """The radius a, half-light radii."""
        from scipy.optimize import brentq

        def excess(log_scale: float) -> float:
            square = np.exp(-2.0 * log_scale)
            return float(self._untruncated(square) - 0.5 * self._untruncated(self.edge**2 * square))

        return float(np.exp(brentq(excess, -60.0, 5.0, xtol=1e-12)))

    def _untruncated(self, square: ArrayLike) -> FloatArray:
        """Part of the light within ``r^2 / a^2`` of a profile that goes on for ever."""
        return np.asarray(-np.expm1((1.0 - self.gamma / 2.0) * np.log1p(square)))

    @cached_property
    def _whole(self) -> float:
        """The part within the edge."""
        return float(self._untruncated((self.edge / self.scale) ** 2))

    def light_within(self, radius: ArrayLike) -> FloatArray:
        """Part of the light within radii (half-light radii): 0.5 within 1."""
        r = np.minimum(np.asarray(radius, float), self.edge)
        return self._untruncated((r / self.scale) ** 2) / self._whole

    def brightness(self, radius: ArrayLike) -> FloatArray:
        """Surface brightness at radii, per square half-light radius; 0 beyond the edge."""
        r = np.asarray(radius, float)
        peak = (self.gamma / 2.0 - 1.0) / (np.pi * self.scale**2 * self._whole)
        light = peak * (1.0 + (r / self.scale) ** 2) ** (-self.gamma / 2.0)
        return np.where(r <= self.edge, light, 0.0)

    def radius_of(self, part: ArrayLike) -> FloatArray:
        """Radii within which there are parts (0 to 1) of the light, half-light radii."""
        left = np.log1p(-self._whole * np.asarray(part, float))
        return np.asarray(self.scale * np.sqrt(np.expm1(left / (1.0 - self.gamma / 2.0))))

    def _table(self) -> tuple[FloatArray, FloatArray]:
        return _between_shapes(_eff_tables(self.truncation), self.gamma)


@dataclass(frozen=True)
class King(Profile):
    """Profile of King (1962, AJ 67, 471, eq. 14), which ends at its tidal radius.

    Parameters
    ----------
    concentration : float
        log10 of tidal over core radius, 0.2 to 2.5.

    Raises
    ------
    ParameterError
        For a concentration out of range.
    """

    concentration: float

    def __post_init__(self) -> None:
        low, high = CONCENTRATIONS
        if not low <= self.concentration <= high:
            raise ParameterError("concentration", self.concentration, f"{low:g} to {high:g}")

    @property
    def _ratio(self) -> float:
        return float(10.0**self.concentration)

    @cached_property
    def edge(self) -> float:
        """Radius at which it ends, half-light radii."""
        return self._ratio / float(self._core_radii_of(np.array(0.5)))

    def _integral(self, core_radii: FloatArray) -> FloatArray:
        """Light within radii in core radii (King 1962, eq. 18), without its constant."""
        x = core_radii**2
        end = np.sqrt(1.0 + self._ratio**2)
        return np.asarray(np.log1p(x) - 4.0 * (np.sqrt(1.0 + x) - 1.0) / end + x / end**2)

    @cached_property
    def _steps(self) -> tuple[FloatArray, FloatArray]:
        """Radii in core radii, and the part of the light within them."""
        radii = self._ratio * np.linspace(0.0, 1.0, 4097) ** 2
        light = self._integral(radii)
        return radii, light / light[-1]

    def _core_radii_of(self, part: FloatArray) -> FloatArray:
        radii, light = self._steps
        # light grows with the square of the radius: even in the first step a straight line
        return np.asarray(np.sqrt(np.interp(part, light, radii**2)))

    def light_within(self, radius: ArrayLike) -> FloatArray:
        """Part of the light within radii (half-light radii): 0.5 within 1."""
        r = np.minimum(np.asarray(radius, float) / self.edge, 1.0) * self._ratio
        return self._integral(r) / float(self._integral(np.array(self._ratio)))

    def brightness(self, radius: ArrayLike) -> FloatArray:
        """Surface brightness at radii, per square half-light radius; 0 beyond the edge."""
        r = np.asarray(radius, float) / self.edge * self._ratio
        end = np.sqrt(1.0 + self._ratio**2)
        shape = np.maximum(1.0 / np.sqrt(1.0 + r**2) - 1.0 / end, 0.0) ** 2
        whole = np.pi * float(self._integral(np.array(self._ratio)))
        return np.asarray(shape * (self._ratio / self.edge) ** 2 / whole)

    def radius_of(self, part: ArrayLike) -> FloatArray:
        """Radii within which there are parts (0 to 1) of the light, half-light radii."""
        return self._core_radii_of(np.asarray(part, float)) * (self.edge / self._ratio)

    def _table(self) -> tuple[FloatArray, FloatArray]:
        return _between_shapes(_king_tables(), self.concentration)


_Tables = tuple[FloatArray, FloatArray, FloatArray]


@lru_cache(maxsize=4)
def _eff_tables(truncation: float) -> _Tables:
    # steps grow with the slope: near 2 the core shrinks fast
    low, high = GAMMAS
    gammas = low + (high - low) * np.linspace(0.0, 1.0, 91) ** 2
    return _tables(lambda gamma: EFF(gamma, truncation), gammas)


@lru_cache(maxsize=1)
def _king_tables() -> _Tables:
    return _tables(King, np.linspace(*CONCENTRATIONS, 93))


def _tables(make: Callable[[float], Profile], shapes: FloatArray) -> _Tables:
    """Shapes, wave numbers in cycles per edge, and the transforms (shapes, wave numbers)."""
    from scipy.special import j0

    waves = 300.0 * np.linspace(0.0, 1.0, 2001) ** 3
    knots = np.concatenate([[0.0], np.geomspace(1e-5, 0.01, 16), np.linspace(0.02, 1.0, 99)])
    nodes, weights = np.polynomial.legendre.leggauss(12)
    half = np.diff(knots)[:, None] / 2.0
    radii = (knots[:-1, None] + half * (1.0 + nodes)).ravel()
    areas = 2.0 * np.pi * radii * (half * weights).ravel()
    light = np.empty((len(shapes), len(radii)))
    for row, shape in zip(light, shapes, strict=True):
        profile = make(float(shape))
        row[:] = profile.brightness(profile.edge * radii) * profile.edge**2 * areas
    light /= light.sum(axis=1, keepdims=True)
    values = np.concatenate(
        [light @ j0(2.0 * np.pi * np.outer(radii, part)) for part in np.array_split(waves, 8)],
        axis=1,
    )
    return shapes, waves, values


def _between_shapes(tables: _Tables, shape: float) -> tuple[FloatArray, FloatArray]:
    shapes, waves, values = tables
    upper = int(np.clip(np.searchsorted(shapes, shape), 1, len(shapes) - 1))
    part = (shape - shapes[upper - 1]) / (shapes[upper] - shapes[upper - 1])
    part = float(np.clip(part, 0.0, 1.0))
    return waves, (1.0 - part) * values[upper - 1] + part * values[upper]
