"""Standard error of transformations against offset: the curves that show pixel-phase bias.

A centre that is pulled by ``A sin(2 pi p)``, with p its pixel phase, is pulled by
``A sin(2 pi (p + d))`` in an exposure shifted by d. The difference of the two is
``2 A sin(pi d) cos(2 pi p + pi d)``, its mean square over all phases ``2 A^2 sin^2(pi d)``. With
the noise of one measure, sigma, and a second harmonic A2 the squared standard error of the
transformation between the two is therefore::

    se^2(d) = 2 sigma^2 + 2 A^2 sin^2(pi d) + 2 A2^2 sin^2(2 pi d)

which is linear in sigma^2, A^2 and A2^2. Where the pull differs from star to star, A^2 is its mean
square; where it differs between the exposures, A^2 is the product of the reference's and the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filar.errors import ParameterError
from filar.frames.frame import Frame
from filar.frames.measured import measured
from filar.frames.starlist import FloatArray
from filar.robust import MAD_TO_SIGMA, signed_root

AXES = ("x", "y")
MIN_EXPOSURES = 6
MIN_EXPOSURES_SECOND = 15
MIN_RANGE = 0.4  # of sin^2(pi d) among the exposures
MIN_INDEPENDENT = 0.1  # rms of sin^2(2 pi d) that the first harmonic cannot make
_HUBER = 1.345
_ROUNDS = 30


@dataclass(frozen=True, eq=False)
class Curve:
    """Standard errors of the transformations of n exposures to the reference, along one axis.

    Parameters
    ----------
    exposure : tuple of str
        Names; neither the reference nor exposures that were left out.
    offset : (n,) float64 array
        Pixels, at the middle of the reference.
    error : (n,) float64 array
        Standard error of the transformation, pixels.
    stars : (n,) int array
        Stars that made it.
    sine, sine2 : (n,) float64 arrays
        Means of sin^2(pi d) and sin^2(2 pi d) over the stars' own offsets d, which roll and scale
        make unlike that at the middle.
    """

    exposure: tuple[str, ...]
    offset: FloatArray
    error: FloatArray
    stars: FloatArray
    sine: FloatArray
    sine2: FloatArray

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def phase(self) -> FloatArray:
        """Offset phase: (n,) array from 0 up to 1."""
        return offset_phase(self.offset)


@dataclass(frozen=True)
class BiasFit:
    """Noise of one measure and amplitude of the pixel-phase bias, from a `Curve`.

    All are NaN where the exposures are too few or cover too few phases to tell.

    Parameters
    ----------
    exposures : int
        How many there were.
    sigma, sigma_err : float
        Standard error of one measure without the bias, pixels. Clipped residuals of Gaussian noise
        make it 1.4% too small.
    amplitude, amplitude_err : float
        A, pixels, with the sign of A^2: noise can make A^2 negative where there is no bias.
        The error is half the width of the interval that A^2's own error makes.
    significance : float
        A^2 over its standard error: whether there is a bias at all. Within a few units of 0 there
        need be none, whatever A over its error is, for the root's errors are not Gaussian there.
    limit : float
        A is below this with 95% confidence, pixels.
    second, second_err : float
        The same of the second harmonic; NaN if it was not fitted.
    """

    exposures: int
    sigma: float = np.nan
    sigma_err: float = np.nan
    amplitude: float = np.nan
    amplitude_err: float = np.nan
    significance: float = np.nan
    limit: float = np.nan
    second: float = np.nan
    second_err: float = np.nan

    def __call__(self, offset: FloatArray) -> FloatArray:
        """Standard error of a transformation over an offset.

        Parameters
        ----------
        offset : array
            Pixels.

        Returns
        -------
        array
            Pixels; NaN where nothing could be fitted.
        """
        second = self.second if np.isfinite(self.second) else 0.0
        d = np.pi * np.asarray(offset, float)
        square = (
            self.sigma * abs(self.sigma) + self.amplitude * abs(self.amplitude) * np.sin(d) ** 2
        )
        square = 2 * (square + second * abs(second) * np.sin(2 * d) ** 2)
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def offset_phase(offset: FloatArray) -> FloatArray:
    """Fraction of an offset: ``offset - floor(offset)``, from 0 up to 1 (C23, section 5).

    Parameters
    ----------
    offset : array
        Pixels.

    Returns
    -------
    array
        The same shape.
    """
    phase = offset - np.floor(offset)
    return np.where(phase >= 1.0, 0.0, phase)


def transformation_curve(frame: Frame, axis: str) -> Curve:
    """Collect the standard errors of a frame's transformations to its reference.

    Parameters
    ----------
    frame : Frame
        One chip, filter and method.
    axis : {"x", "y"}
        Which coordinate.

    Returns
    -------
    Curve
        Of the exposures used, without the reference.

    Raises
    ------
    ParameterError
        For another axis.
    """
    if axis not in AXES:
        raise ParameterError("axis", axis, "x or y")
    errors = np.array([getattr(tie, f"reference_error_{axis}") for tie in frame.ties])
    offsets = np.array([getattr(tie, f"offset_{axis}") for tie in frame.ties])
    usable = np.array([tie.used for tie in frame.ties], bool)
    usable &= np.isfinite(errors) & np.isfinite(offsets)
    shift = measured(frame, axis) - getattr(frame.measures, axis)
    means = [_mean_by_tie(frame, np.sin(k * np.pi * shift) ** 2) for k in (1, 2)]
    at_middle = [np.sin(k * np.pi * offsets) ** 2 for k in (1, 2)]
    sines = [np.where(np.isfinite(m), m, c)[usable] for m, c in zip(means, at_middle, strict=True)]
    return Curve(
        tuple(tie.stars.exposure for tie, used in zip(frame.ties, usable, strict=True) if used),
        offsets[usable],
        errors[usable],
        np.array([tie.n_reference for tie in frame.ties], float)[usable],
        *sines,
    )


def _mean_by_tie(frame: Frame, values: FloatArray) -> FloatArray:
    good = np.isfinite(values) & frame.measures.used
    tie = frame.measures.tie[good]
    number = np.bincount(tie, minlength=len(frame.ties))
    total = np.bincount(tie, weights=values[good], minlength=len(frame.ties))
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def fit_bias(curve: Curve) -> BiasFit:
    """Fit noise and bias amplitude to a curve, robustly.

    The fit is linear in the squares, weighted by the squared standard errors' own relative noise,
    with Huber's weights against single bad exposures. The standard errors contain the scatter of
    the exposures about the curve, and what the finite number of stars adds to all exposures alike
    through the reference: with N stars, variances of ``2 sigma^4 / N`` in ``2 sigma^2`` and of
    ``(A^4 / 2 + 2 A^2 sigma^2) / N`` in ``A^2``.

    Parameters
    ----------
    curve : Curve
        Of n exposures.

    Returns
    -------
    BiasFit
        NaN with fewer than 6 exposures, or where their offset phases are too much alike; the second
        harmonic only with 15 or more exposures whose phases tell it from the first.
    """
    good = np.isfinite(curve.error) & np.isfinite(curve.sine) & (curve.stars > 0)
    return fit_squares(curve.error[good] ** 2, curve.sine[good], curve.sine2[good],
                       curve.stars[good])  # fmt: skip


def fit_squares(
    target: FloatArray,
    sine: FloatArray,
    sine2: FloatArray,
    stars: FloatArray,
    spread: FloatArray | None = None,
    common: FloatArray | None = None,
) -> BiasFit:
    """Fit noise and bias amplitude to mean squares of position differences.

    Parameters
    ----------
    target : (n,) array
        Mean squares of the differences between each exposure and the reference, pixels squared.
    sine, sine2 : (n,) arrays
        See `Curve`.
    stars : (n,) array
        Stars that made them.
    spread : (n,) array, optional
        Standard errors of the target; by default in proportion to what is fitted.
    common : (3,) array, optional
        Variances of sigma^2, A^2 and A2^2 that all exposures share through the reference; by
        default as in `fit_bias`.

    Returns
    -------
    BiasFit
        See `fit_bias`; `sigma` has the sign of its square too.
    """
    number = len(target)
    if number < MIN_EXPOSURES or np.ptp(sine) < MIN_RANGE:
        return BiasFit(number)
    rows = np.stack([np.full(number, 2.0), 2 * sine, 2 * sine2], axis=1)
    if number < MIN_EXPOSURES_SECOND or _independent(rows[:, :2], sine2) < MIN_INDEPENDENT:
        rows = rows[:, :2]
    squares, covariance = _robust_squares(rows, target, stars, spread)
    if common is None:
        common = _common(squares, float(np.median(stars)))
    variance = np.diag(covariance) + common[: len(squares)]
    values, errors = signed_root(squares, np.sqrt(variance))
    width = float(np.sqrt(variance[1]))
    limit = float(np.sqrt(max(squares[1], 0.0) + 1.645 * width))
    detected = (float(squares[1]) / max(width, 1e-300), limit)
    second = (values[2], errors[2]) if len(values) > 2 else (np.nan, np.nan)
    return BiasFit(number, values[0], errors[0], values[1], errors[1], *detected, *second)


def _independent(rows: FloatArray, column: FloatArray) -> float:
    """Rms of what is left of a column after the rows' own columns are fitted to it."""
    solution = np.linalg.lstsq(rows, column, rcond=None)[0]
    return float(np.std(column - rows @ solution))


def _robust_squares(
    rows: FloatArray, target: FloatArray, stars: FloatArray, spread: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Solve with Huber's weights: solution (terms,), covariance (terms, terms)."""
    number, terms = rows.shape
    floor = 0.1 * float(np.median(np.abs(target)))
    model, huber = np.full(number, float(np.median(target))), np.ones(number)
    for _ in range(_ROUNDS):
        own = np.maximum(model, floor) / np.sqrt(stars / 2) if spread is None else spread
        weight = 1 / own
        root = weight * np.sqrt(huber)
        solution = np.linalg.lstsq(rows * root[:, None], target * root, rcond=None)[0]
        change = np.abs(rows @ solution - model).max()
        model = rows @ solution
        residual = (target - model) * weight
        scale = max(MAD_TO_SIGMA * float(np.median(np.abs(residual))), 1e-12)
        huber = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(residual), 1e-300))
        if change < 1e-9 * floor:
            break
    # Huber (1981), section 7.6: covariance of a regression with his weights.
    inner = float(np.mean(huber >= 1.0))
    pulled = np.clip(residual, -_HUBER * scale, _HUBER * scale)
    correction = 1 + terms / number * (1 - inner) / inner
    variance = correction**2 * (pulled**2).sum() / max(number - terms, 1) / inner**2
    weighted = rows * weight[:, None]
    return solution, variance * np.linalg.inv(weighted.T @ weighted)


def _common(squares: FloatArray, stars: float) -> FloatArray:
    """Variances of the squares by the reference's own noise and the finite number of stars."""
    noise, first = max(squares[0], 0.0), max(squares[1], 0.0)
    parts = [noise**2 / 2, first**2 / 2 + 2 * first * noise]
    if len(squares) > 2:
        second = max(squares[2], 0.0)
        parts.append(first**2 / 8 + second**2 / 2 + 2 * second * noise)
    return np.array(parts) / stars
