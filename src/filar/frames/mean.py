"""Mean catalogues: all exposures of a chip tied to one frame, each star's measures averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.frames.clipping import group_mean, group_median
from filar.frames.frame import Frame, Measures, Tie
from filar.frames.master import master_list
from filar.frames.polynomial import Polynomial
from filar.frames.reference import choose_reference, wanted_reference
from filar.frames.rounds import Matched, Round, next_round
from filar.frames.settings import FrameSettings
from filar.frames.starlist import FloatArray, StarList
from filar.frames.tie import (
    GoodStars,
    fit_transform,
    offset,
    pair_weights,
    tie_to_reference,
    unusable,
)
from filar.robust import MAD_TO_SIGMA

Progress = Callable[[float, str], None]
_FARTHEST = 1e5


def solve_frames(
    lists: Sequence[StarList],
    settings: FrameSettings | None = None,
    *,
    progress: Progress | None = None,
) -> list[Frame]:
    """Make the mean catalogue of each chip.

    Parameters
    ----------
    lists : sequence of StarList
        Exposures and chips in any order.
    settings : FrameSettings, optional
        Choices.
    progress : callable, optional
        Called with the part that is done, 0 to 1, and what is being done.

    Returns
    -------
    list of Frame
        One per chip, in the order in which the chips first occur. Exposures that cannot be used
        are among its ties with the reason. A frame without stars: fewer than two could be used.

    Raises
    ------
    ParameterError
        If there are no lists, or the reference or filter asked for is not among them.
    """
    settings = settings or FrameSettings()
    if not lists:
        raise ParameterError("lists", lists, "one star list or more")
    settings = _with_names(lists, settings)
    chips = list(dict.fromkeys(stars.chip for stars in lists))
    frames = []
    for i, chip in enumerate(chips):

        def tell(part: float, text: str, i: int = i, chip: str = chip) -> None:
            if progress is not None:
                progress((i + part) / len(chips), f"{chip} {text}".strip())

        mine = [stars for stars in lists if stars.chip == chip]
        frames.append(_solve_chip(mine, settings, tell))
    return frames


def _with_names(lists: Sequence[StarList], settings: FrameSettings) -> FrameSettings:
    """Check the reference and the filter asked for; a number becomes the exposure's name."""
    filters = sorted({stars.filter for stars in lists if stars.filter})
    if settings.filter is not None and settings.filter not in filters:
        raise ParameterError("filter", settings.filter, "one of " + (", ".join(filters) or "none"))
    names = list(dict.fromkeys(stars.exposure for stars in lists))
    wanted = settings.reference
    if wanted is None or wanted in names:
        return settings
    number = int(wanted) if wanted.isdigit() else 0
    if not 1 <= number <= len(names):
        allowed = f"the name of an exposure, or its number, 1 to {len(names)}"
        raise ParameterError("reference", wanted, allowed)
    return replace(settings, reference=names[number - 1])


def _solve_chip(lists: list[StarList], settings: FrameSettings, tell: Progress) -> Frame:
    """Tie all exposures of a chip to one of them; then match, transform and average in turn."""
    ties, chosen = _sorted_out(lists, settings)
    methods = Counter(tie.stars.method for tie in ties if tie.used).most_common(1)
    names = (lists[0].chip, chosen, methods[0][0] if methods else "")
    good = {i: GoodStars.of(tie.stars, settings) for i, tie in enumerate(ties) if tie.used}
    for i in list(good):
        if reason := unusable(good[i]):
            ties[i] = replace(ties[i], reason=reason)
            del good[i]
    reference = choose_reference(good, [stars.exposure for stars in lists], settings)
    if reference is None:
        return _without_stars(names, "", ties)
    for n, i in enumerate(good):
        tell(0.3 * n / len(good), f"tying {lists[i].exposure}")
        ties[i] = tie_to_reference(good[i], good[reference], settings)
    ties[reference] = Tie(lists[reference], to_frame=Polynomial.identity())
    round_ = Round(ties, *_stars_of(ties, settings))
    for n in range(settings.iterations):
        tell(0.3 + 0.7 * n / settings.iterations, f"round {n + 1}")
        last = n == settings.iterations - 1
        if sum(tie.used for tie in round_.ties) < 2 or not round_.ties[reference].used:
            break
        round_ = next_round(round_, good, reference, settings, last=last)
    ties = _described(round_, good, reference, settings)
    if round_.matched is None or sum(tie.used for tie in ties) < 2:
        alone = "no other exposure can be tied to it"
        ties = [replace(tie, reason=tie.reason or alone, to_frame=None) for tie in ties]
        return _without_stars(names, lists[reference].exposure, ties)
    return _frame(names, lists[reference].exposure, round_, ties)


def _sorted_out(lists: list[StarList], settings: FrameSettings) -> tuple[list[Tie], str]:
    """Leave out lists of other filters and exposures that come twice; name the filter kept."""
    filters = Counter(stars.filter for stars in lists if stars.filter)
    chosen = settings.filter or (filters.most_common(1)[0][0] if filters else "")
    ties: list[Tie] = []
    known: dict[str, StarList] = {}
    for stars in map(_on_a_detector, lists):
        reason = ""
        if stars.filter not in ("", chosen):
            reason = f"filter {stars.filter}, not {chosen}"
        elif stars.exposure in known:
            reason = f"given twice: already in {known[stars.exposure].source or 'another list'}"
        else:
            known[stars.exposure] = stars
        ties.append(Tie(stars, reason))
    return ties, chosen


def _on_a_detector(stars: StarList) -> StarList:
    """Take positions that no detector has for unknown."""
    with np.errstate(invalid="ignore"):
        wrong = ~(np.maximum(np.abs(stars.x), np.abs(stars.y)) < _FARTHEST)
    if not (wrong & np.isfinite(stars.x) & np.isfinite(stars.y)).any():
        return stars
    return replace(stars, x=np.where(wrong, np.nan, stars.x), y=np.where(wrong, np.nan, stars.y))


def _stars_of(
    ties: list[Tie], settings: FrameSettings
) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, y = master_list(ties, settings.min_measures)
    return x, y, np.full(len(x), np.nan)


def _described(
    round_: Round, good: dict[int, GoodStars], reference: int, settings: FrameSettings
) -> list[Tie]:
    """Add each exposure's offset and its transformation straight to the reference."""
    ties = list(round_.ties)
    if round_.matched is None:
        return ties
    by_tie = _by_tie(round_.matched, len(ties))
    home = np.full(len(round_.x), -1)
    home[by_tie[reference].star] = by_tie[reference].row
    home[~np.isin(home, good[reference].rows)] = -1
    target = ties[reference].stars
    for i, tie in enumerate(ties):
        if not tie.used or tie.to_frame is None:
            continue
        dx, dy = (0.0, 0.0) if i == reference else offset(tie.to_frame, good[reference].middle)
        ties[i] = replace(tie, offset_x=dx, offset_y=dy)
        mine = by_tie[i][by_tie[i].good & (home[by_tie[i].star] >= 0)]
        row = home[mine.star]
        pairs = (tie.stars.x[mine.row], tie.stars.y[mine.row], target.x[row], target.y[row])
        # Limits by each star's own error: with one limit for all, stars that are worse at some
        # pixel phase would lose more pairs at some offsets and make a bias that is not there.
        weight = pair_weights((tie.stars, mine.row), (target, row))
        fit = fit_transform(*pairs, settings.order, settings.clip, weight)
        if fit is not None and i != reference:
            ties[i] = replace(
                ties[i],
                reference_error_x=fit.error_x,
                reference_error_y=fit.error_y,
                n_reference=int(np.count_nonzero(fit.used)),
            )
    wanted = wanted_reference([tie.stars.exposure for tie in ties], settings)
    if wanted not in (reference, -1):
        instead = f"reference in place of {ties[wanted].stars.exposure}"
        remark = "; ".join(filter(None, (instead, ties[reference].remark)))
        ties[reference] = replace(ties[reference], remark=remark)
    return ties


def _by_tie(matched: Matched, n: int) -> list[Matched]:
    order = np.argsort(matched.tie, kind="stable")
    borders = np.searchsorted(matched.tie[order], np.arange(n + 1))
    return [matched[order[a:b]] for a, b in pairwise(borders)]


def _frame(names: tuple[str, str, str], reference: str, round_: Round, ties: list[Tie]) -> Frame:
    """Gather what is known of each star."""
    matched, means = round_.matched, round_.means
    assert matched is not None
    assert means is not None
    n = len(means.x)
    chosen = matched[means.used]
    lists = [tie.stars for tie in ties]
    shift = np.array([tie.mag_offset for tie in ties])
    mag, mag_rms = _mean_magnitudes(chosen.star, chosen.mag - shift[chosen.tie], n)
    starts = np.cumsum([0, *map(len, lists)])[:-1]
    snr = np.concatenate([stars.snr for stars in lists])[starts[chosen.tie] + chosen.row]
    measures = Measures(
        matched.star.astype(np.int32),
        matched.tie.astype(np.int32),
        matched.row.astype(np.int32),
        matched.x,
        matched.y,
        means.used,
    )
    return Frame(
        *names,
        reference,
        tuple(ties),
        means.x,
        means.y,
        mag,
        means.x_err,
        means.y_err,
        means.x_rms,
        means.y_rms,
        mag_rms,
        np.bincount(matched.star, minlength=n).astype(np.int32),
        means.n_used,
        group_median(chosen.star, snr, n),
        _common_flags(chosen.star, chosen.flags, means.n_used),
        measures,
    )


def _mean_magnitudes(
    star: NDArray[np.int64], mag: FloatArray, n: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and scatter of each star's magnitudes, those beyond 3 robust deviations left out."""
    known = np.isfinite(mag)
    star, mag = star[known], mag[known]
    median = group_median(star, mag, n)
    away = np.abs(mag - median[star])
    deviation = MAD_TO_SIGMA * group_median(star, away, n)
    count = np.bincount(star, minlength=n)
    # Of few measures the median deviation is no measure of scatter.
    kept = (away <= 3 * deviation[star]) | (count[star] < 8)
    return group_mean(star[kept], mag[kept], n)


def _common_flags(
    star: NDArray[np.int64], flags: NDArray[np.int32], number: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Flags that more than half of a star's measures have: (n,) array."""
    common = np.zeros(len(number), np.int32)
    every = int(np.bitwise_or.reduce(flags, initial=0))
    for bit in (1 << k for k in range(every.bit_length())):
        having = np.bincount(star[(flags & bit) != 0], minlength=len(number))
        common |= np.where(2 * having > number, bit, 0).astype(np.int32)
    return common


def _without_stars(names: tuple[str, str, str], reference: str, ties: list[Tie]) -> Frame:
    none, nothing = np.zeros(0), np.zeros(0, np.int32)
    measures = Measures(nothing, nothing, nothing, none, none, np.zeros(0, bool))
    means = (none,) * 8
    return Frame(*names, reference, tuple(ties), *means, nothing, nothing, none, nothing, measures)
