"""Whether magnitudes are as good as they should be, bin by bin: met, missed, or not to be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from filar.saturation.bins import Scatter
from filar.saturation.dispersion import MedianDispersion

BIAS, SPAN = 0.01, 9.0
"""Largest absolute bias and the range over which it should hold, magnitudes."""

PULLS = (0.9, 1.1)
DISPERSION, EXCESS = 0.02, 1.1
"""Of saturated stars, magnitudes; of others, in units of PSF photometry's."""

SIGMAS = 2.0
"""A bin that misses by less than so many of its errors may do so by chance."""


@dataclass(frozen=True)
class MissedBin:
    """A bin that is not as good as it should be.

    Attributes
    ----------
    low, high : float
        Its ends, magnitudes.
    value, error : float
        What was found.
    by_chance : bool
        Whether it misses by less than `SIGMAS` errors.
    """

    low: float
    high: float
    value: float
    error: float
    by_chance: bool


@dataclass(frozen=True)
class Verdict:
    """One criterion, judged.

    Attributes
    ----------
    what : str
        The criterion in words.
    met : bool or None
        None if there was nothing to judge by.
    found : str
        The decisive number in words.
    missed : tuple of MissedBin
        Bins that miss.
    unknown : tuple of (float, float)
        Bins with too few stars to tell.
    """

    what: str
    met: bool | None
    found: str
    missed: tuple[MissedBin, ...] = ()
    unknown: tuple[tuple[float, float], ...] = ()

    @property
    def word(self) -> str:
        """In a word."""
        return {True: "met", False: "missed", None: "not judged"}[self.met]

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what, "met": self.met, "found": self.found,
            "missed": [vars(one) for one in self.missed],
            "too_few_stars": [list(one) for one in self.unknown],
        }  # fmt: skip


def longest_run(bins: Sequence[Scatter], good: Callable[[Scatter], bool]) -> tuple[float, float]:
    """The longest range of adjacent bins that are all good.

    Parameters
    ----------
    bins : sequence of Scatter
        Adjacent ones.
    good : callable
        Whether a bin is; those with too few stars never are.

    Returns
    -------
    low, high : float
        NaN if no bin is good.
    """
    best, start = (float("nan"), float("nan")), None
    length = 0.0
    for one in bins:
        if not (one.enough and good(one)):
            start = None
            continue
        start = one.low if start is None else start
        if one.high - start > length + 1e-9:
            length, best = one.high - start, (start, one.high)
    return best


def judge_bias(bins: Sequence[Scatter], limit: float = BIAS, span: float = SPAN) -> Verdict:
    """Whether the absolute bias stays below a limit in every bin over a range.

    Parameters
    ----------
    bins : sequence of Scatter
        Adjacent bins of half a magnitude.
    limit, span : float
        Magnitudes.

    Returns
    -------
    Verdict
        Met if some unbroken run of bins is so long.
    """
    what = f"absolute bias below {limit:g} mag in every bin over at least {span:g} mag"
    if not any(one.enough for one in bins):
        return Verdict(what, None, "no bin with enough stars", (), _unknown(bins))
    low, high = longest_run(bins, lambda one: abs(one.bias) < limit)
    missed = tuple(
        MissedBin(one.low, one.high, one.bias, one.bias_err,
                  abs(one.bias) - limit < SIGMAS * one.bias_err)
        for one in bins if one.enough and not abs(one.bias) < limit
    )  # fmt: skip
    length = high - low if np.isfinite(low) else 0.0
    judged = [one for one in bins if one.enough]
    text = (
        f"holds over {length:.1f} mag"
        + (f" ({low:g} to {high:g})" if length else "")
        + f"; {len(judged) - len(missed)} of {len(judged)} bins"
    )
    return Verdict(what, length >= span - 1e-9, text, missed, _unknown(bins))


def judge_pulls(bins: Sequence[Scatter], limits: tuple[float, float] = PULLS) -> Verdict:
    """Whether the robust width of the pulls lies within limits in every bin.

    Parameters
    ----------
    bins : sequence of Scatter
        Bins of half a magnitude.
    limits : (float, float)
        Of the width: 1.4826 times the median absolute deviation, and also half the 68% range.

    Returns
    -------
    Verdict
        Met if both widths do in all bins that have enough stars.
    """
    what = f"pulls from {limits[0]:g} to {limits[1]:g} in every bin"
    judged = [one for one in bins if one.enough and np.isfinite(one.pull)]
    if not judged:
        return Verdict(what, None, "no bin with enough stars", (), _unknown(bins))
    missed = []
    for one in judged:
        off = [
            (max(limits[0] - width, width - limits[1]), width, error)
            for width, error in ((one.pull, one.pull_err), (one.pull68, one.pull68_err))
        ]
        by, width, error = max(off)
        if by > 0:
            missed.append(MissedBin(one.low, one.high, width, error, by < SIGMAS * error))
    widths = [one.pull for one in judged]
    text = (
        f"{min(widths):.2f} to {max(widths):.2f}, median {np.median(widths):.2f}; "
        f"{len(judged) - len(missed)} of {len(judged)} bins"
    )
    return Verdict(what, not missed, text, tuple(missed), _unknown(bins))


def judge_saturated(found: MedianDispersion, limit: float = DISPERSION) -> Verdict:
    """Whether the light curves of saturated stars are as quiet as they should be.

    Parameters
    ----------
    found : MedianDispersion
        Of saturated constant stars.
    limit : float
        Magnitudes.

    Returns
    -------
    Verdict
    """
    what = f"median dispersion of saturated constant stars at most {limit:g} mag"
    if not found.curves:
        return Verdict(what, None, "no light curve")
    text = f"{found.median:.4f} ± {found.median_err:.4f} mag, {found.curves} light curves"
    return Verdict(what, found.median <= limit, text)


def judge_unsaturated(found: MedianDispersion, limit: float = EXCESS) -> Verdict:
    """Whether below saturation light curves are as quiet as PSF photometry's.

    Parameters
    ----------
    found : MedianDispersion
        Of unsaturated constant stars, with the ratio to PSF photometry.
    limit : float
        Largest ratio.

    Returns
    -------
    Verdict
    """
    percent = 100 * (limit - 1)
    what = f"below saturation, median dispersion within {percent:.0f}% of PSF photometry's"
    if not found.curves or not np.isfinite(found.ratio):
        return Verdict(what, None, "no light curve")
    text = (
        f"{found.ratio:.3f} ± {found.ratio_err:.3f} times PSF photometry's; "
        f"{found.median:.4f} ± {found.median_err:.4f} mag, {found.curves} light curves"
    )
    return Verdict(what, found.ratio <= limit, text)


def _unknown(bins: Sequence[Scatter]) -> tuple[tuple[float, float], ...]:
    return tuple((one.low, one.high) for one in bins if one.stamps and not one.enough)
