"""Cosmic rays: straight tracks of charge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.simulate.field import Seed

FloatArray = NDArray[np.float64]

COSMIC_RAY_RATE = 1.8 / 640_000
"""Events per pixel and second; WFPC2 sees 1.8 per chip and second (Instrument Handbook, 4.9)."""

# A WFPC2 pixel is 15 microns wide with some 10 microns of sensitive depth; a minimum-ionising
# particle frees about 80 electrons per micron of silicon.
_DEPTH = 10.0 / 15.0
_ELECTRONS_PER_PIXEL = 80.0 * 15.0
_LONGEST_TRACK = 60.0
_SAMPLES = 8
_DIFFUSION = 0.2


def cosmic_rays(
    shape: tuple[int, int],
    exposure_time: float,
    *,
    rate: float = COSMIC_RAY_RATE,
    seed: Seed = None,
) -> tuple[FloatArray, int]:
    """Charge that cosmic rays leave in one exposure.

    Straight tracks of particles that cross the sensitive layer from random directions (flux
    through a plane proportional to the cosine), with Landau-like fluctuations of the energy loss
    (Moyal's form).

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    exposure_time : float
        Seconds.
    rate : float
        Events per pixel and second.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    hits : (ny, nx) float64 array
        Electrons.
    events : int
        How many particles.

    Raises
    ------
    ParameterError
        For a negative exposure time or rate.
    """
    if not (exposure_time >= 0 and rate >= 0):
        raise ParameterError("exposure_time, rate", (exposure_time, rate), "0 or more")
    rng = np.random.default_rng(seed)
    ny, nx = shape
    events = int(rng.poisson(rate * exposure_time * ny * nx))
    u = rng.random(events)
    length = np.minimum(_DEPTH * np.sqrt(u / (1.0 - u)), _LONGEST_TRACK)
    loss = -np.log(rng.normal(size=events) ** 2)
    energy = _ELECTRONS_PER_PIXEL * np.hypot(_DEPTH, length) * np.maximum(1.0 + 0.2 * loss, 0.3)
    start = rng.uniform((-0.5, -0.5), (nx - 0.5, ny - 0.5), (events, 2))
    angle = rng.uniform(0.0, 2 * np.pi, events)
    samples = np.maximum(_SAMPLES, np.ceil(_SAMPLES * length)).astype(int)
    event = np.repeat(np.arange(events), samples)
    step = (np.arange(len(event)) - np.repeat(np.cumsum(samples) - samples, samples) + 0.5) / (
        samples[event]
    )
    along = step * length[event]
    x = start[event, 0] + along * np.cos(angle[event])
    y = start[event, 1] + along * np.sin(angle[event])
    spread = rng.normal(0.0, _DIFFUSION, (len(event), 2))
    column = np.rint(x + spread[:, 0]).astype(int)
    row = np.rint(y + spread[:, 1]).astype(int)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    weights = (energy[event] / samples[event])[inside]
    hits: FloatArray = np.bincount(row[inside] * nx + column[inside], weights, ny * nx).astype(
        float
    )
    return hits.reshape(ny, nx), events
