"""What a dither set leaves to chance: stars, pointings, wavefronts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.instruments.wfpc2_facts import CHIPS
from filar.simulate.dither_settings import DitherSettings
from filar.simulate.field import StarField, apart, draw_positions
from filar.simulate.luminosity import bright_fluxes, natural_fluxes, turn_off_flux
from filar.simulate.pointing import Pointing, breathe, draw_jitter

FloatArray = NDArray[np.float64]

SHAPE = (800, 800)
OVERHEAD = 120.0
"""Seconds between two exposures."""

_WINGS = 12.0
_DIAGONAL = 1131.0
_FIELD, _WAVEFRONT, _ORBIT, _POINTING, _LIGHT = range(5)


def draw_pointing(settings: DitherSettings, number: int) -> Pointing:
    """Draw the state of the telescope during one exposure.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    number : int
        Number of the exposure, from 1; the first has no offset, roll or change of scale.

    Returns
    -------
    Pointing
    """
    rng = _stream(settings, _POINTING, number)
    dx, dy = rng.uniform(-settings.offset, settings.offset, 2)
    roll, scale, unsteady = rng.normal(size=3)
    jitter, ratio, angle = draw_jitter(settings.jitter, settings.jitter_spread, rng)
    phases = _stream(settings, _ORBIT).uniform(0, 2 * np.pi, 3)
    time = (number - 1) * (settings.exposure_time + OVERHEAD)
    focus = settings.focus + breathe(time, settings.breathing, phases, float(unsteady))
    if number == 1:
        dx = dy = roll = scale = 0.0
    return Pointing(
        float(dx), float(dy), float(settings.roll * roll), float(1 + settings.scale * scale),
        focus, jitter, ratio, angle, time,
    )  # fmt: skip


@lru_cache(maxsize=8)
def draw_dither_field(settings: DitherSettings, chip: str) -> StarField:
    """Draw the stars of one chip as the first exposure shows them, and those around the chip.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.

    Returns
    -------
    StarField
        With the stars beyond the border that come into view, or whose light does.

    Raises
    ------
    ParameterError
        If so many stars do not fit with the separation asked for.
    """
    rng = _stream(settings, _FIELD, CHIPS.index(chip))
    reach = _DIAGONAL * 4 * (np.radians(settings.roll) + settings.scale)
    margin = settings.offset + reach + _WINGS
    box = (-0.5 - margin, -0.5 - margin, SHAPE[1] - 0.5 + margin, SHAPE[0] - 0.5 + margin)
    points = np.empty((0, 2))
    inside = np.empty(0, bool)
    for _ in range(50):
        if np.count_nonzero(inside) >= settings.stars:
            break
        more = draw_positions(settings.stars + 1, box, settings.core_radius, rng)
        points = np.concatenate([points, more])
        if settings.separation > 0:
            points = points[apart(points, settings.separation)]
        inside = on_chip(chip, points[:, 0], points[:, 1])
    count = np.cumsum(inside)
    if settings.stars > (count[-1] if len(count) else 0):
        room = f"less; only {count[-1]} of {settings.stars} stars fit on {chip}"
        raise ParameterError("separation", settings.separation, room)
    kept = points[: int(np.searchsorted(count, settings.stars)) + 1 if settings.stars else 0]
    return StarField(kept[:, 0].copy(), kept[:, 1].copy(), _fluxes(settings, chip, len(kept), rng))


def _fluxes(
    settings: DitherSettings, chip: str, number: int, rng: np.random.Generator
) -> FloatArray:
    if settings.magnitudes == "bright-enhanced":
        return bright_fluxes(number, settings.limits, rng)
    turn_off = turn_off_flux(settings.filter, chip, settings.exposure_time)
    return natural_fluxes(number, settings.limits, turn_off, rng)


def on_chip(chip: str, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Mark the stars whose central pixel lies on the usable part of a chip.

    Parameters
    ----------
    chip : str
        One of WFPC2's.
    x, y : (n,) array
        Pixels.

    Returns
    -------
    (n,) bool array
    """
    from filar.instruments import wfpc2_edge

    usable = ~wfpc2_edge(chip)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    ny, nx = usable.shape
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    return np.asarray(inside & usable[row.clip(0, ny - 1), column.clip(0, nx - 1)])


def draw_wavefront(settings: DitherSettings, chip: str, points: FloatArray) -> FloatArray:
    """Draw the fixed aberrations of a chip, quadratic over it.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    points : (n, 2) array
        Pixels x and y.

    Returns
    -------
    (n, 7) array
        Zernike coefficients of Noll 5 to 11, waves rms at 547 nm.
    """
    rng = _stream(settings, _WAVEFRONT, CHIPS.index(chip))
    u, v = (2 * points / (np.array(SHAPE[::-1]) - 1) - 1).T
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    drawn = terms @ (rng.normal(size=(6, 7)) * np.array([1, 0.5, 0.5, 0.3, 0.3, 0.3])[:, None])
    rms = np.sqrt(np.mean(np.sum(drawn**2, axis=1)))
    return np.asarray(drawn * settings.aberrations / rms)


def light_stream(settings: DitherSettings, chip: str, number: int) -> np.random.Generator:
    """Random numbers of one image: noise and cosmic rays."""
    return _stream(settings, _LIGHT, number, CHIPS.index(chip))


def _stream(settings: DitherSettings, *key: int) -> np.random.Generator:
    """Random numbers of one purpose, whatever else is drawn."""
    return np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=key))
