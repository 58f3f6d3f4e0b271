"""Artificial stars whose true recovery probability is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.completeness.table import ArtificialStars, RealStars
from filar.learn.recipe import Recipe, override

BANDS = ("F555W", "F814W")


def true_probability(mag: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Falls with the magnitude in each band, sooner where the sky is noisy."""
    limit = np.array([26.0, 25.0]) - 1.25 * np.log10(noise)[:, None]
    return np.asarray(np.prod(1 / (1 + np.exp(3.0 * (mag - limit))), axis=1))


def toy_stars(number: int = 2000, seed: int = 0) -> ArtificialStars:
    """Stars of a flat luminosity function on skies of different noise."""
    rng = np.random.default_rng(seed)
    blue = rng.uniform(21, 28, number)
    mag = np.stack([blue, blue - rng.uniform(-0.5, 2.5, number)], axis=1)
    noise = 10 ** rng.uniform(0.0, 1.0, number)
    recovered = rng.random(number) < true_probability(mag, noise)
    out = mag + rng.normal(0.0, 0.05, mag.shape)
    alone = rng.random(mag.shape) < 0.3  # found in this band though lost as a whole
    return ArtificialStars(
        BANDS, mag, np.where(recovered[:, None] | alone, out, np.nan), recovered,
        {"sky_noise_F555W": noise, "crowding": rng.gamma(2.0, 1e-3, number)},
        rng.uniform(0, 800, number), rng.uniform(0, 800, number),
        {"cuts": {"snr": 5.0, "bands": 2}, "mag_system": "Vega"},
    )  # fmt: skip


def toy_real(number: int = 50, seed: int = 1) -> RealStars:
    """Real stars on the same skies."""
    stars = toy_stars(number, seed)
    return RealStars(stars.bands, stars.mag_in, stars.covariates, stars.x, stars.y, stars.meta)


def small_recipe(**changes: Any) -> Recipe:
    """Recipe of a network that learns in a moment; changes by dotted name, __ for the dot."""
    content = {
        "name": "small", "job": "completeness",
        "network": {"name": "mlp", "layers": [16]}, "loss": {"name": "log"},
        "optimiser": {"lr": 1e-2}, "budget": {"epochs": 2, "batch_size": 128},
    }  # fmt: skip
    recipe = Recipe.model_validate(content)
    return override(recipe, {name.replace("__", "."): value for name, value in changes.items()})


PHASES = [
    {"part": 0.2, "rates": [1e-2, 1e-3], "steps": 2, "epochs": 2},
    {"part": 1.0, "rates": [1e-3, 1e-3], "epochs": 2},
]


def stepped_recipe() -> Recipe:
    """Cointoss' network and its kind of training, small."""
    content = small_recipe().model_dump()
    content["optimiser"] |= {"name": "adam", "l2": 1e-6, "schedule": "stepped", "phases": PHASES}
    content["budget"] |= {"epochs": 6, "batch_part": 0.05, "batch_least": 16}
    return Recipe.model_validate(content)
