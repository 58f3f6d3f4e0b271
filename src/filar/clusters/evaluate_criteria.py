"""Whether parameters of clusters are as good as they should be: met, missed, or not to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.evaluate import QUANTITIES, Judgement
from filar.clusters.evaluate_posterior import INTERVALS, coverage_error
from filar.clusters.posterior import PARAMETERS

FloatArray = NDArray[np.float64]
SIGMAS = 2.0
"""What misses by less than so many standard errors may do so by chance."""


@dataclass(frozen=True)
class Targets:
    """What should be reached.

    Attributes
    ----------
    rms : tuple of four floats
        Largest rms of `PARAMETERS`: dex, mag, dex, dex.
    bias : float
        Largest mean miss in any quarter of a parameter's range, as a part of `rms`.
    coverage : two pairs of floats
        Least and largest coverage of 68.3% and of 95% intervals.
    uniform_p : float
        Least probability by chance of the ranks' chi-square, by parameter and joint.
    auc : float
        Least area below the receiver operating characteristic.
    accuracy : float
        Least part of clusters and backgrounds told rightly.
    compared : tuple of str
        Parameters whose rms should be below the baseline's.
    """

    rms: tuple[float, float, float, float] = (0.28, 0.38, 0.22, 0.10)
    bias: float = 0.5
    coverage: tuple[tuple[float, float], tuple[float, float]] = ((0.63, 0.73), (0.92, 0.98))
    uniform_p: float = 0.01
    auc: float = 0.97
    accuracy: float = 0.97
    compared: tuple[str, ...] = ("log_age", "log_mass")


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
        Coverage of two intervals, ranks, rms, bias, classification, and the comparison.
    """
    targets = targets or Targets()
    found = [*(judge_coverage(one, k, targets.coverage[k]) for k in (0, 1)),
             judge_ranks(one, targets.uniform_p), judge_rms(one, targets.rms),
             judge_bias(one, np.multiply(targets.bias, targets.rms)),
             *judge_classes(one, targets)]  # fmt: skip
    if baseline is not None and baseline.name != one.name:
        found.append(judge_against(one, baseline, targets.compared))
    return tuple(found)


def judge_coverage(one: Judgement, interval: int, limits: tuple[float, float]) -> Verdict:
    """Whether central intervals hold as many true values as they say, for each parameter.

    Parameters
    ----------
    one : Judgement
        The method.
    interval : int
        Number in `INTERVALS`.
    limits : (float, float)
        Least and largest coverage.

    Returns
    -------
    Verdict
        It also tells the least and largest coverage in quarters of what the method says itself: in
        quarters of the truth an honest posterior has another coverage than the nominal one.
    """
    level, name = INTERVALS[interval], ("inside68", "inside95")[interval]
    low, high = limits
    what = f"{100 * level:.3g}% intervals cover {100 * low:g} to {100 * high:g}%"
    whole = np.asarray(getattr(one.whole, name))
    known = np.isfinite(whole)
    if not known.any():
        return Verdict(what, None, "no intervals")
    missed = []
    for k in np.flatnonzero(known & ((whole < low) | (whole > high))):
        off = max(low - whole[k], whole[k] - high)
        text = f"{PARAMETERS[k]}: {whole[k]:.3f}"
        chance = off < SIGMAS * float(coverage_error(level, one.whole.number))
        missed.append(f"({text})" if chance else text)
    cells = [
        value
        for quantity in QUANTITIES
        for part in one.told_quarters.get(quantity, ())
        for value in getattr(part, name)
        if np.isfinite(value)
    ]
    parts = f"; quarters {min(cells):.3f} to {max(cells):.3f}" if cells else ""
    return Verdict(what, not missed, _by_parameter(whole) + parts, tuple(missed))


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


def judge_rms(one: Judgement, limits: Sequence[float]) -> Verdict:
    """Whether the rms of every parameter is small enough.

    Parameters
    ----------
    one : Judgement
        The method.
    limits : four floats
        Of `PARAMETERS`.

    Returns
    -------
    Verdict
    """
    what = f"rms at most {_by_parameter(limits, 'g')}"
    whole = one.whole
    known = np.isfinite(whole.rms)
    if not known.any():
        return Verdict(what, None, "no values")
    missed = []
    above = whole.rms - np.asarray(limits)
    for k in np.flatnonzero(known & (above > 0)):
        text = f"{PARAMETERS[k]}: {whole.rms[k]:.3f} ± {whole.rms_err[k]:.3f}"
        chance = above[k] < SIGMAS * whole.rms_err[k]
        missed.append(f"({text})" if chance else text)
    return Verdict(what, not missed, _by_parameter(whole.rms), tuple(missed))


def judge_bias(one: Judgement, limits: Sequence[float] | FloatArray) -> Verdict:
    """Whether the mean miss is small in every quarter of a parameter's true range.

    Parameters
    ----------
    one : Judgement
        The method.
    limits : four floats
        Of `PARAMETERS`.

    Returns
    -------
    Verdict
    """
    what = f"bias at most {_by_parameter(limits, 'g')} in every quarter of the range"
    worst, missed = np.full(len(PARAMETERS), np.nan), []
    for k, name in enumerate(PARAMETERS):
        for part in one.quarters.get(name, ()):
            bias, error = float(part.bias[k]), float(part.bias_err[k])
            if not np.isfinite(bias):
                continue
            worst[k] = bias if not abs(worst[k]) > abs(bias) else worst[k]
            if abs(bias) > limits[k]:
                text = f"{name} {part.low:.2f} to {part.high:.2f}: {bias:+.3f} ± {error:.3f}"
                chance = abs(bias) - limits[k] < SIGMAS * error
                missed.append(f"({text})" if chance else text)
    if not np.isfinite(worst).any():
        return Verdict(what, None, "too few clusters")
    found = f"worst quarters {_by_parameter(worst, '+.3f')}"
    return Verdict(what, not missed, found, tuple(missed))


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


def judge_against(one: Judgement, baseline: Judgement, names: Sequence[str]) -> Verdict:
    """Whether the rms of parameters is below that of another method.

    Parameters
    ----------
    one, baseline : Judgement
        The method, and the one it should be better than, on the same clusters.
    names : sequence of str
        Some of `PARAMETERS`; of the others the rms is told too.

    Returns
    -------
    Verdict
    """
    what = f"rms of {' and '.join(names)} below that of {baseline.name}"
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
    asked = np.isin(PARAMETERS, names)
    for k in np.flatnonzero(asked & (mine >= other)):
        text = f"{PARAMETERS[k]}: {mine[k]:.3f} against {other[k]:.3f}"
        missed.append(f"({text})" if mine[k] - other[k] < SIGMAS * error[k] else text)
    text = ", ".join(
        f"{name} {a:.3f} against {b:.3f} ± {e:.3f}"
        for name, a, b, e in zip(PARAMETERS, mine, other, error, strict=True)
    )
    return Verdict(what, not missed, text, tuple(missed))


def _by_parameter(values: Any, form: str = ".3f") -> str:
    return ", ".join(f"{name} {v:{form}}" for name, v in zip(PARAMETERS, values, strict=True))
