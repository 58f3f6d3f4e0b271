"""The networks that recipes name, and what turns samples into their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.learn.recipe import Recipe
from filar.learn.settings import DataSettings, TableSettings
from filar.saturation.data import Samples

if TYPE_CHECKING:
    from torch import Tensor, nn

JOB = "saturation"
AT_ONCE = 16_384
OWN = ("trainings", "race")
"""Options of a recipe's network that say how often it is trained, not how it is built."""


class Inputs(Protocol):
    """What turns samples into a network's inputs.

    A class may name in ``needs`` which of `filar.saturation.domain.OFTEN_UNKNOWN` it makes use of.
    """

    @classmethod
    def learn(cls, samples: Samples, recipe: Recipe) -> Self:
        """From the samples to train on."""
        ...

    def batch(self, samples: Samples) -> dict[str, Tensor]:
        """Tensors of n samples, rows first."""
        ...

    @staticmethod
    def usable(samples: Samples) -> NDArray[np.bool_]:
        """Which of n samples tell anything of the star: (n,)."""
        ...

    def facts(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        ...

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """From a model's card."""
        ...


@dataclass(frozen=True)
class Kind:
    """Where a network is made.

    Parameters
    ----------
    inputs, build : str
        Module and name: of the class of inputs, and of the function (inputs, **options).
    loss : str
        What its recipes call its loss.
    """

    inputs: str
    build: str
    loss: str


NETWORKS = {
    "w24": Kind("filar.saturation.w24:DiscInputs", "filar.saturation.w24:build", "mse"),
    "experts": Kind("filar.saturation.inputs:Inputs", "filar.saturation.experts:build", "gaussian"),
}
"""By the recipes' names."""


def check_recipe(recipe: Recipe) -> None:
    """See that a recipe is one for saturated stars.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Raises
    ------
    ParameterError
        If it is for another job, or asks for what does not exist.
    """
    if recipe.job != JOB:
        raise ParameterError("recipe", f"{recipe.name} for {recipe.job}", f"one for {JOB}")
    if recipe.data != DataSettings() or recipe.table != TableSettings():
        raise ParameterError("recipe", "[data] or [table], of other jobs", "[stars] instead")
    name = recipe.network.name
    if name not in NETWORKS:
        raise ParameterError("network.name", name, ", ".join(sorted(NETWORKS)))
    if recipe.loss.name != NETWORKS[name].loss or recipe.loss.options:
        allowed = f"{NETWORKS[name].loss}, without options"
        raise ParameterError("loss", recipe.loss.name, allowed)
    trainings(recipe)


def trainings(recipe: Recipe) -> tuple[int, tuple[int, ...]]:
    """How often a recipe's network is trained, of which the best is kept.

    Parameters
    ----------
    recipe : Recipe
        The recipe: options `trainings` and `race` of its network.

    Returns
    -------
    number : int
        1 by default.
    race : tuple of int
        Epochs after which only the best third goes on.

    Raises
    ------
    ParameterError
        If they make no sense.
    """
    options = recipe.network.options
    number, race = options.get("trainings", 1), options.get("race", ())
    if not isinstance(number, int) or number < 1:
        raise ParameterError("network.trainings", number, "a whole number from 1")
    if number > 1 and not recipe.stars.fractions[1]:
        raise ParameterError("network.trainings", number, "1 without a validation part")
    whole = isinstance(race, list | tuple) and all(isinstance(one, int) and one > 0 for one in race)
    if not whole or sorted(set(race)) != list(race) or (race and race[-1] >= recipe.budget.epochs):
        raise ParameterError("network.race", race, "rising numbers of epochs below budget.epochs")
    optimiser = recipe.optimiser
    if race and (optimiser.schedule != "constant" or optimiser.warmup):
        raise ParameterError("network.race", race, "none but with a constant learning rate")
    return number, tuple(race)


def inputs_class(recipe: Recipe) -> type[Inputs]:
    """The class of a network's inputs.

    Parameters
    ----------
    recipe : Recipe
        That was checked.

    Returns
    -------
    type
    """
    found: type[Inputs] = _found(NETWORKS[recipe.network.name].inputs)
    return found


def usable(samples: Samples, recipe: Recipe) -> NDArray[np.bool_]:
    """Mark the samples that tell a network anything of the star.

    Parameters
    ----------
    samples : Samples
        n stamps.
    recipe : Recipe
        That was checked.

    Returns
    -------
    (n,) bool array
        Of the others no network may say anything.
    """
    ask = inputs_class(recipe).usable
    pieces = [ask(samples.select(slice(k, k + AT_ONCE))) for k in range(0, len(samples), AT_ONCE)]
    return np.concatenate([np.zeros(0, bool), *pieces])


def build_network(recipe: Recipe, inputs: Inputs, seed: int) -> nn.Module:
    """Make an untrained network.

    Parameters
    ----------
    recipe : Recipe
        With its name and options.
    inputs : Inputs
        What it is given.
    seed : int
        Of the first weights.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    ParameterError
        If there is no such network, or it has no such option.
    """
    import torch

    name, options = recipe.network.name, recipe.network.options
    if name not in NETWORKS:
        raise ParameterError("network.name", name, ", ".join(sorted(NETWORKS)))
    options = {key: value for key, value in options.items() if key not in OWN}
    build = _found(NETWORKS[name].build)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            network: nn.Module = build(inputs, **options)
        except (TypeError, ValueError) as error:
            if isinstance(error, ParameterError):
                raise
            raise ParameterError("network", options, f"options of {name}: {error}") from error
    return network


def _found(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(module), name)
