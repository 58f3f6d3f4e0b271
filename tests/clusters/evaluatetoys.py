"""Clusters whose posteriors are known exactly: Gaussian priors, Gaussian noise, correlated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.clusters.data import Truth
from filar.clusters.evaluate import Estimates
from filar.clusters.posterior import Predictions

MIDDLE = np.array([7.3, 1.5, 4.5, -0.9])
SPREAD = np.array([0.4, 0.7, 0.5, 0.25])
NOISE = np.array([0.3, 0.5, 0.2, 0.1])
TIED = -0.8
"""Correlation of the noise of age and extinction."""


def toy_truth(clusters: int = 800, backgrounds: int = 0, seed: int = 0) -> Truth:
    """Clusters first, then backgrounds."""
    rng = np.random.default_rng(seed)
    values = MIDDLE + SPREAD * rng.normal(size=(clusters, 4))
    snr = 1.2 + 0.8 * (values[:, 2] - MIDDLE[2]) + 0.2 * rng.normal(size=clusters)
    nothing = np.full((backgrounds, 4), np.nan)
    return Truth(
        np.concatenate([values, nothing]),
        np.arange(clusters + backgrounds) < clusters,
        np.concatenate([snr, nothing[:, 0]]),
    )


def toy_posterior(
    truth: Truth,
    *,
    draws: int = 200,
    width: float = 1.0,
    shift: float = 0.0,
    tied: float = TIED,
    separation: float = 2.0,
    seed: int = 1,
) -> Predictions:
    """What somebody says who has seen the values with noise.

    Exact posteriors; `width` makes them too wide or narrow, `shift` moves them (in units of the
    noise), and another correlation than `TIED` is believed with the same widths of each parameter.
    """
    rng = np.random.default_rng(seed)
    n = len(truth)
    values = np.where(truth.cluster[:, None], truth.values, MIDDLE)
    noise = np.diag(NOISE**2)
    noise[0, 1] = noise[1, 0] = TIED * NOISE[0] * NOISE[1]
    seen = values + rng.normal(size=(n, 4)) @ np.linalg.cholesky(noise).T
    cover = np.linalg.inv(np.diag(SPREAD**-2.0) + np.linalg.inv(noise))
    mean = MIDDLE + (seen - MIDDLE) @ (cover @ np.linalg.inv(noise)).T + shift * NOISE
    believed = cover.copy()
    if tied != TIED:
        believed[0, 1] = believed[1, 0] = tied * np.sqrt(cover[0, 0] * cover[1, 1])
    root = width * np.linalg.cholesky(believed)
    samples = mean[:, None] + rng.normal(size=(n, draws, 4)) @ root.T
    log_odds = np.where(truth.cluster, separation, -separation) * 2 + 2 * rng.normal(size=n)
    p = 1 / (1 + np.exp(-log_odds * separation))
    log_snr = np.nan_to_num(truth.log_snr, nan=0.0) + 0.1 * rng.normal(size=n)
    return Predictions(samples.astype(np.float32), p, log_snr, np.arange(n) % 10 > 0)


def toy_estimates(truth: Truth, factor: float = 1.5, seed: int = 2) -> Estimates:
    """Values with a noise of their own, unshrunk, and honest intervals."""
    rng = np.random.default_rng(seed)
    sigma = factor * NOISE
    value: NDArray[np.float64] = truth.values + sigma * rng.normal(size=truth.values.shape)
    ends = {
        0.68: (value - 0.994 * sigma, value + 0.994 * sigma),
        0.95: (value - 1.96 * sigma, value + 1.96 * sigma),
    }
    return Estimates(value, ends)
