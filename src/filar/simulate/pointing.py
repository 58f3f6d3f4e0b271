"""Where the telescope points and how sharply it sees, exposure by exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.instruments.wfpc2_facts import CHIPS, PIXEL_SCALES

FloatArray = NDArray[np.float64]

APEX = (45.0, 50.0)
"""Pixel of every chip at the pyramid's apex, the middle of the camera."""

ORBIT = 96.0 * 60.0
"""Seconds in which the telescope goes round the Earth, warming and cooling."""

DRIFT_PERIOD = 31.0 * 3600.0
"""Seconds of the slower wave of focus."""

_HARMONIC = 0.3
_DRIFT = 0.4
_UNSTEADY = 0.1
_ROUNDEST, _LONGEST = 1.0, 0.6
_SHARPEST = 1.0


@dataclass(frozen=True)
class Pointing:
    """State of the telescope during one exposure.

    Parameters
    ----------
    dx, dy : float
        Where a star at the camera's middle lies, against the first exposure: PC pixels, in the
        PC's axes.
    roll : float
        Turn of the field about the camera's middle, degrees, from the PC's x to its y axis.
    scale : float
        Factor by which the field is larger than in the first exposure.
    focus : float
        Despace of the secondary, microns.
    jitter : float
        Rms per axis of the line of sight, mas.
    jitter_ratio : float
        Short over long axis of the jitter.
    jitter_angle : float
        Of its long axis, degrees from the PC's x to its y axis.
    time : float
        Start of the exposure, seconds after the first.
    """

    dx: float = 0.0
    dy: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    focus: float = 0.0
    jitter: float = 7.0
    jitter_ratio: float = 1.0
    jitter_angle: float = 0.0
    time: float = 0.0

    def carry(self, chip: str, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions in this exposure of stars at (x, y) in the first.

        Parameters
        ----------
        chip : str
            One of WFPC2's.
        x, y : (n,) array
            Pixels.

        Returns
        -------
        x, y : (n,) arrays
            Pixels.
        """
        angle = np.radians(self.roll)
        cos, sin = np.cos(angle), np.sin(angle)
        # the PC's axes and a WF chip's differ by a rotation, so a roll is the same in both
        u, v = np.asarray(x, float) - APEX[0], np.asarray(y, float) - APEX[1]
        dx, dy = self.offset(chip)
        new_x = self.scale * (cos * u - sin * v) + APEX[0] + dx
        new_y = self.scale * (sin * u + cos * v) + APEX[1] + dy
        return new_x, new_y

    def offset(self, chip: str) -> tuple[float, float]:
        """The offset (dx, dy) at the camera's middle in a chip's own pixels and axes."""
        dx, dy = quarter_turns(chip) @ np.array([self.dx, self.dy])
        ratio = PIXEL_SCALES["PC"] / PIXEL_SCALES[chip]
        return float(ratio * dx), float(ratio * dy)

    def middle_offset(self, chip: str, shape: tuple[int, int] = (800, 800)) -> tuple[float, float]:
        """How far (dx, dy) a star in the middle of a chip has moved, pixels of the chip."""
        x, y = 0.5 * (shape[1] - 1), 0.5 * (shape[0] - 1)
        new_x, new_y = self.carry(chip, np.array([x]), np.array([y]))
        return float(new_x[0] - x), float(new_y[0] - y)

    def blur(self, chip: str) -> tuple[float, float, float]:
        """Covariance (xx, yy, xy) of the jitter in a chip's own pixels and axes."""
        angle = np.radians(self.jitter_angle)
        axis = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        long = 2.0 / (1.0 + self.jitter_ratio**2)
        variances = np.diag([long, long * self.jitter_ratio**2])
        turn = quarter_turns(chip)
        covariance = (self.jitter / 1000.0 / PIXEL_SCALES[chip]) ** 2 * (
            turn @ axis @ variances @ axis.T @ turn.T
        )
        return float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])


def quarter_turns(chip: str) -> FloatArray:
    """Matrix that turns a direction from the PC's axes into another chip's.

    The chips lie round the pyramid, each turned by 90 degrees against the one before.

    Parameters
    ----------
    chip : str
        One of WFPC2's.

    Returns
    -------
    (2, 2) array

    Raises
    ------
    ParameterError
        For another chip.
    """
    if chip not in CHIPS:
        raise ParameterError("chip", chip, ", ".join(CHIPS))
    angle = 0.5 * np.pi * CHIPS.index(chip)
    cos, sin = np.rint(np.cos(angle)), np.rint(np.sin(angle))
    return np.array([[cos, sin], [-sin, cos]])


def breathe(time: float, amplitude: float, phases: FloatArray, unsteady: float) -> float:
    """Change of focus as the telescope warms and cools.

    A wave of one orbit that is no pure sine, a slower wave that is weaker, and a part that
    changes from exposure to exposure.

    Parameters
    ----------
    time : float
        Seconds.
    amplitude : float
        Of the orbit's wave, microns.
    phases : (3,) array
        Of the orbit's wave, its second harmonic and the slow wave, radians.
    unsteady : float
        A standard normal number.

    Returns
    -------
    float
        Microns.
    """
    orbit = 2 * np.pi * time / ORBIT
    wave = np.sin(orbit + phases[0]) + _HARMONIC * np.sin(2 * orbit + phases[1])
    slow = _DRIFT * np.sin(2 * np.pi * time / DRIFT_PERIOD + phases[2])
    return float(amplitude * (wave + slow + _UNSTEADY * unsteady))


def draw_jitter(mean: float, spread: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw one exposure's jitter.

    Parameters
    ----------
    mean, spread : float
        Mean and standard deviation of its rms, mas.
    rng : Generator
        Source of randomness.

    Returns
    -------
    jitter, ratio, angle : float
        Rms per axis (mas), short over long axis, direction of the long axis (degrees).
    """
    jitter = max(rng.normal(mean, spread), min(mean, _SHARPEST))
    return float(jitter), float(rng.uniform(_LONGEST, _ROUNDEST)), float(rng.uniform(0.0, 180.0))
