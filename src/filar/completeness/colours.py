"""Giving artificial stars the colours of real ones, by weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.completeness.table import ArtificialStars, RealStars

FloatArray = NDArray[np.float64]
STEPS = (0.25, 0.05)
"""Magnitudes between the places of the diagram where densities are taken."""
MAG_WIDTH, COLOR_WIDTH = 0.6, 0.12
"""Magnitudes over which the densities are smoothed."""
FEWEST = 20.0
"""Real stars near a magnitude, below which the next brighter colours are taken."""
LARGEST = 50.0
"""Times the mean that a weight may be."""


def color_weights(stars: RealStars, artificial: ArtificialStars, band: int = 0) -> FloatArray:
    """Weights with which artificial stars have the colours that real ones have at their magnitude.

    Artificial stars are spread over a wide range of colours, and recovery hangs on the colour. The
    density of real stars over that of artificial ones is taken at each place of the
    colour-magnitude diagram, smoothed, magnitude by magnitude: how many stars there are of each
    magnitude does not count.

    Parameters
    ----------
    stars : RealStars
        With measured magnitudes in the same bands.
    artificial : ArtificialStars
        n of them.
    band : int
        Number of the band whose magnitude is meant; the colour is that of the first and last.

    Returns
    -------
    (n,) float64 array
        Of mean 1; 0 for a star without a colour; all 1 for a single band.
    """
    if len(artificial.bands) < 2:
        return np.ones(len(artificial))
    own, known = _places(artificial.mag_in, band)
    real, _ = _places(stars.mag, band)
    if not known.any():
        return np.ones(len(artificial))
    rim = np.array([2 * MAG_WIDTH, 4 * COLOR_WIDTH])
    low, high = own.min(axis=0) - rim, own.max(axis=0) + rim
    edges = [np.arange(a, b + s, s) for a, b, s in zip(low, high, STEPS, strict=True)]
    wanted, given = _density(real, edges), _density(own, edges)
    ratio = np.divide(wanted, given, out=np.zeros_like(wanted), where=given > 1e-9)
    cell = [np.clip(np.searchsorted(e, v, "right") - 1, 0, len(e) - 2)
            for e, v in zip(edges, own.T, strict=True)]  # fmt: skip
    weights = np.zeros(len(artificial))
    weights[known] = ratio[cell[0], cell[1]]
    mean = weights.mean()
    if not mean > 0:
        return np.ones(len(artificial))
    return np.asarray(np.minimum(weights / mean, LARGEST))


def _places(mag: FloatArray, band: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Magnitude and colour of the stars that have both, and which these are."""
    places = np.stack([mag[:, band], mag[:, 0] - mag[:, -1]], axis=1)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(places).all(axis=1))
    return places[known], known


def _density(places: FloatArray, edges: list[FloatArray]) -> FloatArray:
    """Density of colour at each magnitude; where stars are few, that of the next brighter ones."""
    from scipy.ndimage import gaussian_filter

    count = np.histogramdd(places, bins=edges)[0]
    widths = (MAG_WIDTH / STEPS[0], COLOR_WIDTH / STEPS[1])
    smooth: FloatArray = gaussian_filter(count, widths, mode="constant")
    enough = gaussian_filter(count.sum(axis=1), widths[0], mode="constant")
    known = np.flatnonzero(enough * 2 * MAG_WIDTH / STEPS[0] >= min(FEWEST, len(places) / 4))
    if not len(known):
        return np.ones_like(smooth)
    rows = np.arange(len(smooth))
    nearest = known[np.clip(np.searchsorted(known, rows, "right") - 1, 0, len(known) - 1)]
    smooth = smooth[nearest]
    return np.asarray(smooth / np.maximum(smooth.sum(axis=1, keepdims=True), 1e-30))
