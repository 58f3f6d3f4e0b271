"""The reference exposure: the first, unless it is poor or the others cannot be tied to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.frames.settings import FrameSettings
from filar.frames.tie import GoodStars, tie_to_reference

_SAMPLE = 12
_MOST_TRIED = 8


def choose_reference(
    good: dict[int, GoodStars], names: Sequence[str], settings: FrameSettings
) -> int | None:
    """Choose the exposure whose system the frame takes.

    Parameters
    ----------
    good : dict
        Number of each exposure that has enough stars, to its good stars.
    names : sequence of str
        All exposures.
    settings : FrameSettings
        ``reference`` is tried first.

    Returns
    -------
    int or None
        The first to which at least half of a sample of the others can be tied; if there is none,
        the one with the most. Exposures of less than half the median number of good stars come
        last, unless one is asked for. None if there are no exposures.
    """
    half = np.median([len(stars) for stars in good.values()]) / 2 if good else 0
    candidates = sorted(good, key=lambda i: len(good[i]) < half)
    wanted = wanted_reference(names, settings)
    if settings.reference is not None and wanted in good:
        candidates.remove(wanted)
        candidates.insert(0, wanted)
    best, most = None, -1
    for candidate in candidates[:_MOST_TRIED]:
        others = [i for i in good if i != candidate]
        spread = np.linspace(0, len(others) - 1, min(_SAMPLE, len(others))).round().astype(int)
        tied = [tie_to_reference(good[others[k]], good[candidate], settings) for k in spread]
        number = sum(tie.used for tie in tied)
        if number > most:
            best, most = candidate, number
        if number >= len(tied) / 2:
            break
    return best


def wanted_reference(names: Sequence[str], settings: FrameSettings) -> int:
    """Number of the exposure that the settings ask for, or of the first; -1 if it is absent."""
    wanted = settings.reference
    if wanted is None:
        return 0
    return list(names).index(wanted) if wanted in names else -1
