"""First guesses of the edges between stars found and stars lost."""

import numpy as np
import pytest
import torch
from torch import Tensor

from filar.completeness.edges import BEYOND, guess_edges

Batch = dict[str, Tensor]


def batch(mag: np.ndarray, found: np.ndarray, recovered: np.ndarray | None = None) -> Batch:
    everything = found.all(axis=1) if recovered is None else recovered
    arrays = {"mag": mag, "mag_known": np.ones_like(mag), "found": found, "recovered": everything}
    return {name: torch.from_numpy(np.float32(array)) for name, array in arrays.items()}


def test_steps_are_found_band_by_band_among_chance_losses() -> None:
    rng = np.random.default_rng(0)
    mag = rng.uniform(-5, 5, (4000, 2))
    inside = (mag < [3.0, 2.0]) & (mag > [-4.0, -3.5])
    found = inside & (rng.random(mag.shape) < 0.9)
    edges = guess_edges(batch(mag, found))
    assert edges.faint == pytest.approx([3.0, 2.0], abs=0.05)
    assert edges.bright == pytest.approx([-4.0, -3.5], abs=0.05)
    assert edges.faintest == pytest.approx(mag.max(axis=0))
    assert edges.brightest == pytest.approx(mag.min(axis=0))


def test_edges_that_the_data_do_not_show_lie_beyond_them() -> None:
    mag = np.random.default_rng(1).uniform(-5, 5, (500, 1))
    edges = guess_edges(batch(mag, np.ones((500, 1), bool)))
    assert edges.faint == pytest.approx(mag.max(axis=0) + BEYOND)
    assert edges.bright == pytest.approx(mag.min(axis=0) - BEYOND)


def test_stars_lost_by_a_cut_count_as_lost_and_recovered_ones_as_found() -> None:
    mag = np.random.default_rng(2).uniform(-5, 5, (2000, 2))
    cut = mag[:, 0] < 1.5
    edges = guess_edges(batch(mag, np.ones_like(mag, bool), cut))
    assert edges.faint[0] == pytest.approx(1.5, abs=0.05)
    one_is_enough = np.stack([mag[:, 0] < 1.5, np.zeros(2000, bool)], axis=1)
    edges = guess_edges(batch(mag, one_is_enough, cut))
    assert edges.faint[0] == pytest.approx(1.5, abs=0.05)
