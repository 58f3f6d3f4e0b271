"""How bright the stars of a globular cluster's core are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.simulate.field import Seed, draw_fluxes

FloatArray = NDArray[np.float64]

TURN_OFF = {"F336W": 17.6, "F439W": 18.2, "F555W": 17.65, "F606W": 17.45, "F814W": 16.95}
"""VEGAMAG of the main sequence's turn-off in 47 Tuc, rounded; F555W's serves other filters."""

NATURAL_LIMITS = (300.0, 1_000_000.0)
BRIGHT_LIMITS = (1_000.0, 200_000.0)
BRIGHT_SLOPE = 0.6

# dN/dm of the core, where heavy stars have gathered, rises slowly; giants live short.
_RISE = 0.15
_GIANTS = 0.12
_STEP = 0.15


def turn_off_flux(filter_name: str, chip: str, exposure_time: float) -> float:
    """Electrons of a star at 47 Tuc's turn-off.

    Parameters
    ----------
    filter_name, chip : str
        WFPC2's.
    exposure_time : float
        Seconds.

    Returns
    -------
    float
        Electrons; some 100,000 in F555W and 160 s.
    """
    from filar.instruments.wfpc2_facts import GAINS, vega_zeropoint

    zeropoint = vega_zeropoint(filter_name, chip, 7)
    magnitude = TURN_OFF.get(filter_name, TURN_OFF["F555W"])
    if not np.isfinite(zeropoint):
        zeropoint, magnitude = vega_zeropoint("F555W", chip, 7), TURN_OFF["F555W"]
    return float(10 ** (0.4 * (zeropoint - magnitude)) * GAINS[7][chip] * exposure_time)


def natural_fluxes(
    number: int, limits: tuple[float, float], turn_off: float, seed: Seed
) -> FloatArray:
    """Draw fluxes like those in a globular cluster's core.

    With d magnitudes below the turn-off, dN/dm is proportional to
    10^(0.15 d) (0.12 + 0.88 / (1 + exp(-d / 0.15))): a main sequence that rises slowly, as 47
    Tuc's does in the core, and an eighth as many giants, fewer and fewer as they get brighter.

    Parameters
    ----------
    number : int
        How many.
    limits : (float, float)
        Faintest and brightest flux, electrons.
    turn_off : float
        Flux at the turn-off, electrons.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    (number,) float64 array
        Electrons.

    Raises
    ------
    ParameterError
        For limits or a turn-off that are not positive and rising.
    """
    low, high = limits
    if not 0 < low <= high < np.inf:
        raise ParameterError("limits", limits, "two rising positive fluxes in electrons")
    if not 0 < turn_off < np.inf:
        raise ParameterError("turn_off", turn_off, "a positive flux in electrons")
    brightest, faintest = (-2.5 * np.log10(limit / turn_off) for limit in (high, low))
    below = np.linspace(brightest, faintest, 4001)
    with np.errstate(over="ignore"):
        dwarfs = 1.0 / (1.0 + np.exp(-below / _STEP))
    density = 10 ** (_RISE * below) * (_GIANTS + (1.0 - _GIANTS) * dwarfs)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    uniform = np.random.default_rng(seed).random(number)
    drawn = np.interp(uniform, cumulative / cumulative[-1], below)
    return np.asarray(np.clip(turn_off * 10 ** (-0.4 * drawn), low, high), float)


def bright_fluxes(number: int, limits: tuple[float, float], seed: Seed) -> FloatArray:
    """Draw fluxes with bright stars over-represented: dN/dF falls as F^-0.6 alone.

    Counts then rise towards bright magnitudes, by a factor 1.45 per magnitude.

    Parameters
    ----------
    number : int
        How many.
    limits : (float, float)
        Faintest and brightest flux, electrons.
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
    return draw_fluxes(number, limits, BRIGHT_SLOPE, seed)
