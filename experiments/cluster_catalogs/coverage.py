"""How many observed points lie outside of the regions in which the mocks are densest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

STEP = 0.05
"""Of the grid, magnitudes."""
SMOOTHING = 0.08
"""Standard deviation of the density's smoothing, magnitudes."""
PARTS = (0.5, 0.95, 0.99)
"""Parts of the mocks that the regions hold."""
_MARGIN = 1.0


@dataclass(frozen=True, eq=False)
class Density:
    """Density of mocks in a plane of two colours.

    Parameters
    ----------
    x, y : arrays
        Places of the grid.
    values : (len(y), len(x)) array
        Density, per square magnitude.
    levels : tuple of float
        The densities above which the `PARTS` of the mocks are.
    """

    x: FloatArray
    y: FloatArray
    values: FloatArray
    levels: tuple[float, ...]

    def at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """The density at points; 0 outside of the grid."""
        from scipy.ndimage import map_coordinates

        places = [(y - self.y[0]) / STEP, (x - self.x[0]) / STEP]
        found = map_coordinates(self.values, places, order=1, mode="constant", cval=0.0)
        return np.asarray(found, dtype=np.float64)

    def outside(self, x: FloatArray, y: FloatArray) -> dict[str, float]:
        """Part of the points outside of each region.

        Parameters
        ----------
        x, y : (n,) arrays
            Colours; those that are not finite are left out.

        Returns
        -------
        dict
            From the region's part, such as "0.95", to the share of the points.
        """
        known = np.isfinite(x) & np.isfinite(y)
        if not known.any():
            return {f"{part:g}": float("nan") for part in PARTS}
        density = self.at(x[known], y[known])
        pairs = zip(PARTS, self.levels, strict=True)
        return {f"{part:g}": float(np.mean(density < level)) for part, level in pairs}


def density(x: FloatArray, y: FloatArray) -> Density:
    """Smooth the mocks' places into a density.

    Half of them make the density, the others tell which part of them lies above a level.

    Parameters
    ----------
    x, y : (n,) arrays
        Colours of mocks.

    Returns
    -------
    Density
    """
    from scipy.ndimage import gaussian_filter

    edges = [np.arange(v.min() - _MARGIN, v.max() + _MARGIN + STEP, STEP) for v in (x, y)]
    counts, _, _ = np.histogram2d(y[::2], x[::2], bins=(edges[1], edges[0]))
    values = gaussian_filter(counts, SMOOTHING / STEP, mode="constant")
    values /= values.sum() * STEP**2
    middles = [e[:-1] + STEP / 2 for e in edges]
    found = Density(middles[0], middles[1], values, ())
    own = found.at(x[1::2], y[1::2])
    levels = tuple(float(np.quantile(own, 1 - part)) for part in PARTS)
    return Density(middles[0], middles[1], values, levels)
