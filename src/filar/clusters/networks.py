"""The networks that recipes name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from filar.errors import ParameterError
from filar.learn.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from filar.clusters.inputs import Inputs

JOB = "clusters"


class Network(Protocol):
    """What a network of clusters can do, beside being a torch.nn.Module."""

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Of a batch of ``image``, ``features``, ``values``, ``cluster``, ``log_snr``."""
        ...

    def predict(
        self, batch: dict[str, Tensor], draws: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draws (n, draws, 4), probabilities (n,), log10 of signal-to-noise ratios (n,)."""
        ...


@dataclass(frozen=True)
class Kind:
    """Where a network is made.

    Parameters
    ----------
    build : str
        Module and name of the function (inputs, **options).
    loss : str
        What its recipes call its loss.
    """

    build: str
    loss: str


NETWORKS = {
    "b20": Kind("filar.clusters.b20:build", "soft-classes"),
    "residual": Kind("filar.clusters.residual:build", "likelihood"),
}
"""By the recipes' names."""


def check_recipe(recipe: Recipe) -> None:
    """See that a recipe is one for clusters.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Raises
    ------
    ParameterError
        If it is for another job, or asks for what does not exist.
    """
    from filar.learn.settings import DataSettings, StarSettings, TableSettings

    if recipe.job != JOB:
        raise ParameterError("recipe", f"{recipe.name} for {recipe.job}", f"one for {JOB}")
    others = {"data": DataSettings(), "table": TableSettings(), "stars": StarSettings()}
    for name, plain in others.items():
        if getattr(recipe, name) != plain:
            raise ParameterError("recipe", f"[{name}], of other jobs", "[mocks] instead")
    name = recipe.network.name
    if name not in NETWORKS:
        raise ParameterError("network.name", name, ", ".join(sorted(NETWORKS)))
    if recipe.loss.name != NETWORKS[name].loss or recipe.loss.options:
        allowed = f"{NETWORKS[name].loss}, without options"
        raise ParameterError("loss", recipe.loss.name, allowed)


def build_network(recipe: Recipe, inputs: Inputs, seed: int) -> torch.nn.Module:
    """Make an untrained network.

    Parameters
    ----------
    recipe : Recipe
        That was checked; with the network's name and options.
    inputs : Inputs
        What it is given.
    seed : int
        Of the first weights.

    Returns
    -------
    torch.nn.Module
        A `Network`.

    Raises
    ------
    ParameterError
        If it has no such option.
    """
    import torch

    name, options = recipe.network.name, recipe.network.options
    module, function = NETWORKS[name].build.split(":")
    build = getattr(import_module(module), function)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            network: torch.nn.Module = build(inputs, **options)
        except (TypeError, ValueError) as error:
            if isinstance(error, ParameterError):
                raise
            raise ParameterError("network", options, f"options of {name}: {error}") from error
    return network
