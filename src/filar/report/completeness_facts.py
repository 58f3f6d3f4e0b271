"""What a report says about recovery probabilities, in numbers, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from filar.completeness.evaluate import Scores, Thresholds, quantities, scores, subsets, thresholds
from filar.completeness.evaluate_errors import ErrorBins
from filar.completeness.learning_curve import LearningCurve
from filar.completeness.reliability import (
    FloatArray,
    FractionBins,
    calibration_error,
    chance_calibration_error,
    deciles,
    equal_edges,
    even_edges,
    fraction_bins,
    fraction_cells,
    reliability,
)
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError
from filar.report.completeness_products import Products

CLASSIC = "logistic"
"""Name of logistic regression, the classic method, which is always drawn."""

_PER_BIN, _PER_CELL = 200, 15  # stars that bins and cells have on average, if there are enough
_LEAST_BINS, _MOST_BINS, _COVARIATE_BINS = 8, 32, 15
_LEAST_CELLS, _MOST_CELLS = 8, 50
_JUDGEABLE = 1.0  # variance of the number of recovered stars from which chance is Gaussian enough


@dataclass(frozen=True, eq=False)
class Given:
    """What one model says of the judged stars.

    Parameters
    ----------
    p : (n,) array
        Recovery probabilities.
    magnitudes : {"input", "measured"}
        Those that the model is given.
    in_domain : float
        Part of the stars that are like those it was trained on; NaN if unknown.
    trained_on : int
        Number of stars; 0 if unknown.
    seconds : float
        Its training took; NaN if unknown.
    about : str
        Where it comes from.
    """

    p: FloatArray
    magnitudes: str = "input"
    in_domain: float = float("nan")
    trained_on: int = 0
    seconds: float = float("nan")
    about: str = ""


@dataclass(frozen=True, eq=False)
class Part:
    """A model's calibration in a part of the stars.

    Parameters
    ----------
    deciles : FractionBins
        Tenths of the part.
    whole : FractionBins
        All of it, one bin.
    calibration_error, chance : float
        Expected calibration error, 20 bins, and what chance makes of perfect probabilities.
    """

    deciles: FractionBins
    whole: FractionBins
    calibration_error: float
    chance: float


@dataclass(frozen=True, eq=False)
class JudgedModel:
    """One model, judged.

    Parameters
    ----------
    name : str
        Of the model.
    number : int
        From 0, the classic one: chooses colours.
    given : Given
        Its probabilities.
    scores, thresholds
        See `filar.completeness.evaluate`.
    reliability, deciles : FractionBins
        Over all stars.
    parts : dict
        From a subset's name to the calibration in it.
    cells : FractionBins, optional
        Over the colour-magnitude diagram in the model's own magnitudes; none in one band.
    """

    name: str
    number: int
    given: Given
    scores: Scores
    thresholds: Thresholds
    reliability: FractionBins
    deciles: FractionBins
    parts: Mapping[str, Part]
    cells: FractionBins | None

    @property
    def cell_pull_rms(self) -> float:
        """Rms pull of the cells in which chance matters: 1 if honest."""
        return float("nan") if self.cells is None else pull_rms(self.cells)


@dataclass(frozen=True, eq=False)
class QuantityBins:
    """Fractions against one quantity.

    Parameters
    ----------
    name, kind : str
        Of the quantity; and "input" or "measured" for magnitudes and colours, "" for others.
    values : (n,) array
        Of the judged stars.
    bins : dict
        From the models' names to their bins, the same stars in each.
    """

    name: str
    kind: str
    values: FloatArray
    bins: Mapping[str, FractionBins]


@dataclass(frozen=True, eq=False)
class CompletenessFacts:
    """All that a page about completeness shows.

    Parameters
    ----------
    label : str
        Name of the table.
    stars : ArtificialStars
        Those that were judged.
    models : tuple of JudgedModel
        The classic one first.
    quantities : tuple of QuantityBins
        Magnitudes, colours, covariates.
    rule : str
        Which stars were judged, and why.
    curve : LearningCurve, optional
        Over the number of artificial stars.
    remarks : tuple of str
        What the reader must know.
    products : Products, optional
        Limits, bin jumping, luminosity functions.
    errors : dict
        From the name of a model that predicts the magnitudes' errors to their bins, by band.
    """

    label: str
    stars: ArtificialStars
    models: tuple[JudgedModel, ...]
    quantities: tuple[QuantityBins, ...]
    rule: str = ""
    curve: LearningCurve | None = None
    remarks: tuple[str, ...] = ()
    products: Products | None = None
    errors: Mapping[str, Sequence[ErrorBins]] = field(default_factory=dict)

    def best(self, kind: str = "") -> JudgedModel:
        """The model to show where there is room for one: the smallest log loss, not the classic.

        Parameters
        ----------
        kind : {"", "input", "measured"}
            Only models that are given such magnitudes, if there are any.

        Returns
        -------
        JudgedModel
        """

        def rank(one: JudgedModel) -> tuple[bool, bool, float]:
            other = bool(kind) and one.given.magnitudes != kind
            return other, one.name == CLASSIC, one.scores.log_loss

        return min(self.models, key=rank)


def gather_completeness(
    label: str,
    stars: ArtificialStars,
    models: Mapping[str, Given],
    *,
    rule: str = "",
    curve: LearningCurve | None = None,
    remarks: Sequence[str] = (),
    draws: int = 200,
    seed: int = 0,
) -> CompletenessFacts:
    """Judge models on the same stars.

    Parameters
    ----------
    label, rule, curve, remarks
        See `CompletenessFacts`.
    stars : ArtificialStars
        n stars to judge them by.
    models : mapping of str to Given
        Names and what each model says of these stars.
    draws, seed : int
        Of the simulation of chance.

    Returns
    -------
    CompletenessFacts

    Raises
    ------
    ParameterError
        If there is no model, or a model's probabilities make no sense.
    """
    if not models:
        raise ParameterError("models", "none", "one model or more")
    ordered = sorted(models, key=lambda name: name != CLASSIC)
    first = 0 if CLASSIC in models else 1
    edges = {kind: cmd_edges(stars, kind) for kind in ("input", "measured")}
    chosen = subsets({name: v for name, v in quantities(stars).items() if name in _others(stars)})
    judged = []
    for number, name in enumerate(ordered, first):
        given = models[name]
        if len(given.p) != len(stars):
            text = f"{len(given.p)} probabilities of {name}"
            raise ParameterError("models", text, f"one for each of {len(stars)} stars")
        p, recovered = given.p, stars.recovered
        parts = {
            part: _part(p[rows], recovered[rows], seed)
            for part, rows in chosen.items()
        }  # fmt: skip
        judged.append(
            JudgedModel(
                name, number, given, scores(p, recovered, draws=draws, seed=seed),
                thresholds(p, recovered), reliability(p, recovered), deciles(p, recovered), parts,
                cmd_cells(stars, p, given.magnitudes, edges[given.magnitudes]),
            )
        )  # fmt: skip
    return CompletenessFacts(
        label, stars, tuple(judged), tuple(_quantities(stars, judged)), rule, curve, tuple(remarks)
    )


def cmd_edges(stars: ArtificialStars, kind: str) -> tuple[FloatArray, FloatArray] | None:
    """Cells of the colour-magnitude diagram: the first less the last band against the last.

    Parameters
    ----------
    stars : ArtificialStars
        The more there are, the smaller the cells.
    kind : {"input", "measured"}
        Of the magnitudes.

    Returns
    -------
    edges of colour and of magnitude, or None
        None with a single band.
    """
    if len(stars.bands) < 2:
        return None
    mag = stars.magnitudes(kind)
    cells = int(np.clip(np.sqrt(len(stars) / _PER_CELL), _LEAST_CELLS, _MOST_CELLS))
    return even_edges(mag[:, 0] - mag[:, -1], cells, 0.99), even_edges(mag[:, -1], cells, 0.995)


def cmd_cells(
    stars: ArtificialStars, p: FloatArray, kind: str, edges: tuple[FloatArray, FloatArray] | None
) -> FractionBins | None:
    """Fractions over the colour-magnitude diagram.

    Parameters
    ----------
    stars : ArtificialStars
        n stars.
    p : (n,) array
        Their probabilities.
    kind, edges
        See `cmd_edges`.

    Returns
    -------
    FractionBins or None
        None without edges.
    """
    if edges is None:
        return None
    mag = stars.magnitudes(kind)
    return fraction_cells(mag[:, 0] - mag[:, -1], mag[:, -1], p, stars.recovered, edges)


def pull_rms(bins: FractionBins) -> float:
    """Rms of the pulls where chance is Gaussian enough to be judged.

    Parameters
    ----------
    bins : FractionBins
        Of any shape.

    Returns
    -------
    float
        1 if honest; NaN without such bins.
    """
    with np.errstate(invalid="ignore"):
        good = (bins.chance * bins.number) ** 2 >= _JUDGEABLE
    return float(np.sqrt(np.mean(bins.pull[good] ** 2))) if good.any() else float("nan")


def _others(stars: ArtificialStars) -> list[str]:
    """Names of the quantities that are neither magnitude nor colour."""
    return list(quantities(stars))[len(stars.bands) + (len(stars.bands) > 1) :]


def _part(p: FloatArray, recovered: Any, seed: int) -> Part:
    chance = chance_calibration_error(p, draws=50, seed=seed)
    whole = fraction_bins(p, p, recovered, np.array([0.0, 1.0]))
    error = calibration_error(p, recovered)
    return Part(deciles(p, recovered), whole, error, float(chance.mean()))


def _quantities(stars: ArtificialStars, judged: Sequence[JudgedModel]) -> list[QuantityBins]:
    """Bins of every quantity: all models against what was put in, else those that are given it."""
    found = []
    others = _others(stars)
    bins = int(np.clip(len(stars) / _PER_BIN, _LEAST_BINS, _MOST_BINS))
    kinds = ["input"]
    if any(one.given.magnitudes == "measured" for one in judged):
        kinds.append("measured")
    for kind in kinds:
        models = [one for one in judged if kind == "input" or one.given.magnitudes == kind]
        for name, values in quantities(stars, kind).items():
            if name in others and kind != "input":
                continue
            edges = (
                equal_edges(values, _COVARIATE_BINS) if name in others else even_edges(values, bins)
            )
            binned = {
                one.name: fraction_bins(values, one.given.p, stars.recovered, edges)
                for one in models
            }
            found.append(QuantityBins(name, "" if name in others else kind, values, binned))
    return found
