"""A network together with what feeds it, as a recipe says and as a model file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.centering.inputs import STATE, GuidedInputs, Inputs, PaperInputs, psf_state
from filar.errors import InputFileError, ParameterError
from filar.learn.recipe import Recipe
from filar.psf.model import FieldGrid
from filar.psf.samples import PSFSamples
from filar.stamps.stamps import Group, Stamps
from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from torch import Tensor, nn

FloatArray = NDArray[np.float64]
PAPERS = ("c23-v1", "c23-v2", "c24-vgg8")
GUIDED = "guided"
PSF_CHOICES = ("own", "common")
_STATE_GROUPS, _STATE_PLACES = 500, 8
_WEIGHTS, _COMMON = "weights.", "common."


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says of n stars.

    Parameters
    ----------
    place : (n, 2) array
        x and y, raster coordinates.
    error : (n, 2) array or None
        Expected errors, pixels; None from a network that gives none.
    psf_distance : (n,) array or None
        How unusual the PSFs are: rms of their states in units of the training data's spread; None
        from a network that is not told the PSF.
    """

    place: FloatArray
    error: FloatArray | None = None
    psf_distance: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class CenteringModel:
    """A network and its inputs.

    Parameters
    ----------
    network : torch.nn.Module
        One of the papers', or ours.
    inputs : Inputs
        Turns stamps into its batches.
    """

    network: nn.Module
    inputs: Inputs

    def answer(self, stamps: Stamps) -> Answer:
        """Say where stars are.

        Parameters
        ----------
        stamps : Stamps
            n stamps.

        Returns
        -------
        Answer
        """
        import torch

        batch = self.inputs.batch(stamps)
        with torch.inference_mode():
            if isinstance(self.inputs, PaperInputs):
                place = self.network(batch["raster"], batch.get("scalars"))
                return Answer(place.numpy().astype(np.float64))
            out = self.network(batch)
            place = out["place"].numpy().astype(np.float64) + (stamps.size - 1) / 2
            error = np.exp(out["log_error"].numpy().astype(np.float64))
            distance = None
            if isinstance(self.inputs, GuidedInputs) and self.inputs.use_state:
                distance = out["psf_distance"].numpy().astype(np.float64)
            return Answer(place, error, distance)

    def tensors(self) -> dict[str, Any]:
        """All that a model file has to keep of it, by name."""
        kept: dict[str, Any] = {
            _WEIGHTS + name: value for name, value in self.network.state_dict().items()
        }
        common = getattr(self.inputs, "common", None)
        if common is not None:
            kept |= {
                _COMMON + "values": np.asarray(common.values),
                _COMMON + "x": np.array(common.nodes.x), _COMMON + "y": np.array(common.nodes.y),
                _COMMON + "grid": np.array([common.radius, common.step]),
            }  # fmt: skip
        return kept

    def facts(self) -> dict[str, float | list[float] | str]:
        """How the inputs are scaled, for a model's card."""
        if isinstance(self.inputs, PaperInputs):
            return {"mag_mean": self.inputs.mag[0], "mag_scale": self.inputs.mag[1]}
        return {}


def build_model(recipe: Recipe, store: StampStore, seed: int) -> CenteringModel:
    """Make an untrained model for a set of stamps.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    store : StampStore
        What it will be trained on: magnitudes and PSFs say how inputs are scaled.
    seed : int
        Of the first weights.

    Returns
    -------
    CenteringModel

    Raises
    ------
    ParameterError
        If the recipe asks for what does not exist, or the stamps have no PSFs and need them.
    """
    import torch

    if recipe.loss.name != ("mae" if recipe.network.name in PAPERS else "likelihood"):
        allowed = "mae for the papers' networks, likelihood for guided"
        raise ParameterError("loss.name", recipe.loss.name, allowed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = _network(recipe)
    if recipe.network.name in PAPERS:
        mag = store.column("mag").astype(float)
        mag = mag[np.isfinite(mag)]
        scale = (float(mag.mean()), max(float(mag.std()), 0.1)) if len(mag) else (-9.0, 1.5)
        return CenteringModel(network, PaperInputs(_scalars(recipe), scale))
    groups = _groups_with_psf(store)
    states = _states(groups, np.random.default_rng(seed))
    network.describe_states(torch.from_numpy(states))  # type: ignore[operator]
    if _psf_choice(recipe) == "own":
        return CenteringModel(network, GuidedInputs())
    return CenteringModel(network, GuidedInputs(False, mean_psf(groups)))


def model_from_card(
    recipe: Recipe,
    facts: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    path: str | PathLike[str],
) -> CenteringModel:
    """Build a trained model from what its file keeps.

    Parameters
    ----------
    recipe : Recipe
        From the card.
    facts : mapping
        The card's normalisation.
    tensors : mapping of str to tensor
        From the file.
    path : path-like
        The file, for messages.

    Returns
    -------
    CenteringModel

    Raises
    ------
    InputFileError
        If the file lacks something, or its recipe asks for what does not exist.
    """
    from filar.learn.modelfile import fill

    try:
        network = _network(recipe)
        own = {k.removeprefix(_WEIGHTS): v for k, v in tensors.items() if k.startswith(_WEIGHTS)}
        fill(network, own, path)
        network.eval()
        if recipe.network.name in PAPERS:
            scale = (float(facts["mag_mean"]), float(facts["mag_scale"]))
            return CenteringModel(network, PaperInputs(_scalars(recipe), scale))
        if _psf_choice(recipe) == "own":
            return CenteringModel(network, GuidedInputs())
        return CenteringModel(network, GuidedInputs(False, _stored_psf(tensors)))
    except (ParameterError, LookupError, TypeError, ValueError) as error:
        expected = "a model whose card and weights fit each other"
        raise InputFileError(path, f"damaged: {error}", expected, "train it again") from error


def mean_psf(groups: list[Group]) -> PSFSamples:
    """Mean of the PSFs of exposures that have the same nodes, or of their means over the chip."""
    first = groups[0].psf
    assert first is not None
    samples = [np.asarray(group.psf.values) for group in groups if group.psf is not None]
    if all(group.psf is not None and group.psf.nodes == first.nodes for group in groups):
        return PSFSamples(np.mean(samples, axis=0), first.nodes, first.radius, first.step)
    means = np.mean([values.mean(axis=0) for values in samples], axis=0)
    return PSFSamples(means[None], FieldGrid((0.0,), (0.0,)), first.radius, first.step)


def _network(recipe: Recipe) -> nn.Module:
    """Build the network that a recipe names."""
    name, options = recipe.network.name, dict(recipe.network.options)
    if name in PAPERS:
        from filar.centering.networks import paper_network

        if options:
            raise ParameterError("network", sorted(options), f"no options for {name}")
        return paper_network(name)
    if name != GUIDED:
        raise ParameterError("network.name", name, f"one of {', '.join((*PAPERS, GUIDED))}")
    from filar.centering.guided import GuidedNet

    _psf_choice(recipe)
    options.pop("psf", None)
    try:
        return GuidedNet(recipe.data.size, state=STATE, **options)
    except TypeError as error:
        raise ParameterError("network", sorted(options), "options of GuidedNet") from error


def _psf_choice(recipe: Recipe) -> str:
    choice = str(recipe.network.options.get("psf", "own"))
    if choice not in PSF_CHOICES:
        raise ParameterError("network.psf", choice, f"one of {', '.join(PSF_CHOICES)}")
    return choice


def _scalars(recipe: Recipe) -> tuple[str, ...]:
    names = recipe.data.inputs
    if not set(names) <= {"x", "y", "mag"}:
        raise ParameterError("data.inputs", list(names), "any of x, y, mag")
    return names


def _groups_with_psf(store: StampStore) -> list[Group]:
    groups = [group for group in store.groups if group.psf is not None]
    if len(groups) < len(store.groups) or not groups:
        raise ParameterError("stamps", f"{store.path} without PSFs", "stamps with their PSFs, "
                             "which this network needs; or another recipe")  # fmt: skip
    return groups


def _states(groups: list[Group], rng: np.random.Generator) -> NDArray[np.float32]:
    """States of PSFs here and there in the training data."""
    chosen = rng.permutation(len(groups))[:_STATE_GROUPS]
    states = []
    for number in np.sort(chosen):
        samples = groups[number].psf
        assert samples is not None
        nodes = psf_state(np.asarray(samples.values))
        x, y = np.array(samples.nodes.points).T
        places = [rng.uniform(p.min(), p.max(), _STATE_PLACES) for p in (x, y)]
        states.append(samples.nodes.weights(*places).astype(np.float32) @ nodes)
    return np.concatenate(states)


def _stored_psf(tensors: Mapping[str, Tensor]) -> PSFSamples:
    x, y, grid, values = (tensors[_COMMON + name].numpy() for name in ("x", "y", "grid", "values"))
    nodes = FieldGrid(tuple(x.tolist()), tuple(y.tolist()))
    return PSFSamples(values, nodes, float(grid[0]), float(grid[1]))
