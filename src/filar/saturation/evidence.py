"""What an image tells of a star's light: classic estimates of all kinds, and circumstances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.psf.model import FieldPSF
from filar.saturation.blobs import (
    INTERPOLATED,
    Blobs,
    Trails,
    find_blobs,
    held_charge,
    measure_trails,
)  # fmt: skip
from filar.saturation.chain import RING_ERROR, Stars, combined, measure_scene
from filar.saturation.rings import EDGES, Rings, measure_rings, ring_edges
from filar.saturation.scene import Scene, at_pixels, star_width
from filar.saturation.windows import cut, distances

FloatArray = NDArray[np.float64]
RINGS = len(EDGES) - 1
EXPERTS = ("psf", "trail", "aperture", *(f"ring_{k}" for k in range(RINGS)))
"""Estimates that a network may lean on: columns NAME, log10 of electrons, and NAME_err, dex."""
CONTEXT = (
    "pixels", "rows_up", "rows_down", "columns", "at_border", "others_in_blob", "peak", "top",
    "place_x", "place_y", "width", "sky_level", "sky_noise", "sky_error", "crowding", "masked",
    "unspoilt", "rings_agree",
)  # fmt: skip
"""Circumstances, see `_context`."""
COLUMNS = (
    *(f"{name}{end}" for name in (*EXPERTS, "wings") for end in ("", "_err")),
    *(f"ring_{k}_others" for k in range(RINGS)),
    *CONTEXT,
)
LN10 = np.log(10)
CORE = 3.0
"""Half widths: pixels within are the star's core."""
APERTURE = 5.0
"""Half widths: radius of the plain sum of pixels."""
PSF_ERROR = 0.001
"""Relative: no photometry is better than this."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was measured of n stars.

    Parameters
    ----------
    values : (n, k) float32 array
        Columns `COLUMNS`.
    x, y : (n,) float64 arrays
        Where the stars are, pixels: saturated ones where the light about them says.
    sky, noise : (n,) float32 arrays
        At the stars, electrons.
    width : float
        FWHM of the PSF in the middle of the chip, pixels.
    """

    values: NDArray[np.float32]
    x: FloatArray
    y: FloatArray
    sky: NDArray[np.float32]
    noise: NDArray[np.float32]
    width: float


def gather(exposure: Exposure, psf: FieldPSF, stars: Stars, chosen: NDArray[np.intp]) -> Evidence:
    """Measure all there is to know of some stars of an exposure.

    Parameters
    ----------
    exposure : Exposure
        The image.
    psf : FieldPSF
        Fitted to its stars.
    stars : Stars
        All of them.
    chosen : (n,) int array
        Which ones are wanted.

    Returns
    -------
    Evidence
    """
    scene = measure_scene(exposure, psf, stars)
    x, y, flux = scene.x[chosen], scene.y[chosen], scene.flux[chosen]
    blobs = find_blobs(exposure)
    width = star_width(scene.psf, x, y)
    ny, nx = exposure.shape
    middle = float(star_width(scene.psf, np.array([nx / 2]), np.array([ny / 2]))[0])
    edges = ring_edges(middle)
    rings = measure_rings(scene, x, y, flux, edges)
    trails = measure_trails(scene, blobs, x, y, flux, int(np.ceil(edges[-1])))
    core = _Core.look(scene, x, y, flux, middle)
    columns = _estimates(scene, stars, chosen, rings, trails, core)
    columns |= _context(scene, blobs, trails, rings, core, width)
    values = np.stack([columns.get(name, np.full(len(x), np.nan)) for name in COLUMNS], axis=1)
    at = at_pixels(scene, x, y)
    sky, noise = scene.sky[at].astype(np.float32), scene.noise[at].astype(np.float32)
    return Evidence(values.astype(np.float32), x, y, sky, noise, middle)


@dataclass(frozen=True, eq=False)
class _Core:
    """The pixels about stars' centres: sums over them, and over the aperture."""

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    saturated: NDArray[np.bool_]
    masked: FloatArray
    unspoilt: FloatArray
    crowding: FloatArray
    top: FloatArray
    peak: FloatArray
    aperture: FloatArray
    aperture_error: FloatArray

    @classmethod
    def look(
        cls, scene: Scene, x: FloatArray, y: FloatArray, flux: FloatArray, width: float
    ) -> _Core:
        """Look at n stars of a scene; width is the PSF's, pixels."""
        exposure = scene.exposure
        half = int(np.ceil(0.5 * width * APERTURE))
        r = distances(x, y, half)
        inner, whole = r < 0.5 * width * CORE, r < 0.5 * width * APERTURE
        psf = scene.psf.stamps(x, y, half)
        others = np.maximum(cut(scene.light, x, y, half) - flux[:, None, None] * psf, 0)
        data = cut(exposure.data - scene.sky, x, y, half)
        saturated = cut(exposure.saturated, x, y, half, False)
        masked = cut(exposure.mask & ~exposure.saturated, x, y, half, True)
        spoilt = cut(scene.spoilt, x, y, half, True)
        axes = (1, 2)
        count = inner.sum(axis=axes)
        bright = np.where(saturated & inner, data, np.nan)
        level = held_charge(exposure)
        own = np.sum(np.where(whole & ~masked, data - others, 0), axis=axes)
        part = np.sum(np.where(whole & ~masked, psf, 0), axis=axes)
        variance = np.where(
            whole & ~masked, exposure.variance(data + cut(scene.sky, x, y, half)), 0
        )
        error2 = variance.sum(axis=axes) + (0.1 * np.sum(others * whole, axis=axes)) ** 2
        error2 += (scene.sky_error[at_pixels(scene, x, y)] * whole.sum(axis=axes)) ** 2
        light = np.maximum(np.sum(psf * inner, axis=axes) * flux, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return cls(
                x, y, flux,
                saturated=np.asarray((saturated & inner).any(axis=axes)),
                masked=np.sum(masked & inner, axis=axes) / count,
                unspoilt=np.sum(~spoilt & inner, axis=axes) / count,
                crowding=np.sum(others * inner, axis=axes) / light,
                top=_nanmean(bright) / level,
                peak=flux * psf[:, half, half] / level,
                aperture=own / part, aperture_error=np.sqrt(error2) / part,
            )  # fmt: skip


def _nanmean(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=(1, 2)) / known.sum(axis=(1, 2)))


def _logs(name: str, flux: FloatArray, error: FloatArray) -> dict[str, FloatArray]:
    """An estimate and its error as logarithms; NaN where it is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = (flux > 0) & np.isfinite(error)
        value = np.where(known, np.log10(np.where(known, flux, 1)), np.nan)
        return {name: value, f"{name}_err": np.where(known, error / flux / LN10, np.nan)}


def _estimates(
    scene: Scene,
    stars: Stars,
    chosen: NDArray[np.intp],
    rings: Rings,
    trails: Trails,
    core: _Core,
) -> dict[str, FloatArray]:
    """The classic estimates."""
    flux, error = stars.flux[chosen], stars.error[chosen]
    whole = np.where(stars.saturated[chosen], np.nan, flux)
    found = _logs("psf", whole, np.hypot(error, PSF_ERROR * np.abs(flux)))
    bled = np.where(stars.saturated[chosen], trails.flux, np.nan)
    found |= _logs("trail", bled, trails.error)
    untold = core.saturated & (scene.exposure.meta.get("saturated_values") == INTERPOLATED)
    found |= _logs("aperture", np.where(untold, np.nan, core.aperture), core.aperture_error)
    found |= _logs("wings", *combined(rings, RING_ERROR))
    for k in range(rings.flux.shape[1]):
        found |= _logs(f"ring_{k}", rings.flux[:, k], rings.error[:, k])
        found[f"ring_{k}_others"] = np.minimum(np.nan_to_num(rings.others[:, k], nan=9.0), 9.0)
    return found


def _context(
    scene: Scene, blobs: Blobs, trails: Trails, rings: Rings, core: _Core, width: FloatArray
) -> dict[str, FloatArray]:
    """Circumstances: logarithms where numbers span decades."""
    exposure = scene.exposure
    ny, nx = exposure.shape
    own = trails.blob > 0
    first, last, left, right = (blobs.extent[trails.blob, k] for k in range(4))
    at = at_pixels(scene, core.x, core.y)
    border = (first <= 1) | (last >= ny - 2) | (left <= 1) | (right >= nx - 2)
    border |= blobs.total(exposure.edge.astype(float))[trails.blob] > 0
    return {
        "pixels": np.where(own, np.log10(1 + blobs.pixels[trails.blob]), 0),
        "rows_up": np.where(own, np.log10(1 + np.maximum(last - core.y, 0)), 0),
        "rows_down": np.where(own, np.log10(1 + np.maximum(core.y - first, 0)), 0),
        "columns": np.where(own, np.log10(1 + np.maximum(right - left + 1, 0)), 0),
        "at_border": np.where(own, border, False).astype(float),
        "others_in_blob": np.clip(np.nan_to_num(trails.others), 0, 2),
        "peak": np.clip(np.log10(np.maximum(core.peak, 1e-4)), -4, 5),
        "top": np.clip(np.nan_to_num(core.top), 0, 50),
        "place_x": 2 * core.x / nx - 1,
        "place_y": 2 * core.y / ny - 1,
        "width": np.log10(width),
        "sky_level": np.log10(np.maximum(scene.sky[at], 1)),
        "sky_noise": np.log10(np.maximum(scene.noise[at], 0.1)),
        "sky_error": np.log10(np.maximum(scene.sky_error[at], 0.01)),
        "crowding": np.log10(np.clip(core.crowding, 1e-3, 10)),
        "masked": core.masked,
        "unspoilt": core.unspoilt,
        "rings_agree": np.log10(np.clip(_disagreement(rings), 1e-3, 1)),
    }


def _disagreement(rings: Rings) -> FloatArray:
    """Mean distance of the rings' estimates from their median, dex; 1 where none tells."""
    usable = (rings.others < 1) & (rings.flux > 0)
    value = np.where(usable, np.log10(np.where(usable, rings.flux, 1)), np.inf)
    count = usable.sum(axis=1)
    middle = np.sort(value, axis=1)[np.arange(len(value)), np.maximum(count - 1, 0) // 2]
    middle = np.where(count > 0, middle, 0)
    apart = np.where(usable, np.abs(np.where(usable, value, 0) - middle[:, None]), 0)
    return np.asarray(np.where(count > 0, apart.sum(axis=1) / np.maximum(count, 1), 1.0))
