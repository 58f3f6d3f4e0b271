"""The estimator of clusters: trained on mocks in front of galaxies."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import numpy as np

from filar.clusters.batches import training_batches, validation_batches
from filar.clusters.compose import Composer
from filar.clusters.cutouts import Cutouts
from filar.clusters.data import SetFolder
from filar.clusters.domain import in_domain, learn_domain
from filar.clusters.figures import figures_of
from filar.clusters.inputs import Images, Inputs
from filar.clusters.networks import JOB, build_network, check_recipe
from filar.clusters.parts import Parts, share_out
from filar.clusters.pmap import PMap, probability_map
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import InputFileError, ParameterError
from filar.learn.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from filar.learn.history import Row
    from filar.learn.modelfile import Card
    from filar.learn.train import Progress

PREDICTED_AT_ONCE = 256
LOOKED_AT = 4096
"""Cutouts from which inputs and domain are learnt."""
_WEIGHTS = "weights."


class ClusterModel:
    """Joint posteriors of age, extinction, mass and size, and whether it is a cluster.

    Parameters
    ----------
    recipe : str, path-like or Recipe
        Name of a recipe, its file, or the recipe itself.
    seed : int
        The same seed and set give the same model on the same machine.

    Attributes
    ----------
    recipe_ : Recipe
        The recipe that was used.
    network_ : torch.nn.Module
        See `filar.clusters.networks.Network`.
    inputs_ : Inputs
        What turns cutouts into its inputs.
    card_ : Card
        What the model is and where it holds; what a model file says.
    parts_ : Parts
        What it was trained, chosen and tested on; None for a model that was loaded.
    history_ : list of dict
        A row of figures per epoch; empty for a model that was loaded.
    seconds_ : float
        That the training took; NaN for a model that was loaded.
    """

    recipe_: Recipe
    network_: nn.Module
    inputs_: Inputs
    card_: Card
    parts_: Parts | None
    history_: list[Row]
    seconds_: float

    def __init__(
        self, recipe: str | PathLike[str] | Recipe = "filar-clusters", *, seed: int = 0
    ) -> None:
        self.recipe, self.seed = recipe, seed

    def fit(
        self,
        data: SetFolder,
        *,
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
        data : SetFolder
            Mock clusters and scenes.
        folder : path-like, optional
            Where checkpoints and logs go; a temporary folder by default.
        resume : bool
            Go on from the folder's checkpoint, if there is one.
        progress : callable, optional
            Told how far the training is.
        checkpoint_seconds : float
            Time between checkpoints.
        accelerator, devices, strategy : optional
            Lightning's.

        Returns
        -------
        ClusterModel
            Itself.

        Raises
        ------
        ParameterError
            If the recipe is for another job, or there are too few clusters or scenes.
        InputFileError, OutputFileError
            If the folder cannot be used, or a checkpoint is damaged.
        """
        from filar.learn.train import train

        recipe = self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe)
        check_recipe(recipe)
        parts = share_out(data, recipe, self.seed)
        composer = Composer(data, parts.clusters[0], parts.scenes[0], recipe.mocks)
        seen = composer.sample(LOOKED_AT, np.random.default_rng([self.seed, 1]))[0]
        self.inputs_ = Inputs.learn(seen, data.facts)
        ranges = learn_domain(seen)
        del seen
        self.network_ = build_network(recipe, self.inputs_, self.seed)
        size = recipe.budget.batch_rows(len(parts.clusters[0]))
        with TemporaryDirectory(prefix="filar-training-") as temporary:
            validation = self._validation(data, parts, recipe)
            trained = train(
                self.network_,
                training_batches(composer, self.inputs_, size, recipe.mocks.turns, self.seed),
                validation,
                recipe.training, folder or temporary, seed=self.seed, resume=resume,
                progress=progress, accelerator=accelerator, devices=devices, strategy=strategy,
                data=data.digest(), checkpoint_seconds=checkpoint_seconds,
                tensorboard=folder is not None,
            )  # fmt: skip
        if validation is not None and hasattr(self.network_, "calibrate"):
            self.network_.calibrate(validation())  # type: ignore[operator]
        self.recipe_, self.parts_ = recipe, parts
        self.history_, self.seconds_ = trained.history, trained.seconds
        self._judge(data, ranges)
        return self

    def _validation(
        self, data: SetFolder, parts: Parts, recipe: Recipe
    ) -> Callable[[], list[dict[str, Tensor]]] | None:
        if not len(parts.clusters[1]):
            return None
        composer = Composer(data, parts.clusters[1], parts.scenes[1], recipe.mocks)
        return validation_batches(composer, self.inputs_, PREDICTED_AT_ONCE, self.seed)

    def _judge(self, data: SetFolder, ranges: dict[str, tuple[float, float]]) -> None:
        """Write the card, with figures of the test part."""
        from filar.learn.modelfile import Card, versions

        assert self.parts_ is not None
        facts = data.facts
        own = {"distance_mpc": facts.distance_mpc, "zero_point": facts.zero_point.tolist()}
        self.card_ = Card(
            job=JOB, recipe=self.recipe_, seed=self.seed, size=facts.size,
            normalisation=self.inputs_.facts() | own, instrument=facts.camera,
            filters=facts.bands, ranges=ranges, data=data.digest(), versions=versions(),
        )  # fmt: skip
        if len(self.parts_.clusters[2]):
            composer = Composer(
                data, self.parts_.clusters[2], self.parts_.scenes[2], self.recipe_.mocks
            )
            rng = np.random.default_rng([self.seed, 2])
            cutouts, truth = composer.compose(composer.rows, rng)
            figures = figures_of(self.predict(cutouts), truth)
            self.card_ = self.card_.model_copy(update={"figures": figures})

    @property
    def bands(self) -> tuple[str, ...]:
        """Filters of the images that it takes."""
        self._trained()
        return self.inputs_.bands

    @property
    def size(self) -> int:
        """Pixels on the side of the cutouts that it takes."""
        self._trained()
        return self.inputs_.size

    @property
    def pixel_scale(self) -> float:
        """Arcsec per pixel of the images that it takes."""
        self._trained()
        return self.inputs_.pixel_scale

    def predict(self, cutouts: Cutouts, draws: int = 1000, *, seed: int = 0) -> Predictions:
        """Say what the clusters in cutouts are, if they are.

        Parameters
        ----------
        cutouts : Cutouts
            n of them, of the model's bands, size and pixel scale.
        draws : int
            From each posterior.
        seed : int
            Of the draws.

        Returns
        -------
        Predictions

        Raises
        ------
        ParameterError
            If the model is not trained, or the cutouts are others than it takes.
        """
        import torch

        card = self._trained()
        if draws < 1:
            raise ParameterError("draws", draws, "1 or more")
        self.inputs_.check(cutouts)
        generator = torch.Generator().manual_seed(seed)
        n = len(cutouts)
        samples = np.empty((n, draws, len(PARAMETERS)), np.float32)
        p_cluster, log_snr, inside = np.empty(n), np.empty(n), np.empty(n, bool)
        with torch.inference_mode():
            for start in range(0, n, PREDICTED_AT_ONCE):
                rows = slice(start, start + PREDICTED_AT_ONCE)
                piece = cutouts.select(rows)
                found = self.network_.predict(self.inputs_.batch(piece), draws, generator)  # type: ignore[operator]
                samples[rows], p_cluster[rows], log_snr[rows] = (one.numpy() for one in found)
                inside[rows] = in_domain(piece, card.ranges)
        return Predictions(samples, p_cluster, log_snr, inside)

    def p_map(self, flux: Images, *, progress: Callable[[float], None] | None = None) -> PMap:
        """Say where in an image clusters may be; `predict` on cutouts there decides.

        Parameters
        ----------
        flux : (bands, ny, nx) float32 array
            The image, in the unit of cutouts, at the model's pixel scale, without NaN.
        progress : callable, optional
            Told which part is done.

        Returns
        -------
        PMap

        Raises
        ------
        ParameterError
            If the model is not trained, or the image has other bands or is too small.
        """
        self._trained()
        return probability_map(self.inputs_, self.network_, flux, progress=progress)

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
        weights = {_WEIGHTS + name: value for name, value in self.network_.state_dict().items()}
        save_model(path, weights, card)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model; nothing in the file is executed.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        ClusterModel

        Raises
        ------
        InputFileError
            If the file is missing, damaged, or no model of clusters.
        """
        from filar.learn.modelfile import fill, load_model

        weights, card = load_model(path, JOB)
        loaded = cls(card.recipe, seed=card.seed)
        try:
            check_recipe(card.recipe)
            loaded.inputs_ = Inputs.from_facts(card.normalisation)
            loaded.network_ = build_network(card.recipe, loaded.inputs_, 0)
        except (ParameterError, LookupError, TypeError, ValueError) as error:
            raise InputFileError(path, f"damaged: {error}", "", "train it again") from error
        own = {name.removeprefix(_WEIGHTS): value for name, value in weights.items()}
        fill(loaded.network_, own, path)
        loaded.network_.eval()
        loaded.recipe_, loaded.card_, loaded.parts_ = card.recipe, card, None
        loaded.history_, loaded.seconds_ = [], float("nan")
        return loaded

    def _trained(self) -> Card:
        card: Card | None = getattr(self, "card_", None)
        if card is None:
            raise ParameterError("ClusterModel", "an untrained one", "fit or load first")
        return card
