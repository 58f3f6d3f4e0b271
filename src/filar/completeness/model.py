"""Models of the recovery probability as the estimator sees them, by the recipe's network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.completeness.baselines import LogisticModel, fit_boosting, fit_logistic
from filar.completeness.inputs import Inputs
from filar.errors import InputFileError, ParameterError
from filar.learn.recipe import Recipe
from filar.threads import torch_threads

if TYPE_CHECKING:
    from torch import Tensor, nn

FloatArray = NDArray[np.float64]
Batch = dict[str, NDArray[np.float32]]
LOSS = "log"
_WEIGHTS = "weights."
NETWORKS = {
    "edges": "filar.completeness.networks:build",
    "mlp": "filar.completeness.mlp:build",
}
"""What builds the networks, by the recipes' names: module and function (inputs, **options)."""
BASELINES: dict[str, Callable[..., Any]] = {"logistic": fit_logistic, "boosting": fit_boosting}

NOT_KEPT = ("boosting",)


class Model(Protocol):
    """What gives recovery probabilities."""

    @property
    def handles_missing(self) -> bool:
        """Whether stars of which something is missing are within its domain."""
        ...

    def probability(self, batch: Batch) -> FloatArray:
        """Recovery probabilities (n,) of n stars."""
        ...

    def tensors(self) -> dict[str, Any]:
        """All that a file has to keep of it, by name."""
        ...


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A trained network.

    Parameters
    ----------
    network : torch.nn.Module
        Gives logits from batches.
    """

    network: nn.Module

    @property
    def handles_missing(self) -> bool:
        """Whether the network says so."""
        return bool(getattr(self.network, "handles_missing", False))

    def probability(self, batch: Batch) -> FloatArray:
        """Recovery probabilities.

        Parameters
        ----------
        batch : dict of str to float32 array
            n stars, from `Inputs.batch`.

        Returns
        -------
        (n,) array
        """
        import torch

        with torch_threads(1), torch.inference_mode():
            logit = self.network({name: torch.from_numpy(a) for name, a in batch.items()})
            return np.asarray(logit.double().sigmoid().numpy())

    def tensors(self) -> dict[str, Any]:
        """Its weights."""
        return {_WEIGHTS + name: value for name, value in self.network.state_dict().items()}


def check_recipe(recipe: Recipe) -> None:
    """See that a recipe is one for completeness.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Raises
    ------
    ParameterError
        If it is for another job, or asks for what does not exist.
    """
    from filar.learn.settings import DataSettings

    if recipe.job != "completeness":
        raise ParameterError("recipe", f"{recipe.name} for {recipe.job}", "one for completeness")
    if recipe.data != DataSettings():
        raise ParameterError("recipe", "[data], which is of rasters", "[table] instead")
    if recipe.network.name not in {*NETWORKS, *BASELINES}:
        allowed = ", ".join(sorted({*NETWORKS, *BASELINES}))
        raise ParameterError("network.name", recipe.network.name, allowed)
    if recipe.loss.name != LOSS or recipe.loss.options:
        raise ParameterError("loss", recipe.loss.name, f"{LOSS}, without options")


def check_keepable(recipe: Recipe) -> None:
    """See, before it is trained, that a recipe's model can be written to a file.

    Parameters
    ----------
    recipe : Recipe
        For completeness.

    Raises
    ------
    ParameterError
        If it cannot: scikit-learn's trees are kept by pickle alone, which filar never reads.
    """
    if recipe.network.name in NOT_KEPT:
        allowed = "one whose model can be kept in a file, such as filar-completeness"
        raise ParameterError("recipe", recipe.name, allowed)


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
    module, function = NETWORKS[name].split(":")
    build = getattr(import_module(module), function)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            network: nn.Module = build(inputs, **options)
        except (TypeError, ValueError) as error:
            if isinstance(error, ParameterError):
                raise
            raise ParameterError("network", options, f"options of {name}: {error}") from error
    return network


def model_from_card(
    recipe: Recipe, inputs: Inputs, tensors: Mapping[str, Tensor], path: str | PathLike[str]
) -> Model:
    """Build a trained model from what its file keeps.

    Parameters
    ----------
    recipe : Recipe
        From the card.
    inputs : Inputs
        From the card.
    tensors : mapping of str to tensor
        From the file.
    path : path-like
        The file, for messages.

    Returns
    -------
    Model

    Raises
    ------
    InputFileError
        If the file lacks something, or its recipe asks for what does not exist.
    """
    from filar.learn.modelfile import fill

    expected = "a model whose card and weights fit each other"
    try:
        check_recipe(recipe)
        if recipe.network.name in BASELINES:
            return LogisticModel.from_tensors(tensors, inputs)
        network = build_network(recipe, inputs, 0)
        own = {k.removeprefix(_WEIGHTS): v for k, v in tensors.items() if k.startswith(_WEIGHTS)}
        fill(network, own, path)
        network.eval()
        return NetworkModel(network)
    except (ParameterError, LookupError, TypeError, ValueError) as error:
        raise InputFileError(path, f"damaged: {error}", expected, "train it again") from error
