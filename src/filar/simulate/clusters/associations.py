"""Loose groups of stars, and stars that happen to lie close together: what are no clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
SUBGROUPS = (1, 5)  # of an association, from and to


@dataclass(frozen=True)
class GroupSettings:
    """What loose groups are like; every pair is a range from which each group is drawn.

    Parameters
    ----------
    associations : float
        Mean number per square kiloparsec, times the young light over its mean.
    radius : (float, float)
        Radius that holds half of the stars, parsec; drawn evenly in its logarithm.
    mass : (float, float)
        Initial mass, Msun; dN/dM is proportional to M^-2.
    log_age : (float, float)
        log10 of years.
    chance : float
        Mean number of chance groups per square arcmin: bright stars of the field moved together.
    chance_stars : (int, int)
        Stars in one of them.
    chance_radius : (float, float)
        Their 1 sigma distance from the middle, arcsec.

    Raises
    ------
    ParameterError
        For a range the wrong way round or out of bounds.
    """

    associations: float = 30.0
    radius: tuple[float, float] = (12.0, 60.0)
    mass: tuple[float, float] = (300.0, 2e4)
    log_age: tuple[float, float] = (6.6, 7.7)
    chance: float = 35.0
    chance_stars: tuple[int, int] = (3, 8)
    chance_radius: tuple[float, float] = (0.06, 0.35)

    def __post_init__(self) -> None:
        for name in ("associations", "chance"):
            if not 0 <= getattr(self, name) <= 1e6:
                raise ParameterError(name, getattr(self, name), "0 to 1e6")
        for name, (lowest, highest) in _BOUNDS.items():
            low, high = getattr(self, name)
            if not lowest <= low <= high <= highest:
                allowed = f"two numbers from {lowest:g} to {highest:g}, the smaller first"
                raise ParameterError(name, (low, high), allowed)


_BOUNDS = {
    "radius": (0.1, 1e4),
    "mass": (1.0, 1e7),
    "log_age": (6.0, 10.2),
    "chance_stars": (1, 1000),
    "chance_radius": (0.0, 100.0),
}


@dataclass(frozen=True, eq=False)
class Associations:
    """Associations of one scene.

    Parameters
    ----------
    x, y : (n,) array
        Pixels.
    radius : (n,) array
        Radius that holds half of the stars, pixels.
    mass : (n,) array
        Initial mass, Msun.
    log_age : (n,) array
        log10 of years.
    """

    x: FloatArray
    y: FloatArray
    radius: FloatArray
    mass: FloatArray
    log_age: FloatArray

    def __len__(self) -> int:
        return len(self.x)


def positions_from(
    density: FloatArray, count: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw positions from a map.

    Parameters
    ----------
    density : (ny, nx) array
        Not negative, in any unit.
    count : int
        Positions.
    rng : Generator
        Random numbers.

    Returns
    -------
    x, y : (count,) array
        Pixels; evenly spread within each pixel.
    """
    total = np.cumsum(density.ravel())
    chosen = np.searchsorted(total, rng.uniform(0.0, total[-1], count), side="right")
    row, column = np.divmod(np.minimum(chosen, density.size - 1), density.shape[1])
    jitter = rng.uniform(-0.5, 0.5, (2, count))
    return column + jitter[0], row + jitter[1]


def draw_associations(
    settings: GroupSettings, young: FloatArray, pixel_parsec: float, rng: np.random.Generator
) -> Associations:
    """Draw the associations of a scene; they lie where the young light is.

    Parameters
    ----------
    settings : GroupSettings
        What they are like.
    young : (ny, nx) array
        Young light, in any unit.
    pixel_parsec : float
        Parsec per pixel.
    rng : Generator
        Random numbers.

    Returns
    -------
    Associations
    """
    area = young.size * (pixel_parsec / 1000.0) ** 2
    count = int(rng.poisson(settings.associations * area))
    x, y = positions_from(young, count, rng)
    low, high = settings.mass
    # dN/dM = M^-2 between two masses, by its inverse
    mass = 1.0 / (1.0 / low - rng.uniform(size=count) * (1.0 / low - 1.0 / high))
    smallest, largest = np.log(settings.radius)
    radius = np.exp(rng.uniform(smallest, largest, count))
    log_age = rng.uniform(*settings.log_age, count)
    return Associations(x, y, radius / pixel_parsec, mass, log_age)


def member_positions(
    count: int, radius: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Places of the stars of an association: a few elongated Gaussian clumps.

    Parameters
    ----------
    count : int
        Stars.
    radius : float
        Radius that holds half of them, on average; pixels.
    rng : Generator
        Random numbers.

    Returns
    -------
    x, y : (count,) array
        Pixels from the middle.
    """
    parts = int(rng.integers(SUBGROUPS[0], SUBGROUPS[1] + 1))
    sigma = radius / np.sqrt(2.0 * np.log(2.0))
    # with several clumps half of the variance lies between them
    between = 0.0 if parts == 1 else np.sqrt(0.5)
    middles = between * sigma * rng.standard_normal((parts, 2))
    widths = np.sqrt(1.0 - between**2) * sigma * rng.uniform(0.5, 1.4, parts)
    which = rng.integers(0, parts, count)
    offsets = widths[which, None] * rng.standard_normal((count, 2)) + middles[which]
    stretch, angle = np.sqrt(rng.uniform(0.5, 1.0)), rng.uniform(0.0, np.pi)
    u, v = offsets[:, 0] / stretch, offsets[:, 1] * stretch
    return np.cos(angle) * u - np.sin(angle) * v, np.sin(angle) * u + np.cos(angle) * v


def chance_groups(
    settings: GroupSettings,
    shape: tuple[int, int],
    pixel_scale: float,
    bright: NDArray[np.intp],
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], FloatArray, FloatArray, FloatArray]:
    """Choose stars and where they move to, so that they look like a cluster.

    Parameters
    ----------
    settings : GroupSettings
        How many groups, of how many stars.
    shape : (int, int)
        Rows and columns of the scene.
    pixel_scale : float
        Arcsec per pixel.
    bright : (m,) int array
        The stars that may be taken.
    rng : Generator
        Random numbers.

    Returns
    -------
    star : (k,) int array
        Stars that move, all different.
    x, y : (k,) array
        Where to, pixels.
    middles : (g, 2) array
        Middles of the groups, x and y.
    """
    area = shape[0] * shape[1] * (pixel_scale / 60.0) ** 2
    sizes = rng.integers(
        settings.chance_stars[0], settings.chance_stars[1] + 1, rng.poisson(settings.chance * area)
    )
    sizes = sizes[np.cumsum(sizes) <= len(bright)]
    star = rng.permutation(bright)[: int(sizes.sum())]
    middles = rng.uniform(size=(len(sizes), 2)) * np.array([shape[1], shape[0]]) - 0.5
    sigma = rng.uniform(*settings.chance_radius, len(sizes)) / pixel_scale
    group = np.repeat(np.arange(len(sizes)), sizes)
    place = middles[group] + sigma[group, None] * rng.standard_normal((len(group), 2))
    return star, place[:, 0], place[:, 1], middles
