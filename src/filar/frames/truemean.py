"""Mean catalogues beside the true positions of a simulated set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.frames.frame import Frame
from filar.frames.starlist import BoolArray, FloatArray
from filar.frames.truth import Truth, TruthErrors, mapped_errors


@dataclass(frozen=True, eq=False)
class MeanErrors:
    """Mean positions minus true ones, of the n stars of a catalogue that have a true star.

    Parameters
    ----------
    star : (n,) int array
        Rows of the frame's catalogue.
    mag : (n,) array
        True magnitudes.
    dx, dy : (n,) arrays
        After a cubic map to the truth's ``x_ref, y_ref``, pixels.
    x_bound, y_bound : (n,) arrays
        Bound of the mean, pixels: the square root of 1 / sum(1 / bound^2) over its measures.
    good : (n,) bool array
        Signal-to-noise ratio 30 or more, nothing doubtful, and half of the exposures or more.
    """

    star: NDArray[np.int64]
    mag: FloatArray
    dx: FloatArray
    dy: FloatArray
    x_bound: FloatArray
    y_bound: FloatArray
    good: BoolArray

    def __len__(self) -> int:
        return len(self.star)


def mean_errors(frame: Frame, truth: Truth, errors: TruthErrors, good: BoolArray) -> MeanErrors:
    """Take the errors of a mean catalogue.

    Parameters
    ----------
    frame : Frame
        One chip, filter and method, with n stars.
    truth : Truth
        Of the same set.
    errors : TruthErrors
        Of the frame's measures: they tell which star is which.
    good : (n,) bool array
        Stars that define the map and the summary, see `spread.well_known`.

    Returns
    -------
    MeanErrors
        Of the stars of which a measure belongs to a true star.
    """
    star, ident, bounds = _identified(frame, errors)
    true_id, true_x, true_y, true_mag = _reference_stars(frame, truth)
    at = np.searchsorted(true_id, ident)
    found = at < len(true_id)
    found[found] = true_id[at[found]] == ident[found]
    star, at, bounds = star[found], at[found], bounds[:, found]
    u, v, chosen = true_x[at], true_y[at], good[star]
    dx, dy = mapped_errors(frame.x[star], frame.y[star], u, v, chosen)
    bounds = bounds / np.sqrt(np.maximum(frame.n_used[star], 1))
    return MeanErrors(star, true_mag[at], dx, dy, bounds[0], bounds[1], chosen)


def _identified(
    frame: Frame, errors: TruthErrors
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Stars, the true star most of their measures belong to, the bounds' harmonic square mean."""
    size = np.array([len(tie.stars) for tie in frame.ties], np.int64)
    starts = np.cumsum(size) - size
    star_of = np.full(int(size.sum()), -1, np.int64)
    star_of[starts[frame.measures.tie] + frame.measures.row] = frame.measures.star
    star = star_of[starts[errors.tie] + errors.row] if len(errors) else np.zeros(0, np.int64)
    known = star >= 0
    both = np.stack([star[known], errors.id[known]], axis=1)
    pairs, inverse, number = np.unique(both, axis=0, return_inverse=True, return_counts=True)
    inverse = inverse.ravel()
    bounds = np.stack([
        np.sqrt(number / np.bincount(inverse, weights=column[known] ** -2, minlength=len(pairs)))
        for column in (errors.x_bound, errors.y_bound)
    ])  # fmt: skip
    order = np.lexsort((-number, pairs[:, 0]))
    first = np.unique(pairs[order, 0], return_index=True)[1]
    best = order[first]
    return pairs[best, 0], pairs[best, 1], bounds[:, best]


def _reference_stars(
    frame: Frame, truth: Truth
) -> tuple[NDArray[np.int64], FloatArray, FloatArray, FloatArray]:
    """Identity, place in the set's system and magnitude of the chip's true stars, by identity."""
    slices = [rows for (chip, _), rows in truth.rows.items() if chip == frame.chip]
    ident, x, y, mag = (
        np.concatenate([truth.columns[name][rows] for rows in slices] or [np.zeros(0)])
        for name in ("id", "x_ref", "y_ref", "mag")
    )
    numbers, first = np.unique(ident.astype(np.int64), return_index=True)
    return numbers, x[first].astype(float), y[first].astype(float), mag[first].astype(float)
