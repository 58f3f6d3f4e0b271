"""From a table of artificial stars and models to what a report says about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.completeness.evaluate_errors import ErrorBins, judge_errors
from filar.completeness.heldout import judged_rows
from filar.completeness.learning_curve import HELD_OUT, LearningCurve, learning_curve
from filar.errors import ParameterError
from filar.report.completeness_facts import (
    CLASSIC,
    CompletenessFacts,
    Given,
    gather_completeness,
)
from filar.report.completeness_products import gather_products

if TYPE_CHECKING:
    from filar.completeness.estimator import CompletenessModel
    from filar.completeness.inputs import Kind
    from filar.completeness.table import ArtificialStars, RealStars

FOLDS = 5
DEFAULT_RECIPES = (CLASSIC, "boosting", "filar-completeness")
Report = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Material:
    """What there is to judge.

    Parameters
    ----------
    label : str
        Name of the table.
    stars : ArtificialStars
        All of its stars, in its order.
    models : dict of str to CompletenessModel
        Trained ones, by name.
    recipes : sequence of str
        Trained on the spot, by their own names, besides logistic regression.
    magnitudes : {"input", "measured"}, optional
        That these are given; by default what each recipe says.
    numbers : sequence of int, optional
        Of a learning curve of the recipes; none by default.
    seed : int
        Of all that is drawn by chance.
    real : RealStars, optional
        Stars of the sky, for corrected luminosity functions.
    """

    label: str
    stars: ArtificialStars
    models: Mapping[str, CompletenessModel] = field(default_factory=dict)
    recipes: Sequence[str] = ()
    magnitudes: Kind | None = None
    numbers: Sequence[int] | None = None
    seed: int = 0
    real: RealStars | None = None


def gather_from_models(material: Material, progress: Report | None = None) -> CompletenessFacts:
    """Judge models by the stars that none of them has seen, logistic regression beside them.

    What is trained on the spot is trained on the stars that do not judge, or, where all stars do,
    in five parts: each star is judged by a model of the other four.

    Parameters
    ----------
    material : Material
        Table, models, recipes.
    progress : callable, optional
        Called with the part that is done and a text.

    Returns
    -------
    CompletenessFacts

    Raises
    ------
    ParameterError
        If a model has another model's name, is for other bands or lacks a covariate, the real stars
        do, or there are too few stars to judge by or to learn from.
    """
    stars = material.stars
    classic = any(model.recipe_.name == CLASSIC for model in material.models.values())
    recipes = list(dict.fromkeys([*([] if classic else [CLASSIC]), *material.recipes]))
    both = set(recipes) & set(material.models)
    if both:
        text = f"{', '.join(sorted(both))} for a model and for a recipe"
        raise ParameterError("names", text, "different names")
    _check_real(material, bool(recipes))
    curve = None
    if material.numbers is not None:
        fits = {name: fit_of(name, material.magnitudes) for name in recipes}
        numbers = material.numbers
        curve = learning_curve(stars, fits, numbers, seed=material.seed, progress=progress)
    if material.models:
        rows, rule = judged_rows(material.models, stars)
    else:
        rows = _held_out(stars, material.seed)
        rule = "They were held out of the training, a fifth of the table drawn by chance."
    judged = stars.select(rows)
    given = {name: given_by(model, judged) for name, model in material.models.items()}
    models = dict(material.models)
    for k, name in enumerate(recipes):
        if progress is not None:
            progress(k / len(recipes), f"training {name}")
        given[name], models[name] = _on_the_spot(material, name, rows, curve)
    facts = gather_completeness(
        material.label, judged, given, rule=rule, curve=curve, seed=material.seed,
        remarks=_remarks(material),
    )  # fmt: skip
    if progress is not None:
        progress(0.9, "limiting magnitudes")
    products = gather_products(
        stars,
        {one.name: models[one.name] for one in facts.models},
        facts.best().name,
        real=material.real,
        kinds={name: one.magnitudes for name, one in given.items()},
    )
    # Where all stars judge, what was trained here has seen most of them.
    judges = material.models if rows.all() else models
    errors = _errors(judges, judged, material.seed)
    return replace(facts, products=products, errors=errors)


def _errors(
    models: Mapping[str, CompletenessModel], judged: ArtificialStars, seed: int
) -> dict[str, list[ErrorBins]]:
    """Judge the magnitudes' errors of models that predict them and have not seen the stars."""
    found = {}
    if not judged.recovered.any():
        return {}
    for name, model in models.items():
        if model.errors_ is not None and model.inputs_.bands == judged.bands:
            found[name] = [
                judge_errors(model.errors_, judged, band, seed=seed) for band in judged.bands
            ]
    return found


def _check_real(material: Material, recipes: bool) -> None:
    """Refuse, before anything is trained, real stars that models could say nothing of."""
    stars, real = material.stars, material.real
    if real is None:
        return
    if real.bands != stars.bands:
        allowed = "those of the artificial stars: " + ", ".join(stars.bands)
        raise ParameterError("bands of the real stars", ", ".join(real.bands), allowed)
    wanted = {name for model in material.models.values() for name in model.inputs_.covariates}
    wanted |= set(stars.covariates) if recipes else set()
    missing = sorted(wanted - set(real.covariates) - {"x", "y"})
    if missing:
        found = f"a table without {', '.join(missing)}"
        raise ParameterError("real stars", found, "one with the artificial stars' covariates")


def fit_of(
    recipe: str, magnitudes: Kind | None = None
) -> Callable[[ArtificialStars, int], CompletenessModel]:
    """What trains a recipe on all stars that it is given.

    Parameters
    ----------
    recipe : str
        Name or file of a recipe.
    magnitudes : {"input", "measured"}, optional
        The recipe's by default.

    Returns
    -------
    callable
        From stars and a seed to a CompletenessModel.
    """

    def fit(stars: ArtificialStars, seed: int) -> CompletenessModel:
        from filar.completeness.estimator import CompletenessModel

        return CompletenessModel(recipe, magnitudes=magnitudes, seed=seed).fit(stars, test=False)

    return fit


def given_by(
    model: CompletenessModel, stars: ArtificialStars, *, trained_on: int = 0, about: str = ""
) -> Given:
    """What a trained model says of stars.

    Parameters
    ----------
    model : CompletenessModel
        The model.
    stars : ArtificialStars
        n stars.
    trained_on : int
        Stars, if known.
    about : str
        Where the model comes from; the recipe's name by default.

    Returns
    -------
    Given
    """
    return Given(
        p=model.p_recovered(stars),
        magnitudes=model.inputs_.magnitudes,
        in_domain=float(model.in_domain(stars).mean()),
        trained_on=trained_on,
        seconds=model.seconds_,
        about=about or f"recipe {model.recipe_.name}",
    )


def _held_out(stars: ArtificialStars, seed: int) -> NDArray[np.bool_]:
    """The stars that a learning curve holds out, as rows."""
    numbered = replace(stars, x=np.arange(len(stars), dtype=float))
    rows = np.zeros(len(stars), bool)
    rows[numbered.split((1 - HELD_OUT, HELD_OUT), seed)[1].x.astype(int)] = True
    return rows


def _on_the_spot(
    material: Material, name: str, rows: NDArray[np.bool_], curve: LearningCurve | None
) -> tuple[Given, CompletenessModel]:
    """Train a recipe on the stars that do not judge, or in folds where all do."""
    stars, fit = material.stars, fit_of(name, material.magnitudes)
    if not rows.all():
        train = stars.select(~rows)
        # Without models the curve's last point was trained on these very stars.
        known = None if material.models or curve is None else _last(curve, name)
        model = known or fit(train, material.seed)
        given = given_by(model, stars.select(rows), trained_on=len(train), about="trained here")
        return given, model
    fold = np.random.default_rng(material.seed).permutation(len(stars)) % FOLDS
    parts = []
    for k in range(FOLDS):
        model = fit(stars.select(fold != k), material.seed)
        parts.append(given_by(model, stars.select(fold == k)))
    p = np.empty(len(stars))
    for k, part in enumerate(parts):
        p[fold == k] = part.p
    size = np.bincount(fold, minlength=FOLDS)
    given = Given(
        p=p,
        magnitudes=parts[0].magnitudes,
        in_domain=float(np.average([part.in_domain for part in parts], weights=size)),
        trained_on=int(len(stars) * (FOLDS - 1) / FOLDS),
        seconds=float(np.mean([part.seconds for part in parts])),
        about=f"trained here, in {FOLDS} parts",
    )
    return given, model


def _last(curve: LearningCurve, name: str) -> CompletenessModel | None:
    from filar.completeness.estimator import CompletenessModel

    model = curve.of(name)[-1].model if name in curve.names else None
    return model if isinstance(model, CompletenessModel) else None


def _remarks(material: Material) -> list[str]:
    remarks = []
    cuts = material.stars.meta.get("cuts") or {}
    for name, model in material.models.items():
        if model.card_.cuts and cuts and dict(model.card_.cuts) != dict(cuts):
            remarks.append(
                f"{name} was trained on stars with other cuts than this table's: "
                f"{_listed(model.card_.cuts)} instead of {_listed(cuts)}. What they call "
                "recovered differs."
            )
        system = str(material.stars.meta.get("mag_system", ""))
        if model.card_.mag_system and system and model.card_.mag_system != system:
            remarks.append(
                f"{name} was trained on magnitudes of another system ({model.card_.mag_system}) "
                f"than this table's ({system})."
            )
    return remarks


def _listed(cuts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cuts.items())
