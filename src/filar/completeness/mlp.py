"""The network of Harris & Speagle (2024): fully connected layers, one logit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from filar.completeness.features import feature_count, features
from filar.completeness.inputs import Inputs
from filar.errors import ParameterError


class MLP(nn.Module):
    """Fully connected layers with ReLU between, on standardised features.

    Parameters
    ----------
    columns : int
        Features of a star.
    layers : sequence of int
        Neurons of each hidden layer.
    gaps : bool
        Whether the features say what is known.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, columns: int, layers: Sequence[int], gaps: bool) -> None:
        super().__init__()
        self.gaps = gaps
        self.register_buffer("center", torch.zeros(columns))
        self.register_buffer("scale", torch.ones(columns))
        sizes = [columns, *layers]
        parts: list[nn.Module] = []
        for before, after in pairwise(sizes):
            parts += [nn.Linear(before, after), nn.ReLU(inplace=True)]
        self.net = nn.Sequential(*parts, nn.Linear(sizes[-1], 1))

    def prepare(self, batch: dict[str, Tensor]) -> None:
        """Learn how the features are standardised.

        Parameters
        ----------
        batch : dict of str to tensor
            All training stars.
        """
        columns = features(batch, self.gaps).double()
        self.center.copy_(columns.mean(dim=0))
        scale = columns.std(dim=0)
        self.scale.copy_(torch.where(scale > 1e-6, scale, torch.ones_like(scale)))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Logits of recovery.

        Parameters
        ----------
        batch : dict of str to tensor
            n stars, from `Inputs.batch`.

        Returns
        -------
        (n,) tensor
        """
        columns = (features(batch, self.gaps) - self.center) / self.scale
        logit: Tensor = self.net(columns)[:, 0]
        return logit

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Log loss.

        Parameters
        ----------
        batch : dict of str to tensor
            With ``recovered``.

        Returns
        -------
        loss : tensor
            Mean over the stars.
        figures : dict
            Nothing further.
        """
        logit = self(batch)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, batch["recovered"])
        return loss, {}


def build(inputs: Inputs, *, layers: Sequence[int] = (200, 200, 200)) -> MLP:
    """Build the network.

    Parameters
    ----------
    inputs : Inputs
        What it is given.
    layers : sequence of int
        Neurons of each hidden layer.

    Returns
    -------
    MLP
        With weights from torch's generator.

    Raises
    ------
    ParameterError
        If a layer has no neuron.
    """
    if not layers or min(layers) < 1:
        raise ParameterError("network.layers", list(layers), "one or more layers of 1 or more")
    return MLP(feature_count(inputs), tuple(layers), inputs.gaps)
