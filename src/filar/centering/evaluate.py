"""Judging centres: errors beside the Cramer-Rao bound and beside the errors that are quoted.

Everything here works on plain arrays, one value per measure and axis, so that the report, the
experiments and the benchmarks judge alike. An error is a measured minus a true position. Where the
"truth" is a label with an error of its own, that error belongs, in quadrature, into the bound and
into the quoted error that are passed: no difference from a label can be smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.learn.calibration import coverage
from filar.phases import pixel_phase
from filar.robust import (
    MAD_TO_SIGMA,
    Harmonic,
    first_harmonic,
    robust_rms,
    robust_rms_error,
)

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

WELL_MEASURED_MAG = (-11.5, -8.5)
"""Instrumental magnitudes, -2.5 log10(electrons), of the well-measured stars of `table3`: from
2500 electrons (S/N about 45) to 40,000, below the saturation of every chip. C24 takes one range
for all chips and filters and does not say which."""

INSIDE = (0.6827, 0.95)
"""Coverages that are tested, within 1 and 1.96 quoted errors."""

_STEP = 0.5
_LEAST = 30
_CLIP = 3.0


@dataclass(frozen=True)
class FluxBin:
    """Errors along one axis, or along both together, of the measures in a range of flux.

    Parameters
    ----------
    low, high : float
        Borders of the bin, electrons.
    number : int
        Measures, along each axis.
    rms, rms_err : float
        Robust rms of the errors and its standard error, pixels.
    bound : float
        The robust rms that Gaussian errors at the bounds would have, pixels, see `mixed_rms`.
    ratio, ratio_err : float
        Robust rms of error over bound, measure by measure. This is the ratio to quote: it weighs
        all measures alike, also where their bounds differ within the bin.
    summed_ratio : float
        Root mean square of the errors, clipped at 3 sigma, over that of the bounds: the measures
        with the largest bounds count most, and the clipping takes 1.4% of Gaussian errors.
    pull, pull_err : float
        Robust rms of error over quoted error; 1 if these are honest, NaN if none are quoted.
    inside68, inside95 : float
        Part of the measures within 1 and 1.96 quoted errors; 0.683 and 0.950 if honest.
    """

    low: float
    high: float
    number: int
    rms: float
    rms_err: float
    bound: float
    ratio: float
    ratio_err: float
    summed_ratio: float
    pull: float
    pull_err: float
    inside68: float
    inside95: float

    @property
    def middle(self) -> float:
        """Log10 of the flux in the middle of the bin."""
        return float(np.log10(self.low * self.high) / 2)


def half_dex_bins(
    flux: FloatArray,
    error: FloatArray,
    bound: FloatArray,
    quoted: FloatArray | None = None,
    *,
    step: float = _STEP,
    least: int = _LEAST,
) -> list[FluxBin]:
    """Judge errors in bins of flux whose borders are whole multiples of half a dex.

    Parameters
    ----------
    flux : (n,) array
        Electrons; measures without a positive one are left out.
    error : (n,) or (n, axes) array
        Measured minus true, pixels; several axes are judged together. NaN values are left out.
    bound : array of the same shape
        Cramer-Rao bounds, pixels; NaN where unknown.
    quoted : array of the same shape, optional
        Errors that the method quotes, pixels.
    step : float
        Width of the bins, dex.
    least : int
        Bins with fewer measures are left out.

    Returns
    -------
    list of FluxBin
        From faint to bright.

    Raises
    ------
    ParameterError
        If the arrays have different lengths or the step is not positive.
    """
    if not step > 0:
        raise ParameterError("step", step, "a positive number of dex")
    error, bound = np.atleast_1d(error), np.atleast_1d(bound)
    quoted = np.full(error.shape, np.nan) if quoted is None else np.atleast_1d(quoted)
    if not (error.shape == bound.shape == quoted.shape and len(flux) == len(error)):
        shapes = [np.shape(a) for a in (flux, error, bound, quoted)]
        raise ParameterError("flux, error, bound, quoted", shapes, "arrays of one length")
    index, known = flux_bin(flux, step)
    known &= np.isfinite(error).all(axis=tuple(range(1, error.ndim)))
    found = []
    for k in np.unique(index[known]).tolist():
        rows = known & (index == k)
        if np.count_nonzero(rows) >= least:
            low, high = 10 ** (k * step), 10 ** ((k + 1) * step)
            found.append(_judge(low, high, error[rows], bound[rows], quoted[rows]))
    return found


def flux_bin(flux: FloatArray, step: float = _STEP) -> tuple[NDArray[np.int64], BoolArray]:
    """Number the bins of flux.

    Parameters
    ----------
    flux : (n,) array
        Electrons.
    step : float
        Width of the bins, dex.

    Returns
    -------
    index : (n,) int array
        ``floor(log10(flux) / step)``; 0 where there is no positive flux.
    known : (n,) bool array
        Where there is.
    """
    flux = np.asarray(flux, float)
    known = np.isfinite(flux) & (flux > 0)
    index = np.floor(np.log10(np.where(known, flux, 1.0)) / step).astype(np.int64)
    return index, known


def _judge(
    low: float, high: float, error: FloatArray, bound: FloatArray, quoted: FloatArray
) -> FluxBin:
    number = len(error)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_bound, pulls = (error / bound).ravel(), (error / quoted).ravel()
    rms, ratio, pull = robust_rms(error.ravel()), robust_rms(of_bound), robust_rms(pulls)
    values = error.size
    known = np.isfinite(bound) & (bound > 0)
    mean_bound = float(np.sqrt((bound[known] ** 2).mean())) if known.any() else float("nan")
    clipped = clipped_sigma(error[known])[0] if known.any() else float("nan")
    return FluxBin(
        low,
        high,
        number,
        rms,
        robust_rms_error(rms, values),
        mixed_rms(bound[known]),
        ratio,
        robust_rms_error(ratio, int(np.isfinite(of_bound).sum())),
        clipped / mean_bound if mean_bound > 0 else float("nan"),
        pull,
        robust_rms_error(pull, int(np.isfinite(pulls).sum())),
        *coverage(pulls),
    )


def mixed_rms(sigma: FloatArray) -> float:
    """Robust rms of Gaussian errors of unequal widths.

    It lies below their root mean square, since single wide ones hardly change a median.

    Parameters
    ----------
    sigma : array
        Widths, all positive.

    Returns
    -------
    float
        In their unit; NaN without any.
    """
    from scipy.special import erf

    if not sigma.size:
        return float("nan")
    low, high = 0.1 * float(sigma.min()), 10 * float(sigma.max())
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        inside = float(erf(middle / (np.sqrt(2) * sigma)).mean())
        low, high = (middle, high) if inside < 0.5 else (low, middle)
    return MAD_TO_SIGMA * middle


def clipped_sigma(values: FloatArray, clip: float = _CLIP) -> tuple[float, int]:
    """Standard deviation about the mean after outliers are left out, again and again.

    Parameters
    ----------
    values : array
        Any shape; values that are not finite are ignored.
    clip : float
        Values further from the mean than so many standard deviations are left out; the first
        round measures by median and robust rms, so that gross errors do not spoil it.

    Returns
    -------
    sigma : float
        In their unit; of Gaussian values and 3 sigma it is 1.4% too small. NaN with fewer than two.
    number : int
        Values that it is of.
    """
    good = values[np.isfinite(values)]
    if len(good) < 2:
        return float("nan"), len(good)
    centre, sigma = float(np.median(good)), robust_rms(good)
    kept = np.abs(good - centre) <= clip * sigma if sigma > 0 else np.ones(len(good), bool)
    for _ in range(50):
        centre, sigma = float(good[kept].mean()), float(good[kept].std())
        within = np.abs(good - centre) <= clip * sigma
        if (within == kept).all():
            break
        kept = within
    return sigma, int(np.count_nonzero(kept))


@dataclass(frozen=True)
class Table3Row:
    """One chip and filter of C24's table 3.

    Parameters
    ----------
    x, y : float
        Standard deviations of the position differences, outliers left out, pixels.
    x_err, y_err : float
        Their standard errors, pixels.
    number : int
        Measures in the range of magnitude.
    """

    x: float
    y: float
    x_err: float
    y_err: float
    number: int


def table3(
    dx: FloatArray,
    dy: FloatArray,
    mag: FloatArray,
    mag_range: tuple[float, float] = WELL_MEASURED_MAG,
) -> Table3Row:
    """Standard deviations of position differences as in C24's table 3.

    Parameters
    ----------
    dx, dy : (n,) arrays
        Differences, pixels.
    mag : (n,) array
        Instrumental magnitudes.
    mag_range : (float, float)
        The well-measured stars, bright limit first; the same for all chips and filters.

    Returns
    -------
    Table3Row
        With 3-sigma outliers discarded, each axis for itself.

    Raises
    ------
    ParameterError
        If the limits do not rise.
    """
    if not mag_range[0] < mag_range[1]:
        raise ParameterError("mag_range", mag_range, "two rising limits")
    chosen = (mag >= mag_range[0]) & (mag <= mag_range[1]) & np.isfinite(dx) & np.isfinite(dy)
    (x, n_x), (y, n_y) = clipped_sigma(dx[chosen]), clipped_sigma(dy[chosen])
    x_err, y_err = (s / float(np.sqrt(2 * max(n, 1))) for s, n in ((x, n_x), (y, n_y)))
    return Table3Row(x, y, x_err, y_err, int(np.count_nonzero(chosen)))


def phase_semi_amplitude(error: FloatArray, position: FloatArray) -> Harmonic:
    """Pixel-phase bias: the wave in the errors over the true pixel phase, by least squares.

    Parameters
    ----------
    error : (n,) array
        Measured minus true, pixels, along one axis.
    position : (n,) array
        True positions along it, pixels.

    Returns
    -------
    Harmonic
        ``amplitude`` is the semi-amplitude, ``error`` the standard error of a coefficient. Where
        there is no bias the amplitude is about 1.25 times that error.
    """
    return first_harmonic(pixel_phase(position), error)


def share_outside(
    flux: FloatArray, in_domain: BoolArray, *, step: float = _STEP, least: int = _LEAST
) -> list[tuple[float, int, float]]:
    """Share of the stars outside of a network's domain, in bins of flux.

    Parameters
    ----------
    flux : (n,) array
        Electrons.
    in_domain : (n,) bool array
        Whether the network was trained on such stars.
    step : float
        Width of the bins, dex.
    least : int
        Bins with fewer stars are left out.

    Returns
    -------
    list of (float, int, float)
        Log10 of the flux in the middle, stars, share outside.
    """
    index, known = flux_bin(flux, step)
    found = []
    for k in np.unique(index[known]).tolist():
        rows = known & (index == k)
        number = int(np.count_nonzero(rows))
        if number >= least:
            found.append(((k + 0.5) * step, number, float(np.mean(~in_domain[rows]))))
    return found
