"""Star lists to simulate: positions with random pixel fractions and a power law of fluxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
Seed = int | np.random.SeedSequence | np.random.Generator | None

_ATTEMPTS = 50


@dataclass(frozen=True, eq=False)
class StarField:
    """True positions and fluxes of the stars of one chip.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Positions, pixels from 0; an integer is the centre of a pixel.
    flux : (n,) float64 array
        Electrons in the whole star image.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray

    def __post_init__(self) -> None:
        if not self.x.shape == self.y.shape == self.flux.shape or self.x.ndim != 1:
            shapes = (self.x.shape, self.y.shape, self.flux.shape)
            raise ParameterError("x, y, flux", shapes, "three one-dimensional arrays of one length")
        if not all(np.isfinite(a).all() for a in (self.x, self.y, self.flux)):
            raise ParameterError("x, y, flux", "NaN or infinite values", "finite numbers")

    def __len__(self) -> int:
        return len(self.x)


def draw_fluxes(number: int, limits: tuple[float, float], slope: float, seed: Seed) -> FloatArray:
    """Draw fluxes from a power law, dN/dF proportional to F^-slope between two limits.

    Counts per magnitude then rise as 10^(0.4 (slope - 1) m): 1.5 is like a globular cluster's
    main sequence, 1 is flat in magnitude.

    Parameters
    ----------
    number : int
        How many.
    limits : (float, float)
        Faintest and brightest flux, electrons.
    slope : float
        Exponent.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    (number,) float64 array
        Electrons.

    Raises
    ------
    ParameterError
        For limits that are not positive and rising, or a negative number.
    """
    low, high = limits
    if not 0 < low <= high < np.inf:
        raise ParameterError("limits", limits, "two rising positive fluxes in electrons")
    if number < 0:
        raise ParameterError("number", number, "0 or more stars")
    uniform = np.random.default_rng(seed).random(number)
    power = 1.0 - slope
    if abs(power) < 1e-9:
        return np.asarray(low * (high / low) ** uniform, float)
    drawn = (low**power + uniform * (high**power - low**power)) ** (1 / power)
    return np.asarray(np.clip(drawn, low, high), float)


def draw_stars(
    number: int,
    shape: tuple[int, int] = (800, 800),
    *,
    limits: tuple[float, float] = (200.0, 500_000.0),
    slope: float = 1.6,
    core_radius: float | None = None,
    separation: float = 0.0,
    origin: tuple[int, int] = (0, 0),
    seed: Seed = None,
) -> StarField:
    """Draw a star field.

    Parameters
    ----------
    number : int
        How many stars. Fewer are returned if no more fit with the separation asked for.
    shape : (int, int)
        Rows and columns of the chip.
    limits : (float, float)
        Faintest and brightest flux, electrons.
    slope : float
        Exponent of the power law of fluxes, see `draw_fluxes`.
    core_radius : float or None
        Crowding: concentrate the stars about the middle of the chip with a Plummer surface density
        of this core radius in pixels; None spreads them evenly.
    separation : float
        Smallest distance between two stars, pixels.
    origin : (int, int)
        First column and row that get stars.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    StarField
        In no order.

    Raises
    ------
    ParameterError
        For values without meaning.
    """
    ny, nx = shape
    if not (0 <= origin[0] < nx and 0 <= origin[1] < ny):
        raise ParameterError("origin", origin, f"a column and row of a {nx} x {ny} chip")
    if core_radius is not None and not core_radius > 0:
        raise ParameterError("core_radius", core_radius, "a positive number of pixels, or None")
    if not separation >= 0:
        raise ParameterError("separation", separation, "0 or more pixels")
    rng = np.random.default_rng(seed)
    flux = draw_fluxes(number, limits, slope, rng)
    box = (origin[0] - 0.5, origin[1] - 0.5, nx - 0.5, ny - 0.5)
    points = draw_positions(number, box, core_radius, rng)
    if separation > 0:
        for _ in range(_ATTEMPTS):
            points = points[apart(points, separation)]
            if len(points) >= number:
                break
            points = np.concatenate([points, draw_positions(number, box, core_radius, rng)])
        points = points[apart(points, separation)][:number]
    return StarField(points[:, 0].copy(), points[:, 1].copy(), flux[: len(points)])


def draw_positions(
    number: int,
    box: tuple[float, float, float, float],
    core_radius: float | None,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw places of stars.

    Parameters
    ----------
    number : int
        How many.
    box : (float, float, float, float)
        Smallest x and y, largest x and y, pixels.
    core_radius : float or None
        Of a Plummer surface density about the middle of the box, pixels; None spreads evenly.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (number, 2) array
        x and y.
    """
    low, high = np.array(box[:2]), np.array(box[2:])
    if core_radius is None:
        return rng.uniform(low, high, (number, 2))
    kept = np.empty((0, 2))
    while len(kept) < number:
        u = rng.random(2 * number)
        radius = core_radius * np.sqrt(u / (1.0 - u))
        angle = rng.uniform(0, 2 * np.pi, 2 * number)
        points = 0.5 * (low + high) + radius[:, None] * np.stack(
            [np.cos(angle), np.sin(angle)], axis=1
        )
        kept = np.concatenate([kept, points[((points >= low) & (points < high)).all(axis=1)]])
    return kept[:number]


def apart(points: FloatArray, separation: float) -> NDArray[np.bool_]:
    """Mark the points to keep so that, of each close pair, at most the earlier one stays.

    Parameters
    ----------
    points : (n, 2) array
    separation : float
        Smallest distance, in the points' unit.

    Returns
    -------
    (n,) bool array
    """
    from scipy.spatial import cKDTree

    keep = np.ones(len(points), bool)
    pairs = cKDTree(points).query_pairs(separation, output_type="ndarray")
    keep[pairs.max(axis=1)] = False
    return keep
