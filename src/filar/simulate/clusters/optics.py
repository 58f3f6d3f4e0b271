"""A band's PSF as one kernel with its wings, at any pixel scale, and its transform on any grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.psf.family import OpticalFamily
from filar.psf.fourier import FrequencyGrid
from filar.psf.library import family_for
from filar.psf.optics import FOCUS_WAVES_PER_MICRON

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex64]
PERIOD_ARCSEC = 5.2
"""Twice the radius to which light is followed: beyond 2.6 arcsec HST sends a per cent of it."""
TAPER = (0.85, 1.0)
"""Where the wings fade out, half periods: round, so that bright stars have no square rim."""
SAME_SCALE = 0.03
"""Relative difference of pixel scales that distortion makes within a chip."""


@dataclass(frozen=True, eq=False)
class BandOptics:
    """The effective PSF of one band.

    Parameters
    ----------
    kernel : (samples, samples) float32 array
        Fraction of a star's light per pixel, times the area of a sample, at the grid's offsets
        (FFT order, the middle first).
    grid : FrequencyGrid
        Period and samples of the kernel.
    cutoff : float
        Cycles per pixel beyond which the transform is nothing.
    reach : float
        Cycles per pixel along an axis beyond which the transform adds up to less than 1e-6 of all.
    half_light : float
        Radius of half of the light of a star, pixels.
    """

    kernel: NDArray[np.float32]
    grid: FrequencyGrid
    cutoff: float
    reach: float
    half_light: float

    def transform(self, fy: FloatArray, fx: FloatArray) -> ComplexArray:
        """Evaluate the transform of the effective PSF, pixel included.

        Parameters
        ----------
        fy, fx : (m,), (n,) arrays
            Cycles per pixel.

        Returns
        -------
        (m, n) complex64 array
            1 but for the light lost beyond the kernel at frequency 0; 0 beyond the cut-off.
        """
        offsets = self.grid.offsets()
        rows = np.exp(-2j * np.pi * np.outer(fy, offsets)).astype(np.complex64)
        columns = np.exp(-2j * np.pi * np.outer(offsets, fx)).astype(np.complex64)
        values = (rows @ self.kernel) @ columns
        values[np.hypot(fy[:, None], fx[None, :]) > self.cutoff] = 0.0
        return np.asarray(values, np.complex64)


@lru_cache(maxsize=32)
def band_optics(
    instrument: str,
    chip: str,
    filter_name: str,
    pixel_scale: float,
    *,
    pixfrac: float | None = None,
    focus: float = 0.0,
    blur: float | None = None,
) -> BandOptics:
    """PSF of a camera's band in images of some pixel scale (kept for the next call).

    Drizzled images of many dithers are the native ones smoothed by the drop and by the new pixel
    (Fruchter & Hook 2002, PASP 114, 144); what few dithers do beyond that, and the correlation of
    the noise, are left out.

    Parameters
    ----------
    instrument, chip, filter_name : str
        For example ``"WFC3", "UVIS1", "F336W"``; see `filar.psf.library.family_for`.
    pixel_scale : float
        Of the images, arcsec per pixel.
    pixfrac : float or None
        Side of the drop in native pixels (0 to 1) for drizzled images; None for native pixels.
    focus : float
        Microns of secondary despace.
    blur : float or None
        Arcsec rms of jitter and charge diffusion; by default the family's, 7 milliarcsec for HST.

    Returns
    -------
    BandOptics

    Raises
    ------
    ParameterError
        If the camera or the filter is not known, or native pixels have another scale.
    """
    if not 0.001 <= pixel_scale <= 10.0:
        raise ParameterError("pixel_scale", pixel_scale, "0.001 to 10 arcsec")
    if blur is not None and not 0.0 <= blur <= 5.0 * pixel_scale:
        raise ParameterError("blur", blur, "0 to 5 pixels, in arcsec")
    if pixfrac is not None and not 0.0 <= pixfrac <= 1.0:
        raise ParameterError("pixfrac", pixfrac, "0 to 1, or None for native pixels")
    family = family_for(instrument, chip, filter_name)
    if not isinstance(family, OpticalFamily):
        raise ParameterError(
            "instrument", instrument, "WFC3, ACS or WFPC2: of others no optics are known"
        )
    native = family.optics.pixel_scale
    if pixfrac is None and abs(native / pixel_scale - 1.0) > SAME_SCALE:
        raise ParameterError(
            "pixel_scale", pixel_scale, f"{native} arcsec, or another one with pixfrac (drizzled)"
        )
    transform, grid = _native_transform(family, focus, blur)
    grid = FrequencyGrid(grid.period * native / pixel_scale, grid.samples)
    if pixfrac is not None:
        drop = pixfrac * native / pixel_scale
        transform = transform * _squares(grid, drop) * _squares(grid, 1.0)
    shortest = min(family.optics.wavelengths)
    arcsec = np.pi / 180.0 / 3600.0
    cutoff = 2.0 * family.optics.pupil.radius / shortest * pixel_scale * arcsec
    return _kernel(transform, grid, cutoff)


def _native_transform(
    family: OpticalFamily, focus: float, blur: float | None
) -> tuple[FloatArray, FrequencyGrid]:
    """Transform on native pixels and a long period."""
    scale = family.optics.pixel_scale
    period = float(2 * round(PERIOD_ARCSEC / scale / 2))
    family = replace(family, optics=replace(family.optics, modes=1, period=period))
    changes = {"focus": focus * FOCUS_WAVES_PER_MICRON}
    if blur is not None:
        changes |= {"blur_xx": (blur / scale) ** 2, "blur_yy": (blur / scale) ** 2}
    local = family.start(**changes)[None]
    # a place in the middle of a chip: cameras without an obscuration of their own have one PSF
    return family.transforms([(400.0, 400.0)], local)[0], family.grid


def _squares(grid: FrequencyGrid, side: float) -> FloatArray:
    return np.sinc(side * grid.fy)[:, None] * np.sinc(side * grid.fx)[None, :]


def _kernel(transform: NDArray[np.number], grid: FrequencyGrid, cutoff: float) -> BandOptics:
    """Fade the wings out and measure the radius of half of the light."""
    from scipy import fft

    image = fft.irfft2(transform, s=(grid.samples, grid.samples))
    offsets = grid.offsets()
    radius = np.hypot(offsets[:, None], offsets[None, :])
    inner, outer = (part * grid.period / 2.0 for part in TAPER)
    fade = np.clip((radius - inner) / (outer - inner), 0.0, 1.0)
    image *= 0.5 * (1.0 + np.cos(np.pi * fade))
    order = np.argsort(radius, axis=None)
    within = np.cumsum(image.ravel()[order])
    half_light = float(np.interp(0.5, within, radius.ravel()[order]))
    reach = _reach(np.abs(transform), grid)
    return BandOptics(image.astype(np.float32), grid, cutoff, reach, half_light)


def _reach(strength: FloatArray, grid: FrequencyGrid) -> float:
    along = np.maximum(np.abs(grid.fy)[:, None], grid.fx)
    order = np.argsort(along, axis=None)
    part = np.cumsum(strength.ravel()[order], dtype=float)
    return float(along.ravel()[order][np.searchsorted(part, (1.0 - 1e-6) * part[-1])])
