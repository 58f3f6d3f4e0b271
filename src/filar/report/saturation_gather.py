"""Stamps and models in, all that a page about saturated stars shows out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.report.saturation_facts import Given, SaturationFacts, gather_saturation
from filar.saturation.data import Samples
from filar.saturation.dispersion import epochs_from_times
from filar.saturation.estimator import SaturationModel
from filar.saturation.evaluate import Answer, classic_answers
from filar.saturation.judged import IntArray, Judged, judged_from

Progress = Callable[[float, str], None]
JUDGING = 0.3
"""Part of the time that judging takes, after the predictions."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a report is made of.

    Parameters
    ----------
    label : str
        Name of the data.
    samples : Samples
        Stamps with labels.
    models : dict of str to SaturationModel
        By name; none for the classic estimators alone.
    least_epochs : int
        Of a light curve that is judged.
    seed : int
        Of the bootstrap.
    """

    label: str
    samples: Samples
    models: Mapping[str, SaturationModel] = field(default_factory=dict)
    least_epochs: int = 10
    seed: int = 0


def gather_from_models(material: Material, progress: Progress | None = None) -> SaturationFacts:
    """Let models tell the magnitudes of stamps that they were not trained on, and judge them.

    Parameters
    ----------
    material : Material
        Stamps and models.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    SaturationFacts

    Raises
    ------
    ParameterError
        If no stamp has a label, none was held out, or stamps and model do not fit.
    """
    tell = progress or (lambda done, text: None)
    rows, rule, remarks = held_out(material.samples, material.models)
    samples = material.samples.select(rows)
    models, given = {}, {}
    for k, (name, model) in enumerate(material.models.items()):
        tell((1 - JUDGING) * k / len(material.models), name)
        models[name], given[name] = predict(model, samples)
    tell(1 - JUDGING if material.models else 0.0, "judging")
    judged, unknown = judged_samples(samples)
    found = gather_saturation(
        material.label, judged, models, classic_answers(samples), given=given, rule=rule,
        remarks=[*remarks, *unknown, *_strange(samples, material.models)],
        least_epochs=material.least_epochs, seed=material.seed,
    )  # fmt: skip
    tell(1.0, "drawing")
    return found


def held_out(
    samples: Samples, models: Mapping[str, SaturationModel]
) -> tuple[IntArray, str, list[str]]:
    """Choose the stamps that judge: those that no model was trained on.

    Parameters
    ----------
    samples : Samples
        n stamps.
    models : mapping of str to SaturationModel
        Whose cards tell what they were trained on.

    Returns
    -------
    rows : (m,) int array
        Stamps with labels.
    rule : str
        Which these are.
    remarks : list of str
        What makes them less than independent.

    Raises
    ------
    ParameterError
        If there are none.
    """
    from filar.saturation.parts import share_out

    good = np.isfinite(samples.log_n)
    if not good.any():
        raise ParameterError("samples", "without labels", "stars whose magnitudes are known")
    own: list[str] = []
    remarks: list[str] = []
    digest = samples.digest()
    for name, model in models.items():
        card = model.card_
        if card.data != digest:
            continue
        if not card.figures.get("stars"):
            remarks.append(f"{name} was trained on all of these stars: it judges itself.")
            continue
        test = np.zeros(len(samples), bool)
        test[share_out(samples, model.recipe_, card.seed).test] = True
        good, own = good & test, [*own, name]
    if not good.any():
        text = f"no stamp that is in the test parts of {' and '.join(own)}"
        raise ParameterError("samples", text, "models trained with the same seed, or other stamps")
    if own:
        rule = (
            f"They are those that were held out when {' and '.join(own)} was trained on this data."
        )
    else:
        rule = "They are all that have a label" + (
            "; none of the models was trained on this data." if models and not remarks else "."
        )
    return np.flatnonzero(good), rule, remarks


def predict(model: SaturationModel, samples: Samples) -> tuple[Answer, Given]:
    """Let a model tell magnitudes, and how fast it is.

    Parameters
    ----------
    model : SaturationModel
        A trained one.
    samples : Samples
        n stamps.

    Returns
    -------
    Answer
        Of n stamps.
    Given
        What is known about the model.
    """
    began = time.perf_counter()
    found = model.predict(samples)
    seconds = time.perf_counter() - began
    told = np.isfinite(found.log_n)
    inside = float(found.in_domain[told].mean()) if told.any() else float("nan")
    card = model.card_
    where = ", ".join(part for part in (card.instrument, " ".join(card.filters)) if part)
    about = f"recipe {model.recipe_.name}"
    return Answer(found.log_n, found.log_n_err), Given(about, inside, where, seconds)


def judged_samples(samples: Samples) -> tuple[Judged, list[str]]:
    """Take from samples what is true of them, light curves included where the times are known.

    Parameters
    ----------
    samples : Samples
        n stamps with labels.

    Returns
    -------
    Judged
        Of n stamps.
    list of str
        What is not known.
    """
    remarks, epoch = [], None
    times = np.array(
        [np.nan if one is None else float(one) for one in samples.meta.get("mjd") or []]
    )
    if np.isfinite(times).any():
        epoch = epochs_from_times(times, samples.cameras, samples.filters)
    else:
        remarks.append("The images' times are not known: light curves are not judged.")
    variable: NDArray[np.int64] | None = None
    if "variable" in samples.meta:
        variable = np.asarray(samples.meta["variable"], np.int64)
    elif epoch is not None:
        remarks.append("Which stars vary is not known: all count as constant.")
    return judged_from(samples, epoch=epoch, variable=variable), remarks


def _strange(samples: Samples, models: Mapping[str, SaturationModel]) -> list[str]:
    """What was not in a model's training."""
    remarks = []
    used = np.unique(samples.image)
    cameras, filters = (
        {names[k] for k in used} - {""} for names in (samples.cameras, samples.filters)
    )
    for name, model in models.items():
        known = {one.strip() for one in model.card_.instrument.split(",")} - {""}
        for what, own, learnt in (
            ("cameras", cameras, known), ("filters", filters, set(model.card_.filters)),
        ):  # fmt: skip
            new = sorted(own - learnt) if learnt else []
            if new:
                remarks.append(f"{name} was not trained on the {what} {', '.join(new)}.")
    return remarks
