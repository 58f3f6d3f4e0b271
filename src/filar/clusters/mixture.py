"""A posterior as a mixture of normal distributions, each with a covariance of its own.

Parameters are mapped to a space where the flat prior is a standard normal distribution, by the
quantile function of that; so the posterior ends where the prior does, and a posterior that says
nothing is a single component. Several components keep degeneracies apart (Bishop 1994, mixture
density networks).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from filar.clusters.posterior import PARAMETERS

SIZE = len(PARAMETERS)
EDGE = 1e-4
"""Parts of the range next to its ends that are as good as the end."""
LARGEST_SCALE = 6.0
"""Of the logarithm of a precision: components cannot collapse."""
LOWER = torch.tril_indices(SIZE, SIZE, -1)


def to_normal(values: Tensor, ranges: Tensor) -> Tensor:
    """Parameters as standard normal variables, if they are uniform in their ranges.

    Parameters
    ----------
    values : (n, 4) tensor
        Physical.
    ranges : (4, 2) tensor
        Ends.

    Returns
    -------
    (n, 4) tensor
    """
    part = (values - ranges[:, 0]) / (ranges[:, 1] - ranges[:, 0])
    return torch.special.ndtri(part.double().clamp(EDGE, 1 - EDGE)).float()


def from_normal(normal: Tensor, ranges: Tensor) -> Tensor:
    """The inverse of `to_normal`.

    Parameters
    ----------
    normal : (..., 4) tensor
        Standard normal variables.
    ranges : (4, 2) tensor
        Ends.

    Returns
    -------
    (..., 4) tensor
        Within the ranges.
    """
    return ranges[:, 0] + torch.special.ndtr(normal) * (ranges[:, 1] - ranges[:, 0])


class Mixture(nn.Module):
    """The last layer of a network whose answer is a mixture.

    Parameters
    ----------
    inputs : int
        Features that it is given.
    components : int
        Normal distributions.
    """

    def __init__(self, inputs: int, components: int) -> None:
        super().__init__()
        self.components = components
        self.per = 1 + SIZE + SIZE + len(LOWER[0])
        self.layer = nn.Linear(inputs, components * self.per)
        nn.init.normal_(self.layer.weight, std=0.01)
        start = torch.zeros(components, self.per)
        # Components begin apart, otherwise they would all learn the same.
        start[:, 1 : 1 + SIZE] = torch.randn(components, SIZE)
        self.layer.bias.data = start.ravel()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mixtures of n rows of features.

        Returns
        -------
        log_weight : (n, components) tensor
            They add up to 1.
        mean : (n, components, 4) tensor
            In the space of `to_normal`.
        root : (n, components, 4, 4) tensor
            Lower triangular R; R R^T is the inverse of the covariance.
        """
        out = self.layer(features.float()).unflatten(1, (self.components, self.per))
        log_weight = torch.log_softmax(out[..., 0], dim=1)
        mean, scale = out[..., 1 : 1 + SIZE], out[..., 1 + SIZE : 1 + 2 * SIZE]
        scale = LARGEST_SCALE * torch.tanh(scale / LARGEST_SCALE)
        root = torch.diag_embed(torch.exp(scale))
        root[..., LOWER[0], LOWER[1]] = out[..., 1 + 2 * SIZE :]
        return log_weight, mean, root


def surprise(mixture: tuple[Tensor, Tensor, Tensor], normal: Tensor) -> Tensor:
    """Negative logarithm of the mixtures' density.

    Parameters
    ----------
    mixture : tuple of tensors
        From `Mixture`.
    normal : (n, 4) tensor
        From `to_normal`.

    Returns
    -------
    (n,) tensor
        Nats, relative to the prior's mean value.
    """
    log_weight, mean, root = mixture
    rest = torch.einsum("nkij,nki->nkj", root, normal[:, None] - mean)
    log_volume = torch.log(torch.diagonal(root, dim1=-2, dim2=-1)).sum(-1)
    log_density = log_volume - 0.5 * (rest**2).sum(-1) - 0.5 * SIZE * math.log(2 * math.pi)
    return -torch.logsumexp(log_weight + log_density, dim=1)


def draw(mixture: tuple[Tensor, Tensor, Tensor], draws: int, generator: torch.Generator) -> Tensor:
    """Draws from mixtures.

    Parameters
    ----------
    mixture : tuple of tensors
        From `Mixture`, of n rows.
    draws : int
        From each.
    generator : torch.Generator
        Of the randomness.

    Returns
    -------
    (n, draws, 4) tensor
        In the space of `to_normal`.
    """
    log_weight, mean, root = mixture
    n = len(mean)
    chosen = torch.multinomial(log_weight.exp(), draws, replacement=True, generator=generator)
    white = torch.randn(n, draws, SIZE, generator=generator)
    # Inverted once for each component: draws are many.
    spread = torch.linalg.inv(root.double()).float()
    index = chosen[:, :, None]
    middle = mean.gather(1, index.expand(-1, -1, SIZE))
    shape = spread.flatten(2).gather(1, index.expand(-1, -1, SIZE * SIZE))
    return middle + torch.einsum("ndi,ndij->ndj", white, shape.unflatten(2, (SIZE, SIZE)))
