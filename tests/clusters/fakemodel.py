"""A model that needs no training: it takes bright round blobs for clusters."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from filar.clusters.cutouts import Cutouts
from filar.clusters.pmap import PMap
from filar.clusters.posterior import Predictions
from tests.clusters.fields import BANDS

SCALE = 0.04
TRUTH = np.array([7.2, 0.8, 4.4, -0.9])


class FakeModel:
    """Says that every cluster is `TRUTH`, give or take; a cluster is what stands out."""

    def __init__(
        self, bands: tuple[str, ...] = BANDS, size: int = 32, pixel_scale: float = SCALE
    ) -> None:
        self.inputs_ = SimpleNamespace(bands=bands, size=size, pixel_scale=pixel_scale)
        self.card_ = SimpleNamespace(normalisation={"distance_mpc": 4.5})
        self.asked: list[Cutouts] = []

    def predict(self, cutouts: Cutouts, draws: int = 1000, *, seed: int = 0) -> Predictions:
        self.asked.append(cutouts)
        n, middle = len(cutouts), cutouts.size // 2
        rng = np.random.default_rng(seed)
        samples = TRUTH + rng.normal(0, [0.1, 0.2, 0.05, 0.02], (n, draws, 4))
        core = cutouts.flux[:, :, middle - 2 : middle + 2, middle - 2 : middle + 2]
        above = core.mean(axis=(2, 3)) - np.median(cutouts.flux, axis=(2, 3))
        snr = np.sqrt(((4 * above / cutouts.noise) ** 2).sum(axis=1))
        p_cluster = 1 / (1 + np.exp(-(snr - 10) / 2))
        log_snr = np.log10(np.maximum(snr, 1e-3))
        return Predictions(samples.astype(np.float32), p_cluster, log_snr, snr < 1e4)

    def p_map(
        self, flux: NDArray[np.float32], *, progress: Callable[[float], None] | None = None
    ) -> PMap:
        step, size = 4, self.inputs_.size
        begin = (size - 1) / 2
        total = flux.mean(axis=0)
        rows = np.arange(begin, flux.shape[1] - begin, step)
        columns = np.arange(begin, flux.shape[2] - begin, step)
        at = np.round(rows).astype(int), np.round(columns).astype(int)
        near = np.stack([
            total[np.ix_(at[0] + dy, at[1] + dx)] for dy in range(-3, 4) for dx in range(-3, 4)
        ]).mean(axis=0)  # fmt: skip
        away = (near - np.median(near)) / (np.ptp(near) or 1.0)
        if progress is not None:
            progress(1.0)
        return PMap((1 / (1 + np.exp(-12 * (away - 0.3)))).astype(np.float32), begin, begin, step)
