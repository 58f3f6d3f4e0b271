"""What a report says about magnitudes of saturated stars, in numbers, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.saturation.criteria import (
    Verdict,
    judge_bias,
    judge_pulls,
    judge_saturated,
    judge_unsaturated,
)
from filar.saturation.dispersion import (
    Dispersions,
    MedianDispersion,
    curve_dispersions,
    median_dispersions,
)
from filar.saturation.evaluate import Answer, Judgement, evaluate
from filar.saturation.judged import FloatArray, Judged

PSF = "psf"
"""The classic estimator that light curves below saturation are compared with."""

CELLS = 8
"""Cells along each side of a chip."""

LEAST_IN_CELL = 10
"""Stamps below which a cell, an image or a camera is left empty."""


@dataclass(frozen=True)
class Given:
    """What is known about a model.

    Attributes
    ----------
    about : str
        Where it comes from.
    in_domain : float
        Part of the stamps that are like those it was trained on; NaN if unknown.
    trained_on : str
        How many stamps or stars.
    seconds : float
        Its predictions took; NaN if unknown.
    """

    about: str = ""
    in_domain: float = float("nan")
    trained_on: str = ""
    seconds: float = float("nan")


@dataclass(frozen=True, eq=False)
class SaturationFacts:
    """All that a page about saturated stars shows.

    Parameters
    ----------
    label : str
        Name of the data.
    judged : Judged
        Stamps that judge.
    methods : tuple of Judgement
        The models first, then the classic estimators.
    models : dict of str to Given
        By the models' names.
    limit : float
        Magnitude at which stars begin to saturate; NaN if that cannot be told.
    curves : Dispersions, optional
        Of constant stars.
    medians : dict of str to list of MedianDispersion
        "saturated" and "unsaturated": all methods' typical dispersions.
    verdicts : dict of str to tuple of Verdict
        By model.
    rule : str
        Which stamps were judged, and why.
    remarks : tuple of str
        What the reader must know.
    """

    label: str
    judged: Judged
    methods: tuple[Judgement, ...]
    models: Mapping[str, Given]
    limit: float
    curves: Dispersions | None = None
    medians: Mapping[str, Sequence[MedianDispersion]] = field(default_factory=dict)
    verdicts: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    rule: str = ""
    remarks: tuple[str, ...] = ()

    def number(self, name: str) -> int:
        """A method's number, which chooses its style."""
        return [one.name for one in self.methods].index(name)

    @property
    def learnt(self) -> tuple[Judgement, ...]:
        """The models among the methods; all methods if there is no model."""
        found = tuple(one for one in self.methods if one.name in self.models)
        return found or self.methods


def gather_saturation(
    label: str,
    judged: Judged,
    models: Mapping[str, Answer],
    classic: Mapping[str, Answer],
    *,
    given: Mapping[str, Given] | None = None,
    rule: str = "",
    remarks: Sequence[str] = (),
    draws: int = 200,
    least_epochs: int = 10,
    seed: int = 0,
) -> SaturationFacts:
    """Judge models and classic estimators on the same stamps.

    Parameters
    ----------
    label, rule, remarks
        See `SaturationFacts`.
    judged : Judged
        n stamps.
    models, classic : mapping of str to Answer
        By method.
    given : mapping of str to Given, optional
        By model.
    draws, seed : int
        Of the bootstrap.
    least_epochs : int
        Of a light curve that is judged.

    Returns
    -------
    SaturationFacts

    Raises
    ------
    ParameterError
        If there is no method, or an answer has another length than the stamps.
    """
    answers = {**models, **{name: one for name, one in classic.items() if name not in models}}
    methods = tuple(evaluate(judged, answers, draws=draws, seed=seed))
    curves, medians = None, {}
    if len(judged.epoch):
        found = curve_dispersions(
            judged, {name: one.log_n for name, one in answers.items()}, least=least_epochs
        )
        curves = found if len(found) else None
    if curves is not None:
        reference = PSF if PSF in answers else ""
        for part, rows in (("saturated", curves.saturated), ("unsaturated", ~curves.saturated)):
            medians[part] = median_dispersions(curves, rows, reference, seed=seed)
    known = {name: (given or {}).get(name, Given()) for name in models}
    return SaturationFacts(
        label, judged, methods, known, judged.saturation_limit(), curves, medians,
        {one.name: verdicts(one, medians) for one in methods if one.name in models},
        rule, tuple(remarks),
    )  # fmt: skip


def verdicts(
    one: Judgement, medians: Mapping[str, Sequence[MedianDispersion]]
) -> tuple[Verdict, ...]:
    """All criteria for one method.

    Parameters
    ----------
    one : Judgement
        The method.
    medians : mapping
        See `SaturationFacts`; without light curves two criteria are not judged.

    Returns
    -------
    tuple of Verdict
        Bias, pulls, light curves of saturated stars and of others.
    """
    nothing = MedianDispersion(one.name, 0, float("nan"), float("nan"))
    own = {
        part: next((row for row in rows if row.method == one.name), nothing)
        for part, rows in medians.items()
    }
    return (
        judge_bias(one.coarse),
        judge_pulls(one.coarse),
        judge_saturated(own.get("saturated", nothing)),
        judge_unsaturated(own.get("unsaturated", nothing)),
    )


def chip_medians(
    facts: SaturationFacts, one: Judgement
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Median misses in cells of the chip, all cameras together.

    Parameters
    ----------
    facts : SaturationFacts
        What was judged.
    one : Judgement
        The method.

    Returns
    -------
    x_edges, y_edges : (CELLS + 1,) arrays
        Pixels.
    values : (CELLS, CELLS) array
        Predicted minus true magnitude; NaN in cells with fewer than `LEAST_IN_CELL` stamps.
    """
    judged = facts.judged
    miss = judged.miss(one.answer.log_n)
    edges = [np.linspace(a.min() - 0.5, a.max() + 0.5, CELLS + 1) for a in (judged.x, judged.y)]
    column, row = (
        np.clip(np.digitize(a, e) - 1, 0, CELLS - 1)
        for a, e in zip((judged.x, judged.y), edges, strict=True)
    )
    values = group_median(row * CELLS + column, miss, CELLS**2)
    return edges[0], edges[1], values.reshape(CELLS, CELLS)


def group_median(group: NDArray[np.integer[Any]], miss: FloatArray, number: int) -> FloatArray:
    """Median miss of each of so many groups; NaN with fewer than `LEAST_IN_CELL`."""
    from filar.robust import group_medians

    groups, medians, counts = group_medians(group, miss)
    values = np.full(number, np.nan)
    full = counts >= LEAST_IN_CELL
    values[groups[full]] = medians[full]
    return values
