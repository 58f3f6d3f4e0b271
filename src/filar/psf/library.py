"""Which PSF belongs to which camera, before any star has been looked at."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.psf.bandpass import passband
from filar.psf.family import Family, OpticalFamily
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.moffat import MoffatFamily
from filar.psf.optics import FOCUS_WAVES_PER_MICRON, Optics
from filar.psf.pupil import (
    OTA_SECONDARY,
    OTA_VANE_WIDTH,
    WFPC2_PRIMARY_RADIUS,
    Obstruction,
    Pupil,
    wfpc2_pupil,
)

WFPC2_SCALES = {"PC": 0.0455, "WF2": 0.0996, "WF3": 0.0996, "WF4": 0.0996}  # arcsec per pixel
HST_SCALES = {"HRC": 0.026, "WFC": 0.050, "UVIS": 0.0396, "IR": 0.1283}
PERIOD_ARCSEC = 2.3  # images repeat after this; twice the radius that is represented
JITTER = 0.007  # arcsec rms, a typical exposure of HST
SCATTER = {"WFPC2": 0.05, "ACS": 0.03, "WFC3": 0.03}  # charge diffusion into the next pixel
FIELD_NODES = 7
FINE_PERIOD = 40.0  # pixels: longer ones mean fine pixels
FINE_MODES, COARSE_MODES = 52, 75
DEFAULT_FWHM = 2.5  # pixels, where nothing is known about the camera


def optical_family(
    pupil: Pupil,
    wavelengths: NDArray[np.float64],
    weights: NDArray[np.float64],
    pixel_scale: float,
    *,
    scatter: float = 0.0,
    blur: float | None = None,
    modes: int | None = None,
    period: float | None = None,
) -> OpticalFamily:
    """Optical PSF of any telescope.

    Parameters
    ----------
    pupil : Pupil
        Aperture and obscurations.
    wavelengths, weights : (n,) array
        The passband, metres.
    pixel_scale : float
        Arcsec per pixel.
    scatter : float
        Charge diffusion: value beside the centre of its 3x3 kernel.
    blur : float or None
        Jitter, pixels rms; HST's by default.
    modes : int or None
        Number of Zernike coefficients from focus on; by default up to radial order 9, or 11 where
        the fit's box reaches further in units of lambda / D.
    period : float or None
        Pixels after which images repeat; by default 2.3 arcsec of HST, scaled by lambda / D.

    Returns
    -------
    OpticalFamily
    """
    if period is None:
        scale_to_hst = WFPC2_PRIMARY_RADIUS / pupil.radius
        period = float(np.clip(2 * round(PERIOD_ARCSEC * scale_to_hst / pixel_scale / 2), 16, 64))
    if modes is None:
        modes = FINE_MODES if period > FINE_PERIOD else COARSE_MODES
    optics = Optics(pupil, tuple(wavelengths), tuple(weights), pixel_scale, modes, period)
    return OpticalFamily(optics, JITTER / pixel_scale if blur is None else blur, scatter)


@lru_cache(maxsize=32)
def family_for(instrument: str, chip: str, filter_name: str) -> Family:
    """Parametric PSF of a camera.

    Parameters
    ----------
    instrument, chip, filter_name : str
        For example ``"WFPC2"``, ``"PC"``, ``"F555W"``.

    Returns
    -------
    Family
        A Moffat profile where nothing is known about the camera's optics.

    Raises
    ------
    ParameterError
        For a filter or chip that the camera does not have.
    """
    if instrument == "WFPC2":
        if chip not in WFPC2_SCALES:
            raise ParameterError("chip", chip, f"one of {', '.join(WFPC2_SCALES)}")
        pupil, scale = wfpc2_pupil(chip), WFPC2_SCALES[chip]
    elif instrument in ("ACS", "WFC3"):
        pupil = Pupil(WFPC2_PRIMARY_RADIUS, Obstruction(OTA_SECONDARY, OTA_VANE_WIDTH, 45.0))
        fallback = HST_SCALES["WFC" if instrument == "ACS" else "UVIS"]
        scale = next((s for key, s in HST_SCALES.items() if key in chip.upper()), fallback)
    else:
        return MoffatFamily(DEFAULT_FWHM)
    wavelengths, weights = passband(filter_name, instrument)
    return optical_family(pupil, wavelengths, weights, scale, scatter=SCATTER[instrument])


def field_psf(
    family: Family,
    shape: tuple[int, int],
    local: NDArray[np.float64],
    *,
    name: str = "",
    nodes: FieldGrid | None = None,
) -> FieldPSF:
    """PSF of a whole chip from a family and its local parameters.

    Parameters
    ----------
    family : Family
    shape : (int, int)
        Rows and columns of the chip.
    local : (parameters,) or (nodes, parameters) array
        The same everywhere, or at every node.
    name : str
        For catalogues.
    nodes : FieldGrid or None
        By default a Chebyshev grid over the chip.

    Returns
    -------
    FieldPSF
    """
    nodes = nodes or FieldGrid.chebyshev(shape, FIELD_NODES)
    points = nodes.points
    everywhere = np.broadcast_to(local, (len(points), np.shape(local)[-1]))
    transforms = family.transforms(points, everywhere)
    means = everywhere.mean(axis=0)
    facts = {p.name: float(v) for p, v in zip(family.parameters, means, strict=True)}
    return FieldPSF(transforms, family.grid, nodes, name, facts)


def default_psf_for(
    instrument: str,
    chip: str,
    filter_name: str,
    *,
    shape: tuple[int, int] = (800, 800),
    focus: float = 0.0,
    jitter: float | None = None,
) -> FieldPSF:
    """Model PSF of a camera with a perfect wavefront but for focus.

    Parameters
    ----------
    instrument, chip, filter_name : str
        For example ``"WFPC2"``, ``"PC"``, ``"F555W"``.
    shape : (int, int)
        Rows and columns of the chip.
    focus : float
        Microns of secondary despace (0.011 waves rms at 547 nm each).
    jitter : float or None
        Pixels rms; 7 milliarcsec by default.

    Returns
    -------
    FieldPSF

    Raises
    ------
    ParameterError
        For a filter or chip that the camera does not have.
    """
    family = family_for(instrument, chip, filter_name)
    local = np.array([p.start for p in family.parameters])
    if isinstance(family, OpticalFamily):
        changes = {"focus": focus * FOCUS_WAVES_PER_MICRON}
        if jitter is not None:
            changes |= {"blur_xx": jitter**2, "blur_yy": jitter**2}
        local = family.start(**changes)
    name = "default " + " ".join(part for part in (instrument, chip, filter_name) if part)
    return field_psf(family, shape, local, name=name.strip())


def default_psf(exposure: Exposure) -> FieldPSF:
    """Default PSF of an exposure's camera and filter, see `default_psf_for`; do not change it."""
    return _default_psf(exposure.instrument, exposure.chip, exposure.filter, exposure.shape)


@lru_cache(maxsize=8)
def _default_psf(instrument: str, chip: str, filter_name: str, shape: tuple[int, int]) -> FieldPSF:
    return default_psf_for(instrument, chip, filter_name, shape=shape)
