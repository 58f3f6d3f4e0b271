"""The estimator of star centres: trained on stamps, predicts centres with errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.centering.data import StampBatches, batches
from filar.centering.domain import in_domain, learn_domain
from filar.centering.inputs import GuidedInputs, Inputs
from filar.centering.model import Answer, CenteringModel, build_model, model_from_card
from filar.centering.residuals import learn_errors, test_figures
from filar.errors import ParameterError
from filar.learn.calibration import ErrorScale
from filar.learn.recipe import Recipe, load_recipe
from filar.stamps.labels import TRAIN, VALIDATION
from filar.stamps.stamps import Stamps
from filar.stamps.store import StampStore
from filar.threads import torch_threads

if TYPE_CHECKING:
    from torch import Tensor

    from filar.learn.history import Row
    from filar.learn.modelfile import Card
    from filar.learn.train import Progress, TrainResult

FloatArray = NDArray[np.float64]
JOB = "centering"
_ERRORS = "errors."  # before the names of the tensors that calibrate them
PREDICTED_AT_ONCE, MOST_THREADS = 2048, 8
LEAST_STAMPS = 200
"""Stamps for training, below which nothing can be learnt."""


@dataclass(frozen=True, eq=False)
class Centers:
    """Centres of n stars.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Pixels of the chip.
    x_err, y_err : (n,) float64 arrays
        Expected errors, pixels.
    in_domain : (n,) bool array
        Whether the star is like those that the network was trained on.
    """

    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    in_domain: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x)


class StarCenterer:
    """Centres of stars by a trained network.

    Parameters
    ----------
    recipe : str, path-like or Recipe
        Name of a recipe, its file, or the recipe itself.
    seed : int
        The same seed and stamps give the same model on the same machine.

    Attributes
    ----------
    recipe_ : Recipe
        The recipe that was used.
    model_ : CenteringModel
        The trained network.
    card_ : Card
        What the model is and where it holds; what a model file says.
    history_ : list of dict
        A row of figures per epoch; empty for a model that was loaded.
    """

    recipe_: Recipe
    model_: CenteringModel
    errors_: ErrorScale
    card_: Card
    history_: list[Row]

    def __init__(
        self, recipe: str | PathLike[str] | Recipe = "filar-centering", *, seed: int = 0
    ) -> None:
        self.recipe, self.seed = recipe, seed

    def fit(
        self,
        stamps: StampStore,
        *,
        folder: str | PathLike[str] | None = None,
        start: StarCenterer | None = None,
        resume: bool = False,
        progress: Callable[[Progress], None] | None = None,
        accelerator: str = "auto",
        devices: int | str | list[int] = "auto",
        strategy: str = "auto",
    ) -> Self:
        """Train.

        Parameters
        ----------
        stamps : StampStore
            Stamps with labels, divided into parts.
        folder : path-like, optional
            Where checkpoints and logs go; a temporary folder by default.
        start : StarCenterer, optional
            A trained model of the same network, from which to continue.
        resume : bool
            Go on from the folder's checkpoint, if there is one.
        progress : callable, optional
            Told how far the training is.
        accelerator, devices, strategy : optional
            Lightning's.

        Returns
        -------
        StarCenterer
            Itself.

        Raises
        ------
        ParameterError
            If the stamps are too few or of another size than the recipe's, or do not suit it.
        InputFileError, OutputFileError
            If the folder cannot be used, or its checkpoint is damaged.
        """
        recipe = self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)
        check_stamps(stamps, recipe)
        model = build_model(recipe, stamps, self.seed)
        if start is not None:
            continue_from(model, recipe, start, stamps)
        with TemporaryDirectory(prefix="filar-training-") as temporary:
            result = _train(
                model, recipe, stamps, Path(folder or temporary), self.seed, resume=resume,
                progress=progress, accelerator=accelerator, devices=devices, strategy=strategy,
            )  # fmt: skip
        self.recipe_, self.model_, self.history_ = recipe, model, result.history
        self.errors_ = learn_errors(model, stamps)
        self.card_ = self._describe(stamps, start)
        return self

    def predict(self, stamps: Stamps) -> Centers:
        """Give centres.

        Parameters
        ----------
        stamps : Stamps
            n stamps of the size of the model's.

        Returns
        -------
        Centers

        Raises
        ------
        ParameterError
            If the model is not trained, or the stamps do not suit it.
        """
        model = self._trained()
        if stamps.size != self.card_.size:
            raise ParameterError("stamps", f"{stamps.size} pixels", f"{self.card_.size} pixels")
        answer = predict_places(model, stamps)
        error = self.errors_(stamps.mag, answer.error)
        inside = in_domain(self.card_.ranges, stamps, answer.psf_distance)
        return Centers(
            answer.place[:, 0] + stamps.corner_x, answer.place[:, 1] + stamps.corner_y,
            error[:, 0], error[:, 1], inside,
        )  # fmt: skip

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

        tensors = self._trained().tensors() | self.errors_.tensors(_ERRORS)
        save_model(path, tensors, self.card_)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model; nothing in the file is executed.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        StarCenterer

        Raises
        ------
        InputFileError
            If the file is missing, damaged, or no model of star centres.
        """
        from filar.learn.modelfile import load_model

        tensors, card = load_model(path, JOB)
        loaded = cls(card.recipe, seed=card.seed)
        loaded.model_ = model_from_card(card.recipe, card.normalisation, tensors, path)
        loaded.errors_ = ErrorScale.from_tensors(tensors, _ERRORS, path)
        loaded.recipe_, loaded.card_, loaded.history_ = card.recipe, card, []
        return loaded

    def _trained(self) -> CenteringModel:
        model: CenteringModel | None = getattr(self, "model_", None)
        if model is None:
            raise ParameterError("StarCenterer", "an untrained one", "fit or load first")
        return model

    def _describe(self, store: StampStore, start: StarCenterer | None) -> Card:
        """Write the card."""
        from filar.learn.modelfile import Card, versions

        groups = store.groups
        figures = test_figures(self.model_, self.errors_, store)
        return Card(
            job=JOB, recipe=self.recipe_, seed=self.seed, size=store.size,
            normalisation=self.model_.facts(),
            instrument=groups[0].instrument,
            chips=tuple(sorted({group.chip for group in groups})),
            filters=tuple(sorted({group.filter for group in groups})),
            ranges=learn_domain(self.model_, store, self.seed),
            data=store.digest, figures=figures, versions=versions(),
            notes="" if start is None else f"continued from {start.card_.recipe.name} "
            f"trained on {start.card_.data[:12]}",
        )  # fmt: skip


def check_stamps(stamps: StampStore, recipe: Recipe) -> None:
    """See that a set of stamps suits a recipe.

    Parameters
    ----------
    stamps : StampStore
        The set.
    recipe : Recipe
        The recipe.

    Raises
    ------
    ParameterError
        If it does not.
    """
    if recipe.job != JOB:
        raise ParameterError("recipe", f"{recipe.name} for {recipe.job}", f"one for {JOB}")
    if stamps.size != recipe.data.size:
        raise ParameterError(
            "stamps", f"rasters of {stamps.size} pixels", f"{recipe.data.size}, as the recipe says"
        )
    if stamps.count(TRAIN) < LEAST_STAMPS or not stamps.count(VALIDATION):
        found = f"{stamps.count(TRAIN)} to train on, {stamps.count(VALIDATION)} to validate"
        raise ParameterError("stamps", found, f"{LEAST_STAMPS} or more, and some to validate: "
                             "more exposures, or more stars")  # fmt: skip
    if len({(group.instrument, group.filter) for group in stamps.groups}) > 1:
        found = ", ".join(sorted({f"{g.instrument} {g.filter}" for g in stamps.groups}))
        raise ParameterError("stamps", found, "one camera and filter")


def continue_from(
    model: CenteringModel, recipe: Recipe, start: StarCenterer, stamps: StampStore
) -> None:
    """Give an untrained model the weights of a trained one.

    Parameters
    ----------
    model : CenteringModel
        Of the same network; its PSF states' scale becomes the trained one's.
    recipe : Recipe
        The new model's.
    start : StarCenterer
        The trained one.
    stamps : StampStore
        What is to be learnt.

    Raises
    ------
    ParameterError
        If the networks differ, or the trained one is for another camera, chip or filter.
    """
    old = start._trained()
    same = start.recipe_.network == recipe.network and start.card_.size == recipe.data.size
    if not same:
        found, wanted = (
            f"{r.network.name} of {r.data.size} pixels {r.network.options or ''}".strip()
            for r in (start.recipe_, recipe)
        )
        raise ParameterError("from", found, f"a model with the recipe's network: {wanted}")
    card = start.card_
    for group in stamps.groups:
        known = group.instrument == card.instrument and group.filter in card.filters
        if not (known and group.chip in card.chips):
            found = f"a model for {card.instrument} {'/'.join(card.chips)} {'/'.join(card.filters)}"
            wanted = f"one for {group.instrument} {group.chip} {group.filter}"
            raise ParameterError("from", found, wanted)
    model.network.load_state_dict(old.network.state_dict())


def predict_places(model: CenteringModel, stamps: Stamps) -> Answer:
    """Ask a network in pieces, exposure by exposure, so that memory is bounded.

    Parameters
    ----------
    model : CenteringModel
        Trained.
    stamps : Stamps
        n stamps.

    Returns
    -------
    Answer
    """
    order = np.argsort(stamps.group, kind="stable")
    back = np.argsort(order)
    pieces = [
        stamps[order[start : start + PREDICTED_AT_ONCE]]
        for start in range(0, max(len(stamps), 1), PREDICTED_AT_ONCE)
    ]
    # operations of our network are small: cores are better used by a piece each
    with torch_threads(1), ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS)) as pool:
        parts = list(pool.map(model.answer, pieces))

    def whole(name: str) -> FloatArray | None:
        columns = [getattr(part, name) for part in parts]
        return None if columns[0] is None else np.concatenate(columns)[back]

    place = whole("place")
    assert place is not None
    return Answer(place, whole("error"), whole("psf_distance"))


class _Tensors:
    """Batches of stamps as the network's tensors."""

    def __init__(self, source: StampBatches, inputs: Inputs) -> None:
        self.source, self.inputs = source, inputs

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for stamps, labels in self.source:
            yield self.inputs.batch(stamps, labels)


def _train(
    model: CenteringModel,
    recipe: Recipe,
    store: StampStore,
    folder: Path,
    seed: int,
    **options: Any,
) -> TrainResult:
    from filar.learn.train import train

    size = recipe.budget.batch_size

    def training(epoch: int) -> _Tensors:
        return _Tensors(batches(store, TRAIN, size, seed, epoch), model.inputs)

    def validation() -> _Tensors:
        return _Tensors(batches(store, VALIDATION, PREDICTED_AT_ONCE, shuffle=False), model.inputs)

    # small operations are fastest with one thread; convolutions gain from all
    small = isinstance(model.inputs, GuidedInputs)
    with torch_threads(1) if small else nullcontext():
        return train(
            model.network, training, validation, recipe.training, folder,
            seed=seed, data=store.digest, **options,
        )  # fmt: skip
