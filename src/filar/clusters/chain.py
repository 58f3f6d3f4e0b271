"""A joint posterior as a chain of histograms: each parameter's, given those before it.

p(t, A, M, r) = p(t) p(A | t) p(M | t, A) p(r | t, A, M): any shape, any number of peaks, and
nothing that two peaks must share. A mixture of normal distributions was tried first; it tends to
cover two peaks by one wide component and never recovers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from filar.clusters.posterior import PARAMETERS

SIZE = len(PARAMETERS)
KNOTS = 24
"""Places at which a parameter's influence on those after it is free; linear between them."""


def hats(part: Tensor) -> Tensor:
    """Share a number between the two knots beside it.

    Parameters
    ----------
    part : (...,) tensor
        From 0 to 1.

    Returns
    -------
    (..., KNOTS) tensor
        Two shares that add up to 1.
    """
    place = part[..., None] * (KNOTS - 1)
    return (1 - (place - torch.arange(KNOTS, device=part.device)).abs()).clamp(min=0)


class Link(nn.Module):
    """The histogram of one parameter, given those before it.

    Parameters
    ----------
    inputs : int
        Features of the cutout.
    before : int
        Parameters that are given.
    hidden : int
        Neurons of each of two layers.
    bins : int
        Of the histogram.
    """

    def __init__(self, inputs: int, before: int, hidden: int, bins: int) -> None:
        super().__init__()
        self.context = nn.Linear(inputs, hidden)
        self.given = nn.ModuleList(nn.Linear(KNOTS, hidden, bias=False) for _ in range(before))
        self.middle = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, bins)
        # The first answer is the prior.
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, context: Tensor, given: Tensor) -> Tensor:
        """Logits of the bins.

        Parameters
        ----------
        context : (n, 1, hidden) tensor
            From the layer `context`.
        given : (n, draws, before) tensor
            Parameters from 0 to 1.

        Returns
        -------
        (n, draws, bins) tensor
        """
        x = context
        for k, layer in enumerate(self.given):
            x = x + layer(hats(given[..., k]))
        x = functional.silu(self.middle(functional.silu(x)))
        found: Tensor = self.last(x)
        return found.expand(*given.shape[:2], -1)


class Chain(nn.Module):
    """The last layers of a network whose answer is a joint posterior.

    Parameters
    ----------
    inputs : int
        Features that it is given.
    hidden : int
        Neurons of each link's layers.
    bins : int
        Of each histogram.
    """

    def __init__(self, inputs: int, hidden: int, bins: int) -> None:
        super().__init__()
        self.bins = bins
        self.links = nn.ModuleList(Link(inputs, k, hidden, bins) for k in range(SIZE))

    def surprise(self, features: Tensor, part: Tensor) -> Tensor:
        """Negative logarithm of the posterior's density over the prior's.

        Parameters
        ----------
        features : (n, inputs) tensor
            Of the cutouts.
        part : (n, 4) tensor
            The truth, from 0 to 1 in its ranges.

        Returns
        -------
        (n, 4) tensor
            Nats, of each link.
        """
        target = (part * self.bins).long().clamp(0, self.bins - 1)
        found = []
        for k, link in enumerate(self.links):
            logits = link(link.context(features)[:, None], part[:, None, :k])[:, 0]  # type: ignore[operator]
            found.append(functional.cross_entropy(logits, target[:, k], reduction="none"))
        return torch.stack(found, dim=1) - torch.log(torch.tensor(float(self.bins)))

    def draw(self, features: Tensor, draws: int, generator: torch.Generator) -> Tensor:
        """Draws from the posterior.

        Parameters
        ----------
        features : (n, inputs) tensor
            Of the cutouts.
        draws : int
            From each posterior.
        generator : torch.Generator
            Of the randomness.

        Returns
        -------
        (n, draws, 4) tensor
            From 0 to 1 in the ranges.
        """
        n = len(features)
        found = torch.empty(n, draws, SIZE)
        for k, link in enumerate(self.links):
            logits = link(link.context(features)[:, None], found[..., :k])  # type: ignore[operator]
            below = torch.softmax(logits, dim=-1).cumsum(dim=-1)
            level = torch.rand(n, draws, 1, generator=generator) * below[..., -1:]
            chosen = torch.searchsorted(below, level).clamp(max=self.bins - 1)[..., 0]
            within = torch.rand(n, draws, generator=generator)
            found[..., k] = (chosen + within) / self.bins
        return found
