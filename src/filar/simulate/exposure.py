"""One simulated chip image from a PSF and a star list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.psf.model import FieldPSF
from filar.simulate.calibration import Calibration, make_calibration
from filar.simulate.cosmic_rays import COSMIC_RAY_RATE, cosmic_rays
from filar.simulate.detector import Detector
from filar.simulate.effects import CAMERA_FIXED, Effects
from filar.simulate.field import Seed, StarField
from filar.simulate.pointing import APEX
from filar.simulate.readout import expose
from filar.simulate.rows import render_on_rows, row_response

if TYPE_CHECKING:
    from astropy.wcs import WCS

_POINTING = (201.69, -47.48)


def simulate_exposure(
    psf: FieldPSF,
    stars: StarField,
    *,
    chip: str = "PC",
    filter_name: str = "F555W",
    exposure_time: float = 100.0,
    sky: float | NDArray[np.floating[Any]] = 20.0,
    detector: Detector | None = None,
    gain_setting: int = 7,
    cosmic_ray_rate: float = COSMIC_RAY_RATE,
    name: str = "simulated",
    pointing: tuple[float, float] = _POINTING,
    effects: Effects | None = None,
    calibration: Calibration | None = None,
    seed: Seed = None,
) -> Exposure:
    """Simulate one WFPC2 chip.

    Parameters
    ----------
    psf : FieldPSF
        PSF of the chip, unit flux.
    stars : StarField
        True positions and fluxes.
    chip, filter_name : str
        For example ``"WF3"``, ``"F814W"``.
    exposure_time : float
        Seconds; only cosmic rays, dark current and the header depend on it, fluxes and sky are
        given in electrons.
    sky : float or (ny, nx) array
        Electrons per pixel; an array has the detector's shape and holds diffuse light.
    detector : Detector or None
        By default the calibration's, or the chip's own.
    gain_setting : int
        ATODGAIN of the default detector, 7 or 15.
    cosmic_ray_rate : float
        Events per pixel and second; 0 for none.
    name : str
        The exposure's name.
    pointing : (float, float)
        Right ascension and declination of the pyramid's apex, degrees.
    effects : Effects or None
        What is switched on; by default the calibration's, or all but the charge-transfer losses
        and the 34th-row error.
    calibration : Calibration or None
        Camera and calibration frames, made once for a set. By default the chip of that name that
        seed 0 gives, and an ideal calibration.
    seed : int, SeedSequence, Generator or None
        Source of randomness: the same seed gives the same pixels.

    Returns
    -------
    Exposure
        In electrons, calibrated, with masks of the edge, of bad and of saturated pixels, and a
        simplified WCS.

    Raises
    ------
    ParameterError
        For values without meaning.
    """
    if not exposure_time > 0:
        raise ParameterError("exposure_time", exposure_time, "a positive number of seconds")
    calibration = _calibration(chip, detector, gain_setting, effects, calibration)
    camera = calibration.camera
    detector, effects = camera.detector, effects or camera.effects
    camera = replace(camera, effects=effects)
    diffuse = _diffuse(sky, detector.shape)
    rays, rest = np.random.default_rng(seed).integers(2**63, size=2)
    light = render_on_rows(psf, detector.shape, stars.x, stars.y, stars.flux, strength=effects.rows)
    light += effects.sky * diffuse * row_response(detector.shape[0], effects.rows)[:, None]
    hits, events = cosmic_rays(
        detector.shape, exposure_time, rate=effects.cosmic_rays * cosmic_ray_rate, seed=int(rays)
    )
    raw = expose(camera, light, exposure_time=exposure_time, hits=hits, seed=int(rest))
    data = calibration.apply(raw.dn, exposure_time)
    bad = detector.unusable | calibration.hot(exposure_time)
    return Exposure(
        data=np.where(bad, 0.0, data).astype(np.float32),
        mask=bad,
        saturated=raw.saturated & ~bad,
        edge=detector.edge,
        gain=detector.gain,
        read_noise=detector.read_noise,
        saturation=_saturation(detector, effects),
        exposure_time=exposure_time,
        instrument="WFPC2",
        chip=chip,
        filter=filter_name,
        name=name,
        wcs=_wcs(chip, pointing),
        **_scale(chip),
        meta={"cosmic_ray_events": events, "simulated": True, "effects": str(effects)},
    )


def _diffuse(
    sky: float | NDArray[np.floating[Any]], shape: tuple[int, int]
) -> NDArray[np.floating[Any]]:
    """The light between the stars, checked."""
    level = np.asarray(sky, float)
    if level.shape not in ((), shape):
        raise ParameterError("sky", level.shape, f"one number, or the detector's shape {shape}")
    if not (np.isfinite(level) & (level >= 0)).all():
        found = sky if level.ndim == 0 else "an image with negative or missing values"
        raise ParameterError("sky", found, "0 electrons per pixel or more")
    return level


def _calibration(
    chip: str,
    detector: Detector | None,
    gain_setting: int,
    effects: Effects | None,
    calibration: Calibration | None,
) -> Calibration:
    """The calibration that is given, checked against the rest, or the chip's ideal one."""
    if calibration is None:
        return make_calibration(chip, detector=detector, gain_setting=gain_setting, effects=effects)
    camera = calibration.camera
    if detector is not None and detector is not camera.detector:
        raise ParameterError("detector", detector.shape, "the calibration's own, or None")
    if effects is not None:
        for name in CAMERA_FIXED:
            if getattr(effects, name) != getattr(camera.effects, name):
                expected = f"{name} = {getattr(camera.effects, name)}, as in the calibration"
                raise ParameterError("effects", str(effects), expected)
    return calibration


def _saturation(detector: Detector, effects: Effects) -> float:
    """Level at which a pixel counts as saturated, electrons."""
    if effects.saturation:
        return detector.saturation
    return detector.full_well if effects.bleeding else np.inf


def _scale(chip: str) -> dict[str, Any]:
    from filar.instruments.wfpc2_facts import PIXEL_SCALES

    return {"pixel_scale": PIXEL_SCALES[chip]} if chip in PIXEL_SCALES else {}


def _wcs(chip: str, pointing: tuple[float, float]) -> WCS | None:
    """Tangent plane with the right scale and a quarter turn per chip; None for other chips."""
    from filar.instruments.wfpc2_facts import CHIPS, PIXEL_SCALES

    if chip not in CHIPS:
        return None
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(pointing)
    wcs.wcs.crpix = [APEX[0] + 1, APEX[1] + 1]
    angle = 0.5 * np.pi * CHIPS.index(chip)
    turn = np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = PIXEL_SCALES[chip] / 3600.0 * turn
    wcs.wcs.cunit = ["deg", "deg"]
    return wcs
