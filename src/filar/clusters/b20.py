"""The network of B20 (Bialopetravičius & Narbutis 2020, AJ 160, 264): ResNet-50 and four softmaxes.

What is known of it is the table of its layers: 7x7 convolutions without a stride, 3x3 maximum
pooling, four groups of 3, 4, 6 and 3 bottleneck blocks that end in 128, 256, 512 and 1024 channels,
an average over what is left of the image, 1024 fully connected units, and four softmaxes: age,
extinction and mass together (20 x 10 x 14 bins), size (14), cluster or not (2), visibility (20).

What is ours: as in He et al. (2016) a block's inner channels are a quarter of those it ends in, and
strides are in its 3x3 convolutions; bins are as wide as the ranges of the training allow; a target
is shared between neighbouring bins; the loss is the sum of the four cross-entropies, of which
backgrounds count in the third alone, and in the fourth where they have a visibility.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from filar.clusters.binned import Axis, cross_entropy, draw, joint_shares, mean
from filar.clusters.posterior import PARAMETERS
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.clusters.inputs import Inputs

BLOCKS = (3, 4, 6, 3)
"""Bottleneck blocks of each group."""
BINS = (20, 10, 14, 14)
"""Of log age, extinction, log mass and log size."""
VISIBILITY_BINS = 20
VISIBILITY = (0.0, 4.0)
"""log10 of the signal-to-noise ratios that are told apart."""
JOINT = 3
"""Parameters that share a softmax: age, extinction, mass."""
EXPANSION = 4
SMALLEST = 16
"""Pixels on a side: what is left of a smaller image is less than a pixel."""
AT_ONCE = 32
"""Images that are looked at together when nothing is learnt: more are slower."""

Batch = dict[str, Tensor]


class Bottleneck(nn.Module):
    """Convolutions of 1x1, 3x3 and 1x1, and what they were given added to their result.

    Parameters
    ----------
    before, after : int
        Channels.
    stride : int
        Of the 3x3 convolution.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        inner = after // EXPANSION
        self.body = nn.Sequential(
            *_convolution(before, inner, 1), nn.ReLU(inplace=True),
            *_convolution(inner, inner, 3, stride), nn.ReLU(inplace=True),
            *_convolution(inner, after, 1),
        )  # fmt: skip
        same = before == after and stride == 1
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(*_convolution(before, after, 1, stride))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, before, y, x) to (n, after, y / stride, x / stride)."""
        return torch.relu(self.body(x) + self.shortcut(x))


def _convolution(before: int, after: int, side: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution, nn.BatchNorm2d(after)


class B20(nn.Module):
    """The network.

    Parameters
    ----------
    bands : int
        Channels of its images.
    ranges : sequence of four pairs of float
        From low to high, of `PARAMETERS`: what the bins cover.
    bins : sequence of int
        Of each parameter.
    visibility : pair of float
        log10 of the signal-to-noise ratios that its bins cover.
    visibility_bins : int
        Their number.
    channels : int
        Of the first convolution; the groups end in 2, 4, 8 and 16 times as many.
    blocks : sequence of int
        Of each group.

    Raises
    ------
    ParameterError
        If the ranges are not four.
    """

    def __init__(
        self,
        bands: int,
        ranges: Sequence[tuple[float, float]],
        bins: Sequence[int] = BINS,
        visibility: tuple[float, float] = VISIBILITY,
        visibility_bins: int = VISIBILITY_BINS,
        channels: int = 64,
        blocks: Sequence[int] = BLOCKS,
    ) -> None:
        super().__init__()
        if len(ranges) != len(PARAMETERS) or len(bins) != len(PARAMETERS):
            raise ParameterError("ranges", len(ranges), f"one of each of {', '.join(PARAMETERS)}")
        self.axes = tuple(
            Axis(name, float(low), float(high), number)
            for name, (low, high), number in zip(PARAMETERS, ranges, bins, strict=True)
        )
        self.seen = Axis("log_snr", *visibility, visibility_bins)
        groups: list[nn.Module] = []
        before = channels
        for k, count in enumerate(blocks):
            after = channels * 2 ** (k + 1)
            first = Bottleneck(before, after, 2 if k else 1)
            groups.append(
                nn.Sequential(first, *(Bottleneck(after, after, 1) for _ in range(count - 1)))
            )
            before = after
        self.stem = nn.Sequential(
            *_convolution(bands, channels, 7), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, padding=1)
        )
        self.groups = nn.ModuleList(groups)
        self.full = nn.Linear(before, before)
        sizes = (prod(axis.number for axis in self.joint), self.axes[-1].number, 2, visibility_bins)
        self.outputs = nn.ModuleList(nn.Linear(before, size) for size in sizes)

    @property
    def joint(self) -> tuple[Axis, ...]:
        """Axes of the softmax of age, extinction and mass."""
        return self.axes[:JOINT]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits of the four softmaxes.

        Parameters
        ----------
        image : (n, bands, size, size) tensor
            On the scale that the job's networks are given.

        Returns
        -------
        joint, size, cluster, visibility : (n, bins) tensors
            Class 1 of the third: a cluster.
        """
        # Twice as fast on a CPU.
        found = self.stem(image.contiguous(memory_format=torch.channels_last))
        for group in self.groups:
            found = group(found)
        found = torch.relu(self.full(found.mean(dim=(2, 3))))
        return tuple(output(found) for output in self.outputs)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum of the four cross-entropies.

        Parameters
        ----------
        batch : dict of str to tensor
            ``image`` (n, bands, size, size), ``values`` (n, 4) of `PARAMETERS`, ``cluster`` (n,)
            1 or 0, ``log_snr`` (n,), NaN where there is none.

        Returns
        -------
        loss : tensor
            Mean over the clusters of the first two, over all rows of the others.
        figures : dict of str to tensor
            The four: ``joint``, ``size``, ``cluster``, ``visibility``.
        """
        logits = self(batch["image"])
        cluster, values = batch["cluster"].float(), batch["values"]
        is_one = cluster > 0.5
        nothing = torch.full_like(values, float("nan"))
        values = torch.where(is_one[:, None], values, nothing)
        clusters = is_one.sum().clamp(min=1)
        joint = cross_entropy(logits[0], *joint_shares(self.joint, values[:, :JOINT]))
        size = cross_entropy(logits[1], *self.axes[-1].shares(values[:, -1]))
        seen = cross_entropy(logits[3], *self.seen.shares(batch["log_snr"]))
        visible = torch.isfinite(batch["log_snr"]).sum().clamp(min=1)
        figures = {
            "joint": joint.sum() / clusters,
            "size": size.sum() / clusters,
            "cluster": nn.functional.cross_entropy(logits[2], is_one.long()),
            "visibility": seen.sum() / visible,
        }
        loss = torch.stack(list(figures.values())).sum()
        return loss, {name: value.detach() for name, value in figures.items()}

    @torch.no_grad()
    def predict(
        self, batch: Batch, draws: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw from the posteriors.

        Parameters
        ----------
        batch : dict of str to tensor
            ``image`` is enough.
        draws : int
            Of each image.
        generator : torch.Generator, optional
            On the network's device.

        Returns
        -------
        samples : (n, draws, 4) tensor
            `PARAMETERS`; the size has a softmax of its own.
        p_cluster : (n,) tensor
        log_snr : (n,) tensor
            Mean of its posterior.
        """
        pieces = [self(piece) for piece in torch.split(batch["image"], AT_ONCE)]
        joint, size, cluster, seen = (torch.cat(own) for own in zip(*pieces, strict=True))
        samples = torch.cat(
            [
                draw(self.joint, joint, draws, generator),
                draw(self.axes[-1:], size, draws, generator),
            ],
            dim=2,
        )
        return samples, torch.softmax(cluster, dim=1)[:, 1], mean(self.seen, seen)


def build(
    inputs: Inputs,
    *,
    bins: Sequence[int] = BINS,
    visibility: Sequence[float] = VISIBILITY,
    visibility_bins: int = VISIBILITY_BINS,
    channels: int = 64,
    blocks: Sequence[int] = BLOCKS,
) -> B20:
    """Build the network.

    Parameters
    ----------
    inputs : Inputs
        What it is given: bands, size, and the ranges that its bins cover.
    bins, visibility, visibility_bins, channels, blocks
        See `B20`.

    Returns
    -------
    B20
        With weights from torch's generator.

    Raises
    ------
    ParameterError
        If an option makes no sense or images are too small.
    """
    if inputs.size < SMALLEST:
        raise ParameterError("size", f"{inputs.size} pixels", f"{SMALLEST} pixels or more")
    if not isinstance(channels, int) or channels < EXPANSION or channels % 2:
        raise ParameterError("network.channels", channels, f"an even number from {EXPANSION}")
    if not blocks or not all(isinstance(one, int) and one > 0 for one in blocks):
        raise ParameterError("network.blocks", blocks, "whole numbers from 1, one of each group")
    if len(visibility) != 2:
        raise ParameterError("network.visibility", visibility, "two numbers, from low to high")
    ranges = [(float(low), float(high)) for low, high in inputs.ranges]
    low, high = visibility
    return B20(len(inputs.bands), ranges, bins, (low, high), visibility_bins, channels, blocks)
