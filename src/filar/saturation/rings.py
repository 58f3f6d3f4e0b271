"""A star's light as each ring about it tells, from the pixels that are not saturated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.saturation.scene import Scene
from filar.saturation.windows import cut, distances

FloatArray = NDArray[np.float64]
EDGES = (0.0, 1.0, 1.75, 2.5, 3.5, 4.5, 6.0, 8.0, 10.5, 14.0, 19.0, 26.0, 36.0)
"""Of the rings, in half widths at half maximum."""
LARGEST_RADIUS = 100.0
NEIGHBOURS_ERROR = 0.1
"""Of the light of other stars: how well it is known."""
SHAPE_ERROR = 0.15
"""Of the star's own light in a pixel, before it counts as spoilt by something else."""
CLIP = 4.0
CHUNK = 3_000_000
"""Pixels looked at at once."""


@dataclass(frozen=True, eq=False)
class Rings:
    """Estimates of stars' light.

    Parameters
    ----------
    flux, error : (n, k) float64 arrays
        By ring, electrons of the whole star; NaN where a ring has no good pixel.
    pixels : (n, k) float64 array
        Good pixels as a part of the ring's.
    others : (n, k) float64 array
        Light of other stars in the good pixels over the star's own.
    chi2 : (n, k) float64 array
        Reduced, of the good pixels about the ring's own estimate.
    """

    flux: FloatArray
    error: FloatArray
    pixels: FloatArray
    others: FloatArray
    chi2: FloatArray


def ring_edges(fwhm: float) -> FloatArray:
    """Edges of the rings, pixels, for a PSF of this width: (k + 1,)."""
    edges = 0.5 * fwhm * np.array(EDGES)
    return edges[edges <= LARGEST_RADIUS]


def measure_rings(
    scene: Scene, x: FloatArray, y: FloatArray, flux: FloatArray, edges: FloatArray
) -> Rings:
    """Estimate stars' light in rings.

    Within a ring the light is the weighted least-squares fit of the PSF to the good pixels, with
    the sky's, photons' and neighbours' variance; pixels far from it are left out once.

    Parameters
    ----------
    scene : Scene
        With all stars, these among them.
    x, y : (n,) arrays
        The stars, pixels.
    flux : (n,) array
        What they have in the scene, electrons.
    edges : (k + 1,) array
        Radii, pixels.

    Returns
    -------
    Rings
    """
    n, k = len(x), len(edges) - 1
    out = np.full((5, n, k), np.nan)
    half = int(np.ceil(edges[-1]))
    step = max(1, CHUNK // (2 * half + 1) ** 2)
    for start in range(0, n, step):
        part = slice(start, start + step)
        out[:, part] = _measure(scene, x[part], y[part], flux[part], edges, half)
    return Rings(*out)


def _measure(
    scene: Scene, x: FloatArray, y: FloatArray, flux: FloatArray, edges: FloatArray, half: int
) -> FloatArray:
    n, k = len(x), len(edges) - 1
    psf = scene.psf.stamps(x, y, half)
    light = cut(scene.light, x, y, half)
    data = cut(scene.exposure.data - scene.sky, x, y, half)
    sky = cut(scene.sky, x, y, half)
    others = np.maximum(light - flux[:, None, None] * psf, 0)
    good = ~cut(scene.spoilt, x, y, half, True)
    ring = np.searchsorted(edges, distances(x, y, half), side="right") - 1
    inside = ring < k
    at = (np.arange(n)[:, None, None] * k + np.minimum(ring, k - 1)).ravel()

    def total(values: FloatArray) -> FloatArray:
        sums = np.bincount(at, np.where(inside, values, 0).ravel(), n * k)
        return np.asarray(sums.reshape(n, k), float)

    def spread(values: FloatArray) -> FloatArray:
        return np.asarray(values.ravel()[at].reshape(psf.shape))

    noise2 = np.maximum(light + sky, 0) + scene.exposure.read_noise**2
    variance = noise2 + (NEIGHBOURS_ERROR * others) ** 2
    own = data - others
    weight = good / variance
    with np.errstate(divide="ignore", invalid="ignore"):
        first = total(weight * psf * own) / total(weight * psf**2)
        expected = spread(np.nan_to_num(first)) * psf
        pull2 = (own - expected) ** 2 / (variance + (SHAPE_ERROR * expected) ** 2)
        weight = weight * (pull2 < CLIP**2)
        norm = total(weight * psf**2)
        value = total(weight * psf * own) / norm
        of_sky = total(weight * psf * cut(scene.sky_error, x, y, half)) / norm
        kept = (weight > 0).astype(float)
        count = total(kept)
        chi2 = total(kept * (own - spread(np.nan_to_num(value)) * psf) ** 2 / variance) / count
        share = total(kept * others) / np.maximum(total(kept * psf) * np.abs(value), 1e-9)
        whole = total(np.ones_like(psf))
        return np.stack([value, np.hypot(1 / np.sqrt(norm), of_sky), count / whole, share, chi2])
