"""One simulated chip image from a PSF and a star list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.psf.model import FieldPSF
from filar.psf.render import render_image
from filar.simulate.detector import COSMIC_RAY_RATE, Detector, cosmic_rays, wfpc2_detector
from filar.simulate.field import Seed, StarField

if TYPE_CHECKING:
    from astropy.wcs import WCS

# The chips meet at the pyramid's apex, each turned by a quarter turn against the one before.
_APEX = (45.0, 50.0)
_POINTING = (201.69, -47.48)


def simulate_exposure(
    psf: FieldPSF,
    stars: StarField,
    *,
    chip: str = "PC",
    filter_name: str = "F555W",
    exposure_time: float = 100.0,
    sky: float = 20.0,
    detector: Detector | None = None,
    gain_setting: int = 7,
    cosmic_ray_rate: float = COSMIC_RAY_RATE,
    name: str = "simulated",
    pointing: tuple[float, float] = _POINTING,
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
        Seconds; only cosmic rays and the header depend on it, fluxes and sky are given in
        electrons.
    sky : float
        Electrons per pixel.
    detector : Detector or None
        By default the chip's own.
    gain_setting : int
        ATODGAIN of the default detector, 7 or 15.
    cosmic_ray_rate : float
        Events per pixel and second; 0 for none.
    name : str
        The exposure's name.
    pointing : (float, float)
        Right ascension and declination of the pyramid's apex, degrees.
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
    if not sky >= 0:
        raise ParameterError("sky", sky, "0 electrons per pixel or more")
    if not exposure_time > 0:
        raise ParameterError("exposure_time", exposure_time, "a positive number of seconds")
    detector = detector or wfpc2_detector(chip, gain_setting=gain_setting)
    rng = np.random.default_rng(seed)
    expected = sky + render_image(psf, detector.shape, stars.x, stars.y, stars.flux)
    hits, events = cosmic_rays(detector.shape, exposure_time, rate=cosmic_ray_rate, seed=rng)
    data, saturated = detector.expose(expected, hits=hits, seed=rng)
    bad = detector.edge if detector.bad is None else detector.edge | detector.bad
    return Exposure(
        data=np.where(bad, 0.0, data).astype(np.float32),
        mask=bad.copy(),
        saturated=saturated & ~bad,
        edge=detector.edge,
        gain=detector.gain,
        read_noise=detector.read_noise,
        saturation=detector.saturation,
        exposure_time=exposure_time,
        instrument="WFPC2",
        chip=chip,
        filter=filter_name,
        name=name,
        wcs=_wcs(chip, pointing),
        **_scale(chip),
        meta={"cosmic_ray_events": events, "simulated": True},
    )


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
    wcs.wcs.crpix = [_APEX[0] + 1, _APEX[1] + 1]
    angle = 0.5 * np.pi * CHIPS.index(chip)
    turn = np.array([[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = PIXEL_SCALES[chip] / 3600.0 * turn
    wcs.wcs.cunit = ["deg", "deg"]
    return wcs
