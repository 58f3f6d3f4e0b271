"""Fields in two filters for tests of completeness: clusters about a giant galaxy, and a halo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.simulate.field import Seed, StarField

FloatArray = NDArray[np.float64]

BANDS = ("F555W", "F814W")
GAIN_SETTING = 15
SERSIC_INDEX = 4.0
_SERSIC_B = 7.669  # half of the light of an index of 4 is within the effective radius
# Colour of the galaxy's light against the sky's: electrons in F814W per electron in F555W.
_GALAXY_RED = 1.5
_HALO_RED = 1.6


@dataclass(frozen=True, eq=False)
class Scene:
    """True stars and diffuse light of one chip in several filters.

    Parameters
    ----------
    name : str
        What it shows.
    chip : str
        WFPC2's, for example ``"WF3"``.
    bands : tuple of str
        Filters.
    exposure_times : tuple of float
        Seconds in each.
    x, y : (n,) float64 arrays
        True positions, pixels from 0.
    mag : (n, b) float64 array
        True VEGAMAG in each filter.
    skies : tuple of (ny, nx) float64 arrays
        Light between the stars in each filter, electrons per pixel.
    centre : (float, float) or None
        x and y of what the scene is arranged about.
    gain_setting : int
        ATODGAIN.
    settings : dict
        Plain values that it was made with.

    Raises
    ------
    ParameterError
        For shapes that do not belong together.
    """

    name: str
    chip: str
    bands: tuple[str, ...]
    exposure_times: tuple[float, ...]
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    skies: tuple[FloatArray, ...]
    centre: tuple[float, float] | None = None
    gain_setting: int = GAIN_SETTING
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, b = len(self.x), len(self.bands)
        if self.mag.shape != (n, b) or self.y.shape != (n,):
            raise ParameterError("mag", self.mag.shape, f"{n} stars in {b} bands")
        if not len(self.skies) == len(self.exposure_times) == b:
            raise ParameterError("skies", len(self.skies), f"one image and time for each of {b}")
        if len({sky.shape for sky in self.skies}) != 1:
            raise ParameterError("skies", [sky.shape for sky in self.skies], "images of one shape")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.skies[0].shape[0], self.skies[0].shape[1]

    @property
    def zero_points(self) -> FloatArray:
        """VEGAMAG of one electron in each filter's exposure, (b,)."""
        return np.array(
            [
                zero_point(self.chip, band, time, self.gain_setting)
                for band, time in zip(self.bands, self.exposure_times, strict=True)
            ]
        )

    @property
    def flux(self) -> FloatArray:
        """True electrons, (n, b)."""
        return np.asarray(10 ** (0.4 * (self.zero_points - self.mag)), float)

    def stars(self, band: str) -> StarField:
        """Positions and fluxes in a filter.

        Raises
        ------
        ParameterError
            For a filter that the scene does not have.
        """
        if band not in self.bands:
            raise ParameterError("band", band, "one of " + ", ".join(self.bands))
        return StarField(self.x, self.y, self.flux[:, self.bands.index(band)].copy())


def zero_point(chip: str, band: str, exposure_time: float, gain_setting: int) -> float:
    """VEGAMAG of one electron.

    Parameters
    ----------
    chip, band : str
        WFPC2's chip and filter.
    exposure_time : float
        Seconds.
    gain_setting : int
        ATODGAIN, 7 or 15.

    Returns
    -------
    float
        Magnitudes.

    Raises
    ------
    ParameterError
        For a chip, filter, gain or time without a zero point.
    """
    from filar.instruments.wfpc2_facts import CHIPS, GAINS, vega_zeropoint

    if chip not in CHIPS or gain_setting not in GAINS:
        raise ParameterError("chip, gain_setting", (chip, gain_setting), "WFPC2's, and 7 or 15")
    if not 0 < exposure_time < np.inf:
        raise ParameterError("exposure_time", exposure_time, "a positive number of seconds")
    zero = vega_zeropoint(band, chip, gain_setting)
    if not np.isfinite(zero):
        raise ParameterError("band", band, "a filter with a VEGAMAG zero point")
    return float(zero + 2.5 * np.log10(GAINS[gain_setting][chip] * exposure_time))


def galaxy_scene(
    number: int = 5000,
    *,
    chip: str = "WF3",
    shape: tuple[int, int] = (800, 800),
    exposure_time: float = 2000.0,
    sky: float = 30.0,
    effective_radius: float = 250.0,
    effective_level: float = 60.0,
    core_radius: float = 50.0,
    seed: Seed = None,
) -> Scene:
    """Star clusters about a giant galaxy whose light is a strong, steep background.

    Shaped like the field of NGC 1275 (Harris & Speagle 2024): point-like clusters whose colours
    cover a wide range (two old groups, young blue ones near the centre) and faint background
    objects. The clusters' luminosity function has a peak near the limit, that of the background
    rises. The galaxy follows de Vaucouleurs' law, softened in the core.

    Parameters
    ----------
    number : int
        Objects.
    chip : str
        WFPC2's.
    shape : (int, int)
        Rows and columns.
    exposure_time : float
        Seconds in each filter.
    sky : float
        Electrons per pixel far from the galaxy.
    effective_radius : float
        Of the galaxy, pixels.
    effective_level : float
        Its light at that radius in F555W, electrons per pixel.
    core_radius : float
        Radius within which its light hardly rises, pixels.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    Scene

    Raises
    ------
    ParameterError
        For a negative number, or light that is negative.
    """
    _check(number, sky=sky, effective_level=effective_level, core_radius=core_radius)
    if not effective_radius > 0:
        raise ParameterError("effective_radius", effective_radius, "a positive number of pixels")
    rng = np.random.default_rng(seed)
    ny, nx = shape
    centre = (0.52 * nx, 0.55 * ny)
    clusters = rng.random(number) < 0.6
    x, y = rng.uniform(-0.5, nx - 0.5, number), rng.uniform(-0.5, ny - 0.5, number)
    x[clusters], y[clusters] = _about(centre, shape, int(clusters.sum()), rng)
    radius = np.hypot(x - centre[0], y - centre[1])
    visual = _truncated(lambda n: rng.normal(26.6, 1.3, n), number, (20.5, 28.8))
    rising = draw_exponential(number, (22.0, 28.8), 0.35, rng)
    visual = np.where(clusters, visual, rising)
    mag = np.stack([visual, visual - _cluster_colours(clusters, radius, nx, rng)], axis=1)
    rows, columns = np.mgrid[:ny, :nx]
    softened = np.sqrt((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 + core_radius**2)
    light = effective_level * np.exp(
        -_SERSIC_B * ((softened / effective_radius) ** (1 / SERSIC_INDEX) - 1.0)
    )
    settings = {"number": number, "exposure_time": exposure_time, "sky": sky}
    settings |= {"effective_radius": effective_radius, "effective_level": effective_level}
    settings["core_radius"] = core_radius
    skies = (sky + light, sky + _GALAXY_RED * light)
    times = (exposure_time, exposure_time)
    return Scene("galaxy", chip, BANDS, times, x, y, mag, skies, centre, settings=settings)


def halo_scene(
    number: int = 20_000,
    *,
    chip: str = "WF3",
    shape: tuple[int, int] = (800, 800),
    exposure_time: float = 2000.0,
    sky: float = 30.0,
    contrast: float = 20.0,
    limits: tuple[float, float] = (21.5, 26.7),
    beta: float = 0.8,
    seed: Seed = None,
) -> Scene:
    """Red giants of a halo, whose density falls by an order of magnitude across the field.

    Shaped like the field of NGC 3377 (Harris & Speagle 2024): an exponential luminosity function
    of 10^(beta m) in F814W, a giant branch that gets redder towards its tip with a spread of
    metallicities, and the light of what is fainter than the faintest stars drawn.

    Parameters
    ----------
    number : int
        Stars.
    chip : str
        WFPC2's.
    shape : (int, int)
        Rows and columns.
    exposure_time : float
        Seconds in each filter.
    sky : float
        Electrons per pixel without the halo.
    contrast : float
        Density at the left border over that at the right one.
    limits : (float, float)
        Brightest and faintest magnitude in F814W.
    beta : float
        Slope of the luminosity function.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    Scene

    Raises
    ------
    ParameterError
        For a negative number, light or a contrast below 1.
    """
    _check(number, sky=sky, contrast=contrast - 1.0)
    rng = np.random.default_rng(seed)
    ny, nx = shape
    rate = np.log(max(contrast, 1.0 + 1e-9))
    part = -np.log1p(rng.random(number) * np.expm1(-rate)) / rate
    x, y = part * nx - 0.5, rng.uniform(-0.5, ny - 0.5, number)
    red = draw_exponential(number, limits, beta, rng)
    above = np.clip(limits[1] - red, 0.0, None)
    # A giant branch: redder and more spread towards its tip.
    colour = 0.95 + 0.02 * above + 0.035 * above**2
    colour += (0.18 + 0.06 * above) * rng.gamma(4.0, 0.25, number) - 0.15
    colour += rng.normal(0.0, 0.05, number)
    mag = np.stack([red + colour, red], axis=1)
    density = np.exp(-rate * (np.arange(nx) + 0.5) / nx)
    density *= number * rate / -np.expm1(-rate) / (nx * ny)
    # Unresolved stars give about as much light as half an electron times 300 per resolved one.
    light = np.broadcast_to(150.0 * density, shape)
    settings: dict[str, Any] = {"number": number, "exposure_time": exposure_time, "sky": sky}
    settings |= {"contrast": contrast, "limits": list(limits), "beta": beta}
    skies = (sky + light, sky + _HALO_RED * light)
    times = (exposure_time, exposure_time)
    return Scene("halo", chip, BANDS, times, x, y, mag, skies, settings=settings)


SCENES: dict[str, Callable[..., Scene]] = {"galaxy": galaxy_scene, "halo": halo_scene}
"""Scenes by name."""


def draw_exponential(
    number: int, limits: tuple[float, float], beta: float, seed: Seed
) -> FloatArray:
    """Draw magnitudes whose numbers rise as 10^(beta m): equation 2 of Harris & Speagle (2024).

    Parameters
    ----------
    number : int
        How many.
    limits : (float, float)
        Brightest and faintest magnitude.
    beta : float
        Slope; 0 is flat.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    (number,) float64 array
        Magnitudes.

    Raises
    ------
    ParameterError
        For limits that do not rise.
    """
    low, high = limits
    if not -np.inf < low < high < np.inf:
        raise ParameterError("limits", limits, "two rising magnitudes")
    uniform = np.random.default_rng(seed).random(number)
    if abs(beta) < 1e-9:
        return np.asarray(low + uniform * (high - low), float)
    rate = beta * np.log(10.0)
    return np.asarray(low + np.log1p(uniform * np.expm1(rate * (high - low))) / rate, float)


def _check(number: int, **values: float) -> None:
    if number < 0:
        raise ParameterError("number", number, "0 or more stars")
    for name, value in values.items():
        if not 0 <= value < np.inf:
            raise ParameterError(name, value, "a finite number that is not below its least")


def _truncated(draw: Any, number: int, limits: tuple[float, float]) -> FloatArray:
    """Draw again what falls outside of the limits."""
    values = np.asarray(draw(number), float)
    while len(out := np.flatnonzero((values < limits[0]) | (values > limits[1]))):
        values[out] = draw(len(out))
    return values


def _about(
    centre: tuple[float, float], shape: tuple[int, int], number: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Places whose density falls as one over the distance: as many in every ring."""
    ny, nx = shape
    x, y = np.empty(number), np.empty(number)
    left = np.arange(number)
    while len(left):
        radius = rng.uniform(0.0, 0.75 * max(shape), len(left))
        angle = rng.uniform(0.0, 2.0 * np.pi, len(left))
        x[left], y[left] = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        inside = (x[left] >= -0.5) & (x[left] < nx - 0.5) & (y[left] >= -0.5) & (y[left] < ny - 0.5)
        left = left[~inside]
    return x, y


def _cluster_colours(
    clusters: NDArray[np.bool_], radius: FloatArray, width: int, rng: np.random.Generator
) -> FloatArray:
    """Old blue and red clusters, young ones near the centre, and the background's wide range."""
    n = len(clusters)
    old = np.where(rng.random(n) < 0.5, rng.normal(0.95, 0.08, n), rng.normal(1.25, 0.12, n))
    young = rng.random(n) < 0.5 * np.exp(-radius / (0.2 * width))
    colour = np.where(young, rng.uniform(-0.5, 0.7, n), old)
    return np.where(clusters, colour, rng.uniform(-0.5, 2.8, n))
