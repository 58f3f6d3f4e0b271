"""The estimator of saturated stars' light: trained on stamps of stars of known brightness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError
from filar.learn.calibration import ErrorScale
from filar.learn.recipe import Recipe, load_recipe
from filar.saturation.batches import tensors
from filar.saturation.data import Samples
from filar.saturation.domain import in_domain, learn_domain
from filar.saturation.figures import figures_of, learn_errors
from filar.saturation.members import Trained, train_members
from filar.saturation.networks import JOB, Inputs, build_network, check_recipe, inputs_class
from filar.saturation.parts import Parts, share_out
from filar.threads import torch_threads

if TYPE_CHECKING:
    from torch import nn

    from filar.learn.history import Row
    from filar.learn.modelfile import Card
    from filar.learn.train import Progress

FloatArray = NDArray[np.float64]
PREDICTED_AT_ONCE = 8192
LEAST_ERROR = 0.0008
"""Dex: no brightness is known better than to 0.002 mag."""
_WEIGHTS, _ERRORS = "weights.", "errors."


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of n stamps.

    Parameters
    ----------
    log_n, log_n_err : (n,) arrays
        log10 of the star's electrons, and its error, dex; NaN where nothing can be said.
    in_domain : (n,) bool array
        Whether the stamp is like those that the model was trained on; False where it says nothing.
    """

    log_n: FloatArray
    log_n_err: FloatArray
    in_domain: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.log_n)


class SaturationModel:
    """Electrons of stars, saturated or not, by a trained network.

    Parameters
    ----------
    recipe : str, path-like or Recipe
        Name of a recipe, its file, or the recipe itself.
    seed : int
        The same seed and samples give the same model on the same machine.

    Attributes
    ----------
    recipe_ : Recipe
        The recipe that was used.
    network_ : torch.nn.Module
        The best of its trainings.
    inputs_ : Inputs
        What turns samples into its inputs.
    errors_ : ErrorScale or None
        What makes its errors honest; None without a validation part.
    card_ : Card
        What the model is and where it holds; what a model file says.
    parts_ : Parts
        Which samples it was trained, chosen and tested on; None for a model that was loaded.
    history_ : list of dict
        A row of figures per epoch; empty for a model that was loaded.
    losses_ : list of float
        The least validation loss of each training.
    seconds_ : float
        That all trainings took, added up; NaN for a model that was loaded.
    """

    recipe_: Recipe
    network_: nn.Module
    inputs_: Inputs
    errors_: ErrorScale | None
    card_: Card
    parts_: Parts | None
    history_: list[Row]
    losses_: list[float]
    seconds_: float

    def __init__(
        self, recipe: str | PathLike[str] | Recipe = "filar-saturation", *, seed: int = 0
    ) -> None:
        self.recipe, self.seed = recipe, seed

    def fit(
        self,
        samples: Samples,
        *,
        test: bool = True,
        folder: str | PathLike[str] | None = None,
        resume: bool = False,
        workers: int = 1,
        progress: Callable[[Progress], None] | None = None,
        checkpoint_seconds: float = 20.0,
        accelerator: str = "cpu",
        devices: int | str | list[int] = "auto",
        strategy: str = "auto",
    ) -> Self:
        """Train.

        Parameters
        ----------
        samples : Samples
            With labels; those without, with too many damaged pixels or with nothing to see are left
            out.
        test : bool
            Whether the recipe's test part is kept back for the figures on the card; otherwise it is
            trained on too.
        folder : path-like, optional
            Where checkpoints and logs go; a temporary folder by default.
        resume : bool
            Go on from the folder's checkpoints, if there are any.
        workers : int
            Processes; several trainings of a recipe run side by side.
        progress : callable, optional
            Told how far the training is.
        checkpoint_seconds : float
            Time between checkpoints.
        accelerator, devices, strategy : optional
            Lightning's. These networks are so small that a CPU suits them.

        Returns
        -------
        SaturationModel
            Itself.

        Raises
        ------
        ParameterError
            If the recipe is for another job, or there are too few stars to learn from.
        InputFileError, OutputFileError
            If the folder cannot be used, or a checkpoint is damaged.
        """
        recipe = self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)
        check_recipe(recipe)
        if workers < 1:
            raise ParameterError("workers", workers, "1 or more")
        parts = share_out(samples, recipe, self.seed, _fractions(recipe, test))
        seen = samples.select(parts.train)
        inputs = inputs_class(recipe).learn(seen, recipe)
        ranges = learn_domain(seen)
        del seen
        columns = {"train": tensors(inputs, samples, parts.train, flips=recipe.stars.flips)}
        if len(parts.validation):
            columns["validation"] = tensors(inputs, samples, parts.validation)
        digest = samples.digest()
        with TemporaryDirectory(prefix="filar-training-") as temporary:
            trained = train_members(
                recipe, inputs, columns, Path(folder or temporary), self.seed,
                data=f"{digest} {parts.train.size} {parts.validation.size}",
                resume=resume, workers=workers, progress=progress,
                checkpoint_seconds=checkpoint_seconds, tensorboard=folder is not None,
                accelerator=accelerator, devices=devices, strategy=strategy,
            )  # fmt: skip
        self._take(recipe, inputs, parts, trained)
        self._judge(samples, ranges, digest)
        return self

    def _take(self, recipe: Recipe, inputs: Inputs, parts: Parts, trained: Trained) -> None:
        self.recipe_, self.inputs_, self.parts_ = recipe, inputs, parts
        self.network_, self.history_ = trained.network, trained.history
        self.losses_, self.seconds_ = trained.losses, trained.seconds

    def _judge(self, samples: Samples, ranges: dict[str, tuple[float, float]], digest: str) -> None:
        """Calibrate the errors, and write the card."""
        from filar.learn.modelfile import Card, versions

        assert self.parts_ is not None
        self.errors_ = None
        judged = samples.select(self.parts_.validation)
        if len(judged):
            self.errors_ = learn_errors(judged, *self._answers(judged))
        number, notes = len(self.losses_), ""
        if number > 1:
            best = int(np.nanargmin(self.losses_))
            notes = f"training {best} of {number}, the best by its validation loss"
        used = np.unique(samples.image[self.parts_.train])
        cameras, filters = (
            tuple(sorted({names[k] for k in used} - {""}))
            for names in (samples.cameras, samples.filters)
        )
        self.card_ = Card(
            job=JOB, recipe=self.recipe_, seed=self.seed, size=samples.size,
            normalisation=self.inputs_.facts(), instrument=", ".join(cameras), filters=filters,
            ranges=ranges, data=digest, versions=versions(), notes=notes,
        )  # fmt: skip
        tested = samples.select(self.parts_.test)
        found = self.predict(tested)
        figures = figures_of(tested, found.log_n, found.log_n_err)
        self.card_ = self.card_.model_copy(update={"figures": figures})

    def predict(self, samples: Samples) -> Predictions:
        """Give the stars' electrons.

        Parameters
        ----------
        samples : Samples
            n stamps of the model's size; labels are not looked at.

        Returns
        -------
        Predictions
            NaN where a stamp tells nothing of its star: too many unusable pixels, or all saturated.

        Raises
        ------
        ParameterError
            If the model is not trained, or the stamps have another size.
        """
        card = self._trained()
        if samples.size != card.size:
            raise ParameterError("stamp", f"{samples.size} pixels wide", f"{card.size} pixels")
        log_n, error = self._answers(samples)
        if self.errors_ is not None:
            raw = None if error is None else error[:, None]
            error = self.errors_(log_n, raw)[:, 0]
        error = np.full(len(log_n), np.nan) if error is None else error
        error = np.where(np.isfinite(log_n), np.maximum(error, LEAST_ERROR), np.nan)
        needed = getattr(self.inputs_, "needs", ())
        inside = in_domain(samples, log_n, card.ranges, card.filters, needed)
        return Predictions(log_n, error, inside)

    def _answers(self, samples: Samples) -> tuple[FloatArray, FloatArray | None]:
        """What the network itself says; NaN where it may say nothing."""
        import torch

        values, errors = [np.zeros(0)], [np.zeros(0)]
        knows = True
        with torch_threads(1), torch.inference_mode():
            for start in range(0, len(samples), PREDICTED_AT_ONCE):
                piece = samples.select(slice(start, start + PREDICTED_AT_ONCE))
                seen = self.inputs_.usable(piece)
                value, error = self.network_.predict(self.inputs_.batch(piece))  # type: ignore[operator]
                values.append(np.where(seen, value.double().numpy(), np.nan))
                knows = knows and error is not None
                if error is not None:
                    errors.append(np.where(seen, error.double().numpy(), np.nan))
        return np.concatenate(values), np.concatenate(errors) if knows else None

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
            If the model is not trained.
        """
        from filar.learn.modelfile import save_model

        card = self._trained()
        kept: dict[str, Any] = {
            _WEIGHTS + name: value for name, value in self.network_.state_dict().items()
        }
        if self.errors_ is not None:
            kept |= self.errors_.tensors(_ERRORS)
        save_model(path, kept, card)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model; nothing in the file is executed.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        SaturationModel

        Raises
        ------
        InputFileError
            If the file is missing, damaged, or no model of saturated stars.
        """
        from filar.learn.modelfile import fill, load_model

        weights, card = load_model(path, JOB)
        loaded = cls(card.recipe, seed=card.seed)
        own = {k.removeprefix(_WEIGHTS): v for k, v in weights.items() if k.startswith(_WEIGHTS)}
        try:
            check_recipe(card.recipe)
            loaded.inputs_ = inputs_class(card.recipe).from_facts(card.normalisation)
            loaded.network_ = build_network(card.recipe, loaded.inputs_, 0)
        except (ParameterError, LookupError, TypeError, ValueError) as error:
            raise InputFileError(path, f"damaged: {error}", "", "train it again") from error
        fill(loaded.network_, own, path)
        loaded.network_.eval()
        calibrated = any(name.startswith(_ERRORS) for name in weights)
        loaded.errors_ = ErrorScale.from_tensors(weights, _ERRORS, path) if calibrated else None
        loaded.recipe_, loaded.card_, loaded.parts_ = card.recipe, card, None
        loaded.history_, loaded.losses_, loaded.seconds_ = [], [], float("nan")
        return loaded

    def _trained(self) -> Card:
        card: Card | None = getattr(self, "card_", None)
        if card is None:
            raise ParameterError("SaturationModel", "an untrained one", "fit or load first")
        return card


def _fractions(recipe: Recipe, test: bool) -> tuple[float, float, float]:
    train, validation, held_out = recipe.stars.fractions
    return (train, validation, held_out) if test else (train + held_out, validation, 0.0)
