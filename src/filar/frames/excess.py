"""Pixel-phase bias from what the quoted errors leave over, for stars of unequal noise.

The standard error of a transformation, with residuals clipped at 3 sigma of all stars together (as
where no errors are quoted), depends on the offset even without any bias. An undersampled star is
measured several times worse at the centre of a pixel than at its edge; at whole-pixel offsets both
measures of a star are bad together, make the tails longer and lose more to the clipping. Here each
star has its own noise and its own limit, so that nothing but a bias depends on the offset.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.frames.curves import BiasFit, fit_squares, transformation_curve
from filar.frames.frame import Frame
from filar.frames.measured import measured, selected
from filar.frames.starlist import BoolArray, FloatArray, Selection

_CLIP = 4.0
_ROUNDS = 10
_LEAST = 20
_GROUPS = 10  # of the jackknife
_MEDIAN_SQUARE = 0.4549  # of a Gaussian of unit variance


def fit_weighted_bias(frame: Frame, axis: str, selection: Selection | None = None) -> BiasFit:
    """Fit the bias amplitude to the differences from the reference, quoted errors taken off.

    For every exposure, the weighted mean of ``difference^2 - err^2 - err_reference^2`` over its
    stars is an excess variance; over the offset d it is ``2 s^2 + 2 A^2 sin^2(pi d)`` (see
    `curves`), with s the noise beyond the quoted errors. Bright stars weigh most. The standard
    errors contain the scatter of the exposures and a jackknife over the stars.

    Parameters
    ----------
    frame : Frame
        One chip, filter and method.
    axis : {"x", "y"}
        Which coordinate.
    selection : Selection, optional
        Which measures count.

    Returns
    -------
    BiasFit
        `sigma` is s, negative where the quoted errors are too large. NaN if the method quotes no
        errors, see also `fit_bias`.

    Raises
    ------
    ParameterError
        For another axis.
    """
    curve = transformation_curve(frame, axis)
    names = [tie.stars.exposure for tie in frame.ties]
    if frame.reference not in names or not len(curve):
        return BiasFit(len(curve))
    reference = names.index(frame.reference)
    # What was clipped from the means counts too: those limits know no phase.
    chosen = selected(frame, selection)
    tie, star, difference, variance = _differences(frame, axis, reference, chosen)
    at = np.array([names.index(name) for name in curve.exposure])

    def fit(rows: BoolArray, common: FloatArray | None) -> BiasFit:
        excess, spread, number = _excess(tie[rows], difference[rows], variance[rows], len(names))
        good = (number[at] >= _LEAST) & np.isfinite(spread[at])
        of = at[good]
        return fit_squares(excess[of], curve.sine[good], curve.sine2[good], number[of], spread[of],
                           common)  # fmt: skip

    # The reference's own errors are in every difference: leaving out stars shows what they do.
    parts = [_squares(fit(star % _GROUPS != group, np.zeros(3))) for group in range(_GROUPS)]
    common = (_GROUPS - 1) * np.var(parts, axis=0)
    return fit(np.ones(len(star), bool), np.nan_to_num(common))


def _squares(fit: BiasFit) -> list[float]:
    return [value * abs(value) for value in (fit.sigma, fit.amplitude, fit.second)]


def _differences(
    frame: Frame, axis: str, reference: int, good: BoolArray
) -> tuple[NDArray[np.int32], NDArray[np.int32], FloatArray, FloatArray]:
    """Exposure, star, difference from the reference and its quoted variance, of every pair."""
    own = frame.measures
    position, error = getattr(own, axis), measured(frame, f"{axis}_err")
    good = good & np.isfinite(position) & (error > 0)
    there = np.full((2, len(frame)), np.nan)
    first = np.flatnonzero(good & (own.tie == reference))
    there[:, own.star[first]] = position[first], error[first]
    pairs = np.flatnonzero(good & (own.tie != reference) & np.isfinite(there[0][own.star]))
    star = own.star[pairs]
    variance = error[pairs] ** 2 + there[1][star] ** 2
    return own.tie[pairs], star, position[pairs] - there[0][star], variance


def _excess(
    tie: NDArray[np.int32], difference: FloatArray, variance: FloatArray, ties: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weighted mean excess of each exposure, its standard error, and the stars that made it."""
    square = difference**2
    level = float(np.median(square)) / _MEDIAN_SQUARE if len(square) else 0.0
    excess = np.full(ties, level)
    for _ in range(_ROUNDS):
        model = variance + np.maximum(excess, 0.0)[tie]
        kept = square <= _CLIP**2 * model
        weight = np.where(kept, model**-2, 0.0)
        total = np.bincount(tie, weight, ties)
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = np.bincount(tie, weight * (square - variance), ties) / total
            spread = np.sqrt(2 / total)
        excess = np.where(np.isfinite(excess), excess, level)
    return excess, spread, np.bincount(tie, kept, ties).astype(float)
