"""A piece of a galaxy's disc: where its old and young light is, and how much dust."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.simulate.clusters.dust import dust_map, turbulence

FloatArray = NDArray[np.float64]
SUN_V = 4.81  # absolute magnitude of the Sun
ARCSEC_PER_RADIAN = 206_264.8


@dataclass(frozen=True)
class DiscSettings:
    """What pieces of a disc are like; every pair is a range from which each piece is drawn.

    Parameters
    ----------
    surface_brightness : (float, float)
        V of the whole light before dust, mag/arcsec2, brightest first. M 83's disc has 20.5 to 23.
    young_share : (float, float)
        Part of the V light that is of stars under 200 Myr, averaged over the piece.
    timescale : (float, float)
        Gyr in which the formation of the older stars has declined by e; drawn evenly in its
        logarithm.
    scale_length : (float, float)
        Length over which the old light falls by e, parsec; drawn evenly in its logarithm.
    arm_width : (float, float)
        Half-width (1 sigma) of a spiral arm, parsec.
    arm_contrast : (float, float)
        Young light in the middle of the arm over that far from it, minus 1.
    clumpiness : (float, float)
        Standard deviation of ln(young light).
    dust : (float, float)
        Mean A_V through the disc, mag; drawn evenly in its logarithm.
    dust_contrast : (float, float)
        Standard deviation of ln A_V.
    lane_depth : (float, float)
        A_V that a lane adds, mag.
    cloud_size : (float, float)
        Outer scale of clouds and clumps, parsec.

    Raises
    ------
    ParameterError
        For a range the wrong way round or out of bounds.
    """

    surface_brightness: tuple[float, float] = (20.5, 23.0)
    young_share: tuple[float, float] = (0.1, 0.6)
    timescale: tuple[float, float] = (3.0, 30.0)
    scale_length: tuple[float, float] = (250.0, 5000.0)
    arm_width: tuple[float, float] = (40.0, 200.0)
    arm_contrast: tuple[float, float] = (0.0, 6.0)
    clumpiness: tuple[float, float] = (0.4, 1.1)
    dust: tuple[float, float] = (0.1, 1.2)
    dust_contrast: tuple[float, float] = (0.4, 0.9)
    lane_depth: tuple[float, float] = (0.0, 2.5)
    cloud_size: tuple[float, float] = (60.0, 300.0)

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _BOUNDS.items():
            low, high = getattr(self, name)
            if not lowest <= low <= high <= highest:
                allowed = f"two numbers from {lowest:g} to {highest:g}, the smaller first"
                raise ParameterError(name, (low, high), allowed)


_BOUNDS = {
    "surface_brightness": (15.0, 30.0),
    "young_share": (0.0, 1.0),
    "timescale": (0.5, 1e3),
    "scale_length": (1.0, 1e6),
    "arm_width": (1.0, 1e5),
    "arm_contrast": (0.0, 100.0),
    "clumpiness": (0.0, 2.0),
    "dust": (1e-3, 5.0),
    "dust_contrast": (0.0, 2.0),
    "lane_depth": (0.0, 5.0),
    "cloud_size": (1.0, 1e4),
}


@dataclass(frozen=True, eq=False)
class Disc:
    """A piece of a disc.

    Parameters
    ----------
    old, young : (ny, nx) array
        V luminosity in each pixel before dust, in solar luminosities.
    a_v : (ny, nx) array
        A_V through the whole disc, mag.
    pixel_parsec : float
        Parsec per pixel.
    facts : dict
        What was drawn, plain numbers.
    """

    old: FloatArray
    young: FloatArray
    a_v: FloatArray
    pixel_parsec: float
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.old.shape[0], self.old.shape[1]


def draw_disc(
    settings: DiscSettings,
    shape: tuple[int, int],
    pixel_scale: float,
    distance_mpc: float,
    rng: np.random.Generator,
) -> Disc:
    """Draw a piece of a disc.

    Parameters
    ----------
    settings : DiscSettings
        The ranges.
    shape : (int, int)
        Rows and columns.
    pixel_scale : float
        Arcsec per pixel.
    distance_mpc : float
        Megaparsec.
    rng : Generator
        Random numbers.

    Returns
    -------
    Disc
        An exponential gradient; one spiral arm, a smooth ridge with clumps of log-normal young
        light, crosses the piece or passes it by; the dust lane follows the arm's inner edge.
    """
    drawn = {name: rng.uniform(*getattr(settings, name)) for name in _BOUNDS}
    for name in ("timescale", "scale_length", "dust", "cloud_size"):
        drawn[name] = float(np.exp(rng.uniform(*np.log(getattr(settings, name)))))
    pixel_parsec = pixel_scale * distance_mpc * 1e6 / ARCSEC_PER_RADIAN
    clouds = drawn["cloud_size"] / pixel_parsec
    outward = rng.uniform(0.0, 2.0 * np.pi)
    y, x = _parsecs(shape, pixel_parsec)
    along = np.cos(outward) * x + np.sin(outward) * y
    # over a piece longer than the scale length the gradient would take all numbers
    old = np.exp(-np.clip(along / drawn["scale_length"], -2.0, 2.0))
    across = _from_arm(x, y, outward, drawn["arm_width"], rng)
    warp = turbulence(shape, 3.5, rng, outer=2.0 * clouds)
    across = across + 0.5 * drawn["arm_width"] * warp
    arm = np.exp(-0.5 * (across / drawn["arm_width"]) ** 2)
    clumps = np.exp(drawn["clumpiness"] * turbulence(shape, 2.6, rng, outer=clouds))
    young = old * (1.0 + drawn["arm_contrast"] * arm) * clumps
    inner = (across + 1.2 * drawn["arm_width"]) / (0.35 * drawn["arm_width"])
    a_v = dust_map(
        shape,
        drawn["dust"],
        rng,
        contrast=drawn["dust_contrast"],
        slope=3.0,
        outer=clouds,
        lane=np.exp(-0.5 * inner**2),
        lane_depth=drawn["lane_depth"],
    )
    light = _luminosity(drawn["surface_brightness"], pixel_scale, distance_mpc)
    share = drawn["young_share"]
    facts = {name: float(value) for name, value in drawn.items()}
    facts["outward"] = float(outward)
    return Disc(
        light * (1.0 - share) * old / old.mean(),
        light * share * young / young.mean(),
        a_v,
        pixel_parsec,
        facts,
    )


def _parsecs(shape: tuple[int, int], pixel_parsec: float) -> tuple[FloatArray, FloatArray]:
    """Distances of rows and columns from the middle, parsec."""
    y, x = (pixel_parsec * (np.arange(n, dtype=np.float64) - (n - 1) / 2.0) for n in shape)
    return y[:, None], x[None, :]


def _from_arm(
    x: FloatArray, y: FloatArray, outward: float, width: float, rng: np.random.Generator
) -> FloatArray:
    """Distance from the arm's ridge, parsec; positive outward."""
    # arms wind with a pitch angle of 10 to 25 degrees: their normal points almost outward
    normal = outward + np.radians(rng.uniform(10.0, 25.0)) * rng.choice([-1.0, 1.0])
    across = np.cos(normal) * x + np.sin(normal) * y
    along = -np.sin(normal) * x + np.cos(normal) * y
    half = 0.5 * max(np.ptp(x), np.ptp(y))
    offset = rng.uniform(-half - width, half + width)
    radius = rng.uniform(2000.0, 6000.0)  # of the curved ridge, parsec
    return np.asarray(across - offset + along**2 / (2.0 * radius))


def _luminosity(surface_brightness: float, pixel_scale: float, distance_mpc: float) -> float:
    """Solar V luminosities of a pixel."""
    modulus = 25.0 + 5.0 * np.log10(distance_mpc)
    magnitude = surface_brightness - 2.5 * np.log10(pixel_scale**2) - modulus
    return float(10.0 ** (-0.4 * (magnitude - SUN_V)))
