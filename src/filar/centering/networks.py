"""The papers' networks: C23's VGG6 in two sizes and C24's VGG8, layer by layer.

C23: Casetti-Dinescu et al. 2023 (PASP 135, 054501), table 1; C24: Casetti-Dinescu et al. 2024,
table 2. Both were made in Keras, whose defaults hold here too: uniform Glorot first weights and
zero biases; batch normalisation with a momentum of 0.99 (torch counts the complement) and an
epsilon of 0.001. ReLU after every hidden layer, normalisation after the ReLU of the fourth
convolution. C23's table prints 16x16 and 12x12 for V2's first convolutions, which cannot precede
its 8x8 pool; padded to 24x24 every later shape and every count agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from filar.errors import ParameterError

CORNER = 0.5
"""Pixels from a raster's corner, where the papers count from, to the centre of its first pixel."""


class PaperNetwork(nn.Module):
    """What the papers' networks share: zero padding, convolutions in pairs, and the loss.

    Parameters
    ----------
    padded : int
        Pixels on the side to which rasters are padded with zeros.
    pairs : sequence of (kernel, channels)
        For each pair of convolutions; a 2x2 maximum follows each pair.
    padding : {"valid", "same"}
        Of the convolutions.
    """

    def __init__(
        self,
        padded: int,
        pairs: Sequence[tuple[int, int]],
        padding: Literal["valid", "same"],
    ) -> None:
        super().__init__()
        self.padded = padded
        layers: list[nn.Module] = []
        before = 1
        for number, (kernel, channels) in enumerate(pairs):
            layers += [nn.Conv2d(before, channels, kernel, padding=padding), nn.ReLU()]
            layers += [nn.Conv2d(channels, channels, kernel, padding=padding), nn.ReLU()]
            if number == 1:
                layers.append(nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01))
            layers.append(nn.MaxPool2d(2))
            before = channels
        self.convolutions = nn.Sequential(*layers, nn.Flatten())

    def features(self, rasters: Tensor) -> Tensor:
        """What the convolutions see in rasters.

        Parameters
        ----------
        rasters : (n, size, size) tensor
            Divided by their sums.

        Returns
        -------
        (n, features) tensor

        Raises
        ------
        ParameterError
            If the rasters are larger than what they are padded to.
        """
        missing = self.padded - rasters.shape[-1]
        if missing < 0:
            size, allowed = rasters.shape[-1], f"{self.padded} or less for this network"
            raise ParameterError("size", size, allowed)
        low, high = missing // 2, missing - missing // 2
        padded = nn.functional.pad(rasters[:, None], (low, high, low, high))
        result: Tensor = self.convolutions(padded)
        return result

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean absolute error, over both axes.

        Parameters
        ----------
        batch : dict of tensors
            "raster" (n, size, size); "label" (n, 2): x and y, raster coordinates; "scalars" (n, 3)
            if the network takes them.

        Returns
        -------
        loss : tensor
            Pixels.
        figures : dict of str to tensor
            "error": the rms error of one axis, pixels.
        """
        miss = self(batch["raster"], batch.get("scalars")) - batch["label"]
        return miss.abs().mean(), {"error": miss.detach().square().mean().sqrt()}

    def _begin(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class VGG6(PaperNetwork):
    """C23's network: four convolutions and two dense layers.

    Parameters
    ----------
    version : {1, 2}
        V1 with 34,418 parameters, V2 with 214,754.
    """

    def __init__(self, version: Literal[1, 2]) -> None:
        if version == 1:
            super().__init__(16, [(3, 16), (3, 32)], "valid")
        else:
            super().__init__(24, [(5, 32), (3, 64)], "valid")
        features = 32 if version == 1 else 256
        self.dense = nn.Sequential(nn.Linear(features, 512), nn.ReLU(), nn.Linear(512, 2))
        self._begin()

    def forward(self, rasters: Tensor, scalars: Tensor | None = None) -> Tensor:
        """Positions: (n, 2), x and y, raster coordinates; scalars are not looked at."""
        result: Tensor = self.dense(self.features(rasters)) - CORNER
        return result


class VGG8(PaperNetwork):
    """C24's network: six convolutions, and a branch for position on the chip and magnitude.

    The paper does not say how the three scalars are scaled; they should be of order one.
    """

    def __init__(self) -> None:
        super().__init__(12, [(5, 60), (5, 120), (3, 240)], "same")
        self.fc_1 = nn.Linear(240, 40)
        self.gp_1 = nn.Linear(3, 40)
        self.fc_out = nn.Linear(80, 2)
        self._begin()

    def forward(self, rasters: Tensor, scalars: Tensor | None = None) -> Tensor:
        """Positions: (n, 2), x and y, raster coordinates; scalars: (n, 3), X, Y, magnitude."""
        if scalars is None:
            raise ParameterError("scalars", None, "position on the chip and magnitude: (n, 3)")
        image = torch.relu(self.fc_1(self.features(rasters)))
        place = torch.relu(self.gp_1(scalars))
        result: Tensor = self.fc_out(torch.cat([image, place], 1)) - CORNER
        return result


def paper_network(name: str) -> PaperNetwork:
    """Build one of the papers' networks, with first weights from torch's random numbers.

    Parameters
    ----------
    name : {"c23-v1", "c23-v2", "c24-vgg8"}
        As recipes call it.

    Returns
    -------
    PaperNetwork
        Untrained.

    Raises
    ------
    ParameterError
        If there is no such network.
    """
    if name in ("c23-v1", "c23-v2"):
        return VGG6(1 if name == "c23-v1" else 2)
    if name == "c24-vgg8":
        return VGG8()
    raise ParameterError("network.name", name, "c23-v1, c23-v2 or c24-vgg8")


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Parameters as Keras counts them.

    Parameters
    ----------
    network : torch.nn.Module
        The network.

    Returns
    -------
    total, trainable : int
        The total includes the moving means and variances of batch normalisations.
    """
    trainable = sum(weight.numel() for weight in network.parameters())
    moving = sum(buffer.numel() for buffer in network.buffers() if buffer.is_floating_point())
    return trainable + moving, trainable
