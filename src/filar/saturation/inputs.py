"""What the network of experts is given: each one's estimate and error, and the circumstances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.saturation.data import Samples
from filar.saturation.evidence import CONTEXT, EXPERTS, RINGS

if TYPE_CHECKING:
    from torch import Tensor

    from filar.learn.recipe import Recipe

FloatArray = NDArray[np.float64]
LARGEST_ERROR = 0.2
"""Dex: an estimate with a larger error tells nothing."""
FARTHEST = 5.0
"""Standard deviations beyond which a circumstance counts as that far and no farther."""


@dataclass(frozen=True)
class Inputs:
    """What turns samples into tensors.

    Parameters
    ----------
    center, scale : tuple of float
        Of the circumstances `CONTEXT` in the training samples.
    """

    center: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def learn(cls, samples: Samples, recipe: Recipe) -> Self:
        """Learn how the circumstances are scaled.

        Parameters
        ----------
        samples : Samples
            To train on.
        recipe : Recipe
            Not needed.

        Returns
        -------
        Inputs
        """
        context = _columns(samples, CONTEXT)
        center, spread = np.nanmean(context, axis=0), np.nanstd(context, axis=0)
        scale = np.where(spread > 1e-3, spread, 1.0)
        return cls(tuple(np.nan_to_num(center).tolist()), tuple(np.nan_to_num(scale).tolist()))

    def batch(self, samples: Samples) -> dict[str, Tensor]:
        """Tensors of n samples.

        Parameters
        ----------
        samples : Samples
            With the evidence of `filar.saturation.evidence`.

        Returns
        -------
        dict of str to tensor
            ``value``, ``error`` (n, experts), dex, 0 where there is no estimate; ``valid``
            (n, experts), 0 or 1; ``others`` (n, experts), light of other stars; ``context``
            (n, circumstances), scaled.

        Raises
        ------
        ParameterError
            If a column is missing.
        """
        import torch

        value, error, valid = _estimates(samples)
        others = np.zeros_like(value)
        others[:, -RINGS:] = _columns(samples, tuple(f"ring_{k}_others" for k in range(RINGS)))
        scaled = (_columns(samples, CONTEXT) - np.array(self.center)) / np.array(self.scale)
        arrays = {
            "value": np.where(valid, value, 0), "error": np.where(valid, error, 0),
            "valid": valid, "others": np.where(valid, np.log10(0.001 + others) + 3, 0),
            "context": np.clip(np.nan_to_num(scaled), -FARTHEST, FARTHEST),
        }  # fmt: skip
        return {k: torch.from_numpy(np.asarray(v, np.float32)) for k, v in arrays.items()}

    @staticmethod
    def usable(samples: Samples) -> NDArray[np.bool_]:
        """Which of n samples tell anything of the star: those with an estimate: (n,)."""
        return np.asarray(_estimates(samples)[2].any(axis=1))

    def facts(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return {"center": list(self.center), "scale": list(self.scale), "context": list(CONTEXT),
                "experts": list(EXPERTS)}  # fmt: skip

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """From a model's card.

        Raises
        ------
        ParameterError
            If the model was made with other evidence than is measured now.
        """
        names = {"context": list(CONTEXT), "experts": list(EXPERTS)}
        for name, expected in names.items():
            if list(facts.get(name, [])) != expected:
                raise ParameterError(name, facts.get(name), "the evidence that filar measures now")
        center, scale = tuple(facts["center"]), tuple(facts["scale"])
        if len(center) != len(CONTEXT) or len(scale) != len(CONTEXT):
            raise ParameterError("center, scale", (len(center), len(scale)), f"{len(CONTEXT)} each")
        return cls(center, scale)


def _estimates(samples: Samples) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Values and errors of all experts, dex, and which are any good: (n, experts) each."""
    value = _columns(samples, EXPERTS)
    error = _columns(samples, tuple(f"{name}_err" for name in EXPERTS))
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(value) & np.isfinite(error) & (error < LARGEST_ERROR)
    return value, error, valid


def _columns(samples: Samples, names: tuple[str, ...]) -> FloatArray:
    return np.stack([samples.column(name) for name in names], axis=1).astype(float)
