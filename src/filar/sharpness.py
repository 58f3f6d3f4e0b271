"""Telling cosmic rays and hot pixels from stars by their sharpness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.flags import Flag
from filar.profile import GaussianPixel

FloatArray = NDArray[np.float64]

CORE = np.array([6, 7, 8, 11, 12, 13, 16, 17, 18])
"""The inner 3x3 pixels in a flattened 5x5 stamp."""

PAIRS = np.array([(7, 17), (11, 13), (6, 18), (8, 16)])
"""Opposite neighbours of its middle pixel: along the column, the row, the diagonals."""

SHARP_FRACTION = 0.5
"""A star sheds at least this part of the light that the Gaussian core predicts around a pixel."""

_SHARP_SIGMA = 2.5


def sharpness_flags(
    core: GaussianPixel, stamp: FloatArray, bad: NDArray[np.bool_], sigma: FloatArray
) -> tuple[FloatArray, NDArray[np.int32]]:
    """Sharpness of stamps, and the flags of those that are sharper than any star.

    Whatever the pixel phase, a star sheds at least the light of a centred star into each pair of
    opposite neighbours; a cosmic ray, even a track, leaves one pair dark. One that fills several
    pixels evenly leaves the pixels around those dark.

    Parameters
    ----------
    core : GaussianPixel
        The core of the PSF.
    stamp : (n, 25) array
        Flattened 5x5 pixels about the brightest one, electrons above the sky, unusable ones 0.
    bad : (n, 25) bool array
        Unusable pixels.
    sigma : (n,) array
        Background noise per pixel, electrons.

    Returns
    -------
    sharpness : (n,) float64 array
        See `filar.detect.Detections`.
    flags : (n,) int32 array
        COSMIC_RAY; HOT_PIXEL too where a single pixel holds the light.
    """
    peak = stamp[:, 12]
    pairs = stamp[:, PAIRS].sum(axis=2)
    broken = bad[:, PAIRS].any(axis=2) | (bad[:, 12] | (peak <= 0))[:, None]
    edge = core.pair_ratio
    expected = np.array([edge, edge, 0.5 * edge**2, 0.5 * edge**2])
    missing = SHARP_FRACTION * expected * peak[:, None] - pairs
    error = np.sqrt(
        2 * sigma[:, None] ** 2
        + np.maximum(pairs, 0)
        + (SHARP_FRACTION * expected * sigma[:, None]) ** 2
    )
    cosmic = (~broken & (missing > _SHARP_SIGMA * error)).any(axis=1)
    cosmic |= _dark_around(core, stamp, bad, sigma)
    with np.errstate(invalid="ignore", divide="ignore"):
        sharpness = np.where(broken, np.nan, pairs / (peak[:, None] * expected))[:, :2]
    sharpness = np.where(broken[:, :2].any(axis=1), np.nan, sharpness.min(axis=1))
    surroundings = stamp[:, CORE].sum(axis=1) - peak
    lonely = surroundings < SHARP_FRACTION * edge * peak - 2.0 * np.sqrt(8.0) * sigma
    flags = np.where(cosmic, Flag.COSMIC_RAY, 0) | np.where(cosmic & lonely, Flag.HOT_PIXEL, 0)
    return sharpness, flags.astype(np.int32)


def _dark_around(
    core: GaussianPixel, stamp: FloatArray, bad: NDArray[np.bool_], sigma: FloatArray
) -> NDArray[np.bool_]:
    """Stamps with too little light around their bright pixels for a star at that position."""
    x, y = core.centre(stamp[:, CORE].reshape(-1, 3, 3))
    model = (core.profile(y, 2)[:, :, None] * core.profile(x, 2)[:, None, :]).reshape(-1, 25)
    bright = (model > 0.3 * model.max(axis=1, initial=0, keepdims=True)) & ~bad
    around = (model > 0.01) & ~bright & ~bad
    share = (model * bright).sum(axis=1)
    flux = (stamp * bright).sum(axis=1) / np.where(share > 0, share, 1.0)
    expected = SHARP_FRACTION * flux * (model * around).sum(axis=1)
    seen = (stamp * around).sum(axis=1)
    error = np.sqrt(around.sum(axis=1) * sigma**2 + np.maximum(seen, 0))
    dark: NDArray[np.bool_] = (share > 0.2) & (expected - seen > _SHARP_SIGMA * error)
    return dark
