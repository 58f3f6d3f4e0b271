"""The wings of a frame's PSF from stars away from the crowd, ring by ring."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from filar.psf.wings import KNOTS, WingedPSF
from filar.saturation.scene import Scene
from filar.saturation.windows import cut, distances

FloatArray = NDArray[np.float64]
EDGES = (
    2.0,
    2.8,
    3.6,
    4.5,
    5.5,
    6.5,
    7.8,
    9.2,
    11.0,
    13.5,
    16.5,
    20.5,
    26.0,
    34.0,
    48.0,
    66.0,
    90.0,
)
LINK = (7.8, 13.5)
"""Radii at which saturated stars are scaled to unsaturated ones."""
QUIET = 1.5
"""Density of stars about a star that is away from the crowd, over the frame's median."""
NEIGHBOURHOOD = 50
"""Pixels to each side in which they are counted."""
BRIGHTEST = 80
FAR = 6.0
"""Brightness of stars that tell of the outer rings, over the saturation limit's."""
MOST_OTHERS = 0.3
SKY_RING = (66.0, 90.0)


def quiet_wings(
    scene: Scene, reliable: NDArray[np.bool_], saturated: NDArray[np.bool_]
) -> WingedPSF:
    """Measure the wings by medians of isolated stars: bright ones inside, saturated ones outside.

    Parameters
    ----------
    scene : Scene
        The frame; of its own wings only those of other stars matter.
    reliable, saturated : (n,) bool arrays
        Unsaturated stars that are alone; saturated ones.

    Returns
    -------
    WingedPSF
        The scene's core with these wings.
    """
    quiet = _crowding(scene) < QUIET
    inner = _brightest(scene, reliable & quiet)
    outer = _brightest(scene, saturated & quiet)
    near = _profiles(scene, inner, int(LINK[1]) + 2)
    edges = np.array(EDGES)
    middles = np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        profile = np.nanmedian(near, axis=0)
        link = (middles > LINK[0]) & (middles < LINK[1])
        if len(outer):
            far = _profiles(scene, outer, int(EDGES[-1]) + 1)
            scale = np.nanmedian(far[:, link] / profile[link], axis=1)
            far_median = np.nanmedian(far / scale[:, None], axis=0)
            profile = np.where(middles > LINK[1], far_median, profile)
    known = np.isfinite(profile) & (profile > 0)
    logs = np.interp(np.log(KNOTS), np.log(middles[known]), np.log(profile[known]))
    core = _core(scene)
    return scene.psf.with_light(np.maximum(np.exp(logs) - core, 0.0))


def _crowding(scene: Scene) -> FloatArray:
    """Density of stars about each star over the median over the frame: (n,)."""
    ny, nx = scene.exposure.shape
    row = np.clip(np.rint(scene.y).astype(int), 0, ny - 1)
    column = np.clip(np.rint(scene.x).astype(int), 0, nx - 1)
    count = np.zeros((ny, nx))
    np.add.at(count, (row, column), 1.0)
    size = 2 * NEIGHBOURHOOD + 1
    density = ndimage.uniform_filter(count, size, mode="constant")
    density /= ndimage.uniform_filter(np.ones((ny, nx)), size, mode="constant")
    return np.asarray(density[row, column] / np.median(density))


def _brightest(scene: Scene, some: NDArray[np.bool_]) -> NDArray[np.intp]:
    chosen = np.flatnonzero(some & (scene.flux > 0))
    return chosen[np.argsort(-scene.flux[chosen], kind="stable")][:BRIGHTEST]


def _profiles(scene: Scene, stars: NDArray[np.intp], half: int) -> FloatArray:
    """Median light per pixel of unit flux in each ring of each star, without its neighbours."""
    x, y, flux = scene.x[stars], scene.y[stars], scene.flux[stars, None, None]
    own = scene.psf.stamps(x, y, half) * flux
    others = np.maximum(cut(scene.light, x, y, half) - own, 0)
    rest = cut(scene.exposure.data - scene.sky, x, y, half) - others
    noise = cut(scene.noise, x, y, half)
    bad = cut(scene.spoilt, x, y, half, True) | (others > MOST_OTHERS * own + noise)
    values = np.where(bad, np.nan, rest / flux)
    r = distances(x, y, half)
    out = np.full((len(stars), len(EDGES) - 1), np.nan)
    for k, (low, high) in enumerate(itertools.pairwise(EDGES)):
        if high <= half + 1:
            ring = np.where((r >= low) & (r < high), values, np.nan).reshape(len(stars), -1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                out[:, k] = np.nanmedian(ring, axis=1)
    return out


def _core(scene: Scene) -> FloatArray:
    """Light of the faded core at the knots, in the middle of the chip."""
    ny, nx = scene.exposure.shape
    x, y = np.array([nx // 2]), np.array([ny // 2])
    stamp, r = scene.psf.core_stamps(x, y)[0].ravel(), distances(x, y, 7)[0].ravel()
    order = np.argsort(r, kind="stable")
    return np.asarray(np.interp(KNOTS, r[order], stamp[order], right=0.0))
