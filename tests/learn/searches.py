"""Pretended trainings for the search; run as a program it searches with two processes."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from filar.learn.recipe import Recipe
from filar.learn.search import search_recipe
from filar.learn.train import Progress

RECIPE = Recipe.model_validate(
    {
        "name": "pretended",
        "job": "centering",
        "network": {"name": "none", "width": 8},
        "loss": {"name": "mae"},
        "optimiser": {"lr": 0.5},
        "budget": {"epochs": 9},
        "search": {
            "optimiser.lr": {"low": 1e-5, "high": 1.0, "log": True},
            "network.width": {"choices": [4, 8, 16]},
            "network.depth": {"low": 1, "high": 5},
        },
    }
)


def figure(recipe: Recipe, epoch: int) -> float:
    """Least at a rate of 0.01 and a width of 8; falls with the epochs."""
    off = math.log10(recipe.optimiser.lr) + 2
    return off**2 + abs(recipe.network.options["width"] - 8) / 8 + 1 / epoch


def pretend(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
    """Train in no time; the folder's file tells how many epochs were done."""
    folder.mkdir(parents=True)
    for epoch in range(1, recipe.budget.epochs + 1):
        with (folder.parent / "epochs").open("a") as stream:
            stream.write(f"{os.getpid()} {epoch}\n")
        progress(Progress(epoch, recipe.budget.epochs, 0, 0, {"error": figure(recipe, epoch)}))


def pretend_slowly(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
    """Train in a moment, so that there is time to be killed."""

    def slowly(now: Progress) -> None:
        time.sleep(0.02)
        progress(now)

    pretend(recipe, folder, slowly)


if __name__ == "__main__":
    search_recipe(RECIPE, pretend_slowly, sys.argv[1], trials=16, workers=2, figure="error")
