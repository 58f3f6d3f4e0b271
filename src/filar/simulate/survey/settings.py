"""What a survey is like."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from filar.errors import ParameterError

FILTERS = ("g", "V")
SATURATION = 60_000.0
"""Counts from which a pixel is not trusted, unless wells or converter end before."""


@dataclass(frozen=True)
class SurveySettings:
    """What a survey is like.

    Parameters
    ----------
    cameras : tuple of str
        Short names; each camera has its own PSF, gain and columns, given by the seed and its name.
    filters : tuple of str
        ``g``, ``V`` or both; every camera sees every field through every filter.
    fields : int
        Fields, each with its own stars.
    first_field : int
        Number of the first: surveys with one seed have the same cameras, and other stars where
        their fields have other numbers.
    epochs : int
        Of each field, camera and filter. A shorter survey is the beginning of a longer one.
    exposures : int
        Of an epoch.
    cadence : float
        Days from one epoch to the next.
    size : int
        Rows and columns.
    targets : int or None
        Stars of a field whose light is in the truth table, evenly spread in g from 4.5 to 14.5;
        None for 120 per 1024 x 1024 pixels.
    variables : float
        Part of the targets that are variable.
    latitude : float
        Galactic latitude of the fields, degrees: how crowded they are.
    faintest : float
        Faintest star that is drawn and listed, g; the light of those beyond it is even. Images of
        8 arcsec pixels show stars to about 19; each magnitude doubles the stars and the time.
    sky : float
        Mean counts per pixel.
    bit_depth : int
        Of the converter, 8 to 16; 32 writes numbers that were not converted at all.
    full_well : float or None
        Over 60,000 counts; None for each camera's own, a little more than 1.
    pixel_response : float
        Rms of the pixels' sensitivities.
    flat_fielded : bool
        Whether vignetting and pixel response have been divided out.
    correct : bool
        Whether the survey's pipeline has moved the bleed trails to the stars.
    damage : bool
        Whether overflow has set pixels of some bright stars to exactly 1.
    gaia_saturation : bool
        Whether the Gaia magnitudes of bright stars are those that Gaia lists, which its own
        saturation has changed, or already corrected for it.
    gaia_scatter : float
        Rms of g about what the Gaia colours say, mag.
    seed : int
        The same seed gives the same survey.

    Raises
    ------
    ParameterError
        For a value without meaning.
    """

    cameras: tuple[str, ...] = ("a", "b", "c")
    filters: tuple[str, ...] = ("g",)
    fields: int = 2
    first_field: int = 0
    epochs: int = 10
    exposures: int = 3
    cadence: float = 5.0
    size: int = 1024
    targets: int | None = None
    variables: float = 0.25
    latitude: float = 30.0
    faintest: float = 17.5
    sky: float = 200.0
    bit_depth: int = 16
    full_well: float | None = None
    pixel_response: float = 0.005
    flat_fielded: bool = False
    correct: bool = False
    damage: bool = False
    gaia_saturation: bool = True
    gaia_scatter: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, values in (("cameras", self.cameras), ("filters", self.filters)):
            if not values or len(set(values)) != len(values):
                raise ParameterError(name, ",".join(values), "different names")
        if not all(one.isalnum() and one.isascii() for one in self.cameras):
            raise ParameterError("cameras", ",".join(self.cameras), "names of letters and digits")
        if not set(self.filters) <= set(FILTERS):
            raise ParameterError("filters", ",".join(self.filters), "different ones of g,V")
        if not (8 <= self.bit_depth <= 16 or self.bit_depth == 32):
            raise ParameterError("bit_depth", self.bit_depth, "8 to 16, or 32 for no converter")
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ParameterError(name, value, f"{low:g} to {high:g}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.size, self.size

    @property
    def field_numbers(self) -> range:
        """Numbers of the fields."""
        return range(self.first_field, self.first_field + self.fields)

    @property
    def n_targets(self) -> int:
        """Targets of a field."""
        if self.targets is not None:
            return self.targets
        return max(round(120 * (self.size / 1024) ** 2), 1)

    @property
    def limit(self) -> float:
        """The converter's largest number, counts; infinite without one."""
        return float(2**self.bit_depth - 1) if self.bit_depth <= 16 else np.inf

    @property
    def saturation(self) -> float:
        """Counts from which a pixel is saturated, before flat-fielding."""
        well = SATURATION if self.full_well is None else 0.94 * self.full_well * SATURATION
        return min(SATURATION, well, 0.98 * self.limit)

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, for files."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        stored: dict[str, Any] = json.loads(json.dumps(values))
        return stored


_LIMITS = {
    "fields": (1, 999),
    "first_field": (0, 9999),
    "epochs": (1, 9999),
    "exposures": (1, 99),
    "cadence": (0.01, 1000.0),
    "size": (64, 8192),
    "targets": (1, 100_000),
    "variables": (0.0, 1.0),
    "latitude": (-90.0, 90.0),
    "faintest": (14.5, 21.0),
    "sky": (0.0, 20_000.0),
    "full_well": (0.5, 5.0),
    "pixel_response": (0.0, 0.1),
    "gaia_scatter": (0.0, 1.0),
    "seed": (0, np.inf),
}
