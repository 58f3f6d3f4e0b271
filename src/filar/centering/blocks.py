"""Pieces of our network."""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """Two dense layers beside a bypass, layer-normalised."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) to (n, width)."""
        change: Tensor = self.outer(nn.functional.silu(self.inner(self.norm(x))))
        return x + change


def perceptron(inputs: int, width: int, blocks: int, outputs: int) -> nn.Sequential:
    """Dense layer, residual blocks, and a dense layer that starts with zeros.

    Parameters
    ----------
    inputs, width, blocks, outputs : int
        Numbers of units, and of residual blocks.

    Returns
    -------
    torch.nn.Sequential
        (n, inputs) to (n, outputs).
    """
    last = nn.Linear(width, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    inner = [Residual(width) for _ in range(blocks)]
    return nn.Sequential(
        nn.Linear(inputs, width), nn.SiLU(), *inner, nn.LayerNorm(width), nn.SiLU(), last
    )
