"""Training the paper's network and ours on the same samples."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from experiments.trials.folder import read_json, write_json
from experiments.w24.plan import RAW
from filar.learn.recipe import Recipe, load_recipe, override
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel

OURS, PAPERS = "filar", "w24"
FEWER = 6
"""Trainings of the paper's network where the pipeline moves trails, in a race."""

RECIPES = {OURS: "filar-saturation", PAPERS: "w24"}


def recipe_of(name: str, quick: bool, race: bool, regime: str = RAW) -> Recipe:
    """A recipe, shortened where that was asked for.

    Parameters
    ----------
    name : str
        `OURS` or `PAPERS`.
    quick : bool
        Few epochs of few networks: to see that all works.
    race : bool
        Of the paper's 24 trainings only the best third goes on after 5, 15 and 50 epochs.
    regime : str
        With a race, fewer begin where trails are moved.

    Returns
    -------
    Recipe
    """
    recipe = load_recipe(RECIPES[name])
    train, validation, test = recipe.stars.fractions
    # Other stars judge; those of the test part make the calibration of errors surer.
    recipe = override(recipe, {"stars.fractions": [train, validation + test, 0.0]})
    if name == PAPERS and quick:
        return override(recipe, {"network.trainings": 2, "budget.epochs": 10})
    if name == PAPERS and race:
        number = recipe.network.options["trainings"] if regime == RAW else FEWER
        return override(recipe, {"network.race": [5, 15, 50], "network.trainings": number})
    return recipe


def trained(
    name: str, recipe: Recipe, samples: Samples, folder: Path, place: str, seed: int,
    workers: int, tell: Callable[[str], None],
) -> SaturationModel:  # fmt: skip
    """Train a model, or read it.

    Parameters
    ----------
    name : str
        `OURS` or `PAPERS`.
    recipe : Recipe
        See `recipe_of`.
    samples : Samples
        To train and validate on.
    folder : Path
        Of the experiment.
    place : str
        What the samples are, for the file's name.
    seed, workers : int
        See `SaturationModel.fit`.
    tell : callable
        Told how long it took.

    Returns
    -------
    SaturationModel
    """
    path = folder / f"{name}-{place}.safetensors"
    if not path.exists():
        began = time.perf_counter()
        model = SaturationModel(recipe, seed=seed)
        work = folder / f"{name}-{place}_training"
        model.fit(samples, test=False, folder=work, resume=True, workers=workers)
        model.save(path)
        seconds = time.perf_counter() - began
        write_json(path.with_suffix(".json"), {"seconds": seconds, "stamps": len(samples)})
        tell(f"{path.stem}: {len(samples)} stamps in {seconds:.0f} s")
    return SaturationModel.load(path)


def training_seconds(folder: Path, name: str, place: str) -> float:
    """How long a training took."""
    return float(read_json(folder / f"{name}-{place}.json")["seconds"])
