"""How much light true neighbours shed on the stars of a simulated set."""

from __future__ import annotations

import numpy as np

from filar.errors import ParameterError
from filar.frames.starlist import FloatArray

RADIUS = 5.0
"""Pixels: C23's isolation."""


def neighbour_share(
    x: FloatArray, y: FloatArray, flux: FloatArray, radius: float = RADIUS
) -> FloatArray:
    """Light of all other stars within a radius, in units of the star's own.

    A neighbour too faint to be found pulls a centre by about its share of the light times its
    distance, in all exposures alike, whatever the method.

    Parameters
    ----------
    x, y : (n,) arrays
        True positions in one exposure, pixels.
    flux : (n,) array
        Electrons.
    radius : float
        Pixels.

    Returns
    -------
    (n,) array
        0 for a star that is alone.

    Raises
    ------
    ParameterError
        If the radius is not positive.
    """
    from scipy.spatial import cKDTree

    if not radius > 0:
        raise ParameterError("radius", radius, "a positive number of pixels")
    flux = np.asarray(flux, float)
    pairs = cKDTree(np.stack([x, y], axis=1)).query_pairs(radius, output_type="ndarray")
    first, second = pairs.T
    light = np.bincount(first, flux[second], len(flux)) + np.bincount(
        second, flux[first], len(flux)
    )
    return np.asarray(light / np.maximum(flux, 1e-300))
