"""Samples with made-up evidence of which the network of experts can learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from filar.learn.recipe import Recipe, load_recipe, override
from filar.saturation.data import Samples
from filar.saturation.evidence import COLUMNS, CONTEXT, EXPERTS, RINGS
from tests.saturation.toys import toy_samples

SATURATES = 5.3
"""log10 of the electrons of a star whose brightest pixel is full."""
ERRORS = {"psf": 0.002, "trail": 0.004, "aperture": 0.3, "ring_4": 0.02, "ring_6": 0.05}
BIASES = {"ring_4": 0.05, "aperture": -0.1}
"""Dex: what each expert of the toys is wrong by; of other rings nothing is known."""


def with_evidence(samples: Samples, seed: int = 1) -> Samples:
    """The samples with estimates: of unsaturated stars the PSF's, of saturated ones the others'."""
    rng = np.random.default_rng(seed)
    n = len(samples)
    bright = samples.log_n > SATURATES
    columns: dict[str, Any] = {name: np.full(n, np.nan) for name in COLUMNS}
    for name, error in ERRORS.items():
        known = {"psf": ~bright, "trail": bright}.get(name, np.ones(n, bool))
        value = samples.log_n + BIASES.get(name, 0.0) + error * rng.normal(size=n)
        columns[name] = np.where(known, value, np.nan)
        columns[f"{name}_err"] = np.where(known, error, np.nan)
    columns["wings"], columns["wings_err"] = columns["ring_4"], columns["ring_4_err"]
    columns |= {f"ring_{k}_others": rng.uniform(0, 0.1, n) for k in range(RINGS)}
    columns |= {name: rng.normal(size=n) for name in CONTEXT}
    columns["peak"] = samples.log_n - SATURATES
    evidence = np.stack([columns[name] for name in COLUMNS], axis=1)
    made = {name: getattr(samples, name) for name in ("star", "image", "x", "y", "saturated",
            "sky", "noise", "level", "zero_point", "log_n", "log_n_err", "mag", "images",
            "cameras", "filters", "meta")}  # fmt: skip
    return Samples.build(samples.stamp, evidence=evidence, columns=COLUMNS, **made)


def toys(stars: int = 150, images: int = 2, seed: int = 0, **changes: Any) -> Samples:
    """Stars in several images, from faint to heavily saturated, with evidence."""
    return with_evidence(toy_samples(stars, images, seed, **changes), seed + 1)


def quick_recipe(**changes: Any) -> Recipe:
    """filar's own recipe with a small network and few epochs; double underscores are dots."""
    quick = {
        "name": "quick", "network.layers": [16], "budget.epochs": 30, "budget.batch_size": 64,
        "search": {},
    }  # fmt: skip
    given = {name.replace("__", "."): value for name, value in changes.items()}
    return override(load_recipe("filar-saturation"), {**quick, **given})


assert set(ERRORS) <= set(EXPERTS)
