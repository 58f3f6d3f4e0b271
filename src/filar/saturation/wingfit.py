"""The wings of an exposure's PSF, from all its pixels at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.psf.wings import KNOTS, WingedPSF, assumed_wings
from filar.saturation.scene import Scene
from filar.saturation.windows import add

FloatArray = NDArray[np.float64]
BRIGHTEST = 400
"""Stars whose wings count."""
REACH = 112
PIXELS = 150_000
"""Of an image that are looked at, about: evenly chosen."""
SKY_DEGREE = 2
LIGHT_ERROR = 0.05
"""Relative, of the model in a pixel."""
PRIOR, PRIOR_CORE = 2.0, 0.2
"""How far the wings may be from what is assumed, relative to it and to the fitted core."""
CLIP = 4.0


def fit_wings(scene: Scene) -> WingedPSF:
    """Fit the profile of the wings to an exposure.

    The image without the cores of its stars is a smooth sky and, for every radius, the light that
    all stars together throw that far: a linear problem, whose solution does not mind that wings
    overlap. Pixels that stand out from it are left out.

    Parameters
    ----------
    scene : Scene
        With the light of its stars as well as it is known.

    Returns
    -------
    WingedPSF
        The scene's core with these wings.
    """
    ny, nx = scene.exposure.shape
    basis, cores = _basis(scene)
    good = (~scene.spoilt).ravel()
    good[np.arange(good.size) % max(1, good.size // PIXELS) != 0] = False
    y, x = np.divmod(np.flatnonzero(good), nx)
    u, v = 2 * x / nx - 1, 2 * y / ny - 1
    powers = [(i, j) for i in range(SKY_DEGREE + 1) for j in range(SKY_DEGREE + 1 - i)]
    scale = float(np.median(scene.noise))
    design = np.concatenate([basis[:, good], [scale * u**i * v**j for i, j in powers]]).T
    target = (scene.exposure.data - cores).ravel()[good]
    light = scene.light.ravel()[good]
    variance = light + scene.sky.ravel()[good] + scene.exposure.read_noise**2
    weight = 1 / (np.maximum(variance, 1) + (LIGHT_ERROR * light) ** 2)
    assumed = assumed_wings()
    prior = np.zeros(design.shape[1])
    core = _core_profile(scene)
    prior[: len(KNOTS)] = 1 / np.hypot(PRIOR * assumed, PRIOR_CORE * core) ** 2
    start = np.concatenate([scene.psf.light, np.zeros(len(powers))])
    for _ in range(3):
        scaled = design * weight[:, None]
        matrix = scaled.T @ design + np.diag(prior + 1e-12)
        solution = np.linalg.solve(matrix, scaled.T @ target + prior * start)
        rest = target - design @ solution
        weight = np.where(rest**2 * weight > CLIP**2, 0.01 * weight, weight)
    return scene.psf.with_light(solution[: len(KNOTS)])


def _core_profile(scene: Scene) -> FloatArray:
    """Light of the fitted core at the knots, in the middle of the chip."""
    ny, nx = scene.exposure.shape
    half = 7
    stamp = scene.psf.core_stamps(np.array([nx // 2]), np.array([ny // 2]), half)[0]
    return np.asarray(np.interp(KNOTS, np.arange(half + 1), stamp[half, half:], right=0.0))


def _basis(scene: Scene) -> tuple[FloatArray, FloatArray]:
    """Light that all stars throw by each knot of the wings, and their cores."""
    shape = scene.exposure.shape
    ny, nx = shape
    flux = np.nan_to_num(scene.flux)
    order = np.argsort(-flux, kind="stable")
    reach = scene.reach(flux)
    cores = np.zeros(shape)
    some = order[flux[order] > 0]
    for start in range(0, len(some), 4096):
        part = some[start : start + 4096]
        stamps = scene.psf.core_stamps(scene.x[part], scene.y[part]) * flux[part, None, None]
        add(cores, stamps, scene.x[part], scene.y[part])
    knots = np.concatenate([[2.0], KNOTS])
    sums = np.zeros(len(knots) * ny * nx)
    for i in some[:BRIGHTEST]:
        half = min(int(reach[i]), REACH)
        cx, cy = round(float(scene.x[i])), round(float(scene.y[i]))
        rows = np.arange(max(cy - half, 0), min(cy + half + 1, ny))
        columns = np.arange(max(cx - half, 0), min(cx + half + 1, nx))
        if not len(rows) or not len(columns):
            continue
        r = np.hypot((rows - scene.y[i])[:, None], columns - scene.x[i]).ravel()
        at = (rows[:, None] * nx + columns).ravel()
        keep = (r > knots[0]) & (r < knots[-1])
        r, at = r[keep], at[keep]
        low = np.searchsorted(knots, r, side="right") - 1
        part_high = (r - knots[low]) / (knots[low + 1] - knots[low])
        for knot, share in ((low, 1 - part_high), (low + 1, part_high)):
            np.add.at(sums, knot * (ny * nx) + at, flux[i] * share * knots[knot] ** 2 / r**2)
    return sums.reshape(len(knots), ny * nx)[1:], cores
