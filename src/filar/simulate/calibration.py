"""Calibration frames with their own noise, and calibrating exposures with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import BoolImage, FloatImage
from filar.simulate.camera import Camera, make_camera
from filar.simulate.darks import HOT_LIMIT
from filar.simulate.detector import Detector, wfpc2_detector
from filar.simulate.effects import Effects
from filar.simulate.field import Seed
from filar.simulate.flats import DARKEST
from filar.simulate.rows import row_response

FloatArray = NDArray[np.float64]

HOT_CHARGE = 30.0
"""Electrons of dark charge from which a hot pixel is masked: its noise exceeds the read noise."""


@dataclass(frozen=True)
class Frames:
    """How many calibration frames are averaged, and how deep they are.

    Parameters
    ----------
    biases, darks, flats : int
        Numbers of frames.
    dark_time : float
        Seconds of each dark frame.
    flat_level : float
        Electrons per pixel in each flat-field frame.

    Raises
    ------
    ParameterError
        For numbers that are not positive.
    """

    biases: int = 120
    darks: int = 30
    dark_time: float = 1800.0
    flats: int = 20
    flat_level: float = 15_000.0

    def __post_init__(self) -> None:
        for name in ("biases", "darks", "dark_time", "flats", "flat_level"):
            if not getattr(self, name) > 0:
                raise ParameterError(name, getattr(self, name), "a positive number")


@dataclass(frozen=True, eq=False)
class Calibration:
    """One chip and the calibration frames made with it. Can be pickled.

    Parameters
    ----------
    camera : Camera
        The chip as it is.
    bias : (ny, nx) float32 array
        Super-bias, DN.
    dark : (ny, nx) float32 array
        Super-dark, electrons per second.
    flat : (ny, nx) float32 array
        Flat field, of mean 1 over the usable pixels; 1 in bad ones.
    """

    camera: Camera
    bias: FloatImage
    dark: FloatImage
    flat: FloatImage

    def apply(self, dn: FloatArray, exposure_time: float) -> FloatArray:
        """Calibrate an image: bias, gain, dark current, flat field.

        Parameters
        ----------
        dn : (ny, nx) array
            Raw image, DN.
        exposure_time : float
            Seconds.

        Returns
        -------
        (ny, nx) float64 array
            Electrons at unit sensitivity. The noise of a pixel is its electrons' and the read
            noise, both divided by the flat field, whose mean is 1: over the chip it is that of
            :meth:`filar.exposure.Exposure.variance` with the nominal gain and read noise.
        """
        electrons = (dn - self.bias) * self.camera.detector.gain - exposure_time * self.dark
        return np.asarray(electrons / self.flat, float)

    def hot(self, exposure_time: float) -> BoolImage:
        """Hot pixels whose dark charge is noisier than the amplifier.

        Parameters
        ----------
        exposure_time : float
            Seconds.

        Returns
        -------
        (ny, nx) bool array
        """
        return np.asarray((self.dark > HOT_LIMIT) & (exposure_time * self.dark > HOT_CHARGE))


def make_calibration(
    chip: str = "PC",
    *,
    detector: Detector | None = None,
    gain_setting: int = 7,
    effects: Effects | None = None,
    frames: Frames | None = None,
    seed: int = 0,
) -> Calibration:
    """Make a chip of the camera and its calibration frames, once for a set of exposures.

    Parameters
    ----------
    chip : str
        Its name: chips of one seed differ.
    detector : Detector or None
        By default the WFPC2 chip's own.
    gain_setting : int
        ATODGAIN of the default detector, 7 or 15.
    effects : Effects or None
        What is switched on; by default the usual ones.
    frames : Frames or None
        Calibration frames; None for an ideal calibration without noise.
    seed : int
        The same seed gives the same camera and the same frames.

    Returns
    -------
    Calibration

    Raises
    ------
    ParameterError
        For an unknown chip or gain setting.
    """
    detector = detector or wfpc2_detector(chip, gain_setting=gain_setting)
    own, noise = np.random.SeedSequence([seed, *chip.encode()]).spawn(2)
    camera = make_camera(detector, effects=effects, seed=own)
    return calibrate_camera(camera, frames=frames, seed=noise)


def calibrate_camera(
    camera: Camera, *, frames: Frames | None = None, seed: Seed = None
) -> Calibration:
    """Take and reduce the calibration frames of a chip.

    Averages of many frames are drawn as such: Poisson noise of the summed electrons and read noise
    over the root of their number. Cosmic rays, which a comparison of the frames removes, and
    charge-transfer losses are not in them.

    Parameters
    ----------
    camera : Camera
        The chip.
    frames : Frames or None
        Numbers and depths of the frames; None for an ideal calibration without noise.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    Calibration
    """
    rng = np.random.default_rng(seed)
    gain = camera.detector.gain
    if frames is None:
        bias: FloatArray = camera.bias.astype(float)
        dark: FloatArray = camera.dark.astype(float)
        flat = _lamp(camera)
    else:
        bias = camera.bias + _average(camera, 0.0 * camera.dark, frames.biases, rng) / gain
        charge = _average(camera, frames.dark_time * camera.dark, frames.darks, rng)
        dark = (charge + (camera.bias - bias) * gain) / frames.dark_time
        charge = _average(camera, frames.flat_level * _lamp(camera), frames.flats, rng)
        flat = charge + (camera.bias - bias) * gain
    return Calibration(
        camera,
        bias.astype(np.float32),
        dark.astype(np.float32),
        _normalised(camera, flat).astype(np.float32),
    )


def _lamp(camera: Camera) -> FloatArray:
    """Response to an even illumination."""
    rows = row_response(camera.detector.shape[0], camera.effects.rows)
    return np.asarray(camera.response * rows[:, None], float)


def _average(
    camera: Camera, expected: NDArray[np.floating[Any]], number: int, rng: np.random.Generator
) -> FloatArray:
    """Mean of exposures of the same expected charge, bias left out, electrons."""
    mean = np.asarray(expected, float)
    if camera.effects.photon_noise:
        mean = rng.poisson(number * mean) / number
    if camera.effects.read_noise:
        error = camera.detector.read_noise / np.sqrt(number)
        mean = mean + error * rng.normal(size=mean.shape)
    return mean


def _normalised(camera: Camera, flat: FloatArray) -> FloatArray:
    """Flat field of mean 1 over the usable pixels, 1 where nothing was seen."""
    detector = camera.detector
    usable = ~detector.unusable
    if usable.any():
        flat = flat / flat[usable].mean()
    flat = np.maximum(flat, DARKEST)
    return flat if detector.bad is None else np.where(detector.bad, 1.0, flat)
