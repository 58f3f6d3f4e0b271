"""Pixel-phase bias measured on a dithered set and taken out of its centres.

A star's mean over many dithers hardly knows the bias of a single centre, so the difference between
the two, as a function of where in its pixel the star fell, is the bias (Anderson & King 2000, PASP
112, 1360, who mended the PSF with it). Here it is a short Fourier series in the pixel phase for
every exposure, varying linearly over the chip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.frames.frame import Frame
from filar.frames.mean import solve_frames
from filar.frames.settings import FrameSettings
from filar.frames.starlist import BoolArray, FloatArray, Selection, StarList
from filar.robust import robust_rms

Groups = list[tuple[int, NDArray[np.int64]]]

HARMONICS = 2
ROUNDS = 3
STARS_PER_TERM = 10
_FIELDS = 3
_CLIP = 4.0
_CLIP_ROUNDS = 4
_FLOOR = 0.005  # pixels: a bright star's quoted error is no better known than this
_WELL_MEASURED = Selection()


@dataclass(frozen=True, eq=False)
class PhaseBias:
    """Pixel-phase bias of one exposure.

    Parameters
    ----------
    x, y : (3, 2 * harmonics) float64 arrays
        Coefficients of sin and cos of each harmonic, pixels, for the field terms 1, X, Y.
    centre : (float, float)
        Where X and Y are 0, pixels.
    scale : float
        Pixels in a unit of X and Y.
    """

    x: FloatArray
    y: FloatArray
    centre: tuple[float, float]
    scale: float

    def at(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the bias of the centres of stars that lie at (x, y): measured minus true, pixels."""
        terms = self.x.shape[1]
        return (
            self._design(x, x, y, terms) @ self.x.ravel(),
            self._design(y, x, y, terms) @ self.y.ravel(),
        )

    def _design(self, phase: FloatArray, x: FloatArray, y: FloatArray, terms: int) -> FloatArray:
        """Rows of the least-squares problem: (n, 3 * terms)."""
        u, v = (x - self.centre[0]) / self.scale, (y - self.centre[1]) / self.scale
        field = np.stack([np.ones_like(u), u, v], axis=1)
        angles = 2 * np.pi * np.outer(phase, np.arange(1, terms // 2 + 1))
        waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        return np.asarray((field[:, :, None] * waves[:, None, :]).reshape(len(phase), -1))


def measure_phase_bias(
    frame: Frame,
    *,
    harmonics: int = HARMONICS,
    rounds: int = ROUNDS,
    selection: Selection = _WELL_MEASURED,
) -> list[PhaseBias | None]:
    """Measure the pixel-phase bias of every exposure of a frame.

    Parameters
    ----------
    frame : Frame
        Exposures with offsets that are no whole pixels from each other.
    harmonics : int
        Length of the series in the pixel phase.
    rounds : int
        How often bias and means are found in turn.
    selection : Selection
        Stars that define the bias.

    Returns
    -------
    list of PhaseBias or None
        One per tie; None for exposures left out of the frame. Exposures with few stars get the
        bias that all have in common.

    Raises
    ------
    ParameterError
        If the series has no term.

    Notes
    -----
    Between the biases of single exposures and the stars' positions there is a degeneracy: a wave
    in the stars' phases in the reference can be added to all. So the means are corrected for what
    the exposures have in common, which such a wave has not where offsets differ.
    """
    if harmonics < 1:
        raise ParameterError("harmonics", harmonics, "1 or more")
    groups = _by_tie(frame)
    used = _usable(frame, selection, groups)
    root = 1 / np.hypot(np.nan_to_num(_star_errors(frame, groups), nan=_FLOOR), _FLOOR)
    biases: list[PhaseBias | None] = [None] * len(frame.ties)
    now, common = frame, _without_terms(frame, 2 * harmonics)
    for _ in range(rounds):
        fitted = {
            tie: _fit(now, tie, members[used[members]], root, common) for tie, members in groups
        }
        common = _common([bias for bias in fitted.values() if bias is not None], common)
        for tie, bias in fitted.items():
            biases[tie] = bias or common
        x, y = _means(frame, common, groups)
        now = replace(frame, x=x, y=y)
    return biases


def remove_phase_bias(frame: Frame, biases: list[PhaseBias | None]) -> list[StarList]:
    """Take the bias out of the lists of a frame, to be tied again.

    Parameters
    ----------
    frame : Frame
        The frame that the biases were measured on.
    biases : list of PhaseBias or None
        One per tie.

    Returns
    -------
    list of StarList
        One per tie, unchanged where there is no bias.
    """
    lists = []
    for tie, bias in zip(frame.ties, biases, strict=True):
        stars = tie.stars
        if bias is not None:
            x, y = _unbiased(bias, stars.x, stars.y)
            stars = replace(stars, x=x, y=y)
        lists.append(stars)
    return lists


def lists_without_phase_bias(
    lists: Sequence[StarList],
    settings: FrameSettings | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
) -> list[StarList]:
    """Tie exposures, measure their pixel-phase bias and take it out of their centres.

    Parameters
    ----------
    lists : sequence of StarList
        Exposures and chips in any order. Their positions are those of the detector: where they
        are corrected for distortion, the pixel phase is lost.
    settings : FrameSettings, optional
        How they are tied.
    progress : callable, optional
        Called with the part that is done, 0 to 1, and what is being done.

    Returns
    -------
    list of StarList
        The lists, to be corrected and tied; unchanged where an exposure could not be tied.
    """
    corrected: list[StarList] = []
    for frame in solve_frames(lists, settings, progress=progress):
        if len(frame):
            corrected += remove_phase_bias(frame, measure_phase_bias(frame))
        else:
            corrected += [tie.stars for tie in frame.ties]
    return corrected


def _unbiased(bias: PhaseBias, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """True positions of stars measured at (x, y): the bias is a function of the true ones."""
    dx, dy = bias.at(x, y)
    dx, dy = bias.at(x - dx, y - dy)
    return x - dx, y - dy


def _without_terms(frame: Frame, terms: int) -> PhaseBias:
    """No bias, with the scale of the frame's field."""
    nothing = np.zeros((_FIELDS, terms))
    if not len(frame):
        return PhaseBias(nothing, nothing, (0.0, 0.0), 1.0)
    low, high = (np.array([f(frame.x), f(frame.y)]) for f in (np.nanmin, np.nanmax))
    middle = 0.5 * (low + high)
    scale = max(float((high - low).max()) / 2, 1.0)
    return PhaseBias(nothing, nothing, (float(middle[0]), float(middle[1])), scale)


def _usable(frame: Frame, selection: Selection, groups: Groups) -> BoolArray:
    """Measures of well-measured stars that entered the means."""
    used = frame.measures.used.copy()
    for tie, members in groups:
        used[members] &= selection(frame.ties[tie].stars)[frame.measures.row[members]]
    return used


def _star_errors(frame: Frame, groups: Groups) -> FloatArray:
    """Typical quoted error of a measure of each star, pixels; NaN where none is quoted.

    A measure's own error knows on which side of the truth it fell, since stars near the edge of a
    pixel are measured better: weights by it would make a bias that is not there.
    """
    total, number = np.zeros(len(frame)), np.zeros(len(frame))
    for tie, members in groups:
        stars, rows = frame.ties[tie].stars, frame.measures.row[members]
        error = np.hypot(stars.x_err[rows], stars.y_err[rows]) / np.sqrt(2)
        known = np.isfinite(error)
        total += np.bincount(frame.measures.star[members[known]], error[known], len(frame))
        number += np.bincount(frame.measures.star[members[known]], minlength=len(frame))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / number)


def _by_tie(frame: Frame) -> Groups:
    """Members of `frame.measures` of every exposure that is used."""
    order = np.argsort(frame.measures.tie, kind="stable")
    bounds = np.searchsorted(frame.measures.tie[order], np.arange(len(frame.ties) + 1))
    return [
        (tie, order[bounds[tie] : bounds[tie + 1]])
        for tie in range(len(frame.ties))
        if frame.ties[tie].to_frame is not None
    ]


def _fit(
    frame: Frame, tie: int, members: NDArray[np.int64], root: FloatArray, like: PhaseBias
) -> PhaseBias | None:
    """Fit one exposure's bias to its measures against the means; None with too few."""
    stars, transform = frame.ties[tie].stars, frame.ties[tie].to_frame
    rows, means = frame.measures.row[members], frame.measures.star[members]
    terms = like.x.shape[1]
    if transform is None or len(rows) < STARS_PER_TERM * _FIELDS * terms:
        return None
    expected = transform.inverse(frame.x[means], frame.y[means])
    good = np.isfinite(expected).all(axis=0)
    rows, (u, v), w = rows[good], (expected[0][good], expected[1][good]), root[means[good]]
    fitted: list[FloatArray] = []
    for phase, found in ((u, stars.x), (v, stars.y)):
        # A constant belongs to the transformation.
        design = np.column_stack([like._design(phase, u, v, terms), np.ones(len(rows))])
        solved = _robust(design * w[:, None], (found[rows] - phase) * w)
        fitted.append(solved[:-1].reshape(_FIELDS, terms))
    return replace(like, x=fitted[0], y=fitted[1])


def _robust(design: FloatArray, target: FloatArray) -> FloatArray:
    """Least squares without the far outliers, which blends make: (terms,) array."""
    solved = np.zeros(design.shape[1])
    for _ in range(_CLIP_ROUNDS):
        residual = target - design @ solved
        used = np.abs(residual) <= _CLIP * robust_rms(residual)
        solved = np.asarray(np.linalg.lstsq(design[used], target[used], rcond=None)[0], np.float64)
    return solved


def _common(biases: list[PhaseBias], like: PhaseBias) -> PhaseBias:
    """What the exposures have in common: the median of each coefficient."""
    if not biases:
        return like
    x = np.asarray(np.median([bias.x for bias in biases], axis=0), np.float64)
    y = np.asarray(np.median([bias.y for bias in biases], axis=0), np.float64)
    return replace(like, x=x, y=y)


def _means(frame: Frame, bias: PhaseBias, groups: Groups) -> tuple[FloatArray, FloatArray]:
    """Means of the same measures with a bias taken out of all exposures."""
    corrected = np.full((2, len(frame.measures)), np.nan)
    for tie, members in groups:
        stars, transform = frame.ties[tie].stars, frame.ties[tie].to_frame
        rows = frame.measures.row[members]
        if transform is not None:
            corrected[:, members] = transform(*_unbiased(bias, stars.x[rows], stars.y[rows]))
    used = frame.measures.used & np.isfinite(corrected).all(axis=0)
    star = frame.measures.star[used]
    number = np.bincount(star, minlength=len(frame))
    sums = [np.bincount(star, values[used], len(frame)) for values in corrected]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.where(number > 0, total / number, np.nan) for total in sums]
    return means[0], means[1]
