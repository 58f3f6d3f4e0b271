"""A fully connected network for one number, with the loss of W24."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Perceptron(nn.Module):
    """Fully connected layers with ReLU between them; one output.

    Parameters
    ----------
    inputs : int
        Numbers per star.
    widths : sequence of int
        Of the hidden layers.
    center, scale : float
        What the output is multiplied by and added to.
    """

    def __init__(self, inputs: int, widths: Sequence[int], center: float, scale: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip([inputs, *widths], widths, strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.net = nn.Sequential(*layers, nn.Linear(widths[-1], 1))
        self._center, self._scale = center, scale

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """log10 of the electrons: (n,)."""
        found: Tensor = self.net(batch["x"])
        return self._center + self._scale * found[:, 0]

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of log10 N, dex squared."""
        miss = self(batch) - batch["log_n"]
        return miss.square().mean(), {}

    def predict(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        """log10 of the electrons; it knows no errors."""
        return self(batch), None
