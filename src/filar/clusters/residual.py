"""Our network: a small residual trunk, apertures beside it, a chain of histograms behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from filar.clusters.chain import Chain
from filar.clusters.inputs import Inputs
from filar.errors import ParameterError

LEAST_LOG_SCATTER = -4.0
VISIBILITY = 0.1
"""Weight of the visibility in the loss; the posterior's is 1."""
CLASS = 1.0
"""Weight of the class in the loss, once for each of its two answers."""


class Block(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016).

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    stride : int
        Of the first convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        same = inputs == outputs and stride == 1
        self.short = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, y, x) to (n, outputs, y / stride, x / stride)."""
        y = functional.silu(self.norms[0](self.first(x)))
        return functional.silu(self.norms[1](self.second(y)) + self.short(x))


class ResidualNetwork(nn.Module):
    """Posterior, class and visibility of clusters.

    Parameters
    ----------
    inputs : Inputs
        What it is given.
    channels : tuple of int
        Of the trunk's stages; each but the first halves the map, as the stem does.
    blocks : int
        Of each stage.
    hidden : int
        Neurons of the layers behind the trunk.
    bins : int
        Of the posterior's histograms.
    dropout : float
        Part of the hidden neurons that are silent in a training step.
    half : bool
        Whether convolutions compute in bfloat16.
    """

    ranges: Tensor

    def __init__(
        self,
        inputs: Inputs,
        channels: tuple[int, ...],
        blocks: int,
        hidden: int,
        bins: int,
        dropout: float,
        half: bool,
    ) -> None:
        super().__init__()
        self.brief, self.step = half, 2 ** len(channels)
        self.side = inputs.size // self.step
        self.register_buffer("ranges", torch.from_numpy(inputs.ranges).float(), persistent=False)
        stem = nn.Conv2d(len(inputs.bands), channels[0], 5, 2, 2, bias=False)
        parts: list[nn.Module] = [stem, nn.BatchNorm2d(channels[0]), nn.SiLU()]
        before = channels[0]
        for stage, width in enumerate(channels):
            for block in range(blocks):
                parts.append(Block(before, width, 2 if stage and not block else 1))
                before = width
        self.trunk = nn.Sequential(*parts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        pooled = before * len(self.windows)
        self.detector = nn.Sequential(
            nn.Linear(pooled, hidden // 2),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden // 2, 1),
        )
        self.beside = nn.Sequential(
            nn.Linear(len(inputs.mean), hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
        )
        self.body = nn.Sequential(
            nn.Linear(pooled + hidden, hidden), nn.SiLU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.SiLU(), nn.Dropout(dropout),
        )  # fmt: skip
        self.chain = Chain(hidden, hidden // 4, bins)
        self.visibility = nn.Linear(hidden, 2)
        self.classifier = nn.Linear(hidden, 1)

    @property
    def windows(self) -> tuple[int, ...]:
        """Sides of the windows of the trunk's map over which it is averaged, the whole first."""
        side = self.side
        return tuple(dict.fromkeys((side, max(2, 2 * (side // 4)), 2 if side % 2 == 0 else 1)))

    def features(self, image: Tensor) -> Tensor:
        """The trunk's last map of images: (n, channels, y, x)."""
        image = image.to(memory_format=torch.channels_last)
        with torch.autocast(image.device.type, torch.bfloat16, enabled=self.brief):
            found: Tensor = self.trunk(image)
        return found.float()

    def pooled(self, found: Tensor) -> Tensor:
        """Means of a map over the windows at every place: (n, places y, places x, features).

        The window of the whole is `side` wide; the others are in its middle.
        """
        side, parts = self.side, []
        for window in self.windows:
            edge = (side - window) // 2
            inner = found[:, :, edge : found.shape[2] - edge, edge : found.shape[3] - edge]
            mean = functional.avg_pool2d(inner, window, stride=1)
            parts.append(mean[:, :, : found.shape[2] - side + 1, : found.shape[3] - side + 1])
        return torch.cat(parts, dim=1).movedim(1, -1)

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Answers for n cutouts.

        Returns
        -------
        logits : (n, 2) tensor
            Of being a cluster: by the image alone, as maps of whole images have it, and by all.
        visibility : (n, 2) tensor
            log10 of the signal-to-noise ratio, and the logarithm of the error of that.
        features : (n, hidden) tensor
            For the chain.
        """
        pooled = self.pooled(self.features(batch["image"]))[:, 0, 0]
        body = self.body(torch.cat([pooled, self.beside(batch["features"])], dim=1))
        visibility = self.visibility(body)
        scatter = visibility[:, 1].clamp(min=LEAST_LOG_SCATTER)
        visibility = torch.stack([visibility[:, 0], scatter], dim=1)
        logits = torch.cat([self.detector(pooled), self.classifier(body)], dim=1)
        return logits, visibility, body

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Negative log-likelihoods of the truth.

        Parameters
        ----------
        batch : dict of str to tensor
            ``image``, ``features``; ``values`` (n, 4), ``cluster`` (n,) 0 or 1, ``log_snr`` (n,).

        Returns
        -------
        loss : tensor
            Their weighted sum.
        figures : dict of str to tensor
            ``posterior``, nats per cluster; ``class``, nats per cutout.
        """
        logits, visibility, body = self(batch)
        cluster = batch["cluster"].float()
        count = cluster.sum().clamp(min=1)
        part = self._part(batch["values"])
        links = (self.chain.surprise(body, part) * cluster[:, None]).sum(dim=0) / count
        posterior = links.sum()
        miss = torch.nan_to_num(batch["log_snr"]) - visibility[:, 0]
        seen = 0.5 * (miss * torch.exp(-visibility[:, 1])) ** 2 + visibility[:, 1]
        seen = (seen * cluster).sum() / count
        kinds = functional.binary_cross_entropy_with_logits(
            logits, cluster[:, None].expand(-1, 2), reduction="none"
        ).mean(dim=0)
        loss = posterior + CLASS * kinds.sum() + VISIBILITY * seen
        return loss, {"posterior": posterior.detach(), "class": kinds[1].detach()}

    def calibrate(self, batches: Iterable[dict[str, Tensor]]) -> None:
        """Calibrate the posterior on cutouts that were not trained on.

        Parameters
        ----------
        batches : iterable of dict
            As `loss` takes them.
        """
        features, parts = [], []
        with torch.no_grad():
            for batch in batches:
                cluster = batch["cluster"] > 0
                features.append(self(batch)[2][cluster])
                parts.append(self._part(batch["values"][cluster]))
            self.chain.calibrate(torch.cat(features), torch.cat(parts))

    def _part(self, values: Tensor) -> Tensor:
        """Parameters from 0 to 1 in their ranges."""
        low, high = self.ranges[:, 0], self.ranges[:, 1]
        return ((torch.nan_to_num(values) - low) / (high - low)).clamp(0, 1)

    def predict(
        self, batch: dict[str, Tensor], draws: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draws from the posterior, probability and visibility.

        Parameters
        ----------
        batch : dict of str to tensor
            n cutouts, from `Inputs.batch`.
        draws : int
            Of each.
        generator : torch.Generator
            Of the draws.

        Returns
        -------
        samples : (n, draws, 4) tensor
        p_cluster, log_snr : (n,) tensors
        """
        logits, visibility, body = self(batch)
        low, high = self.ranges[:, 0], self.ranges[:, 1]
        samples = low + self.chain.draw(body, draws, generator) * (high - low)
        return samples, torch.sigmoid(logits[:, 1]), visibility[:, 0]

    def p_map(self, image: Tensor) -> Tensor:
        """Probability of a cluster in the middle of every window of an image.

        Parameters
        ----------
        image : (1, bands, y, x) tensor
            From `Inputs`, larger than a cutout; its sides are multiples of `step`.

        Returns
        -------
        (my, mx) tensor
            Windows begin every `step` pixels.
        """
        pooled = self.pooled(self.features(image))[0]
        return torch.sigmoid(self.detector(pooled)[..., 0])


def build(
    inputs: Inputs,
    *,
    channels: Sequence[int] = (24, 48, 96, 128),
    blocks: int = 2,
    hidden: int = 256,
    bins: int = 40,
    dropout: float = 0.0,
    half: bool = False,
) -> ResidualNetwork:
    """Build the network.

    Parameters
    ----------
    inputs : Inputs
        What it is given.
    channels : sequence of int
        Of the trunk's stages.
    blocks : int
        Of each stage.
    hidden : int
        Neurons of the layers behind the trunk.
    bins : int
        Of the posterior's histograms.
    dropout : float
        Part of the hidden neurons that are silent in a training step.
    half : bool
        Whether convolutions compute in bfloat16: twice as fast where the processor knows it.

    Returns
    -------
    ResidualNetwork
        With weights from torch's generator.

    Raises
    ------
    ParameterError
        If an option makes no sense.
    """
    step = 2 ** len(channels)
    if not channels or min(channels) < 1 or inputs.size % step or inputs.size < 2 * step:
        allowed = f"stages that halve {inputs.size} pixels without rest, two or more at the end"
        raise ParameterError("network.channels", list(channels), allowed)
    for name, value in (("blocks", blocks), ("hidden", hidden), ("bins", bins)):
        if value < 1:
            raise ParameterError(f"network.{name}", value, "1 or more")
    if not 0 <= dropout < 1:
        raise ParameterError("network.dropout", dropout, "0 or more, below 1")
    options: dict[str, Any] = {"dropout": dropout, "half": half}
    return ResidualNetwork(inputs, tuple(channels), blocks, hidden, bins, **options)
