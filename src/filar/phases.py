"""Pixel phases: where in their pixels stars are found, the plainest test of a PSF."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError


def pixel_phase(x: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Position within the pixel.

    Parameters
    ----------
    x : (n,) array
        Pixels; an integer is a pixel's centre.

    Returns
    -------
    (n,) array
        Between -0.5 (inclusive) and 0.5, 0 at the centre.
    """
    x = np.asarray(x, dtype=np.float64)
    phase = x + 0.5 - np.floor(x + 0.5) - 0.5
    # Next to a lower border the subtraction can round to the upper one.
    return np.where(phase >= 0.5, -0.5, phase)


def phase_histogram(
    x: NDArray[np.floating[Any]], bins: int = 10
) -> tuple[NDArray[np.int64], float]:
    """Count stars by pixel phase and test whether all phases are equally frequent.

    Stars fall anywhere in a pixel, so a histogram that is not flat within counting noise shows
    that the PSF pulls positions to some phase.

    Parameters
    ----------
    x : (n,) array
        Pixels; values that are not finite are ignored.
    bins : int
        Number of bins over the pixel, 2 or more.

    Returns
    -------
    counts : (bins,) int array
        Stars per bin, from the pixel's lower to its upper border.
    reduced_chi2 : float
        Chi-square against a flat histogram per degree of freedom (bins - 1); about 1 if flat
        within counting noise, NaN without stars.

    Raises
    ------
    ParameterError
        If there are fewer than two bins.
    """
    if bins < 2:
        raise ParameterError("bins", bins, "2 or more")
    x = np.asarray(x, dtype=np.float64)
    phase = pixel_phase(x[np.isfinite(x)])
    index = np.minimum((phase + 0.5) * bins, bins - 1).astype(np.int64)
    counts = np.bincount(index, minlength=bins).astype(np.int64)
    if not len(phase):
        return counts, float("nan")
    expected = len(phase) / bins
    return counts, float(((counts - expected) ** 2).sum() / expected / (bins - 1))


def well_measured(
    snr: NDArray[np.floating[Any]], flags: NDArray[np.integer[Any]], minimum: float = 30.0
) -> NDArray[np.bool_]:
    """Choose the stars whose pixel phases can be trusted.

    Parameters
    ----------
    snr : (n,) array
        Flux over its error.
    flags : (n,) int array
        The ``flags`` column.
    minimum : float
        Smallest signal-to-noise ratio.

    Returns
    -------
    (n,) bool array
        True where nothing is known against the star and it is bright enough.
    """
    return np.asarray((np.asarray(snr) >= minimum) & (np.asarray(flags) == 0), dtype=np.bool_)
