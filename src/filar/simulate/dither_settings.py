"""What a dither set is like."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from filar.errors import ParameterError
from filar.instruments.wfpc2_facts import CHIPS, GAINS
from filar.simulate.effects import Effects
from filar.simulate.luminosity import BRIGHT_LIMITS, NATURAL_LIMITS

DEFAULT_EFFECTS = Effects()


@dataclass(frozen=True)
class DitherSettings:
    """What a dither set is like.

    Parameters
    ----------
    exposures : int
        How many. A shorter set is the beginning of a longer one.
    chips : tuple of str
        WFPC2's.
    filter : str
        Filter.
    stars : int
        Stars on the usable part of every chip, in the first exposure.
    magnitudes : {"natural", "bright-enhanced"}
        Luminosity function, see `filar.simulate.luminosity`.
    flux : (float, float) or None
        Faintest and brightest star, electrons; None for the luminosity function's own.
    core_radius : float or None
        Plummer core radius about the middle of the chip, pixels; None spreads the stars evenly.
    separation : float
        Smallest distance of two stars, pixels.
    focus : float
        Mean despace of the secondary, microns.
    breathing : float
        Amplitude of the orbit's wave of focus, microns.
    jitter, jitter_spread : float
        Mean and standard deviation of the jitter, mas rms per axis.
    aberrations : float
        Rms of astigmatism, coma, trefoil and spherical aberration together, waves at 547 nm:
        fixed for the set, smooth over each chip.
    offset : float
        Largest offset in either axis, PC pixels.
    roll : float
        Rms of the roll, degrees.
    scale : float
        Rms of the change of scale.
    exposure_time : float
        Seconds.
    sky : float
        Electrons per pixel.
    gain : int
        ATODGAIN, 7 or 15.
    effects : Effects
        What the detector does.
    calibration_noise : bool
        Whether the exposures are calibrated with frames that are as noisy as real ones, or ideal.
    seed : int
        The same seed gives the same set.

    Raises
    ------
    ParameterError
        For a value without meaning.
    """

    exposures: int = 200
    chips: tuple[str, ...] = ("PC", "WF3")
    filter: str = "F555W"
    stars: int = 2500
    magnitudes: Literal["natural", "bright-enhanced"] = "natural"
    flux: tuple[float, float] | None = None
    core_radius: float | None = None
    separation: float = 0.0
    focus: float = 0.0
    breathing: float = 2.0
    jitter: float = 7.0
    jitter_spread: float = 2.0
    aberrations: float = 0.0
    offset: float = 2.0
    roll: float = 0.002
    scale: float = 1e-5
    exposure_time: float = 160.0
    sky: float = 20.0
    gain: int = 7
    effects: Effects = DEFAULT_EFFECTS
    calibration_noise: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        chips = self.chips
        if not chips or not set(chips) <= set(CHIPS) or len(set(chips)) != len(chips):
            raise ParameterError("chips", ",".join(chips), f"different ones of {','.join(CHIPS)}")
        if self.magnitudes not in ("natural", "bright-enhanced"):
            raise ParameterError("magnitudes", self.magnitudes, "natural or bright-enhanced")
        if self.gain not in GAINS:
            raise ParameterError("gain", self.gain, "7 or 15")
        if self.flux is not None and not 0 < self.flux[0] <= self.flux[1] < np.inf:
            raise ParameterError("flux", self.flux, "two rising positive fluxes in electrons")
        if self.core_radius is not None and not 0 < self.core_radius < np.inf:
            raise ParameterError("core_radius", self.core_radius, "a positive number of pixels")
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise ParameterError(name, getattr(self, name), f"{low:g} to {high:g}")

    @property
    def limits(self) -> tuple[float, float]:
        """Faintest and brightest flux, electrons."""
        if self.flux is not None:
            return self.flux
        return NATURAL_LIMITS if self.magnitudes == "natural" else BRIGHT_LIMITS

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, for files."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values |= {"effects": str(self.effects), "chips": list(self.chips)}
        return values | {"flux": None if self.flux is None else list(self.flux)}


_LIMITS = {
    "exposures": (1, 9999),
    "stars": (0, 100_000),
    "separation": (0.0, 100.0),
    "focus": (-50.0, 50.0),
    "breathing": (0.0, 20.0),
    "jitter": (0.0, 50.0),
    "jitter_spread": (0.0, 50.0),
    "aberrations": (0.0, 0.2),
    "offset": (0.0, 100.0),
    "roll": (0.0, 1.0),
    "scale": (0.0, 0.001),
    "exposure_time": (0.01, 1e5),
    "sky": (0.0, 20_000.0),
    "seed": (0, np.inf),
}
