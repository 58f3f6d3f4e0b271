"""From light to numbers: the detector's effects in the order in which they happen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import BoolImage
from filar.simulate.bleeding import bleed
from filar.simulate.camera import Camera
from filar.simulate.field import Seed
from filar.simulate.transfer import transfer

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RawImage:
    """What the converter gives.

    Parameters
    ----------
    dn : (ny, nx) float64 array
        DN, bias included; whole numbers unless digitisation is off.
    saturated : (ny, nx) bool array
        Pixels at the converter's limit or filled up.
    """

    dn: FloatArray
    saturated: BoolImage


def expose(
    camera: Camera,
    light: FloatArray,
    *,
    exposure_time: float = 0.0,
    hits: FloatArray | None = None,
    seed: Seed = None,
) -> RawImage:
    """Expose a chip and read it out.

    Sensitivity, dark current, photon noise, cosmic rays, bleeding, charge transfer, read noise,
    bias and conversion, as far as the camera's effects are switched on.

    Parameters
    ----------
    camera : Camera
        The chip.
    light : (ny, nx) array
        Expected electrons at unit sensitivity, sky included.
    exposure_time : float
        Seconds, for the dark current.
    hits : (ny, nx) array or None
        Electrons of cosmic rays.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    RawImage

    Raises
    ------
    ParameterError
        For light of another shape than the chip, or a negative exposure time.
    """
    if light.shape != camera.detector.shape:
        raise ParameterError("light", light.shape, f"the detector's shape {camera.detector.shape}")
    if not exposure_time >= 0:
        raise ParameterError("exposure_time", exposure_time, "0 seconds or more")
    effects = camera.effects
    photons, amplifier = np.random.default_rng(seed).integers(2**63, size=2)
    charge = np.maximum(light * camera.response + exposure_time * camera.dark, 0.0)
    if effects.photon_noise:
        charge = np.random.default_rng(photons).poisson(charge).astype(float)
    if hits is not None:
        charge = charge + hits
    if effects.bleeding:
        charge = bleed(charge, camera.detector.full_well)
    full = charge >= camera.detector.full_well if effects.bleeding else np.zeros(light.shape, bool)
    if effects.cti:
        charge = transfer(charge, strength=effects.cti)
    return _convert(camera, charge, full, int(amplifier))


def _convert(camera: Camera, charge: FloatArray, full: BoolImage, seed: int) -> RawImage:
    """Amplify, add the bias and digitise."""
    detector, effects = camera.detector, camera.effects
    if effects.read_noise and detector.read_noise:
        variance = detector.read_noise**2
        if effects.digitisation:
            variance = max(variance - detector.gain**2 / 12.0, 0.0)
        charge = charge + np.sqrt(variance) * np.random.default_rng(seed).normal(size=charge.shape)
    dn = charge / detector.gain + camera.bias
    if effects.digitisation:
        dn = np.maximum(np.rint(dn), 0.0)
    if effects.saturation:
        full = full | (dn >= detector.digital_limit)
        dn = np.minimum(dn, detector.digital_limit)
    return RawImage(dn, full)
