"""One round of a mean catalogue: match every exposure to the stars, transform, average."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from filar.flags import Flag
from filar.frames.clipping import Means, clipped_means, group_median
from filar.frames.frame import Tie
from filar.frames.master import coverage, measures_needed, unspoilt
from filar.frames.matching import mutual_nearest
from filar.frames.settings import FEWEST_PAIRS, FrameSettings
from filar.frames.starlist import BoolArray, FloatArray
from filar.frames.tie import GoodStars, fit_transform, pair_weights
from filar.frames.weighting import Quality, weighted_means

IndexArray = NDArray[np.int64]
_SECOND_CHOICE = int(Flag.SATURATED | Flag.MASKED)


@dataclass(frozen=True, eq=False)
class Matched:
    """Measures and the stars that they are of.

    Parameters
    ----------
    star, tie, row : (m,) int arrays
        Star, exposure, and row of the exposure's list.
    x, y : (m,) float64 arrays
        Positions in the frame, pixels.
    mag : (m,) float64 array
        Magnitudes as measured.
    flags : (m,) int32 array
        See `filar.flags`.
    good : (m,) bool array
        Whether the measure may define the transformation.
    at_x, at_y, x_err, y_err : (m,) float64 arrays
        Positions in the exposure and their errors, pixels.
    """

    star: IndexArray
    tie: IndexArray
    row: IndexArray
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    flags: NDArray[np.int32]
    good: BoolArray
    at_x: FloatArray
    at_y: FloatArray
    x_err: FloatArray
    y_err: FloatArray

    def __len__(self) -> int:
        return len(self.star)

    def __getitem__(self, index: IndexArray | BoolArray) -> Matched:
        return Matched(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    @classmethod
    def join(cls, parts: list[Matched]) -> Matched:
        """Put measures of one exposure or more below each other."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class Round:
    """The stars and ties that a round ends with.

    Parameters
    ----------
    ties : list of Tie
        Exposures.
    x, y : (n,) arrays
        Places of the stars in the frame, pixels.
    mag : (n,) array
        Their magnitudes in the reference's system; NaN where unknown.
    matched : Matched or None
        All measures of the stars.
    means : Means or None
        Of those.
    """

    ties: list[Tie]
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    matched: Matched | None = None
    means: Means | None = None


def next_round(
    before: Round,
    good: dict[int, GoodStars],
    reference: int,
    settings: FrameSettings,
    *,
    last: bool,
) -> Round:
    """Match each exposure to the stars, fit its transformation to them, average.

    Parameters
    ----------
    before : Round
        Stars to match with, and a transformation for each exposure used.
    good : dict
        Number of an exposure to its good stars.
    reference : int
        The exposure that sets the system.
    settings : FrameSettings
        Choices.
    last : bool
        The means stay as they are; after other rounds they are carried into the reference's
        system by the polynomial that fits its stars.

    Returns
    -------
    Round
        Stars with enough measures. Exposures with too few stars in common are left out.
    """
    ties, parts = list(before.ties), {}
    for i, tie in enumerate(before.ties):
        if tie.used:
            ties[i], parts[i] = _match_and_fit(i, tie, before, good[i], settings)
    n = len(before.x)
    parts = {i: part for i, part in parts.items() if ties[i].used}
    if reference not in parts:
        return Round(ties, np.zeros(0), np.zeros(0), np.zeros(0))
    matched = Matched.join(list(parts.values()))
    shift = _mag_offsets(before.mag, matched, parts[reference], len(ties))
    mag = group_median(matched.star, matched.mag - shift[matched.tie], n)
    allowed = _allowed(matched, n)
    means = clipped_means(
        matched.star, matched.x, matched.y, n, allowed=allowed, mag=mag, clip=settings.clip
    )
    means = weighted_means(
        means, matched.x, matched.y, *_qualities(matched, means, ties), len(ties)
    )
    x, y = means.x, means.y
    needed = measures_needed(coverage(x, y, ties), settings.min_measures)
    keep = (np.bincount(matched.star, minlength=n) >= needed) & np.isfinite(x)
    ties = [replace(tie, mag_offset=float(s)) for tie, s in zip(ties, shift, strict=True)]
    if not last:
        x, y = _in_system_of(ties[reference], parts[reference], x, y, settings)
    return _kept(Round(ties, x, y, mag, matched, means), keep)


def _match_and_fit(
    i: int, tie: Tie, before: Round, good: GoodStars, settings: FrameSettings
) -> tuple[Tie, Matched]:
    """Match one exposure to the stars, and fit the transformation by its good stars."""
    assert tie.to_frame is not None
    stars = tie.stars
    rows = np.flatnonzero(unspoilt(stars))
    place = tie.to_frame(stars.x[rows], stars.y[rows])
    found, star = mutual_nearest(*place, before.x, before.y, settings.radius)
    row = rows[found]
    chosen = np.isin(row, good.rows)
    x, y = stars.x[row], stars.y[row]
    pairs = (x[chosen], y[chosen], before.x[star[chosen]], before.y[star[chosen]])
    weight = pair_weights((stars, row[chosen]))
    fit = fit_transform(*pairs, settings.order, settings.clip, weight)
    if fit is None:
        common = f"only {np.count_nonzero(chosen)} good stars in common with the mean catalogue"
        tie = replace(tie, reason=f"{common}, {FEWEST_PAIRS} are needed", to_frame=None)
    else:
        lowered = fit.transform.order < settings.order
        remark = f"order 1: only {np.count_nonzero(chosen)} good stars" if lowered else ""
        tie = replace(
            tie,
            to_frame=fit.transform,
            error_x=fit.error_x,
            error_y=fit.error_y,
            remark=remark,
        )
        x, y = fit.transform(x, y)
    return tie, Matched(
        star=star, tie=np.full(len(row), i), row=row, x=x, y=y, mag=stars.mag[row],
        flags=stars.flags[row], good=chosen, at_x=stars.x[row], at_y=stars.y[row],
        x_err=stars.x_err[row], y_err=stars.y_err[row],
    )  # fmt: skip


def _qualities(matched: Matched, means: Means, ties: list[Tie]) -> tuple[Quality, Quality]:
    """Where the means lie in the exposures, and the errors quoted there."""
    back = np.full((len(ties), 2, 2), np.nan)
    for i, tie in enumerate(ties):
        if tie.to_frame is not None:
            back[i] = np.linalg.inv(tie.to_frame.linear_part)
    residual = np.stack([matched.x - means.x[matched.star], matched.y - means.y[matched.star]])
    moved = np.einsum("mij,jm->im", back[matched.tie], residual)
    return (
        Quality(matched.star, matched.tie, matched.at_x - moved[0], matched.x_err),
        Quality(matched.star, matched.tie, matched.at_y - moved[1], matched.y_err),
    )


def _mag_offsets(mag: FloatArray, matched: Matched, reference: Matched, n: int) -> FloatArray:
    """Median difference of each exposure's magnitudes from the stars': (n,) array."""
    if not np.isfinite(mag).any():
        mag = mag.copy()
        mag[reference.star] = reference.mag
    bright = matched[matched.good]
    shift = group_median(bright.tie, bright.mag - mag[bright.star], n)
    return np.where(np.isfinite(shift), shift, 0.0)


def _allowed(matched: Matched, n: int) -> BoolArray:
    """Measures that may enter a mean: damaged ones only of stars with few whole ones."""
    whole = (matched.flags & _SECOND_CHOICE) == 0
    found = np.bincount(matched.star, minlength=n)
    clean = np.bincount(matched.star[whole], minlength=n)
    few = clean < np.maximum(2, found / 5)
    return np.asarray(whole | few[matched.star])


def _in_system_of(
    tie: Tie, matched: Matched, x: FloatArray, y: FloatArray, settings: FrameSettings
) -> tuple[FloatArray, FloatArray]:
    """Carry the stars into the reference's system by the polynomial that fits its good stars."""
    by = matched[matched.good]
    pairs = (x[by.star], y[by.star], tie.stars.x[by.row], tie.stars.y[by.row])
    weight = pair_weights((tie.stars, by.row))
    fit = fit_transform(*pairs, settings.order, settings.clip, weight)
    return (x, y) if fit is None else fit.transform(x, y)


def _kept(round_: Round, keep: BoolArray) -> Round:
    """Keep some of the stars, and sort the measures by star."""
    assert round_.matched is not None
    assert round_.means is not None
    number = np.cumsum(keep) - 1
    chosen = np.flatnonzero(keep[round_.matched.star])
    order = chosen[np.argsort(round_.matched.star[chosen], kind="stable")]
    matched = round_.matched[order]
    matched = replace(matched, star=number[matched.star])
    means = round_.means
    kept = Means(
        means.x[keep],
        means.y[keep],
        means.x_rms[keep],
        means.y_rms[keep],
        means.x_err[keep],
        means.y_err[keep],
        means.n_used[keep],
        means.used[order],
    )
    return Round(round_.ties, round_.x[keep], round_.y[keep], round_.mag[keep], matched, kept)
