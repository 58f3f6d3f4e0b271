"""The 34th-row error of WFPC2, seen in the errors of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filar.errors import ParameterError
from filar.frames.starlist import FloatArray
from filar.instruments.wfpc2_rows import PERIOD
from filar.robust import Bins, binned, robust_rms

ROW_BINS = 34


@dataclass(frozen=True, eq=False)
class RowResidual:
    """Error in y against row number within the 34-row pattern.

    Parameters
    ----------
    bins : Bins
        Of ``y mod 34.1333``, about one row each.
    height, height_err : float
        Jump of the saw-tooth at the narrow row, pixels: its width is ``1 - height`` rows. The error
        contains the scatter of the bins about the saw-tooth; the search for the best row makes up
        to three such errors, of either sign, out of nothing.
    row : float
        Where in the pattern the jump lies, rows.
    """

    bins: Bins
    height: float
    height_err: float
    row: float


def row_residual(y: FloatArray, dy: FloatArray, period: float = PERIOD) -> RowResidual:
    """Find the 34th-row error: a saw-tooth in y with a jump once per period.

    Every measured y beyond a narrow row is too large by what the row lacks; a map over the whole
    chip takes the mean slope away and leaves a saw-tooth. It needs the true positions, or a
    reference in which the same stars fall on quite other rows: dithers of a few pixels move all
    measures of a star together, so that its mean has the same error.

    Parameters
    ----------
    y : (n,) array
        Row, pixels.
    dy : (n,) array
        Error in y, pixels.
    period : float
        Rows.

    Returns
    -------
    RowResidual
        NaN with fewer than 50 measures.

    Raises
    ------
    ParameterError
        If the period is not positive.
    """
    if not period > 0:
        raise ParameterError("period", period, "a positive number of rows")
    good = np.isfinite(y) & np.isfinite(dy)
    place, error = np.mod(y[good], period), dy[good]
    bins = binned(place, error, np.linspace(0, period, ROW_BINS + 1))
    if len(error) < 50:
        return RowResidual(bins, np.nan, np.nan, np.nan)
    error = np.clip(error, *(np.median(error) + 4 * robust_rms(error) * np.array([-1, 1])))
    places = np.arange(0, period, 0.25)
    fits = np.array([_saw_tooth(place, error, at, period) for at in places])
    best = int(np.argmin(fits[:, 2]))
    height, height_err = float(fits[best, 0]), float(fits[best, 1])
    model = height * (0.5 - np.mod(bins.centre - places[best], period) / period)
    left = bins.median - float(np.median(error)) - model
    ratio = left[bins.median_err > 0] / bins.median_err[bins.median_err > 0]
    excess = max(1.0, robust_rms(ratio)) if len(ratio) > 1 else 1.0
    return RowResidual(bins, height, height_err * excess, float(places[best]))


def _saw_tooth(
    place: FloatArray, error: FloatArray, at: float, period: float
) -> tuple[float, float, float]:
    """Height of a saw-tooth that jumps at a place, its standard error, and the sum of squares."""
    tooth = 0.5 - np.mod(place - at, period) / period
    tooth = tooth - tooth.mean()
    norm = float(tooth @ tooth)
    height = float(tooth @ error) / norm
    left = error - error.mean() - height * tooth
    total = float(left @ left)
    return height, float(np.sqrt(total / max(len(error) - 2, 1) / norm)), total
