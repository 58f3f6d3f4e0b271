"""The estimator of completeness: trained on artificial stars, gives recovery probabilities."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from filar.completeness.data import check_trainable, digest, parts
from filar.completeness.domain import in_domain, learn_domain
from filar.completeness.errormodel import PREFIX, error_facts, fit_errors, load_errors
from filar.completeness.evaluate import scores
from filar.completeness.inputs import Inputs
from filar.completeness.model import Model, check_recipe, model_from_card
from filar.completeness.table import ArtificialStars, RealStars
from filar.completeness.training import load_libraries, train_model
from filar.errors import ParameterError
from filar.learn.recipe import Recipe, load_recipe, override

if TYPE_CHECKING:
    from filar.completeness.scatter import MagnitudeErrors
    from filar.learn.history import Row
    from filar.learn.modelfile import Card
    from filar.learn.train import Progress

FloatArray = NDArray[np.float64]
JOB = "completeness"
PREDICTED_AT_ONCE = 65_536
CHANCE_DRAWS = 50


class CompletenessModel:
    """Recovery probabilities by a trained model.

    Parameters
    ----------
    recipe : str, path-like or Recipe
        Name of a recipe, its file, or the recipe itself.
    magnitudes : {"input", "measured"}, optional
        Which magnitudes of the artificial stars are learnt from; the recipe's by default.
    covariates : sequence of str, optional
        What else is; the recipe's by default, which is all that the table has.
    errors : bool, optional
        Whether the magnitudes' errors are learnt as well; the recipe's by default.
    seed : int
        The same seed and stars give the same model on the same machine.

    Attributes
    ----------
    recipe_ : Recipe
        The recipe that was used.
    model_ : Model
        What gives the probabilities.
    inputs_ : Inputs
        What turns stars into its inputs.
    errors_ : MagnitudeErrors or None
        The magnitudes' errors, if they were asked for and enough stars were recovered.
    card_ : Card
        What the model is and where it holds; what a model file says.
    history_ : list of dict
        A row of figures per epoch; empty for a baseline or a model that was loaded.
    seconds_ : float
        That the training took, without the errors'; NaN for a model that was loaded.
    """

    recipe_: Recipe
    model_: Model
    inputs_: Inputs
    errors_: MagnitudeErrors | None
    card_: Card
    history_: list[Row]
    seconds_: float

    def __init__(
        self,
        recipe: str | PathLike[str] | Recipe = "filar-completeness",
        *,
        magnitudes: Literal["input", "measured"] | None = None,
        covariates: tuple[str, ...] | list[str] | None = None,
        errors: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.recipe, self.seed = recipe, seed
        self.magnitudes, self.covariates, self.errors = magnitudes, covariates, errors

    def fit(
        self,
        stars: ArtificialStars,
        *,
        test: bool = True,
        folder: str | PathLike[str] | None = None,
        resume: bool = False,
        progress: Callable[[Progress], None] | None = None,
        checkpoint_seconds: float = 20.0,
        accelerator: str = "cpu",
        devices: int | str | list[int] = "auto",
        strategy: str = "auto",
    ) -> Self:
        """Train.

        Parameters
        ----------
        stars : ArtificialStars
            Stars that were put in, some recovered and some lost.
        test : bool
            Whether the recipe's test part is kept back for the figures on the card; otherwise it is
            trained on too.
        folder : path-like, optional
            Where checkpoints and logs go; a temporary folder by default.
        resume : bool
            Go on from the folder's checkpoint, if there is one.
        progress : callable, optional
            Told how far the training is.
        checkpoint_seconds : float
            Time between checkpoints.
        accelerator, devices, strategy : optional
            Lightning's. These networks are so small that a CPU suits them.

        Returns
        -------
        CompletenessModel
            Itself.

        Raises
        ------
        ParameterError
            If the recipe is for another job, nothing can be learnt from the stars (too few, none
            recovered, none lost), or they lack a covariate.
        InputFileError, OutputFileError
            If the folder cannot be used, or its checkpoint is damaged.
        """
        recipe = self._checked_recipe()
        check_trainable(stars)
        train, validation, held_out = parts(stars, _fractions(recipe, test), self.seed)
        check_trainable(train)
        load_libraries(recipe)
        began = time.perf_counter()
        inputs = Inputs.learn(train, recipe.table.magnitudes, recipe.table.covariates)
        options = {
            "resume": resume, "progress": progress, "checkpoint_seconds": checkpoint_seconds,
            "accelerator": accelerator, "devices": devices, "strategy": strategy,
        }  # fmt: skip
        place = None if folder is None else Path(folder)
        self.model_, self.history_ = train_model(
            recipe, inputs, (train, validation), place, self.seed, **options
        )
        self.recipe_, self.inputs_ = recipe, inputs
        earlier = sum(row["seconds"] for row in self.history_) if resume else 0.0
        self.seconds_ = max(time.perf_counter() - began, earlier)
        self.errors_ = None
        if recipe.table.errors:
            self.errors_ = fit_errors(inputs, train, place, self.seed, **options)
        self.card_ = self._describe(stars, train, held_out)
        return self

    def predict_proba(self, stars: ArtificialStars | RealStars) -> FloatArray:
        """Give the probabilities of both outcomes, as scikit-learn does.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            n stars in the model's bands, with its covariates.

        Returns
        -------
        (n, 2) array
            Lost, recovered.

        Raises
        ------
        ParameterError
            If the model is not trained, or the stars are in other bands or lack a covariate.
        """
        p = self.p_recovered(stars)
        return np.stack([1 - p, p], axis=1)

    def p_recovered(self, stars: ArtificialStars | RealStars) -> FloatArray:
        """Give the probability that each star is recovered.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            See `predict_proba`.

        Returns
        -------
        (n,) array
            Also of stars outside the domain and of those that lack a magnitude or a covariate, for
            which it may be wrong: see `in_domain`.

        Raises
        ------
        ParameterError
            See `predict_proba`.
        """
        model = self._trained()
        self.inputs_.columns(stars)
        pieces = [
            model.probability(self.inputs_.batch(stars.select(slice(k, k + PREDICTED_AT_ONCE))))
            for k in range(0, len(stars), PREDICTED_AT_ONCE)
        ]
        return np.concatenate(pieces)

    def in_domain(self, stars: ArtificialStars | RealStars) -> NDArray[np.bool_]:
        """Mark the stars that are like those the model was trained on.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            See `predict_proba`.

        Returns
        -------
        (n,) bool array

        Raises
        ------
        ParameterError
            See `predict_proba`.
        """
        missing = self._trained().handles_missing
        return in_domain(self.inputs_, self.card_.ranges, stars, missing)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as one file.

        Parameters
        ----------
        path : path-like
            The file, ``.safetensors``.

        Raises
        ------
        OutputFileError
            If it cannot be written.
        ParameterError
            If the model is not trained, or is of a kind that cannot be written.
        """
        from filar.learn.modelfile import save_model

        kept = dict(self._trained().tensors())
        if self.errors_ is not None:
            kept |= self.errors_.tensors(PREFIX)
        save_model(path, kept, self.card_)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model; nothing in the file is executed.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        CompletenessModel

        Raises
        ------
        InputFileError
            If the file is missing, damaged, or no model of completeness.
        """
        from filar.errors import InputFileError
        from filar.learn.modelfile import load_model

        weights, card = load_model(path, JOB)
        try:
            inputs = Inputs.from_facts(card.normalisation)
        except ParameterError as error:
            raise InputFileError(path, f"damaged: {error}", "", "train it again") from error
        loaded = cls(card.recipe, seed=card.seed)
        loaded.model_ = model_from_card(card.recipe, inputs, weights, path)
        loaded.recipe_, loaded.inputs_, loaded.card_ = card.recipe, inputs, card
        loaded.errors_ = load_errors(inputs, card.normalisation, weights, path)
        loaded.history_, loaded.seconds_ = [], float("nan")
        return loaded

    def _checked_recipe(self) -> Recipe:
        """The recipe, with what the constructor was told."""
        recipe = self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)
        changes: dict[str, Any] = {}
        if self.magnitudes is not None:
            changes["table.magnitudes"] = self.magnitudes
        if self.covariates is not None:
            changes["table.covariates"] = list(self.covariates)
        if self.errors is not None:
            changes["table.errors"] = self.errors
        recipe = override(recipe, changes)
        check_recipe(recipe)
        return recipe

    def _trained(self) -> Model:
        model: Model | None = getattr(self, "model_", None)
        if model is None:
            raise ParameterError("CompletenessModel", "an untrained one", "fit or load first")
        return model

    def _describe(
        self, stars: ArtificialStars, train: ArtificialStars, held_out: ArtificialStars | None
    ) -> Card:
        """Write the card."""
        from filar.learn.modelfile import Card, versions

        figures, notes = {}, ""
        if self.recipe_.table.errors and self.errors_ is None:
            notes = "magnitudes' errors not learnt: too few stars recovered in some band"
        if held_out is not None:
            found = scores(self.p_recovered(held_out), held_out.recovered, draws=CHANCE_DRAWS)
            figures = found.figures()
        return Card(
            job=JOB, recipe=self.recipe_, seed=self.seed,
            normalisation=self.inputs_.facts() | error_facts(self.inputs_, self.errors_),
            instrument=str(stars.meta.get("instrument", "")),
            bands=self.inputs_.bands, magnitudes=self.inputs_.magnitudes,
            mag_system=str(stars.meta.get("mag_system", "")),
            cuts=_plain(stars.meta.get("cuts", {})),
            ranges=learn_domain(self.inputs_, train),
            data=digest(stars), figures=figures, versions=versions(), notes=notes,
        )  # fmt: skip


def _fractions(recipe: Recipe, test: bool) -> tuple[float, float, float]:
    train, validation, held_out = recipe.table.fractions
    return (train, validation, held_out) if test else (train + held_out, validation, 0.0)


def _plain(cuts: Any) -> dict[str, Any]:
    """Cuts as plain values, whatever numpy types they have."""

    def number(value: Any) -> Any:
        return value.tolist() if hasattr(value, "tolist") else str(value)

    plain: dict[str, Any] = json.loads(json.dumps(dict(cuts), default=number))
    return plain
