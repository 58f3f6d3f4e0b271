"""What a report says about star clusters, in numbers, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filar.clusters.data import Truth
from filar.clusters.evaluate import Answer, Judgement, evaluate, judged_rows, quantities
from filar.clusters.evaluate_criteria import Targets, Verdict, judge
from filar.clusters.evaluate_posterior import bimodality, correlations, widths
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]

AGE, EXTINCTION, MASS, SIZE = range(len(PARAMETERS))

WORDS: Mapping[str, tuple[str, str]] = {
    "log_age": ("log age", "dex"),
    "a_v": ("A_V", "mag"),
    "log_mass": ("log mass", "dex"),
    "log_r_h": ("log r_h", "dex"),
    "log_snr": ("visibility", "dex"),
}
"""Of every quantity a short name and the unit of its errors."""

AXES: Mapping[str, str] = {
    "log_age": "log10 age (yr)",
    "a_v": "A_V (mag)",
    "log_mass": "log10 mass (Msun)",
    "log_r_h": "log10 r_h (arcsec)",
    "log_snr": "visibility (log10 S/N)",
}
"""How axes are labelled."""

_FAINT, _TYPICAL, _CLEAR = 0.05, 0.5, 0.95  # quantiles of visibility of clusters to be shown
_COUNTED = 100  # draws of each posterior
_BROAD = 0.5  # part of the clusters with the broader posteriors, among which the odd ones are


@dataclass(frozen=True)
class Given:
    """What is known about a method.

    Attributes
    ----------
    about : str
        Where it comes from.
    trained_on : str
        On what it was trained.
    seconds : float
        Its predictions took; NaN if unknown.
    """

    about: str = ""
    trained_on: str = ""
    seconds: float = float("nan")


@dataclass(frozen=True)
class Chosen:
    """A cluster whose posterior is shown.

    Attributes
    ----------
    row : int
        Among the judged clusters.
    name : str
        For the figure's file.
    why : str
        What it is an example of.
    """

    row: int
    name: str
    why: str


@dataclass(frozen=True, eq=False)
class ClustersFacts:
    """All that a page about star clusters shows.

    Parameters
    ----------
    label : str
        Name of the data.
    truth : Truth
        Of n cutouts.
    methods : tuple of Judgement
        In the given order.
    given : dict of str to Given
        By method.
    verdicts : dict of str to tuple of Verdict
        By method, the baseline's too.
    baseline : str
        The method that others are compared with; empty for none.
    chosen : tuple of Chosen
        Clusters whose posteriors are shown.
    rule : str
        What was judged, and why.
    remarks : tuple of str
        What the reader must know.
    """

    label: str
    truth: Truth
    methods: tuple[Judgement, ...]
    given: Mapping[str, Given]
    verdicts: Mapping[str, Sequence[Verdict]]
    baseline: str = ""
    chosen: tuple[Chosen, ...] = ()
    rule: str = ""
    remarks: tuple[str, ...] = field(default=())

    def number(self, name: str) -> int:
        """A method's number, which chooses its style."""
        return [one.name for one in self.methods].index(name)

    @property
    def values(self) -> FloatArray:
        """True `PARAMETERS` of the judged clusters: (m, 4)."""
        return self.truth.values[judged_rows(self.truth)]

    @property
    def true(self) -> dict[str, FloatArray]:
        """True values of the judged clusters by quantity, (m,) each."""
        return quantities(self.truth)

    @property
    def posteriors(self) -> tuple[Judgement, ...]:
        """Methods that give draws."""
        return tuple(one for one in self.methods if one.has_posterior)

    @property
    def detectors(self) -> tuple[Judgement, ...]:
        """Methods that told clusters from backgrounds."""
        return tuple(one for one in self.methods if one.detection is not None)


def gather_clusters(
    label: str,
    truth: Truth,
    answers: Mapping[str, Answer],
    *,
    given: Mapping[str, Given] | None = None,
    baseline: str = "",
    targets: Targets | None = None,
    rule: str = "",
    remarks: Sequence[str] = (),
    seed: int = 0,
) -> ClustersFacts:
    """Judge methods on the same cutouts.

    Parameters
    ----------
    label, rule, remarks
        See `ClustersFacts`.
    truth : Truth
        Of n cutouts.
    answers : mapping of str to Predictions or Estimates
        By method, the most important one first.
    given : mapping of str to Given, optional
        By method.
    baseline : str
        The method with which others are compared; empty for none.
    targets : Targets, optional
        What should be reached.
    seed : int
        See `filar.clusters.evaluate.evaluate`.

    Returns
    -------
    ClustersFacts

    Raises
    ------
    ParameterError
        If there is no method or no cluster, an answer has another length, or the baseline is none
        of the methods.
    """
    if baseline and baseline not in answers:
        raise ParameterError("baseline", baseline, ", ".join(answers))
    methods = tuple(evaluate(truth, answers, seed=seed))
    base = next((one for one in methods if one.name == baseline), None)
    verdicts = {one.name: judge(one, base, targets) for one in methods}
    known = {name: (given or {}).get(name, Given()) for name in answers}
    first = next((one for one in methods if one.has_posterior), None)
    chosen = choose(first, truth) if first else ()
    return ClustersFacts(
        label, truth, methods, known, verdicts, baseline, chosen, rule, tuple(remarks)
    )


def own_samples(one: Judgement, truth: Truth) -> NDArray[np.float32] | None:
    """Draws of a method for the judged clusters: (m, draws, 4), or None without any."""
    if not isinstance(one.answer, Predictions):
        return None
    return one.answer.samples[judged_rows(truth)]


def choose(one: Judgement, truth: Truth) -> tuple[Chosen, ...]:
    """Clusters whose posteriors are shown: by visibility, and those with the oddest shapes.

    Parameters
    ----------
    one : Judgement
        Of a method with posteriors.
    truth : Truth
        Of n cutouts.

    Returns
    -------
    tuple of Chosen
        None of them twice.
    """
    samples = own_samples(one, truth)
    if samples is None:
        return ()
    snr = quantities(truth)["log_snr"]
    order = np.argsort(np.where(np.isfinite(snr), snr, -np.inf))
    found: dict[int, Chosen] = {}

    def add(row: int, name: str, why: str) -> None:
        found.setdefault(row, Chosen(row, name, why))

    for part, name, why in (
        (_CLEAR, "clear", "well visible"),
        (_TYPICAL, "typical", "of typical visibility"),
        (_FAINT, "faint", "hardly visible"),
    ):
        add(int(order[round(part * (len(order) - 1))]), name, why)
    width = widths(samples)
    broad = width >= np.quantile(width, _BROAD, axis=0)
    tied = correlations(samples, AGE, EXTINCTION)
    row = _largest(np.abs(tied), broad[:, AGE] & broad[:, EXTINCTION])
    if row >= 0:
        add(row, "degenerate", f"age or extinction, correlation {tied[row]:+.2f}")
    two = bimodality(samples, AGE)
    row = _largest(two, broad[:, AGE])
    if row >= 0:
        add(row, "two_ages", f"two ages, bimodality {two[row]:.2f}")
    return tuple(found.values())


def _largest(values: FloatArray, among: NDArray[np.bool_]) -> int:
    """Row of the largest finite value; -1 if there is none."""
    known = np.where(among & np.isfinite(values), values, -np.inf)
    return int(np.argmax(known)) if np.isfinite(known).any() else -1


def confusion(
    one: Judgement, truth: Truth, parameter: int, bins: int = 12
) -> tuple[FloatArray, FloatArray]:
    """Where posteriors put clusters whose true value is known.

    Parameters
    ----------
    one : Judgement
        Of a method; without posteriors its values count.
    truth : Truth
        Of n cutouts.
    parameter : int
        Number in `PARAMETERS`.
    bins : int
        Along both axes.

    Returns
    -------
    edges : (bins + 1,) array
        Of both axes.
    values : (bins, bins) array
        Rows told, columns true: mean posterior probability, columns add up to 1 but for what lies
        outside; NaN in columns without clusters.
    """
    true = truth.values[judged_rows(truth), parameter]
    low, high = float(true.min()), float(true.max())
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    samples = own_samples(one, truth)
    told = one.point[:, [parameter]] if samples is None else samples[:, :_COUNTED, parameter]
    column = np.repeat(true, told.shape[1])
    # Draws beyond the outermost true values belong to the outermost cells.
    inside = np.clip(told.ravel(), edges[0], edges[-1])
    known = np.isfinite(inside)
    counts = np.histogram2d(inside[known], column[known], [edges, edges])[0]
    total = counts.sum(axis=0)
    return edges, np.where(total > 0, counts / np.maximum(total, 1), np.nan)
