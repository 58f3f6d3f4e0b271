"""PSFs as they might be: a wide range of telescopes' states to train for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.psf.family import OpticalFamily
from filar.psf.library import WFPC2_SCALES, family_for
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.optics import FOCUS_WAVES_PER_MICRON

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PSFRanges:
    """How far the states of a telescope and a detector are spread.

    Parameters
    ----------
    focus : float
        Largest despace to either side, microns.
    low, middle, high : float
        Standard deviations of Zernike coefficients, waves rms at 547 nm: Noll index 5 to 11, 12 to
        21, and 21 on, where they fall with the index.
    variation : float
        Of a low coefficient's linear terms over the chip, in units of its own.
    shift : float
        Standard deviation of the camera obscuration's shift, primary radii.
    band : float
        Of tilt and curvature of the passband.
    jitter : (float, float)
        Range of the jitter along each of its axes, mas rms.
    scatter : (float, float)
        Range of the part of the charge that reaches each adjacent pixel.
    diffusion : float
        Largest further Gaussian diffusion, pixels rms; half of all PSFs have next to none.
    tail : (float, float)
        Range of the diffusion's departure from a Gaussian, see `filar.psf.fourier.tail_transfer`.
    """

    focus: float = 8.0
    low: float = 0.02
    middle: float = 0.01
    high: float = 0.007
    variation: float = 0.3
    shift: float = 0.015
    band: float = 0.1
    jitter: tuple[float, float] = (2.0, 16.0)
    scatter: tuple[float, float] = (0.01, 0.08)
    diffusion: float = 0.32
    tail: tuple[float, float] = (-0.004, 0.008)


RANGES = PSFRanges()


@dataclass(frozen=True, eq=False)
class ChipState:
    """The PSF of a chip during one exposure, to be had anywhere on it.

    Parameters
    ----------
    family : OpticalFamily
        Optics of camera, chip and filter.
    mean : (parameters,) array
        Local parameters at the middle of the chip.
    slopes : (2, parameters) array
        Their change from the middle to the edge, in x and y.
    shape : (int, int)
        Rows and columns of the chip.
    """

    family: OpticalFamily
    mean: FloatArray
    slopes: FloatArray
    shape: tuple[int, int]

    def psf(self, nodes: FieldGrid) -> FieldPSF:
        """The PSF at some places of the chip."""
        x, y = np.array(nodes.points).T
        ny, nx = self.shape
        u, v = (x + 0.5) / nx * 2 - 1, (y + 0.5) / ny * 2 - 1
        local = self.mean + u[:, None] * self.slopes[0] + v[:, None] * self.slopes[1]
        transforms = self.family.transforms(nodes.points, local)
        return FieldPSF(transforms, self.family.grid, nodes, "drawn")


def draw_state(
    chips: Sequence[str],
    filter_name: str,
    rng: np.random.Generator,
    *,
    shape: tuple[int, int] = (800, 800),
    ranges: PSFRanges = RANGES,
) -> tuple[str, ChipState]:
    """Draw a WFPC2 chip and the PSF that it has for the moment.

    Parameters
    ----------
    chips : sequence of str
        Of WFPC2; one of them is drawn.
    filter_name : str
        Filter.
    rng : numpy.random.Generator
        Source of randomness.
    shape : (int, int)
        Rows and columns of the chip.
    ranges : PSFRanges
        What to draw from.

    Returns
    -------
    chip : str
        The one that was drawn.
    state : ChipState

    Raises
    ------
    ParameterError
        If WFPC2 has no such chip or filter.
    """
    if not chips or not set(chips) <= set(WFPC2_SCALES):
        raise ParameterError("chips", list(chips), f"some of {', '.join(WFPC2_SCALES)}")
    chip = chips[int(rng.integers(len(chips)))]
    family = family_for("WFPC2", chip, filter_name)
    assert isinstance(family, OpticalFamily)
    modes = family.optics.modes
    noll = np.arange(modes) + 4
    sigma = np.where(noll <= 11, ranges.low, np.where(noll <= 21, ranges.middle,
                     ranges.high * 21 / noll))  # fmt: skip
    slopes = np.zeros((2, len(family.parameters)))
    slopes[:, :8] = rng.normal(size=(2, 8)) * ranges.low * ranges.variation
    shift = rng.normal(size=2) * ranges.shift
    band = rng.normal(size=2) * ranges.band
    xx, yy, xy = _blur(rng, ranges, WFPC2_SCALES[chip])
    wavefront = rng.normal(size=modes) * sigma
    wavefront[0] = rng.uniform(-ranges.focus, ranges.focus) * FOCUS_WAVES_PER_MICRON
    scatter, tail = rng.uniform(*ranges.scatter), rng.uniform(*ranges.tail)
    mean = np.concatenate([wavefront, shift, band, [xx, yy, xy, scatter, tail]])
    return chip, ChipState(family, mean, slopes, shape)


def _blur(rng: np.random.Generator, ranges: PSFRanges, scale: float) -> tuple[float, float, float]:
    """Covariance of jitter, an ellipse at any angle, and Gaussian diffusion; pixels squared."""
    a, b = (rng.uniform(*ranges.jitter, 2) / 1000 / scale) ** 2
    angle = rng.uniform(0, np.pi)
    diffusion = rng.uniform(0, ranges.diffusion) ** 2
    if rng.random() < 0.5:
        diffusion *= 0.1
    mean, half = (a + b) / 2 + diffusion, (a - b) / 2
    return (
        float(mean + half * np.cos(2 * angle)), float(mean - half * np.cos(2 * angle)),
        float(half * np.sin(2 * angle)),
    )  # fmt: skip
