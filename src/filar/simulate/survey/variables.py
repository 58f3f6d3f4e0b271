"""Variable stars: magnitudes as plain functions of the phase, exactly periodic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """A kind of variable stars.

    Parameters
    ----------
    shape : callable
        Magnitude by phase (0 to 1), before it is brought to an amplitude of 1.
    periods : (float, float)
        Shortest and longest, days.
    amplitudes : (float, float)
        Smallest and largest in g, mag from peak to peak.
    in_v : float
        Amplitude in V over that in g.
    """

    shape: Callable[[FloatArray], FloatArray]
    periods: tuple[float, float]
    amplitudes: tuple[float, float]
    in_v: float


def _waves(*terms: tuple[float, float]) -> Callable[[FloatArray], FloatArray]:
    """Sum of harmonics: amplitude and phase (radians) of each, beginning with the first."""

    def shape(phase: FloatArray) -> FloatArray:
        angle = 2.0 * np.pi * phase
        total = np.zeros_like(angle)
        for number, (amplitude, shift) in enumerate(terms, 1):
            total += amplitude * np.cos(number * angle + shift)
        return total

    return shape


def _sawtooth(rise: float, sharpness: float) -> Callable[[FloatArray], FloatArray]:
    """Brighten within a part `rise` of the period, then fade; faintest at phase 0."""

    def shape(phase: FloatArray) -> FloatArray:
        up = np.cos(np.pi * np.clip(phase / rise, 0.0, 1.0))
        fall = np.clip((phase - rise) / (1.0 - rise), 0.0, 1.0)
        down = -np.cos(np.pi * fall**sharpness)
        return np.where(phase < rise, up, down)

    return shape


def _eclipses(width: float, second: float) -> Callable[[FloatArray], FloatArray]:
    """Eclipses at phases 0 and 0.5 of a constant star; the second is shallower."""

    def shape(phase: FloatArray) -> FloatArray:
        def eclipse(distance: FloatArray) -> FloatArray:
            inside = np.clip(distance / width, 0.0, 1.0)
            depth: FloatArray = 0.5 * (1.0 + np.cos(np.pi * inside**1.5))
            return depth

        main = eclipse(np.minimum(phase, 1.0 - phase))
        magnitude: FloatArray = main + second * eclipse(np.abs(phase - 0.5))
        return magnitude

    return shape


def _contact(phase: FloatArray) -> FloatArray:
    """Two stars that touch: always changing, minima of almost the same depth."""
    angle = 2.0 * np.pi * phase
    wave: FloatArray = np.cos(2.0 * angle) + 0.12 * np.cos(angle) + 0.15 * np.cos(4.0 * angle)
    return wave


KINDS = {
    "mira": Kind(_sawtooth(0.42, 0.85), (100.0, 350.0), (1.0, 4.0), 1.05),
    "cepheid": Kind(_sawtooth(0.28, 0.75), (2.5, 40.0), (0.4, 1.1), 0.85),
    "rrab": Kind(_sawtooth(0.15, 0.6), (0.42, 0.8), (0.5, 1.2), 0.85),
    "rrc": Kind(_waves((1.0, 0.0), (0.12, 0.8)), (0.25, 0.4), (0.25, 0.5), 0.85),
    "algol": Kind(_eclipses(0.07, 0.25), (0.8, 6.0), (0.3, 1.5), 0.95),
    "contact": Kind(_contact, (0.25, 0.7), (0.15, 0.8), 0.97),
    "semiregular": Kind(_waves((1.0, 0.0)), (25.0, 120.0), (0.15, 0.8), 1.1),
}
"""The seven kinds, by the name in the star table."""

_SAMPLES = np.arange(4000) / 4000.0


def light_curve(kind: str, phase: FloatArray) -> FloatArray:
    """Magnitude of a variable star of amplitude 1.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    phase : array
        In periods; whole numbers do not matter.

    Returns
    -------
    array
        Magnitudes about a mean over time of 0, one from brightest to faintest.

    Raises
    ------
    ParameterError
        For another kind.
    """
    if kind not in KINDS:
        raise ParameterError("kind", kind, ", ".join(KINDS))
    shape = KINDS[kind].shape
    samples = shape(_SAMPLES)
    magnitude: FloatArray = shape(np.asarray(phase, float) % 1.0) - samples.mean()
    magnitude /= samples.max() - samples.min()
    return magnitude


def magnitudes(
    kinds: NDArray[np.str_],
    mean: FloatArray,
    period: FloatArray,
    start: FloatArray,
    amplitude: FloatArray,
    mjd: float,
) -> FloatArray:
    """Magnitudes of many stars at one time.

    Parameters
    ----------
    kinds : (n,) array of str
        ``constant`` or one of `KINDS`.
    mean : (n,) array
        Mean magnitudes.
    period, start : (n,) array
        Days, and MJD of phase 0; not used where constant.
    amplitude : (n,) array
        From brightest to faintest.
    mjd : float
        The time.

    Returns
    -------
    (n,) float64 array
    """
    result = np.array(mean, float)
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        phase = (mjd - start[rows]) / period[rows]
        result[rows] += amplitude[rows] * light_curve(kind, phase)
    return result
