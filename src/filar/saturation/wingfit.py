"""The wings of an exposure's PSF, from stars of all brightnesses: each tells of some radii."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.psf.wings import KNOTS, WingedPSF
from filar.saturation.rings import NEIGHBOURS_ERROR
from filar.saturation.scene import REACHES, Scene, at_pixels
from filar.saturation.windows import cut, distances

FloatArray = NDArray[np.float64]
EDGES = np.sqrt(np.array([2.0, *KNOTS]) * np.array([*KNOTS, 1.4 * KNOTS[-1]]))
"""Of the ring about each knot, pixels."""
LEAST_SNR, MOST_OTHERS = 2.0, 0.5
"""Of a star's light in a ring that counts: over its error, and others' light over it."""
STAR_ERROR = 0.1
"""Relative: no star tells more, so that no single one decides."""
FEWEST = 3
CHUNK = 2_000_000


def fit_wings(scene: Scene, chosen: NDArray[np.intp]) -> WingedPSF:
    """Measure the profile of the wings.

    In each ring the mean light of each star, without its core, its sky and all other stars, over
    the star's whole light; of all stars the weighted median, which does not mind those that stand
    on something else.

    Parameters
    ----------
    scene : Scene
        With the light of its stars as well as it is known.
    chosen : (n,) int array
        Stars that tell: bright, their light known.

    Returns
    -------
    WingedPSF
        The scene's core with these wings; where too few stars tell, the scene's own wings, scaled
        to the last that was measured.
    """
    flux = scene.flux[chosen]
    reach = scene.reach(flux)
    value = np.full((len(chosen), len(KNOTS)), np.nan)
    error = np.full_like(value, np.nan)
    others = np.full_like(value, np.nan)
    for half in REACHES:
        some = np.flatnonzero((reach == half) & (flux > 0))
        step = max(1, CHUNK // (2 * half + 1) ** 2)
        for start in range(0, len(some), step):
            part = some[start : start + step]
            value[part], error[part], others[part] = _profiles(scene, chosen[part], half)
    expected = scene.psf.profile(np.array(KNOTS)) + _core_profile(scene)
    with np.errstate(invalid="ignore"):
        counts = (expected > LEAST_SNR * error) & (others < MOST_OTHERS * expected)
    weight = np.where(counts, 1 / (error**2 + (STAR_ERROR * expected) ** 2), 0)
    light, scale = scene.psf.light.copy(), 1.0
    for k in range(len(KNOTS)):
        if counts[:, k].sum() < FEWEST:
            light[k] *= scale
            continue
        measured = _weighted_median(value[counts[:, k], k], weight[counts[:, k], k])
        scale = float(np.clip(measured / light[k], 0.1, 10)) if light[k] > 0 else 1.0
        light[k] = measured
    return scene.psf.with_light(light)


def _profiles(
    scene: Scene, stars: NDArray[np.intp], half: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean light in the rings over the star's own without its core, its error, others' light."""
    x, y, flux = scene.x[stars], scene.y[stars], scene.flux[stars]
    n, k = len(stars), len(KNOTS)
    own = scene.psf.stamps(x, y, half)
    light = cut(scene.light, x, y, half)
    others = np.maximum(light - flux[:, None, None] * own, 0)
    sky = cut(scene.sky, x, y, half)
    rest = cut(scene.exposure.data - scene.sky, x, y, half) - others
    inner = min(half, 7)
    at = (slice(None), *[slice(half - inner, half + inner + 1)] * 2)
    rest[at] -= flux[:, None, None] * scene.psf.core_stamps(x, y, inner)
    good = ~cut(scene.spoilt, x, y, half, True)
    ring = np.searchsorted(EDGES, distances(x, y, half), side="right") - 1
    inside = good & (ring >= 0) & (ring < k)
    index = (np.arange(n)[:, None, None] * k + np.clip(ring, 0, k - 1)).ravel()
    noise2 = np.maximum(light + sky, 0) + scene.exposure.read_noise**2
    weight = np.where(inside, 1 / (noise2 + (NEIGHBOURS_ERROR * others) ** 2), 0)

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(index, values.ravel(), n * k).reshape(n, k), float)

    norm = total(weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total(weight * rest) / norm / flux[:, None]
        near = total(weight * others) / norm
        sky_error = scene.sky_error[at_pixels(scene, x, y)][:, None]
        spread = np.sqrt(1 / norm + sky_error**2 + (NEIGHBOURS_ERROR * near) ** 2)
        return mean, spread / flux[:, None], near / flux[:, None]


def _core_profile(scene: Scene) -> FloatArray:
    """Light of the fitted core at the knots, in the middle of the chip."""
    ny, nx = scene.exposure.shape
    half = 7
    stamp = scene.psf.core_stamps(np.array([nx // 2]), np.array([ny // 2]), half)[0]
    return np.asarray(np.interp(KNOTS, np.arange(half + 1), stamp[half, half:], right=0.0))


def _weighted_median(values: FloatArray, weight: FloatArray) -> float:
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(share, 0.5 * share[-1])])
