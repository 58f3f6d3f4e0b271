"""Made-up stamps of stars: a Gaussian with wings, saturated at a level; and a small recipe."""

from __future__ import annotations

from typing import Any

import numpy as np

from filar.learn.recipe import Recipe, load_recipe, override
from filar.saturation.data import Samples

LEVEL, SKY, NOISE, ZERO_POINT = 60_000.0, 200.0, 15.0, 25.0
SIZE = 21


def toy_samples(
    stars: int = 150,
    images: int = 2,
    seed: int = 0,
    log_n: tuple[float, float] = (3.5, 6.5),
    **changes: Any,
) -> Samples:
    """Stars in several images, from faint to heavily saturated."""
    rng = np.random.default_rng(seed)
    n = stars * images
    truth = np.repeat(rng.uniform(*log_n, stars), images)
    away = np.arange(SIZE) - SIZE // 2
    dx, dy = rng.uniform(-0.5, 0.5, (2, n, 1, 1))
    square = (away - dx) ** 2 + (away[:, None] - dy) ** 2
    shape = np.exp(-square / 2 / 0.9**2) / (2 * np.pi * 0.9**2)
    light = SKY + 10 ** truth[:, None, None] * (0.97 * shape + 0.03 / (1 + square) ** 2 / np.pi)
    stamp = light + NOISE * rng.normal(size=light.shape)
    saturated = stamp > LEVEL
    stamp = np.where(saturated, LEVEL, stamp)
    values: dict[str, Any] = {
        "star": np.repeat(np.arange(stars) + 7, images),
        "image": np.tile(np.arange(images), stars),
        "x": 100 + dx[:, 0, 0] + rng.integers(0, 800, n),
        "y": 100 + dy[:, 0, 0] + rng.integers(0, 800, n),
        "saturated": saturated, "sky": np.full(n, SKY), "noise": np.full(n, NOISE),
        "level": np.full(n, LEVEL), "zero_point": np.full(n, ZERO_POINT),
        "log_n": truth, "log_n_err": np.full(n, 0.002), "mag": ZERO_POINT - 2.5 * truth,
        "images": tuple(f"image-{k}" for k in range(images)),
        "cameras": ("sim-a",) * images, "filters": ("g",) * images,
        "meta": {"mjd": [58000.0 + k for k in range(images)], "variable": []},
    }  # fmt: skip
    return Samples.build(stamp, **{**values, **changes})


def small_recipe(**changes: Any) -> Recipe:
    """W24's recipe with a small network and few epochs; double underscores are dots."""
    small = {
        "name": "small", "network.width": 16, "network.layers": 2, "network.trainings": 1,
        "optimiser.lr": 3e-3, "budget.epochs": 3, "search": {},
    }  # fmt: skip
    given = {name.replace("__", "."): value for name, value in changes.items()}
    return override(load_recipe("w24"), {**small, **given})
