"""Which artificial stars are put where, and when one is recovered."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.cuts import Cuts
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
FUNCTIONS = ("flat", "exponential")
CLAIMS = ("light", "list")
PLACES = ("uniform", "stars")


@dataclass(frozen=True)
class ASTSettings:
    """Choices for `filar.asts.run.run_asts`.

    Parameters
    ----------
    number : int
        Artificial stars in all; they are shared out among the chips by area.
    mag : (float, float)
        Brightest and faintest magnitude in the first band.
    function : {"flat", "exponential"}
        Luminosity function.
    beta : float
        Slope of the exponential one: numbers rise as 10^(beta m).
    colors : tuple of (float, float)
        For each further band the limits of the colour, magnitude in the first band less magnitude
        in that one, uniform between them. One pair serves all further bands.
    places : {"uniform", "stars"}, path or (ny, nx) array
        Evenly over the field; following the density of the real stars; or following a map of
        weights (FITS image, pixel by pixel of the first image).
    seed : int
        The same seed gives the same stars and noise, however many workers there are.
    match : float
        Pixels within which a detection may be the star's.
    claims : {"light", "list"}
        What makes a detection a brighter star's, see `filar.asts.recover.recover`. By the light,
        true stars fare exactly as artificial ones do; by the list of real stars, as DOLPHOT has it,
        several faint stars that were found as one may claim it, and in crowded fields some
        5% too many artificial stars are lost.
    cuts : Cuts
        When a star counts as recovered.

    Raises
    ------
    ParameterError
        For values that make no sense.
    """

    number: int = 10_000
    mag: tuple[float, float] = (20.0, 28.0)
    function: str = "flat"
    beta: float = 0.8
    colors: tuple[tuple[float, float], ...] = ((-1.0, 3.0),)
    places: str | Path | FloatArray = "uniform"
    seed: int = 0
    match: float = 1.5
    claims: str = "light"
    cuts: Cuts = field(default_factory=Cuts)

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ParameterError("number", self.number, "1 or more artificial stars")
        for name, (low, high) in (("mag", self.mag), *(("color", c) for c in self.colors)):
            if not -100 < low <= high < 100:
                raise ParameterError(name, (low, high), "two rising magnitudes")
        if self.function not in FUNCTIONS:
            raise ParameterError("lf", self.function, "one of " + ", ".join(FUNCTIONS))
        if not 0 < self.beta < 10:
            raise ParameterError("beta", self.beta, "a positive slope below 10")
        if not 0 < self.match <= 5:
            raise ParameterError("match", self.match, "a number of pixels, 5 at most")
        if self.claims not in CLAIMS:
            raise ParameterError("claims", self.claims, "one of " + ", ".join(CLAIMS))
        if self.seed < 0:
            raise ParameterError("seed", self.seed, "0 or more")

    def facts(self) -> dict[str, Any]:
        """As plain values, for a table's ``meta``."""
        where = self.places if isinstance(self.places, str | Path) else "a map"
        return {
            "number": self.number, "mag": list(self.mag), "lf": self.function,
            "beta": self.beta if self.function == "exponential" else 0.0,
            "color": [list(c) for c in self.colors], "positions": str(where),
            "seed": self.seed, "match": self.match, "claims": self.claims,
            "cuts": self.cuts.facts(),
        }  # fmt: skip


def draw_magnitudes(
    number: int, limits: tuple[float, float], function: str, beta: float, rng: np.random.Generator
) -> FloatArray:
    """Draw magnitudes from a luminosity function.

    Parameters
    ----------
    number : int
        How many.
    limits : (float, float)
        Brightest and faintest.
    function : {"flat", "exponential"}
        The exponential one is H24's equation 2: m = m0 + log10(1 + u (10^(beta (m1 - m0)) - 1)) /
        beta with u uniform, so that numbers rise as 10^(beta m).
    beta : float
        Its slope.
    rng : Generator
        Source of randomness.

    Returns
    -------
    (number,) array
    """
    low, high = limits
    u = rng.random(number)
    if function == "flat":
        return low + u * (high - low)
    return low + np.log10(1 + u * (10 ** (beta * (high - low)) - 1)) / beta
