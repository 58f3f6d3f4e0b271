"""How far single measures scatter about their stars' mean positions, and by method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filar.errors import ParameterError
from filar.frames.frame import Frame
from filar.frames.matching import mutual_nearest
from filar.frames.starlist import DOUBTFUL, BoolArray, FloatArray
from filar.robust import median_error

WIDTH = 0.0013
"""Standard deviation of the Gaussians of C23's figure 19, pixels."""

MIN_SNR = 30.0
_TOLERANCE = 0.5
_SHARE = 0.5
_MIN_MEASURES = 3


@dataclass(frozen=True)
class Ratio:
    """Median over stars of one method's rms over another's.

    Parameters
    ----------
    stars : int
        Stars that both have.
    x, x_err, y, y_err : float
        Medians and their standard errors; NaN without stars.
    """

    stars: int
    x: float = np.nan
    x_err: float = np.nan
    y: float = np.nan
    y_err: float = np.nan


def well_known(frame: Frame, min_snr: float = MIN_SNR) -> BoolArray:
    """Choose the stars whose rms says something about the method.

    Parameters
    ----------
    frame : Frame
        With n stars.
    min_snr : float
        Smallest signal-to-noise ratio of a measure; stars whose ratio is unknown pass.

    Returns
    -------
    (n,) bool array
        Stars measured in at least half of the exposures used, three or more, with nothing doubtful.
    """
    exposures = sum(tie.used for tie in frame.ties)
    needed = max(_MIN_MEASURES, int(np.ceil(_SHARE * exposures)))
    chosen = (frame.n_used >= needed) & ((frame.flags & int(DOUBTFUL)) == 0)
    return np.asarray(chosen & ~(frame.snr < min_snr) & np.isfinite(frame.x_rms))


def summed_gaussians(values: FloatArray, grid: FloatArray, width: float = WIDTH) -> FloatArray:
    """Sum of Gaussians of unit area, one per value (C23, figure 19).

    Parameters
    ----------
    values : (n,) array
        Per-star rms, pixels; those that are not finite are left out.
    grid : (k,) array
        Where to evaluate, pixels.
    width : float
        Standard deviation, pixels.

    Returns
    -------
    (k,) array
        Stars per pixel; the area is the number of stars.

    Raises
    ------
    ParameterError
        If the width is not positive.
    """
    if not width > 0:
        raise ParameterError("width", width, "a positive number of pixels")
    total = np.zeros(len(grid))
    good = values[np.isfinite(values)]
    for some in np.array_split(good, len(good) // 4096 + 1):
        total += np.exp(-0.5 * ((grid[:, None] - some) / width) ** 2).sum(axis=1)
    return np.asarray(total / (np.sqrt(2 * np.pi) * width))


def rms_ratio(classic: Frame, other: Frame) -> Ratio:
    """Compare the rms of two methods star by star.

    Parameters
    ----------
    classic, other : Frame
        The same chip and filter by two methods.

    Returns
    -------
    Ratio
        Of classic over other: above 1 where the other is better.
    """
    one, two = np.flatnonzero(well_known(classic)), np.flatnonzero(well_known(other))
    x, y = _in_system_of(other, classic.reference)
    first, second = mutual_nearest(classic.x[one], classic.y[one], x[two], y[two], _TOLERANCE)
    one, two = one[first], two[second]
    found: list[float] = []
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (classic.x_rms[one] / other.x_rms[two], classic.y_rms[one] / other.y_rms[two])
    for ratio in ratios:
        good = ratio[np.isfinite(ratio)]
        found += [float(np.median(good)) if len(good) else np.nan, median_error(good)]
    return Ratio(len(one), *found)


def _in_system_of(frame: Frame, reference: str) -> tuple[FloatArray, FloatArray]:
    """Mean positions in the system of the exposure of that name."""
    if frame.reference == reference:
        return frame.x, frame.y
    for number, tie in enumerate(frame.ties):
        if tie.stars.exposure == reference and tie.used:
            return frame.in_exposure(number)
    return np.full(len(frame), np.nan), np.full(len(frame), np.nan)
