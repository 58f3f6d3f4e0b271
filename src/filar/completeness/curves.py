"""Recovered fraction against input and against measured magnitude, and what jumps between bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CompletenessCurves:
    """Completeness in bins of one band's magnitude (Harris & Speagle 2024, sections 2 and 6.1).

    Parameters
    ----------
    band : str
        The filter.
    edges : (k + 1,) float64 array
        Of the bins, magnitudes.
    jumps : (k, k) int array
        Recovered stars by bin of input (rows) and of measured magnitude (columns).
    inserted, recovered, measured : (k,) int arrays
        Stars put into a bin; those of them that were recovered, with whatever magnitude; stars
        that were recovered with a magnitude of the bin, whatever their input.
    """

    band: str
    edges: FloatArray
    jumps: IntArray
    inserted: IntArray
    recovered: IntArray
    measured: IntArray

    @property
    def centres(self) -> FloatArray:
        """Middles of the bins."""
        return np.asarray(0.5 * (self.edges[1:] + self.edges[:-1]), float)

    @property
    def against_input(self) -> FloatArray:
        """Part of a bin's stars that was recovered; NaN where none was put in."""
        return _ratio(self.recovered, self.inserted)

    @property
    def against_input_err(self) -> FloatArray:
        """Its binomial error: standard deviation of the beta distribution of the fraction."""
        n, k = self.inserted.astype(float), self.recovered.astype(float)
        error = np.sqrt((k + 1) * (n - k + 1) / ((n + 2) ** 2 * (n + 3)))
        return np.asarray(np.where(self.inserted > 0, error, np.nan), float)

    @property
    def against_measured(self) -> FloatArray:
        """Stars measured in a bin over stars put into it; above 1 where more jump in than out."""
        return _ratio(self.measured, self.inserted)

    @property
    def against_measured_err(self) -> FloatArray:
        """Its error: stars of each input bin are shared out by chance among the measured ones."""
        n = np.maximum(self.inserted, 1)[:, None].astype(float)
        variance = (self.jumps * (1.0 - self.jumps / n)).sum(axis=0)
        # Stars from beyond the outermost edges are few and independent.
        outside = self.measured - self.jumps.sum(axis=0)
        return _ratio(np.sqrt(variance + outside), self.inserted)

    @property
    def excess(self) -> FloatArray:
        """Stars that jumped into a bin less those that jumped out of it, over those put into it."""
        return np.asarray(self.against_measured - self.against_input, float)

    def limit(self, level: float = 0.5, *, against: str = "measured") -> float:
        """Magnitude at which a curve last falls through a level, interpolated between bins.

        Parameters
        ----------
        level : float
            Between 0 and 1.
        against : {"measured", "input"}
            Which curve.

        Returns
        -------
        float
            NaN where it does not fall through the level.

        Raises
        ------
        ParameterError
            For another level or curve.
        """
        if not 0 < level < 1:
            raise ParameterError("level", level, "a fraction between 0 and 1")
        if against not in ("measured", "input"):
            raise ParameterError("against", against, '"measured" or "input"')
        curve = self.against_input if against == "input" else self.against_measured
        known = np.flatnonzero(np.isfinite(curve))
        value, centres = curve[known], self.centres[known]
        falls = np.flatnonzero((value[:-1] >= level) & (value[1:] < level))
        if not len(falls):
            return float("nan")
        i = falls[-1]
        part = (value[i] - level) / (value[i] - value[i + 1])
        return float(centres[i] + part * (centres[i + 1] - centres[i]))


def completeness_curves(
    stars: ArtificialStars, edges: Any, *, band: str | None = None
) -> CompletenessCurves:
    """Count what was recovered of artificial stars in bins of magnitude.

    Parameters
    ----------
    stars : ArtificialStars
        What was put in and what became of it.
    edges : (k + 1,) array
        Rising edges of the bins, magnitudes.
    band : str or None
        The filter; by default the first.

    Returns
    -------
    CompletenessCurves

    Raises
    ------
    ParameterError
        For edges that do not rise or a filter that the stars do not have.
    """
    edges, column = bin_edges(edges), band_index(stars.bands, band)
    given, found = stars.mag_in[:, column], stars.mag_out[:, column]
    recovered = stars.recovered & np.isfinite(found)
    return CompletenessCurves(
        stars.bands[column],
        edges,
        np.histogram2d(given[recovered], found[recovered], (edges, edges))[0].astype(np.int64),
        np.histogram(given[np.isfinite(given)], edges)[0].astype(np.int64),
        np.histogram(given[stars.recovered], edges)[0].astype(np.int64),
        np.histogram(found[recovered], edges)[0].astype(np.int64),
    )


def bin_edges(edges: Any) -> FloatArray:
    """Check edges of bins.

    Parameters
    ----------
    edges : array-like
        Two or more rising numbers.

    Returns
    -------
    (k + 1,) float64 array

    Raises
    ------
    ParameterError
        If they are something else.
    """
    values = np.atleast_1d(np.asarray(edges, float))
    if values.ndim != 1 or len(values) < 2 or not np.all(np.diff(values) > 0):
        raise ParameterError("edges", values.tolist(), "two or more rising numbers")
    if not np.isfinite(values).all():
        raise ParameterError("edges", values.tolist(), "finite numbers")
    return values


def band_index(bands: tuple[str, ...], band: str | None) -> int:
    """Column of a filter.

    Parameters
    ----------
    bands : tuple of str
        Filters that there are.
    band : str or None
        The one wanted; None for the first.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is not among them.
    """
    if band is None:
        return 0
    if band not in bands:
        raise ParameterError("band", band, "one of " + ", ".join(bands))
    return bands.index(band)


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> FloatArray:
    return np.asarray(np.where(below > 0, above / np.maximum(below, 1), np.nan), float)
