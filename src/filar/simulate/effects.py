"""Which effects of the detector a simulation has, and how strong they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np

from filar.errors import ParameterError

CAMERA_FIXED = ("flat", "vignetting", "rows", "dark", "hot_pixels", "bias")
"""Effects that belong to the camera: they are in the calibration frames as well."""


@dataclass(frozen=True)
class Effects:
    """Switches and strengths of what happens between the sky and the file.

    A strength of 1 is WFPC2's own in 1999, 0 switches an effect off. The default has everything
    but the charge-transfer losses and the 34th-row error. (Casetti-Dinescu et al. 2023, PASP 135,
    054501, section 4.1, switched the cosmic rays off as well: ``-cosmic_rays``.)

    Parameters
    ----------
    sky : float
        Sky background, times the level asked for.
    flat : float
        Pixel-to-pixel and smooth differences in sensitivity.
    vignetting : bool
        The pyramid's shadow over the border.
    rows : float
        34th-row error: narrow rows that collect less light and shift positions.
    dark, hot_pixels : float
        Dark current, and that of hot pixels.
    photon_noise : bool
        Poisson noise of light and dark current.
    cosmic_rays : float
        Their rate.
    bleeding : bool
        Charge above the full well flows along the column.
    cti : float
        Charge lost to traps and released behind, as it is moved to the register.
    bias : float
        Structure of the bias about its level.
    read_noise : bool
        The amplifier's noise.
    saturation : bool
        The converter's largest number.
    digitisation : bool
        The converter gives whole numbers.

    Raises
    ------
    ParameterError
        For a strength that is negative or no finite number.
    """

    sky: float = 1.0
    flat: float = 1.0
    vignetting: bool = True
    rows: float = 0.0
    dark: float = 1.0
    hot_pixels: float = 1.0
    photon_noise: bool = True
    cosmic_rays: float = 1.0
    bleeding: bool = True
    cti: float = 0.0
    bias: float = 1.0
    read_noise: bool = True
    saturation: bool = True
    digitisation: bool = True

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value < np.inf:
                raise ParameterError(name, value, "a strength: 0 for off, 1 for WFPC2's own")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of all effects."""
        return tuple(one.name for one in fields(cls))

    @classmethod
    def all(cls) -> Self:
        """Every effect at its own strength."""
        return cls(cti=1.0, rows=1.0)

    @classmethod
    def none(cls) -> Self:
        """No effect: the light that falls on the detector, sky left out."""
        return cls(**{name: _strength(name, 0.0) for name in cls.names()})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a list like ``all,-cti``, ``default,rows`` or ``none,sky,flat=0.5``.

        Parameters
        ----------
        text : str
            Parts separated by commas, from left to right: ``all``, ``none`` or ``default`` as
            first; ``name`` switches an effect on, ``-name`` off, ``name=number`` gives its
            strength. Without a first word, a list that begins with a name starts from ``none``
            and one that begins with ``-name`` from ``default``.

        Returns
        -------
        Effects

        Raises
        ------
        ParameterError
            For an unknown name or a senseless strength.
        """
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        presets: dict[str, Callable[[], Self]] = {
            "all": cls.all,
            "none": cls.none,
            "default": cls,
        }
        if not parts:
            raise ParameterError("effects", text, _grammar())
        if parts[0] in presets:
            result = presets[parts.pop(0)]()
        else:
            result = cls() if parts[0].startswith("-") else cls.none()
        for part in parts:
            result = replace(result, **_setting(part, text))
        return result

    def __str__(self) -> str:
        """The shortest list that `parse` turns into these effects."""
        bases = {"default": Effects(), "all": Effects.all(), "none": Effects.none()}
        parts = {name: _changes(asdict(base), asdict(self)) for name, base in bases.items()}
        nearest = min(bases, key=lambda name: len(parts[name]))
        return ",".join([nearest, *parts[nearest]])


def _setting(part: str, text: str) -> dict[str, Any]:
    """One part of a list as field and value."""
    off = part.startswith("-")
    name, equals, strength = part.removeprefix("-").partition("=")
    name = name.strip().replace("-", "_").replace(" ", "_")
    if name not in Effects.names() or (off and equals):
        raise ParameterError("effects", text, _grammar())
    if not equals:
        return {name: _strength(name, 0.0 if off else 1.0)}
    try:
        value = float(strength)
    except ValueError:
        raise ParameterError("effects", text, f"a number after {name}=") from None
    if isinstance(getattr(Effects(), name), bool) and value not in (0.0, 1.0):
        raise ParameterError("effects", text, f"{name}=0 or {name}=1: it has no strength")
    return {name: _strength(name, value)}


def _strength(name: str, value: float) -> Any:
    """The value as the effect's own type: some are switches alone."""
    return bool(value) if isinstance(getattr(Effects(), name), bool) else value


def _changes(base: dict[str, float], wanted: dict[str, float]) -> list[str]:
    """Parts of a list that turn one set of effects into another."""
    parts = []
    for name, value in wanted.items():
        if value != base[name]:
            parts.append(
                f"-{name}" if value == 0 else name if value == 1 else f"{name}={value:.12g}"
            )
    return parts


def _grammar() -> str:
    return (
        "a list such as all,-cti or default,rows=0.5, made of all, none or default and then "
        f"effects, each with a minus sign to switch it off: {', '.join(Effects.names())}"
    )
