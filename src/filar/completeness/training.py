"""Training of one model of completeness: scikit-learn's baselines, networks by the trainer."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from filar.completeness.data import digest, tensors, training_batches, validation_batches
from filar.completeness.inputs import Inputs
from filar.completeness.model import BASELINES, Model, NetworkModel, build_network
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError
from filar.learn.recipe import Recipe
from filar.threads import torch_threads

if TYPE_CHECKING:
    from filar.learn.history import Row


def load_libraries(recipe: Recipe) -> None:
    """Load what trains: that takes seconds, once, and is no part of a training's time.

    Parameters
    ----------
    recipe : Recipe
        For completeness.
    """
    baseline = recipe.network.name in BASELINES
    import_module("sklearn.ensemble" if baseline else "lightning.pytorch")


def train_model(
    recipe: Recipe,
    inputs: Inputs,
    stars: tuple[ArtificialStars, ArtificialStars | None],
    folder: Path | None,
    seed: int,
    **options: Any,
) -> tuple[Model, list[Row]]:
    """Train what a recipe asks for.

    Parameters
    ----------
    recipe : Recipe
        For completeness.
    inputs : Inputs
        Of the model.
    stars : tuple of ArtificialStars, ArtificialStars or None
        Those to train on, and those that say which epoch was the best.
    folder : Path or None
        For checkpoints and logs; None: nothing is kept.
    seed : int
        Of first weights and batches.
    **options
        See `filar.learn.train.train`; baselines need none.

    Returns
    -------
    model : Model
        Trained.
    history : list of dict
        A row of figures per epoch; empty for a baseline.

    Raises
    ------
    ParameterError
        If the recipe has options that its network has not.
    InputFileError, OutputFileError
        If the folder cannot be used, or its checkpoint is damaged.
    """
    if recipe.network.name in BASELINES:
        return _fit_baseline(recipe, inputs, stars[0], seed), []
    return _fit_network(recipe, inputs, stars, folder, seed, **options)


def _fit_baseline(recipe: Recipe, inputs: Inputs, train: ArtificialStars, seed: int) -> Model:
    name, options = recipe.network.name, recipe.network.options
    try:
        model: Model = BASELINES[name](inputs.batch(train), inputs, seed=seed, **options)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ParameterError("network", options, f"options of {name}: {error}") from error
    return model


def _fit_network(
    recipe: Recipe,
    inputs: Inputs,
    stars: tuple[ArtificialStars, ArtificialStars | None],
    folder: Path | None,
    seed: int,
    **options: Any,
) -> tuple[NetworkModel, list[Row]]:
    from filar.learn.train import train

    columns = tensors(inputs, stars[0])
    judged = tensors(inputs, stars[1]) if stars[1] is not None else None
    network = build_network(recipe, inputs, seed)
    prepare = getattr(network, "prepare", None)
    # operations are small: one thread is fastest
    with torch_threads(1), TemporaryDirectory(prefix="filar-training-") as temporary:
        if prepare is not None:
            prepare(columns)
        result = train(
            network, training_batches(columns, recipe.training, seed),
            None if judged is None else validation_batches(judged),
            recipe.training, folder or temporary, seed=seed, data=digest(stars[0]),
            tensorboard=folder is not None, **options,
        )  # fmt: skip
    return NetworkModel(network), result.history
