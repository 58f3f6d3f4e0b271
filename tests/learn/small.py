"""A small problem for the trainer; run as a program it trains and kills itself on the way."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from filar.learn.settings import TrainingSettings

ROWS = 256
SETTINGS = TrainingSettings.model_validate(
    {
        "optimiser": {"lr": 3e-2, "weight_decay": 1e-3, "schedule": "cosine", "clip": 1.0},
        "ema": {"momentum": 0.9},
        "budget": {"epochs": 6, "batch_size": 32},
    }
)


class Small(nn.Module):
    """With all that could go wrong in resuming: running statistics and random drops."""

    def __init__(self, seed: int = 3) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.net = nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1)
        )

    def loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        miss = self.net(batch["x"])[:, 0] - batch["y"]
        return miss.abs().mean(), {"square": miss.detach().square().mean()}


def data(seed: int = 0) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(ROWS, 4, generator=rng)
    return {"x": x, "y": x[:, 0] - 2 * x[:, 1] * x[:, 2] + 1}


def batches(number: int) -> Iterator[dict[str, Tensor]]:
    rows, rng = data(), torch.Generator().manual_seed(number)
    for chosen in torch.randperm(ROWS, generator=rng).split(32):
        yield {name: column[chosen] for name, column in rows.items()}


def validation() -> list[dict[str, Tensor]]:
    return [data(1)]


if __name__ == "__main__":
    from filar.learn.train import train

    folder, epoch, step = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    def deadly(number: int) -> Iterator[dict[str, Tensor]]:
        for count, batch in enumerate(batches(number)):
            if (number, count) == (epoch, step):
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    train(
        Small(), deadly, validation, SETTINGS, folder, seed=5, accelerator="cpu", devices=1,
        checkpoint_seconds=0, tensorboard=False,
    )  # fmt: skip
