"""Covariates of completeness: what is around a place in the images, for artificial and real stars.

The light of the star itself is in them, as it is for any star of the sky, found or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.asts.band import Band
from filar.completeness.covariates import (
    LIGHT_ANNULUS,
    NOISE_ANNULUS,
    annulus_pixels,
    crowding,
    ring_light,
    sky_noise,
    surface_brightness,
)
from filar.psf.model import FieldPSF, annulus_offsets

FloatArray = NDArray[np.float64]
BRIGHT_SNR = 10.0
"""A detection counts as a neighbour from the flux on that has this signal-to-noise ratio."""
_FWHM = float(2.0 * np.sqrt(2.0 * np.log(2.0)))
_EMPTY = 5.0  # percent of the field that is darker than what is called its empty sky
_LEAST = 0.02  # of the sky noise: less light above the empty sky than that is not told from none


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a field's covariates are made from.

    Parameters
    ----------
    light : tuple of (ny, nx) float32 arrays
        For each band the mean light in the ring of 4 to 40 pixels around every pixel, electrons.
    own : tuple of float
        Part of a star's own light in a pixel of that ring, on average.
    empty, least : tuple of float
        Level of the empty sky, and the least light above it that counts, electrons per pixel.
    neighbours : (k, 2) float array
        Detections in the first image that count for crowding, pixels.
    limit : float
        Their least flux, electrons.
    fwhm : float
        Of the first image's PSF, pixels.
    """

    light: tuple[NDArray[np.float32], ...]
    own: tuple[float, ...]
    empty: tuple[float, ...]
    least: tuple[float, ...]
    neighbours: FloatArray
    limit: float
    fwhm: float

    @classmethod
    def of(cls, bands: Sequence[Band]) -> Surroundings:
        """Prepare the covariates of a field.

        Parameters
        ----------
        bands : sequence of Band
            Its images; crowding is that of the first.
        """
        first = bands[0].stars
        faint = first.snr < np.nanpercentile(first.snr, 50)
        limit = BRIGHT_SNR * float(np.nanmedian(first.flux_err[faint]))
        bright = first.flux >= limit
        sigma = bands[0].ground.sigma
        return cls(
            light=tuple(_light(band) for band in bands),
            own=tuple(_own_light(band.psf) for band in bands),
            empty=tuple(float(np.nanpercentile(band.ground.sky, _EMPTY)) for band in bands),
            least=tuple(_LEAST * float(np.nanmedian(band.ground.noise)) for band in bands),
            neighbours=np.c_[first.x[bright], first.y[bright]],
            limit=limit,
            fwhm=float(np.hypot(sigma * _FWHM, 1.0)),
        )


def covariates(
    bands: Sequence[Band],
    surroundings: Surroundings,
    places: Sequence[tuple[FloatArray, FloatArray]],
    *,
    added: Sequence[FloatArray] | None = None,
    noise: Sequence[FloatArray] | None = None,
) -> dict[str, FloatArray]:
    """Covariates of n places.

    Parameters
    ----------
    bands : sequence of Band
        The images.
    surroundings : Surroundings
        Of the field.
    places : sequence of (x, y)
        For each band, (n,) arrays in its own pixels.
    added : sequence of (n,) arrays, optional
        Flux in each band of stars that are not in the images, electrons.
    noise : sequence of (n,) arrays, optional
        Sky noise, where it was measured with those stars in place, electrons.

    Returns
    -------
    dict of str to (n,) array
        ``sky_noise_B`` (electrons) and ``surface_brightness_B`` (magnitudes per square arcsec, or
        per pixel where the scale is unknown) of each band, ``crowding``.
    """
    result: dict[str, FloatArray] = {}
    for i, (band, (x, y)) in enumerate(zip(bands, places, strict=True)):
        exposure = band.exposure
        result[f"sky_noise_{band.name}"] = (
            sky_noise(annulus_pixels(exposure.data, exposure.unusable, x, y, *NOISE_ANNULUS))
            if noise is None
            else noise[i]
        )
        light = _at(surroundings.light[i], x, y)
        if added is not None:
            light = light + added[i] * surroundings.own[i]
        scale = exposure.pixel_scale
        result[f"surface_brightness_{band.name}"] = surface_brightness(
            light, sky=surroundings.empty[i], zero_point=band.zero,
            pixel_scale=scale if scale > 0 else 1.0, least=surroundings.least[i],
        )  # fmt: skip
    result["crowding"] = crowding(
        *places[0], *surroundings.neighbours.T, fwhm=surroundings.fwhm,
        shape=bands[0].exposure.shape,
    )  # fmt: skip
    return result


def _light(band: Band) -> NDArray[np.float32]:
    """Mean light of the ring around every pixel."""
    exposure = band.exposure
    y, x = (a.ravel().astype(float) for a in np.mgrid[: exposure.shape[0], : exposure.shape[1]])
    light = ring_light(exposure.data, exposure.unusable, x, y, *LIGHT_ANNULUS)
    return light.reshape(exposure.shape).astype(np.float32)


def _own_light(psf: FieldPSF) -> float:
    """Part of a star's light beyond the ring's inner radius, per pixel of the ring."""
    half = min(int((psf.grid.period - 1) // 2) - 1, 22)
    x, y = (float(np.mean(nodes)) for nodes in (psf.nodes.x, psf.nodes.y))
    stamp = psf.stamps(np.array([round(x)]), np.array([round(y)]), 2 * half + 1)[0]
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    inside = float(stamp[np.hypot(dx, dy) < LIGHT_ANNULUS[0]].sum())
    return max(1.0 - inside, 0.0) / len(annulus_offsets(*LIGHT_ANNULUS)[0])


def _at(image: NDArray[np.float32], x: FloatArray, y: FloatArray) -> FloatArray:
    """Values of the pixels nearest to places; NaN outside of the image."""
    rows, columns = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    ny, nx = image.shape
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    values = image[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)].astype(float)
    return np.where(inside, values, np.nan)
