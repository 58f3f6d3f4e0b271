"""Errors against truth by magnitude and place on the chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filar.errors import ParameterError
from filar.frames.starlist import FloatArray
from filar.frames.truemean import MeanErrors
from filar.frames.truth import TruthErrors
from filar.robust import binned, robust_rms, robust_rms_error

MAG_BIN = 0.5
FIELD_BINS = 8


@dataclass(frozen=True, eq=False)
class ByMagnitude:
    """Errors along one axis in bins of magnitude.

    Parameters
    ----------
    mag : (k,) array
        Middles of the bins.
    number : (k,) array
        Measures or stars in each; bins with fewer than 10 are left out.
    rms, rms_err : (k,) arrays
        Robust rms, pixels.
    bound : (k,) array
        Median Cramer-Rao bound, pixels.
    ratio, ratio_err : (k,) arrays
        Robust rms of error over bound.
    pull : (k,) array
        Robust rms of error over quoted error; 1 for honest errors, NaN if none are quoted.
    """

    mag: FloatArray
    number: FloatArray
    rms: FloatArray
    rms_err: FloatArray
    bound: FloatArray
    ratio: FloatArray
    ratio_err: FloatArray
    pull: FloatArray


def by_magnitude(errors: TruthErrors | MeanErrors, axis: str, least: int = 10) -> ByMagnitude:
    """Errors against magnitude, stars of any signal-to-noise ratio.

    Parameters
    ----------
    errors : TruthErrors or MeanErrors
        Of measures, or of a mean catalogue.
    axis : {"x", "y"}
        Which coordinate.
    least : int
        Bins with fewer are left out.

    Returns
    -------
    ByMagnitude
        In bins of half a magnitude.
    """
    error, bound = getattr(errors, f"d{axis}"), getattr(errors, f"{axis}_bound")
    quoted = getattr(errors, f"{axis}_err", np.full(len(error), np.nan))
    good = np.isfinite(errors.mag)
    if not good.any():
        return ByMagnitude(*np.zeros((8, 0)))
    low, high = np.floor(errors.mag[good].min() / MAG_BIN), errors.mag[good].max() / MAG_BIN
    edges = np.arange(low, np.floor(high) + 2) * MAG_BIN
    with np.errstate(divide="ignore", invalid="ignore"):
        of_bound, pulls = error / bound, error / quoted
    plain, ratio = (binned(errors.mag, values, edges) for values in (error, of_bound))
    pull, level = (binned(errors.mag, values, edges) for values in (pulls, bound))
    kept = plain.number >= least
    columns = (plain.centre, plain.number, plain.rms, plain.rms_err, level.median,
               ratio.rms, ratio.rms_err, pull.rms)  # fmt: skip
    return ByMagnitude(*(column[kept] for column in columns))


@dataclass(frozen=True)
class Accuracy:
    """Errors of well-measured stars along one axis, in short.

    Parameters
    ----------
    number : int
        Measures or stars.
    rms, rms_err : float
        Robust rms, pixels.
    bound : float
        Median Cramer-Rao bound, pixels.
    ratio, ratio_err : float
        Robust rms of error over bound.
    pull : float
        Robust rms of error over quoted error; NaN if none are quoted.
    """

    number: int
    rms: float = np.nan
    rms_err: float = np.nan
    bound: float = np.nan
    ratio: float = np.nan
    ratio_err: float = np.nan
    pull: float = np.nan


def accuracy(errors: TruthErrors | MeanErrors, axis: str) -> Accuracy:
    """Sum the errors of the well-measured stars up.

    Parameters
    ----------
    errors : TruthErrors or MeanErrors
        Of measures, or of a mean catalogue.
    axis : {"x", "y"}
        Which coordinate.

    Returns
    -------
    Accuracy
        NaN with fewer than two.
    """
    error = getattr(errors, f"d{axis}")
    chosen = errors.good & np.isfinite(error)
    error, bound = error[chosen], getattr(errors, f"{axis}_bound")[chosen]
    number = len(error)
    if number < 2:
        return Accuracy(number)
    quoted = getattr(errors, f"{axis}_err", np.full(len(errors), np.nan))[chosen]
    rms = robust_rms(error)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, pull = robust_rms(error / bound), robust_rms(error / quoted)
    return Accuracy(number, rms, robust_rms_error(rms, number), float(np.median(bound)),
                    ratio, robust_rms_error(ratio, number), pull)  # fmt: skip


@dataclass(frozen=True, eq=False)
class FieldMap:
    """Mean error of well-measured stars in square parts of the chip; k parts with 5 or more.

    Parameters
    ----------
    x, y : (k,) arrays
        Middles of the parts, pixels.
    dx, dy : (k,) arrays
        Median errors, pixels.
    dx_err, dy_err : (k,) arrays
        Their standard errors, pixels.
    """

    x: FloatArray
    y: FloatArray
    dx: FloatArray
    dy: FloatArray
    dx_err: FloatArray
    dy_err: FloatArray


def field_map(errors: TruthErrors, parts: int = FIELD_BINS, least: int = 5) -> FieldMap:
    """Errors against place on the chip, what is left after the cubic maps.

    Parameters
    ----------
    errors : TruthErrors
        Of n measures.
    parts : int
        Per axis, over the range that the stars cover.
    least : int
        Parts with fewer measures are left out.

    Returns
    -------
    FieldMap
        Empty without measures.

    Raises
    ------
    ParameterError
        If there is less than one part.
    """
    if parts < 1:
        raise ParameterError("parts", parts, "1 or more")
    good = errors.good & np.isfinite(errors.dx)
    x, y = errors.x[good], errors.y[good]
    if not len(x):
        return FieldMap(*np.zeros((6, 0)))
    place, middle = [], []
    for values in (x, y):
        low, width = values.min(), max(np.ptp(values), 1e-9) / parts
        place.append(np.minimum(((values - low) / width).astype(int), parts - 1))
        middle.append(low + (np.arange(parts) + 0.5) * width)
    cell = (place[1] * parts + place[0]).astype(float)
    edges = np.arange(parts**2 + 1, dtype=float) - 0.5
    dx, dy = binned(cell, errors.dx[good], edges), binned(cell, errors.dy[good], edges)
    kept = dx.number >= least
    grid_x, grid_y = np.meshgrid(*middle)
    columns = (grid_x.ravel(), grid_y.ravel(), dx.median, dy.median, dx.median_err, dy.median_err)
    return FieldMap(*(column[kept] for column in columns))
