"""How measured magnitudes differ from true ones, learnt from artificial stars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.completeness.data import digest, tensors, training_batches
from filar.completeness.inputs import Inputs
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError
from filar.learn.settings import (
    AveragingSettings,
    BudgetSettings,
    OptimiserSettings,
    TrainingSettings,
)
from filar.threads import torch_threads

if TYPE_CHECKING:
    from torch import Tensor, nn

    from filar.completeness.mixture import Mixture
    from filar.learn.train import Progress

FloatArray = NDArray[np.float64]
LEAST_RECOVERED = 100
AT_ONCE = 16_384
LOW, HIGH = 0.1587, 0.8413
"""Levels of half of whose distance the scatter is."""
STEPS = (0.1, 0.01, 0.001, 0.0001)
"""Magnitudes to which tables may be rounded."""
WIDTH, LAYERS, PENALTY = 32, 2, 3.0
TRAINING = TrainingSettings(
    optimiser=OptimiserSettings(
        name="adam", lr=5e-3, schedule="one-cycle", warmup=0.2, floor=0.001, clip=5.0
    ),
    ema=AveragingSettings(momentum=0.99),
    budget=BudgetSettings(epochs=30, batch_size=1024, batch_part=0.02, batch_least=32),
)
"""As the recipe filar-completeness; see there why few and many stars take the same."""


@dataclass(frozen=True, eq=False)
class MagnitudeErrors:
    """The density of output minus input magnitudes of recovered stars, in all bands jointly.

    Parameters
    ----------
    inputs : Inputs
        What turns stars into the network's inputs.
    network : torch.nn.Module
        A trained `filar.completeness.mixture.MixtureNet`.

    Notes
    -----
    The density is that of recovered stars, given the inputs: times the recovery probability it
    says what becomes of a star that is put in. Stars outside the training data are taken for those
    at its edge.
    """

    inputs: Inputs
    network: nn.Module

    @classmethod
    def fit(
        cls,
        stars: ArtificialStars,
        inputs: Inputs,
        seed: int = 0,
        *,
        settings: TrainingSettings = TRAINING,
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
            Those to train on; only the recovered ones tell anything.
        inputs : Inputs
            From `Inputs.learn`, of these stars.
        seed : int
            The same seed and stars give the same model on the same machine.
        settings : TrainingSettings, optional
            Optimiser and budget.
        folder : path-like, optional
            Where checkpoints and logs go; a temporary folder by default.
        resume, progress, checkpoint_seconds, accelerator, devices, strategy : optional
            See `filar.learn.train.train`.

        Returns
        -------
        MagnitudeErrors

        Raises
        ------
        ParameterError
            If too few stars were recovered, or in a band too few of them found.
        InputFileError, OutputFileError
            If the folder cannot be used, or its checkpoint is damaged.
        """
        import torch

        from filar.learn.train import train

        stars = stars.select(stars.recovered)
        there = stars.found.sum(axis=0)
        for number, band in enumerate(stars.bands):
            if there[number] < LEAST_RECOVERED:
                found = f"{there[number]} recovered in {band}"
                allowed = f"{LEAST_RECOVERED} or more to learn the magnitudes' errors from"
                raise ParameterError("artificial stars", found, allowed)
        network = _build(inputs, seed)
        columns = tensors(inputs, stars)
        steps = [rounding_step(stars.delta[:, k]) for k in inputs.columns(stars)]
        hardware: dict[str, Any] = {
            "accelerator": accelerator, "devices": devices, "strategy": strategy,
        }  # fmt: skip
        # operations are small: one thread is fastest
        with TemporaryDirectory(prefix="filar-training-") as temporary, torch_threads(1):
            network.prepare(columns, torch.tensor(steps))
            train(
                network, training_batches(columns, settings, seed), None, settings,
                Path(folder or temporary), seed=seed, resume=resume, progress=progress,
                data=digest(stars), checkpoint_seconds=checkpoint_seconds,
                tensorboard=folder is not None, **hardware,
            )  # fmt: skip
        return cls(inputs, network)

    def bias_scatter(self, stars: ArtificialStars | RealStars) -> tuple[FloatArray, FloatArray]:
        """Typical errors of stars.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            n stars in the model's bands, with its covariates.

        Returns
        -------
        bias : (n, b) array
            Median of output minus input magnitude in each of the model's bands; NaN where the
            star has no magnitude.
        scatter : (n, b) array
            Half the range of the central 68.26 %.

        Raises
        ------
        ParameterError
            If the stars are in other bands or lack a covariate.
        """
        low, middle, high = self.quantiles(stars, (LOW, 0.5, HIGH))
        return middle, (high - low) / 2

    def quantiles(
        self, stars: ArtificialStars | RealStars, levels: tuple[float, ...]
    ) -> FloatArray:
        """Where each band's own distribution of errors reaches some levels.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            See `bias_scatter`.
        levels : tuple of l floats
            Between 0 and 1.

        Returns
        -------
        (l, n, b) array
            Mag; NaN where the star has no magnitude.

        Raises
        ------
        ParameterError
            See `bias_scatter`; if a level is not between 0 and 1.
        """
        if not all(0 < level < 1 for level in levels):
            raise ParameterError("levels", levels, "between 0 and 1")

        def of(mixture: Mixture, batch: dict[str, Tensor]) -> FloatArray:
            found = [mixture.quantile(level).double().numpy() for level in levels]
            return _known(np.stack(found, axis=1), batch)

        return np.moveaxis(self._pieces(stars, of, (len(levels), len(self.inputs.bands))), 1, 0)

    def log_prob(self, stars: ArtificialStars) -> FloatArray:
        """Logarithm of the density at the stars' own errors, in the bands where they were found.

        Parameters
        ----------
        stars : ArtificialStars
            n stars.

        Returns
        -------
        (n,) array
            Natural logarithm, per mag and band; NaN for stars that were not recovered.

        Raises
        ------
        ParameterError
            See `bias_scatter`.
        """

        def of(mixture: Mixture, batch: dict[str, Tensor]) -> FloatArray:
            log = mixture.log_density(batch["delta"], batch["found"]).double().numpy()
            return np.where(batch["recovered"].numpy() > 0, log, np.nan)

        return self._pieces(stars, of, ())

    def sample(self, stars: ArtificialStars | RealStars, rng: np.random.Generator) -> FloatArray:
        """Draw errors.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            n stars with true magnitudes (or measured ones, if the model is of those).
        rng : numpy.random.Generator
            The source of chance.

        Returns
        -------
        (n, b) array
            Output minus input magnitudes as those of recovered stars; NaN where the star has no
            magnitude.

        Raises
        ------
        ParameterError
            See `bias_scatter`.
        """

        def of(mixture: Mixture, batch: dict[str, Tensor]) -> FloatArray:
            weight = mixture.log_weight.double().exp().numpy()
            n, b = len(weight), len(self.inputs.bands)
            edges = np.cumsum(weight, axis=1)
            drawn = rng.random((n, 1)) * edges[:, -1:]
            chosen = np.minimum((edges <= drawn).sum(axis=1), weight.shape[1] - 1)
            place, width, common = (
                part.double().numpy()[np.arange(n), chosen]
                for part in (mixture.place, mixture.width, mixture.common)
            )
            shared, own = rng.standard_normal((n, 1)), rng.standard_normal((n, b))
            return _known(place + width * (common * shared + np.sqrt(1 - common**2) * own), batch)

        return self._pieces(stars, of, (len(self.inputs.bands),))

    def tensors(self, prefix: str = "") -> dict[str, Tensor]:
        """All that a file has to keep of it.

        Parameters
        ----------
        prefix : str
            Before the names.

        Returns
        -------
        dict of str to tensor
        """
        return {prefix + name: value for name, value in self.network.state_dict().items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], prefix: str, inputs: Inputs) -> Self:
        """Make it again.

        Parameters
        ----------
        tensors : mapping of str to tensor
            From a file; those of other names are ignored.
        prefix : str
            As it was written with.
        inputs : Inputs
            Of the model.

        Returns
        -------
        MagnitudeErrors

        Raises
        ------
        LookupError, ValueError
            If tensors are missing or do not fit.
        """
        network = _build(inputs, 0)
        for name, value in network.state_dict().items():
            if tensors[prefix + name].shape != value.shape:
                found, expected = tuple(tensors[prefix + name].shape), tuple(value.shape)
                raise ValueError(f"{prefix + name} has the shape {found}, expected {expected}")
        network.load_state_dict({name: tensors[prefix + name] for name in network.state_dict()})
        network.eval()
        return cls(inputs, network)

    def _pieces(
        self,
        stars: ArtificialStars | RealStars,
        function: Callable[[Mixture, dict[str, Tensor]], FloatArray],
        shape: tuple[int, ...],
    ) -> FloatArray:
        """Results for all stars, some thousands at a time."""
        import torch

        results = [np.empty((0, *shape))]
        with torch_threads(1), torch.inference_mode():
            for k in range(0, len(stars), AT_ONCE):
                batch = tensors(self.inputs, stars.select(slice(k, k + AT_ONCE)))
                results.append(function(self.network(batch), batch))
        return np.concatenate(results)


def rounding_step(delta: FloatArray) -> float:
    """What errors were rounded to.

    Parameters
    ----------
    delta : (n,) array
        Output minus input magnitudes; NaN where lost.

    Returns
    -------
    float
        The largest of 0.1, 0.01, 0.001, 0.0001 mag of which all are multiples; 0 if there is
        none, or no error at all.
    """
    delta = delta[np.isfinite(delta)]
    for step in STEPS if delta.any() else ():
        parts = delta / step
        # as far as single precision keeps magnitudes
        if np.all(np.abs(parts - np.round(parts)) < 0.002 + 4e-6 / step):
            return step
    return 0.0


def _build(inputs: Inputs, seed: int) -> Any:
    import torch

    from filar.completeness.mixture import MixtureNet

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MixtureNet(
            len(inputs.bands), len(inputs.covariates), width=WIDTH, layers=LAYERS, penalty=PENALTY
        )


def _known(values: FloatArray, batch: dict[str, Tensor]) -> FloatArray:
    """NaN where a star has no magnitude: (n, ..., b)."""
    known = batch["mag_known"].numpy() > 0
    known = known.reshape(len(known), *[1] * (values.ndim - 2), known.shape[1])
    return np.where(known, values, np.nan)
