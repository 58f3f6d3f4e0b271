"""Saturated stars: how long training takes, how many stamps are told per second, how much memory.

W24's network is trained as often and as long as its recipe says on a tenth of the paper's stamps
(332,000, of which 60% train, each in four orientations), and ours on the same. Made-up stamps do:
an epoch takes as long whatever is in them. With --race the worse two thirds of the paper's 24
trainings end after 5, 15 and 50 epochs.

    python -m benchmarks.saturation [--stamps 33200] [--workers 2] [--race] [--networks filar,w24]
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import replace
from time import perf_counter

import numpy as np

from experiments.w24.models import OURS, PAPERS, RECIPES
from filar.learn.recipe import load_recipe, override
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel
from filar.threads import torch_threads

PAPER = 332_000
"""Stamps of the paper."""

SIZE, LEVEL, SKY, NOISE = 21, 97_000.0, 320.0, 20.0
IMAGES_OF_A_STAR = 4
SECONDS = 5.0
"""For which stamps are predicted again and again."""


def made_up(stamps: int, columns: tuple[str, ...], seed: int = 0) -> Samples:
    """Stamps of Gaussian stars with wings, cut off at a level; evidence near the truth."""
    rng = np.random.default_rng(seed)
    stars = max(stamps // IMAGES_OF_A_STAR, 1)
    star = np.arange(stamps) % stars
    truth = rng.uniform(4.4, 8.4, stars)[star]
    away = np.arange(SIZE) - SIZE // 2
    dx, dy = rng.uniform(-0.5, 0.5, (2, stamps, 1, 1)).astype(np.float32)
    square = (away.astype(np.float32) - dx) ** 2 + (away[:, None].astype(np.float32) - dy) ** 2
    light = np.exp(-square / 2) * (0.97 / (2 * np.pi)) + 0.03 / (1 + square) ** 2 / np.pi
    light *= 10 ** truth[:, None, None].astype(np.float32)
    light += SKY + NOISE * rng.standard_normal(light.shape, dtype=np.float32)
    saturated = light > LEVEL
    evidence = np.zeros((stamps, len(columns)), np.float32)
    for k, name in enumerate(columns):
        if name.endswith("_err"):
            evidence[:, k] = 0.02
        elif f"{name}_err" in columns:
            evidence[:, k] = truth + rng.normal(0, 0.02, stamps)
        else:
            evidence[:, k] = rng.random(stamps)
    return Samples.build(
        np.minimum(light, LEVEL), star=star, image=star % 16, saturated=saturated,
        x=rng.uniform(50, 970, stamps), y=rng.uniform(50, 970, stamps),
        sky=np.full(stamps, SKY), noise=np.full(stamps, NOISE), level=np.full(stamps, LEVEL),
        zero_point=np.full(stamps, 25.9), evidence=evidence, columns=columns, log_n=truth,
        log_n_err=np.full(stamps, 0.003), mag=25.9 - 2.5 * truth,
        images=tuple(f"image {k}" for k in range(16)), cameras=("sim-a",) * 16,
        filters=("g",) * 16,
    )  # fmt: skip


def evidence_columns() -> tuple[str, ...]:
    """Names of what is measured of every star."""
    from filar.saturation.evidence import COLUMNS

    return tuple(COLUMNS)


def memory() -> float:
    """Most memory that this process and its children had, GiB each."""
    own, children = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return max(own, children) / 2**20


def speed(model: SaturationModel, samples: Samples) -> float:
    """Stamps per second, in one thread as everywhere."""
    model.predict(samples)
    told, began = 0, perf_counter()
    while perf_counter() - began < SECONDS:
        model.predict(samples)
        told += len(samples)
    return told / (perf_counter() - began)


def measured(name: str, samples: Samples, given: argparse.Namespace) -> str:
    """Train one network and let it predict; a line of the table."""
    recipe = load_recipe(RECIPES[name])
    if name == PAPERS and given.race:
        recipe = override(recipe, {"network.race": [5, 15, 50]})
    if given.epochs:
        recipe = override(recipe, {"budget.epochs": given.epochs})
    began = perf_counter()
    model = SaturationModel(recipe, seed=given.seed).fit(samples, workers=given.workers)
    seconds = perf_counter() - began
    piece = samples.select(slice(0, 16_384))
    with torch_threads(1):
        rate = speed(model, replace(piece, log_n=np.full(len(piece), np.nan)))
    return f"{name:8s} {len(samples):8d} {seconds:10.1f} {rate:12.0f} {memory():8.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stamps", type=int, default=PAPER // 10)
    parser.add_argument("--networks", default=f"{OURS},{PAPERS}")
    parser.add_argument("--race", action="store_true", help="worse trainings end early")
    parser.add_argument("--epochs", type=int, default=0, help="0: the recipes'")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    samples = made_up(given.stamps, evidence_columns(), given.seed)
    print("network    stamps  training s  stamps per s  GiB", flush=True)
    for name in given.networks.split(","):
        print(measured(name, samples, given), flush=True)


if __name__ == "__main__":
    main()
