"""What Gaia would say of a star: magnitudes that belong to its g and colour.

Colour relations and saturation systematics: Riello et al. 2021, A&A 649, A3 (appendix C and
equations B.1-B.3), used in the other direction.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

G_MINUS_SDSS = (0.2199, -0.6365, -0.1548, 0.0064)
"""G - g by powers of BP - RP."""

G_MINUS_V = (-0.02704, 0.01424, -0.2156, 0.01426)
"""G - V by powers of BP - RP."""

SATURATION = {
    "g": (8.0, (-0.09892, 0.059, -0.009775, 0.0004934)),
    "bp": (3.94, (-0.9921, -0.02598, 0.1833, -0.02862)),
    "rp": (3.45, (-14.94, 14.41, -4.657, 0.503)),
}
"""Limit below which, and by how much (powers of the magnitude), saturated stars are corrected."""

# G - RP of ordinary stars, rounded from their run with colour; only BP - RP matters in what follows
_G_MINUS_RP = (0.0, 0.62, -0.055)


def v_from_g(g: FloatArray, color: FloatArray) -> FloatArray:
    """V of stars of given g and BP - RP, magnitudes."""
    return g + polyval(color, G_MINUS_SDSS) - polyval(color, G_MINUS_V)


def gaia_magnitudes(
    g: FloatArray, color: FloatArray, *, saturated: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gaia's G, BP and RP of stars.

    Parameters
    ----------
    g, color : (n,) array
        Magnitudes g and BP - RP.
    saturated : bool
        Whether bright stars have the systematics of Gaia's own saturation.

    Returns
    -------
    g_gaia, bp, rp : (n,) arrays
        Magnitudes.
    """
    true_g = g + polyval(color, G_MINUS_SDSS)
    true_rp = true_g - polyval(color, _G_MINUS_RP)
    true = {"g": true_g, "bp": true_rp + color, "rp": true_rp}
    if not saturated:
        return true["g"], true["bp"], true["rp"]
    seen = {name: _uncorrected(true[name], *SATURATION[name]) for name in SATURATION}
    return seen["g"], seen["bp"], seen["rp"]


def _uncorrected(true: FloatArray, limit: float, terms: tuple[float, ...]) -> FloatArray:
    """Magnitudes that the published correction turns into the true ones."""
    seen = true.copy()
    rows = np.flatnonzero(true < limit)
    for _ in range(20):
        seen[rows] = true[rows] - polyval(np.clip(seen[rows], 2.0, limit), terms)
    return seen
