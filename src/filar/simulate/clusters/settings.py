"""What mock clusters are like."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from filar.errors import ParameterError
from filar.simulate.clusters.camera import ClusterCamera, camera_from, preset_camera
from filar.simulate.clusters.profiles import CONCENTRATIONS, EFF, GAMMAS, King, Profile

Range = tuple[float, float]
PROFILES = ("eff", "king")
_LIMITS: dict[str, Range] = {
    "log_age": (5.0, 10.3),
    "a_v": (0.0, 10.0),
    "log_mass": (1.0, 8.0),
    "log_r_h": (-3.0, 2.0),
    "gamma": GAMMAS,
    "concentration": CONCENTRATIONS,
}


@dataclass(frozen=True)
class MockSettings:
    """What mock clusters are like; every range is drawn from uniformly.

    Parameters
    ----------
    camera : ClusterCamera
        How they are seen.
    log_age : (float, float)
        log10 of years.
    a_v : (float, float)
        Extinction in V, mag.
    log_mass : (float, float)
        log10 of the initial mass, suns.
    log_r_h : (float, float)
        log10 of the projected half-light radius, arcsec.
    profile : {"eff", "king"}
        Elson, Fall & Freeman (1987) or King (1962).
    gamma : (float, float)
        Slope of EFF profiles (Larsen 2004, A&A 416, 537, finds 2.2 to 3.5 and a few beyond).
    concentration : (float, float)
        log10 of tidal over core radius of King profiles.
    truncation : float
        Where EFF profiles end, half-light radii.
    metallicities : tuple of float
        Mass fractions of metals, one of which each cluster has; none for the Sun's.
    r_v : float
        A_V / E(B-V) of the dust.
    size : int
        Rows and columns of a cutout.
    offset : float
        Rms distance along each axis of a cluster from the cutout's middle, pixels; never more
        than three times that.
    scatter : float
        Part of a cluster's light by which the stars that are not drawn one by one may scatter.

    Raises
    ------
    ParameterError
        For values without meaning.
    """

    camera: ClusterCamera = field(default_factory=lambda: preset_camera("m83"))
    log_age: Range = (6.6, 8.0)
    a_v: Range = (0.0, 3.0)
    log_mass: Range = (3.477, 5.477)
    log_r_h: Range = (-1.398, -0.398)
    profile: str = "eff"
    gamma: Range = (2.2, 3.5)
    concentration: Range = (0.5, 2.0)
    truncation: float = 10.0
    metallicities: tuple[float, ...] = ()
    r_v: float = 3.1
    size: int = 64
    offset: float = 0.7
    scatter: float = 0.005

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ParameterError(name, (low, high), f"a range within {least:g} to {most:g}")
        if self.profile not in PROFILES:
            raise ParameterError("profile", self.profile, " or ".join(PROFILES))
        EFF(self.gamma[0], self.truncation)
        if not all(0.0 < z < 0.1 for z in self.metallicities):
            raise ParameterError("metallicities", self.metallicities, "0 to 0.1")
        if not 2.0 <= self.r_v <= 6.0:
            raise ParameterError("r_v", self.r_v, "2 to 6")
        if not 8 <= self.size <= 2048:
            raise ParameterError("size", self.size, "8 to 2048 pixels")
        if not 0.0 <= self.offset <= self.size / 6:
            raise ParameterError("offset", self.offset, f"0 to {self.size / 6:g} pixels")
        if not 0.0 < self.scatter <= 0.1:
            raise ParameterError("scatter", self.scatter, "more than 0, up to 0.1")

    @property
    def shape_range(self) -> Range:
        """Range of the profile's own parameter."""
        return self.gamma if self.profile == "eff" else self.concentration

    def make_profile(self, shape: float) -> Profile:
        """Make the profile of a slope or concentration."""
        return EFF(shape, self.truncation) if self.profile == "eff" else King(shape)

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, for files; `settings_from` reads them."""
        values = asdict(self) | {"camera": self.camera.plain()}
        stored: dict[str, Any] = json.loads(json.dumps(values))
        return stored


def settings_from(values: dict[str, Any]) -> MockSettings:
    """Make settings of what `MockSettings.plain` gave.

    Parameters
    ----------
    values : dict
        Plain values; what is missing has its default.

    Returns
    -------
    MockSettings

    Raises
    ------
    ParameterError
        For names that are not known, or values without meaning.
    """
    read: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        if "camera" in read:
            read["camera"] = camera_from(read["camera"])
        return MockSettings(**read)
    except (TypeError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError("settings", values, f"settings of mock clusters ({error})") from error


def uniform(bounds: Range, rng: np.random.Generator) -> float:
    """Draw a number from a range."""
    return float(rng.uniform(*bounds))
