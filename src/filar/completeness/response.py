"""Where stars of each bin of true magnitude are measured: the response of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

STEEPEST = 2.0
"""Slopes of luminosity functions within a bin are kept below this, dex per magnitude."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Bins of magnitude, and of colour if there are any, numbered together.

    Parameters
    ----------
    edges : (k + 1,) float64 array
        Of the magnitudes.
    colour_edges : (c + 1,) float64 array or None
        Of the colours; what lies beyond the outermost counts to the outermost bin.
    """

    edges: FloatArray
    colour_edges: FloatArray | None = None

    @property
    def magnitudes(self) -> int:
        """Number of bins of magnitude."""
        return len(self.edges) - 1

    @property
    def colours(self) -> int:
        """Number of bins of colour."""
        return 1 if self.colour_edges is None else len(self.colour_edges) - 1

    def __len__(self) -> int:
        return self.magnitudes * self.colours

    def cells(self, mag: FloatArray, colour: FloatArray) -> IntArray:
        """Bin of each star: that of its magnitude, counted on by colour; -1 outside."""
        k = np.searchsorted(self.edges, mag, side="right") - 1
        inside = np.isfinite(mag) & (k >= 0) & (k < self.magnitudes)
        c = np.zeros(len(mag), int)
        if self.colour_edges is not None:
            inside &= np.isfinite(colour)
            c = np.clip(np.digitize(colour, self.colour_edges) - 1, 0, self.colours - 1)
        return np.asarray(np.where(inside, k + self.magnitudes * c, -1), np.intp)

    def by_magnitude(self, values: FloatArray) -> FloatArray:
        """Sum over the colours."""
        return np.asarray(values.reshape(self.colours, self.magnitudes).sum(axis=0), float)


@dataclass(frozen=True, eq=False)
class Tested:
    """Artificial stars in bins.

    Parameters
    ----------
    given, found : (n,) int arrays
        Cells of true and of measured magnitude; found is -1 for those that were lost.
    place : (n,) float64 array
        Distance from the middle of the bin of true magnitude, magnitudes.
    grid : Grid
        The bins.
    """

    given: IntArray
    found: IntArray
    place: FloatArray
    grid: Grid

    def counts(self) -> FloatArray:
        """Artificial stars in each cell."""
        return np.bincount(self.given, minlength=len(self.grid)).astype(float)

    def weights(self, slope: FloatArray) -> FloatArray:
        """Weight of each star so that the luminosity function has a slope within each bin.

        Parameters
        ----------
        slope : (k,) array
            Wanted, dex per magnitude, in each bin of magnitude.
        """
        k = self.grid.magnitudes
        own = local_slopes(self.grid.by_magnitude(self.counts()), self.grid.edges)
        steeper = (slope - own)[self.given % k]
        return np.asarray(10.0 ** (steeper * self.place), float)

    def response(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability to be measured in each cell, and the effective number of stars behind it.

        Parameters
        ----------
        weights : (n,) array
            Of the stars.

        Returns
        -------
        response : (m, m) array
            By measured (rows) and true cell (columns); 0 where no star was put in.
        number : (m,) array
            As many stars of equal weight would give the same noise.
        """
        m = len(self.grid)
        total = np.bincount(self.given, weights, m)
        square = np.bincount(self.given, weights**2, m)
        kept = self.found >= 0
        joint = np.bincount(self.found[kept] * m + self.given[kept], weights[kept], m * m).reshape(
            m, m
        )
        scale = np.divide(1.0, total, out=np.zeros(m), where=total > 0)
        number = np.divide(total**2, square, out=np.zeros(m), where=square > 0)
        return np.asarray(joint * scale, float), np.asarray(number, float)


def local_slopes(
    number: FloatArray, edges: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """Slope of the logarithm of a luminosity function about each bin.

    Parameters
    ----------
    number : (k,) array
        Stars in each bin.
    edges : (k + 1,) array
        Of the bins.
    weight : (k,) array or None
        Of each bin in the fit of a straight line to it and two bins on either side; by default the
        number.

    Returns
    -------
    (k,) float64 array
        Dex per magnitude, within `STEEPEST`; 0 where nothing is known.
    """
    width, centre = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    weight = number if weight is None else weight
    good = (number > 0) & (weight > 0)
    level = np.log10(np.where(good, number / width, 1.0))
    near = np.abs(np.arange(len(centre))[:, None] - np.arange(len(centre))) <= 2
    w = near * np.where(good, weight, 0.0)
    total = np.maximum(w.sum(axis=1), 1e-300)
    middle, mean = w @ centre / total, w @ level / total
    offset = centre - middle[:, None]
    spread = (w * offset**2).sum(axis=1)
    product = (w * offset * (level - mean[:, None])).sum(axis=1)
    slope = np.divide(product, spread, out=np.zeros(len(centre)), where=spread > 1e-12 * total)
    return np.asarray(np.clip(slope, -STEEPEST, STEEPEST), float)
