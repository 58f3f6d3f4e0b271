"""Posteriors as probabilities of bins: edges, soft targets, draws.

A softmax over the bins of several parameters together keeps every degeneracy between them. A target
between the middles of two bins is shared between them, linearly, in each parameter: neighbouring
bins are then neighbours for the network too, and the mean of the target is the true value. What a
network learns from such targets is blurred by them, which is undone before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor

from filar.errors import ParameterError

ROUNDS = 10
"""In which draws are made as narrow as the posterior: more would sharpen noise."""
TINY = 1e-30


@dataclass(frozen=True)
class Axis:
    """Bins of equal width of one parameter.

    Parameters
    ----------
    name : str
        Of the parameter.
    low, high : float
        Ends of the first and the last bin.
    number : int
        Bins.

    Raises
    ------
    ParameterError
        If the ends do not rise, or there is no bin.
    """

    name: str
    low: float
    high: float
    number: int

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ParameterError(self.name, [self.low, self.high], "a range from low to high")
        if not isinstance(self.number, int) or self.number < 1:
            raise ParameterError(f"bins of {self.name}", self.number, "a whole number from 1")

    @property
    def width(self) -> float:
        """Of a bin."""
        return (self.high - self.low) / self.number

    @property
    def middles(self) -> Tensor:
        """Of the bins: (number,) float32 tensor."""
        return (torch.arange(self.number) + 0.5) * self.width + self.low

    def shares(self, value: Tensor) -> tuple[Tensor, Tensor]:
        """Share values between the two bins whose middles are next to them.

        Parameters
        ----------
        value : (n,) tensor
            Those beyond the middle of the first or the last bin are all of that bin; so are those
            outside of the range. NaN has no weight.

        Returns
        -------
        bins : (n, 2) int64 tensor
        weight : (n, 2) tensor
            They add up to 1.
        """
        known = torch.isfinite(value)
        place = torch.where(known, (value - self.low) / self.width - 0.5, torch.zeros_like(value))
        place = place.clamp(0, self.number - 1)
        first = place.floor()
        part = place - first
        bins = torch.stack([first, (first + 1).clamp(max=self.number - 1)], dim=1).long()
        return bins, torch.stack([1 - part, part], dim=1) * known[:, None]

    def within(self, bins: Tensor, part: Tensor) -> Tensor:
        """Values at some part of bins' widths.

        Parameters
        ----------
        bins : int tensor
            Numbers of bins.
        part : tensor
            0 to 1, of the same shape.

        Returns
        -------
        tensor
        """
        return (bins + part) * self.width + self.low


def joint_shares(axes: Sequence[Axis], values: Tensor) -> tuple[Tensor, Tensor]:
    """Share points between the bins of several parameters together.

    Parameters
    ----------
    axes : sequence of Axis
        The d parameters.
    values : (n, d) tensor
        The points; one with a NaN has no weight.

    Returns
    -------
    bins : (n, 2**d) int64 tensor
        The last parameter's bins run fastest.
    weight : (n, 2**d) tensor
        They add up to 1, or to 0.
    """
    each = [axis.shares(values[:, k]) for k, axis in enumerate(axes)]
    bins, weights = [], []
    for corner in product((0, 1), repeat=len(axes)):
        place = torch.zeros(len(values), dtype=torch.int64, device=values.device)
        weight = torch.ones_like(values[:, 0])
        for axis, side, (index, share) in zip(axes, corner, each, strict=True):
            place = place * axis.number + index[:, side]
            weight = weight * share[:, side]
        bins.append(place)
        weights.append(weight)
    return torch.stack(bins, dim=1), torch.stack(weights, dim=1)


def cross_entropy(logits: Tensor, bins: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of a softmax with targets that few bins share.

    Parameters
    ----------
    logits : (n, bins) tensor
        Of all bins.
    bins, weight : (n, s) tensors
        The target's bins and their shares.

    Returns
    -------
    (n,) tensor
        0 where a target has no weight.
    """
    log = torch.log_softmax(logits, dim=1)
    return -(torch.gather(log, 1, bins) * weight).sum(dim=1)


def unshared(axes: Sequence[Axis], shares: Tensor) -> Tensor:
    """Probabilities that points lie in bins, from the shares that bins have in the points.

    Of points spread evenly over a bin an eighth is the share of either neighbour. The most likely
    probabilities are found as Richardson (1972) and Lucy (1974) do it.

    Parameters
    ----------
    axes : sequence of Axis
        The d parameters.
    shares : (n, bins) tensor
        Expected ones, see `joint_shares`.

    Returns
    -------
    (n, bins) tensor
        None is negative; rows add up to what they did.
    """
    blurs = [_blur(axis.number).to(shares) for axis in axes]
    told = shares.reshape(-1, *(axis.number for axis in axes))
    found = told
    for _ in range(ROUNDS):
        found = found * _blurred(told / _blurred(found, blurs).clamp(min=TINY), blurs)
    return found.reshape(shares.shape)


def _blurred(values: Tensor, blurs: Sequence[Tensor]) -> Tensor:
    for k, blur in enumerate(blurs, 1):
        values = torch.tensordot(values, blur, ([k], [0])).movedim(-1, k)
    return values


def _blur(number: int) -> Tensor:
    """Shares of bins in points spread evenly over bins: (number, number), symmetric."""
    # At the ends there is one neighbour only, and the bin keeps the rest.
    beside = torch.full((number - 1,), 0.125)
    shares = torch.diag(beside, 1) + torch.diag(beside, -1)
    return shares + torch.diag(1 - shares.sum(dim=0))


def draw(
    axes: Sequence[Axis], logits: Tensor, draws: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw points from a softmax that was taught by `joint_shares`, uniformly within a bin.

    Parameters
    ----------
    axes : sequence of Axis
        The d parameters.
    logits : (n, bins) tensor
        As many as the product of the axes' numbers.
    draws : int
        Points of each row.
    generator : torch.Generator, optional
        On the logits' device.

    Returns
    -------
    (n, draws, d) tensor

    Raises
    ------
    ParameterError
        If the logits do not fit the axes.
    """
    total = prod(axis.number for axis in axes)
    if logits.shape[-1] != total:
        raise ParameterError("logits", tuple(logits.shape), f"{total} columns, one of each bin")
    if not len(logits):
        return logits.new_zeros((0, draws, len(axes)))
    probability = unshared(axes, torch.softmax(logits, dim=1))
    flat = torch.multinomial(probability, draws, replacement=True, generator=generator)
    shape = (*flat.shape, len(axes))
    parts = torch.rand(shape, generator=generator, device=logits.device, dtype=probability.dtype)
    found: list[Tensor] = []
    for k in range(len(axes) - 1, -1, -1):
        axis = axes[k]
        found.insert(0, axis.within(flat % axis.number, parts[..., k]))
        flat = torch.div(flat, axis.number, rounding_mode="floor")
    return torch.stack(found, dim=-1)


def mean(axis: Axis, logits: Tensor) -> Tensor:
    """Mean of one parameter.

    Parameters
    ----------
    axis : Axis
        The parameter.
    logits : (n, axis.number) tensor
        Of its bins.

    Returns
    -------
    (n,) tensor
    """
    return torch.softmax(logits, dim=1) @ axis.middles.to(logits)
