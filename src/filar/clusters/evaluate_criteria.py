"""Whether parameters of clusters are as good as they should be: met, missed, or not to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from filar.clusters.evaluate import QUANTITIES, Judgement
from filar.clusters.evaluate_posterior import INTERVALS, coverage_error
from filar.clusters.posterior import PARAMETERS

SIGMAS = 2.0
"""What misses by less than so many standard errors may do so by chance."""


@dataclass(frozen=True)
class Targets:
    """What should be reached.

    Attributes
    ----------
    coverage : (float, float)
        Largest differences of the coverage of 68.3% and 95% intervals from the nominal one, in
        every quarter.
    uniform_p : float
        Least probability by chance of the ranks' chi-square, by parameter and joint.
    bias : float
        Largest mean miss of all clusters, in units of the rms.
    auc : float
        Least area below the receiver operating characteristic.
    accuracy : float
        Least part of clusters and backgrounds told rightly.
    """

    coverage: tuple[float, float] = (0.05, 0.03)
    uniform_p: float = 0.01
    bias: float = 0.1
    auc: float = 0.95
    accuracy: float = 0.9


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
        The decisive numbers in words.
    missed : tuple of str
        What misses, the worst of intervals first; in brackets what may do so by chance.
    """

    what: str
    met: bool | None
    found: str
    missed: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """In a word."""
        return {True: "met", False: "missed", None: "not judged"}[self.met]

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def judge(
    one: Judgement, baseline: Judgement | None = None, targets: Targets | None = None
) -> tuple[Verdict, ...]:
    """All criteria for one method.

    Parameters
    ----------
    one : Judgement
        The method.
    baseline : Judgement, optional
        The method that it should be better than.
    targets : Targets, optional
        What should be reached.

    Returns
    -------
    tuple of Verdict
        Coverage of two intervals, ranks, bias, classification, and the comparison.
    """
    targets = targets or Targets()
    found = [*(judge_coverage(one, k, targets.coverage[k]) for k in (0, 1)),
             judge_ranks(one, targets.uniform_p), judge_bias(one, targets.bias),
             *judge_classes(one, targets)]  # fmt: skip
    if baseline is not None and baseline.name != one.name:
        found.append(judge_rms(one, baseline))
    return tuple(found)


def judge_coverage(one: Judgement, interval: int, limit: float) -> Verdict:
    """Whether central intervals hold as many true values as they say, in every quarter.

    The quarters are those of what the method says itself, since in quarters of the truth an honest
    posterior has another coverage than the nominal one.

    Parameters
    ----------
    one : Judgement
        The method.
    interval : int
        Number in `INTERVALS`.
    limit : float
        Largest difference.

    Returns
    -------
    Verdict
    """
    level, name = INTERVALS[interval], ("inside68", "inside95")[interval]
    percent = 100 * limit
    what = f"{100 * level:.3g}% intervals within {percent:g} points in every quarter"
    cells = [
        (part, parameter, quantity, float(getattr(part, name)[k]))
        for quantity in QUANTITIES
        for part in one.told_quarters.get(quantity, ())
        for k, parameter in enumerate(PARAMETERS)
    ]
    known = [cell for cell in cells if np.isfinite(cell[3])]
    if not known:
        return Verdict(what, None, "no intervals")
    misses: list[tuple[float, str]] = []
    for part, parameter, quantity, inside in known:
        off = abs(inside - level) - limit
        if off > 0:
            chance = off < SIGMAS * float(coverage_error(level, part.number))
            text = f"{parameter} at {quantity} {part.low:.2f} to {part.high:.2f}: {inside:.3f}"
            misses.append((off, f"({text})" if chance else text))
    missed = tuple(text for _, text in sorted(misses, reverse=True))
    parts = [cell[3] for cell in known]
    whole = getattr(one.whole, name)
    text = (
        f"all: {_by_parameter(whole)}; quarters {min(parts):.3f} to {max(parts):.3f}, "
        f"{len(known) - len(missed)} of {len(known)} within"
    )
    return Verdict(what, not missed, text, missed)


def judge_ranks(one: Judgement, least: float) -> Verdict:
    """Whether ranks of the truth among the draws are uniform.

    Parameters
    ----------
    one : Judgement
        The method.
    least : float
        Probability by chance.

    Returns
    -------
    Verdict
    """
    what = f"ranks uniform (chi-square, p at least {least:g})"
    known = {name: test for name, test in one.uniform.items() if np.isfinite(test.p)}
    if not known:
        return Verdict(what, None, "no posteriors")
    missed = tuple(
        f"{name}: p {test.p:.2g}, off by {test.deviation:.3f}"
        for name, test in known.items()
        if test.p < least
    )
    text = ", ".join(f"{name} {test.p:.2g}" for name, test in known.items())
    return Verdict(what, not missed, text, missed)


def judge_bias(one: Judgement, limit: float) -> Verdict:
    """Whether the mean miss is small beside the rms.

    Parameters
    ----------
    one : Judgement
        The method.
    limit : float
        In units of the rms.

    Returns
    -------
    Verdict
    """
    what = f"bias below {limit:g} of the rms"
    whole = one.whole
    known = np.isfinite(whole.rms) & (whole.rms > 0)
    if not known.any():
        return Verdict(what, None, "no values")
    ratio = np.where(known, np.abs(whole.bias) / np.where(known, whole.rms, 1.0), np.nan)
    missed = []
    for k in np.flatnonzero(known & (ratio > limit)):
        text = f"{PARAMETERS[k]}: {whole.bias[k]:+.3f} ± {whole.bias_err[k]:.3f}"
        chance = abs(whole.bias[k]) - limit * whole.rms[k] < SIGMAS * whole.bias_err[k]
        missed.append(f"({text})" if chance else text)
    return Verdict(what, not missed, _by_parameter(whole.bias, "+.3f"), tuple(missed))


def judge_classes(one: Judgement, targets: Targets) -> Sequence[Verdict]:
    """Whether clusters are told from backgrounds.

    Parameters
    ----------
    one : Judgement
        The method.
    targets : Targets
        What should be reached.

    Returns
    -------
    sequence of Verdict
        Area below the receiver operating characteristic, and accuracy.
    """
    texts = (
        f"area below the ROC curve at least {targets.auc:g}",
        f"accuracy at least {targets.accuracy:g}",
    )
    found = one.detection
    if found is None:
        return [Verdict(text, None, "no probabilities") for text in texts]
    many = f"{found.clusters} clusters, {found.backgrounds} backgrounds"
    return [
        Verdict(texts[0], found.auc >= targets.auc, f"{found.auc:.4f}; {many}"),
        Verdict(texts[1], found.accuracy >= targets.accuracy,
                f"{found.accuracy:.4f} ± {found.accuracy_err:.4f}"),
    ]  # fmt: skip


def judge_rms(one: Judgement, baseline: Judgement) -> Verdict:
    """Whether the rms of every parameter is below that of another method.

    Parameters
    ----------
    one, baseline : Judgement
        The method, and the one it should be better than, on the same clusters.

    Returns
    -------
    Verdict
    """
    what = f"rms of every parameter below that of {baseline.name}"
    # Where one of them is silent the other is not asked either.
    pairs = np.isfinite(one.misses.miss) & np.isfinite(baseline.misses.miss)
    if not pairs.any(0).all():
        return Verdict(what, None, "not all parameters are given by both")
    squares = [
        np.where(pairs, one_.misses.miss, 0.0) ** 2 for one_ in (one, baseline)
    ]  # fmt: skip
    number = pairs.sum(0)
    mine, other = (np.sqrt(square.sum(0) / number) for square in squares)
    # Standard error of the difference of mean squares, cluster by cluster.
    error = (
        np.std(squares[0] - squares[1], axis=0) / np.sqrt(number) / np.maximum(mine + other, 1e-12)
    )
    missed = []
    for k in np.flatnonzero(mine >= other):
        text = f"{PARAMETERS[k]}: {mine[k]:.3f} against {other[k]:.3f}"
        missed.append(f"({text})" if mine[k] - other[k] < SIGMAS * error[k] else text)
    text = ", ".join(
        f"{name} {a:.3f} against {b:.3f} ± {e:.3f}"
        for name, a, b, e in zip(PARAMETERS, mine, other, error, strict=True)
    )
    return Verdict(what, not missed, text, tuple(missed))


def _by_parameter(values: Any, form: str = ".3f") -> str:
    return ", ".join(f"{name} {v:{form}}" for name, v in zip(PARAMETERS, values, strict=True))
