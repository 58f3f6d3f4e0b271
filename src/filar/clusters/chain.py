"""A joint posterior as a chain of histograms: each parameter's, given those before it.

p(t, A, M, r) = p(t) p(A | t) p(M | t, A) p(r | t, A, M): any shape, any number of peaks, and
nothing that two peaks must share. A mixture of normal distributions was tried first; it tends to
cover two peaks by one wide component and never recovers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from filar.clusters.posterior import PARAMETERS

SIZE = len(PARAMETERS)
KNOTS = 24
"""Places at which a parameter's influence on those after it is free; linear between them."""
DRAWN_AT_ONCE = 32
"""Cutouts whose posteriors are drawn from together: more would not fit the processor's cache."""
TEMPERATURES = torch.linspace(0.6, 1.6, 101)


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
        x = torch.relu(self.middle(torch.relu(x)))
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
        self.register_buffer("temperature", torch.ones(SIZE))
        self.links = nn.ModuleList(Link(inputs, k, hidden, bins) for k in range(SIZE))

    temperature: Tensor

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
        found = [
            functional.cross_entropy(logits / warm, target[:, k], reduction="none")
            for k, (logits, warm) in enumerate(
                zip(self._logits(features, part), self.temperature, strict=True)
            )
        ]
        return torch.stack(found, dim=1) - math.log(self.bins)

    def _logits(self, features: Tensor, part: Tensor) -> list[Tensor]:
        """Of the bins of each link, given the truth of those before it: (n, bins) each."""
        return [
            link(link.context(features)[:, None], part[:, None, :k])[:, 0]  # type: ignore[operator]
            for k, link in enumerate(self.links)
        ]

    def calibrate(self, features: Tensor, part: Tensor) -> None:
        """Make all histograms of a link flatter or steeper, as suits data not trained on.

        Guo et al. (2017, ICML 70, 1321): logits are divided by a temperature, that of the least
        surprise.

        Parameters
        ----------
        features : (n, inputs) tensor
            Of cutouts not trained on.
        part : (n, 4) tensor
            Their truth, from 0 to 1 in its ranges.
        """
        target = (part * self.bins).long().clamp(0, self.bins - 1)
        for k, logits in enumerate(self._logits(features, part)):
            losses = torch.stack([
                functional.cross_entropy(logits / warm, target[:, k]) for warm in TEMPERATURES
            ])  # fmt: skip
            self.temperature[k] = TEMPERATURES[losses.argmin()]

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
        pieces = torch.split(features, DRAWN_AT_ONCE)
        return torch.cat([self._drawn(piece, draws, generator) for piece in pieces])

    def _drawn(self, features: Tensor, draws: int, generator: torch.Generator) -> Tensor:
        n = len(features)
        found = torch.empty(n, draws, SIZE)
        for k, link in enumerate(self.links):
            logits = link(link.context(features)[:, None], found[..., :k])  # type: ignore[operator]
            share = torch.softmax(logits / self.temperature[k], dim=-1)
            below = share.cumsum(dim=-1)
            level = torch.rand(n, draws, 1, generator=generator) * below[..., -1:]
            chosen = torch.searchsorted(below, level).clamp(max=self.bins - 1)
            within = torch.rand(n, draws, generator=generator)
            found[..., k] = (chosen[..., 0] + sloped(within, share, chosen)) / self.bins
        return found


def sloped(within: Tensor, share: Tensor, chosen: Tensor) -> Tensor:
    """Place draws within their bins as if the density were linear there.

    It rises as from the bin before to the one after, but is nowhere negative (van Leer 1979).

    Parameters
    ----------
    within : (n, draws) tensor
        Uniform, from 0 to 1.
    share : (n, draws, bins) tensor
        Of the bins.
    chosen : (n, draws, 1) tensor
        Each draw's bin.

    Returns
    -------
    (n, draws) tensor
        From 0 to 1 in the bin.
    """
    last = share.shape[-1] - 1
    mine, before, after = (
        share.gather(-1, (chosen + step).clamp(0, last))[..., 0] for step in (0, -1, 1)
    )
    # The cumulative share within the bin is tilt u^2 + (1 - tilt) u.
    tilt = ((after - before) / (4 * mine.clamp(min=1e-12))).clamp(-1, 1)
    flat = 1 - tilt
    return 2 * within / (flat + torch.sqrt(flat**2 + 4 * tilt * within))
