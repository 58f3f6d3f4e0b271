"""Centres of saturated stars, from the light about the saturated pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.saturation.rings import NEIGHBOURS_ERROR
from filar.saturation.scene import Scene
from filar.saturation.windows import cut

FloatArray = NDArray[np.float64]
SHAPE_ERROR = 0.1
"""Of the star's own light in a pixel."""
START_ERROR = 0.3
"""Pixels: shifts well below this are left out."""
LARGEST_STEP, LARGEST_SHIFT = 0.7, 3.0
"""Pixels: of one call, and from where the star was found."""
DIFFERENCE = 0.25
"""Pixels over which slopes are taken."""
CLIP = 4.0
"""Standard deviations from which a pixel counts less."""


def step_centres(
    scene: Scene, x: FloatArray, y: FloatArray, flux: FloatArray, half: int,
    start: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Move stars to where the light about them fits best: one Gauss-Newton step.

    Small shifts are left out: the PSF's wings are not known well enough for them.

    Parameters
    ----------
    scene : Scene
        With all stars, these among them.
    x, y : (n,) arrays
        The stars, pixels.
    flux : (n,) array
        What they have in the scene, electrons.
    half : int
        Pixels to each side that are looked at.
    start : (x, y)
        Where they were found.

    Returns
    -------
    x, y : (n,) arrays
        New places.
    """
    moved = np.clip(_wanted(scene, x, y, flux, half), -LARGEST_STEP, LARGEST_STEP)
    shift = np.stack([x - start[0], y - start[1]], axis=1) + moved
    length2 = np.sum(shift**2, axis=1, keepdims=True)
    shift = np.clip(shift * length2 / (length2 + START_ERROR**2), -LARGEST_SHIFT, LARGEST_SHIFT)
    return start[0] + shift[:, 0], start[1] + shift[:, 1]


def _wanted(scene: Scene, x: FloatArray, y: FloatArray, flux: FloatArray, half: int) -> FloatArray:
    """Step in x and y to the least squares, flux free: (n, 2); 0 where no pixel tells."""
    psf, by_x, by_y = _shapes(scene, x, y, half)
    own = flux[:, None, None] * psf
    others = np.maximum(cut(scene.light, x, y, half) - own, 0)
    sky = cut(scene.sky, x, y, half)
    rest = cut(scene.exposure.data - scene.sky, x, y, half) - others - own
    noise2 = np.maximum(own + others + sky, 0) + scene.exposure.read_noise**2
    variance = noise2 + (NEIGHBOURS_ERROR * others) ** 2 + (SHAPE_ERROR * own) ** 2
    weight = (~cut(scene.spoilt, x, y, half, True)) / variance
    pull = np.abs(rest) * np.sqrt(weight)
    weight *= np.minimum(1, CLIP / np.maximum(pull, 1e-9))
    columns = [own, *(flux[:, None, None] * slope for slope in (by_x, by_y))]
    design = np.stack([c.reshape(len(x), -1) for c in columns], axis=2)
    scaled = design * weight.reshape(len(x), -1)[:, :, None]
    normal = scaled.transpose(0, 2, 1) @ design
    target = np.einsum("nij,ni->nj", scaled, rest.reshape(len(x), -1))
    normal[:, np.arange(3), np.arange(3)] += 1e-6 * np.abs(normal).max(axis=(1, 2))[:, None] + 1e-9
    # without a sky there is nothing but NaN
    return np.nan_to_num(np.linalg.solve(normal, target[:, :, None])[:, 1:, 0])


def _shapes(
    scene: Scene, x: FloatArray, y: FloatArray, half: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The PSF in the stars' squares, and its slopes by their places."""

    def image(dx: float, dy: float) -> FloatArray:
        """The stars shifted, in the frames of the unshifted ones."""
        whole = np.rint(x + dx) - np.rint(x), np.rint(y + dy) - np.rint(y)
        stamps = scene.psf.stamps(x + dx, y + dy, half + 1)
        rows = np.arange(2 * half + 1) + 1 - whole[1].astype(int)[:, None]
        columns = np.arange(2 * half + 1) + 1 - whole[0].astype(int)[:, None]
        n = np.arange(len(x))[:, None, None]
        return np.asarray(stamps[n, rows[:, :, None], columns[:, None, :]])

    by_x = (image(DIFFERENCE, 0) - image(-DIFFERENCE, 0)) / (2 * DIFFERENCE)
    by_y = (image(0, DIFFERENCE) - image(0, -DIFFERENCE)) / (2 * DIFFERENCE)
    return image(0, 0), by_x, by_y
