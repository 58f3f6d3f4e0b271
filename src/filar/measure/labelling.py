"""Labels of the stars of one chip: from its mean catalogue, a truth table, or others' lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from filar.errors import InputFileError
from filar.frames.frame import Frame
from filar.frames.labels import FramePlaces, Places, TruePlaces, for_list
from filar.frames.mean import solve_frames
from filar.frames.phasebias import lists_without_phase_bias
from filar.frames.settings import FrameSettings
from filar.frames.starlist import StarList
from filar.measure.parts import ChipPart

FEWEST_EXPOSURES = 5
"""Exposures below which a mean knows no more than a single centre."""

Progress = Callable[[float, str], None]
_SHOWN = 3
_HST1PASS_CHIPS = {"WFPC2": {"1": "PC", "2": "WF2", "3": "WF3", "4": "WF4"}}


@dataclass(frozen=True, eq=False)
class LabelledChip:
    """The labels of one chip in all its exposures.

    Parameters
    ----------
    places : list of (ChipPart, Places)
        Exposures with labels for some of their stars.
    left_out : list of (str, str)
        Exposures without, and why.
    facts : dict
        What is worth writing down.
    classic : dict
        By exposure, the list whose positions count as the classic ones, and its rows, place by
        place; where it is absent these are the positions of our own fit.
    """

    places: list[tuple[ChipPart, Places]]
    left_out: list[tuple[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    classic: dict[str, tuple[StarList, Any]] = field(default_factory=dict)


def label_by_mean(
    parts: Sequence[ChipPart], *, remove_bias: bool = False, progress: Progress | None = None
) -> LabelledChip:
    """Labels from the mean of what the exposures themselves measured.

    Parameters
    ----------
    parts : sequence of ChipPart
        One chip in one filter.
    remove_bias : bool
        Whether the pixel-phase bias that the set itself shows is taken out of its centres first.
    progress : callable, optional
        Called with the part that is done, 0 to 1, and what is being done.

    Returns
    -------
    LabelledChip

    Raises
    ------
    InputFileError
        If fewer than five exposures can be tied to each other.
    """
    lists = [part.star_list() for part in parts]
    settings = FrameSettings()
    frame = _frame(lists, settings, remove_bias, progress)
    _check(frame, parts)
    labels = FramePlaces(frame)
    places = [(part, labels.of(i)) for i, part in enumerate(parts) if frame.ties[i].used]
    return LabelledChip(places, _left_out(frame), _facts(frame))


def label_by_lists(
    parts: Sequence[ChipPart],
    lists: Sequence[StarList],
    *,
    remove_bias: bool = False,
    progress: Progress | None = None,
) -> LabelledChip:
    """Labels from the mean of star lists that hst1pass made of the same exposures.

    Parameters
    ----------
    parts : sequence of ChipPart
        One chip in one filter.
    lists : sequence of StarList
        Of any chips and exposures, positions as measured on the detector.
    remove_bias, progress
        See `label_by_mean`.

    Returns
    -------
    LabelledChip
        The lists' positions count as the classic ones.

    Raises
    ------
    InputFileError
        If fewer than five exposures have a list and can be tied to each other.
    """
    known = _by_exposure(parts, lists)
    listed = [part for part in parts if part.exposure in known]
    without = [(p.exposure, "no star list of it") for p in parts if p.exposure not in known]
    if len(listed) < FEWEST_EXPOSURES:
        found = f"chip {parts[0].chip}: star lists of {len(listed)} of {len(parts)} exposures"
        advice = f"a list's exposure is its file's name, e.g. {parts[0].exposure}.xymq"
        source = lists[0].source if lists else parts[0].facts["source"]
        raise InputFileError(source, found, f"{FEWEST_EXPOSURES} or more", advice)
    settings = FrameSettings()
    frame = _frame([known[part.exposure] for part in listed], settings, remove_bias, progress)
    _check(frame, listed)
    labels = FramePlaces(frame)
    result = LabelledChip([], [*without, *_left_out(frame)], _facts(frame))
    for i, part in enumerate(listed):
        if frame.ties[i].used:
            other = known[part.exposure]
            places, rows = for_list(labels.of(i), part.star_list(), other)
            result.places.append((part, places))
            result.classic[part.exposure] = (other, rows)
    return result


def label_by_truth(parts: Sequence[ChipPart], truth: TruePlaces) -> LabelledChip:
    """Labels from a table of true positions, without errors.

    Parameters
    ----------
    parts : sequence of ChipPart
        One chip in one filter.
    truth : TruePlaces
        Of the same set.

    Returns
    -------
    LabelledChip
    """
    result = LabelledChip([])
    for part in parts:
        if (part.chip, part.exposure) in truth:
            result.places.append((part, truth.of(part.star_list())))
        else:
            result.left_out.append((part.exposure, "the truth table does not have it"))
    return result


def _frame(
    lists: list[StarList], settings: FrameSettings, remove_bias: bool, progress: Progress | None
) -> Frame:
    if remove_bias:
        lists = lists_without_phase_bias(lists, settings, progress=progress)
    return solve_frames(lists, settings, progress=progress)[0]


def _check(frame: Frame, parts: Sequence[ChipPart]) -> None:
    used = sum(tie.used for tie in frame.ties)
    if used >= FEWEST_EXPOSURES:
        return
    reasons = [f"{name}: {reason}" for name, reason in _left_out(frame)]
    more = f" and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    found = (
        f"chip {frame.chip}: {used} of {len(frame.ties)} exposures can be tied to each other"
        f" ({'; '.join(reasons[:_SHOWN])}{more})"
    )
    advice = "give exposures of one field that overlap, or true positions as labels"
    raise InputFileError(parts[0].facts["source"], found, f"{FEWEST_EXPOSURES} or more", advice)


def _left_out(frame: Frame) -> list[tuple[str, str]]:
    return [(tie.stars.exposure, tie.reason) for tie in frame.ties if not tie.used]


def _facts(frame: Frame) -> dict[str, Any]:
    errors = np.hypot(frame.x_err, frame.y_err) / np.sqrt(2)
    known = np.isfinite(errors)
    return {
        "reference": frame.reference,
        "stars_in_mean": len(frame),
        "median_label_error": float(np.median(errors[known])) if known.any() else None,
    }


def _by_exposure(parts: Sequence[ChipPart], lists: Sequence[StarList]) -> dict[str, StarList]:
    """Lists of the parts' chip by exposure; hst1pass numbers chips, or does not name them."""
    chip = parts[0].chip
    names = _HST1PASS_CHIPS.get(str(parts[0].facts["instrument"]), {})
    return {
        stars.exposure: replace(stars, chip=chip)
        for stars in lists
        if names.get(stars.chip, stars.chip) in (chip, "")
    }
