"""A set of mock clusters and models in, all that a page about clusters shows out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from filar.clusters.data import IntArray, SetFolder, Truth
from filar.clusters.evaluate import Answer
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import ParameterError
from filar.report.clusters_facts import ClustersFacts, Given, gather_clusters

if TYPE_CHECKING:
    from filar.clusters.boosting import Boosting, Features
    from filar.clusters.cutouts import Cutouts
    from filar.clusters.estimator import ClusterModel
    from filar.learn.settings import MixtureSettings

Progress = Callable[[float, str], None]

TREES = "boosting"
"""Name of the baseline."""

AT_ONCE = 512
"""Cutouts that are composed and looked at together."""

_COMPOSING, _PREDICTING = 0.9, 0.05  # parts of the time, of predictions and of judging


@dataclass(frozen=True, eq=False)
class Material:
    """What a report is made of.

    Parameters
    ----------
    label : str
        Name of the data.
    data : SetFolder
        Mock clusters and scenes.
    models : dict of str to ClusterModel
        By name, the most important one first.
    trees : SetFolder, optional
        A set on which gradient boosting is trained as a baseline; of the judged set itself it gets
        what is not judged.
    most : int
        Clusters that judge, and that the baseline learns from, at most.
    draws : int
        From each posterior.
    seed : int
        Of the cutouts, the draws and the places within ranks.
    """

    label: str
    data: SetFolder
    models: Mapping[str, ClusterModel]
    trees: SetFolder | None = None
    most: int = 20_000
    draws: int = 1000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What of a set judges.

    Attributes
    ----------
    clusters, scenes : int arrays
        Their numbers.
    rule : str
        Which these are.
    remarks : tuple of str
        What makes them less than independent.
    """

    clusters: IntArray
    scenes: IntArray
    rule: str
    remarks: tuple[str, ...] = ()


@dataclass(eq=False)
class _Told:
    """What one model said, piece by piece."""

    pieces: list[Predictions] = field(default_factory=list)
    seconds: float = 0.0

    def joined(self) -> Predictions:
        names = ("samples", "p_cluster", "log_snr", "in_domain")
        return Predictions(
            *(np.concatenate([getattr(one, name) for one in self.pieces]) for name in names)
        )


def gather_from_models(material: Material, progress: Progress | None = None) -> ClustersFacts:
    """Let models look at clusters that they were not trained on, and judge them.

    Parameters
    ----------
    material : Material
        Set and models.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    ClustersFacts

    Raises
    ------
    ParameterError
        If there is neither model nor baseline, nothing was held out, the models are for other
        images, or a model's name is that of the baseline.
    """
    if TREES in material.models:
        raise ParameterError("models", TREES, "another name, since this is the baseline's")
    if not material.models and material.trees is None:
        raise ParameterError("models", "none", "one model or more, or a set for the baseline")
    tell = progress or (lambda done, text: None)
    held = held_out(material.data, material.models)
    trees = None
    if material.trees is not None:
        tell(0.0, "growing trees")
        trees = grow(material, held)
    truth, answers, given = _predict(material, held, trees, tell)
    tell(1 - _PREDICTING, "judging")
    found = gather_clusters(
        material.label, truth, answers, given=given,
        baseline=TREES if trees is not None and material.models else "",
        rule=held.rule, remarks=[*held.remarks, *_strange(material)], seed=material.seed,
    )  # fmt: skip
    tell(1.0, "drawing")
    return found


def held_out(data: SetFolder, models: Mapping[str, ClusterModel]) -> HeldOut:
    """Choose the clusters and scenes that judge: those that no model was trained on.

    Parameters
    ----------
    data : SetFolder
        The set.
    models : mapping of str to ClusterModel
        Whose cards tell what they were trained on.

    Returns
    -------
    HeldOut

    Raises
    ------
    ParameterError
        If there are none.
    """
    from filar.clusters.parts import share_out

    clusters: IntArray = np.arange(len(data))
    scenes: IntArray = np.arange(len(data.scenes))
    own: list[str] = []
    remarks: list[str] = []
    digest = data.digest()
    for name, model in models.items():
        card = model.card_
        if card.data != digest:
            continue
        test = share_out(data, model.recipe_, card.seed)
        if not (len(test.clusters[2]) and len(test.scenes[2])):
            remarks.append(f"{name} was trained on all of these clusters: it judges itself.")
            continue
        clusters = np.intersect1d(clusters, test.clusters[2])
        scenes = np.intersect1d(scenes, test.scenes[2])
        own.append(name)
    if not (len(clusters) and len(scenes)):
        text = f"nothing that is in the test parts of {' and '.join(own)}"
        raise ParameterError("set", text, "models trained with the same seed, or another set")
    if own:
        rule = f"They were held out when {' and '.join(own)} was trained on this set."
    else:
        rule = "They are all of the set" + (
            "; none of the models was trained on it." if models and not remarks else "."
        )
    return HeldOut(clusters, scenes, rule, tuple(remarks))


def grow(material: Material, held: HeldOut) -> Boosting:
    """Train the baseline on clusters that do not judge.

    Parameters
    ----------
    material : Material
        With a set for it.
    held : HeldOut
        What judges.

    Returns
    -------
    Boosting

    Raises
    ------
    ParameterError
        If too little of the set is left.
    """
    from filar.clusters.boosting import LEAST_ROWS, Boosting

    data = material.trees
    assert data is not None
    clusters: IntArray = np.arange(len(data))
    scenes: IntArray = np.arange(len(data.scenes))
    if data.digest() == material.data.digest():
        clusters = np.setdiff1d(clusters, held.clusters)
        rest = np.setdiff1d(scenes, held.scenes)
        scenes = rest if len(rest) else scenes
    if len(clusters) < LEAST_ROWS:
        text = f"a set of which {len(clusters)} clusters do not judge"
        raise ParameterError("trees", text, f"one with {LEAST_ROWS} or more, as a training set")
    rows = np.random.default_rng([material.seed, 1]).permutation(clusters)[: material.most]
    composed = [
        (_features(cutouts), truth)
        for cutouts, truth in _pieces(material, data, rows, scenes, purpose=2)
    ]
    columns = np.concatenate([one for one, _ in composed])
    return Boosting(seed=material.seed).fit(columns, _joined([truth for _, truth in composed]))


def _features(cutouts: Cutouts) -> Features:
    from filar.clusters.boosting import features

    return features(cutouts)


def _predict(
    material: Material, held: HeldOut, trees: Boosting | None, tell: Progress
) -> tuple[Truth, dict[str, Answer], dict[str, Given]]:
    """Compose cutouts piece by piece, and ask everyone about each."""
    rows = held.clusters
    if len(rows) > material.most:
        rows = np.random.default_rng([material.seed, 3]).permutation(rows)[: material.most]
    told = {name: _Told() for name in material.models}
    truths: list[Truth] = []
    columns: list[Features] = []
    seconds = 0.0
    for k, (cutouts, truth) in enumerate(
        _pieces(material, material.data, rows, held.scenes, purpose=4)
    ):
        tell(_COMPOSING * k * AT_ONCE / len(rows), f"cutout {k * AT_ONCE} of {len(rows)}")
        truths.append(truth)
        for name, model in material.models.items():
            began = time.perf_counter()
            told[name].pieces.append(
                model.predict(cutouts, material.draws, seed=_seed(material.seed, k))
            )
            told[name].seconds += time.perf_counter() - began
        if trees is not None:
            began = time.perf_counter()
            columns.append(_features(cutouts))
            seconds += time.perf_counter() - began
    answers: dict[str, Answer] = {name: one.joined() for name, one in told.items()}
    given = {name: _given(model, told[name].seconds) for name, model in material.models.items()}
    if trees is not None:
        began = time.perf_counter()
        answers[TREES] = trees.predict(np.concatenate(columns))
        seconds += time.perf_counter() - began
        given[TREES] = Given("gradient-boosted trees on aperture photometry", "", seconds)
    return _joined(truths), answers, given


def _pieces(
    material: Material, data: SetFolder, rows: IntArray, scenes: IntArray, *, purpose: int
) -> Iterator[tuple[Cutouts, Truth]]:
    """Cutouts of some clusters, a bounded number of them in memory."""
    from filar.clusters.compose import Composer

    composer = Composer(data, rows, scenes, _mixture(material))
    for k, start in enumerate(range(0, len(rows), AT_ONCE)):
        rng = np.random.default_rng([material.seed, purpose, k])
        yield composer.compose(rows[start : start + AT_ONCE], rng)


def _mixture(material: Material) -> MixtureSettings:
    """How cutouts are composed: as in the first model's training."""
    from filar.learn.settings import MixtureSettings

    first = next(iter(material.models.values()), None)
    return MixtureSettings() if first is None else first.recipe_.mocks


def _joined(truths: Sequence[Truth]) -> Truth:
    names = ("values", "cluster", "log_snr")
    return Truth(*(np.concatenate([getattr(one, name) for one in truths]) for name in names))


def _seed(seed: int, piece: int) -> int:
    """A seed for each piece, so that no two have the same draws."""
    return int(np.random.SeedSequence([seed, piece]).generate_state(1)[0])


def _given(model: ClusterModel, seconds: float) -> Given:
    card = model.card_
    where = ", ".join(part for part in (card.instrument, " ".join(card.filters)) if part)
    return Given(f"recipe {model.recipe_.name}", where, seconds)


def _strange(material: Material) -> list[str]:
    """What differs from a model's training."""
    facts, remarks = material.data.facts, []
    ranges = np.array([facts.ranges[name] for name in PARAMETERS])
    for name, model in material.models.items():
        camera = model.card_.instrument
        if camera and facts.camera and camera != facts.camera:
            remarks.append(f"{name} was trained on images of {camera}, not of {facts.camera}.")
        if not np.allclose(model.inputs_.ranges, ranges, atol=1e-6):
            remarks.append(
                f"{name} was trained on other ranges of the parameters: its prior is not that of "
                "these clusters, and its posteriors need not cover them as they say."
            )
        if model.recipe_.mocks != _mixture(material):
            remarks.append(
                f"{name} was trained on another mixture of depths and backgrounds than the first "
                "model, whose mixture is judged."
            )
    return remarks
