"""A small set of mock clusters that takes no time: round blobs whose light follows the truth."""

import json
from pathlib import Path

import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray

from filar.catalogfile import write_catalog
from filar.clusters.posterior import PARAMETERS

BANDS = ("F336W", "F438W", "F814W")
RANGES = {
    "log_age": (6.6, 8.0), "a_v": (0.0, 3.0), "log_mass": (3.5, 5.5), "log_r_h": (-1.4, -0.4),
}  # fmt: skip
SCALE = 0.08


def blob_magnitudes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitudes in three bands: ages and extinction redden differently."""
    age, a_v, mass, _ = values.T
    bright = 22 - 2.5 * (mass - 4.0)
    ages = np.stack([1.6 * (age - 6.6), 1.0 * (age - 6.6), 0.3 * (age - 6.6)], axis=1)
    dust = np.stack([1.66 * a_v, 1.33 * a_v, 0.59 * a_v], axis=1)
    return np.asarray(bright[:, None] + ages + dust)


def flat_prior(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Truths that fill their ranges evenly."""
    ends = np.array([RANGES[name] for name in PARAMETERS])
    return rng.uniform(ends[:, 0], ends[:, 1], (n, len(ends)))


def write_set(
    folder: Path,
    n: int = 60,
    *,
    scenes: int = 4,
    size: int = 32,
    extent: int = 96,
    seed: int = 0,
    values: NDArray[np.float64] | None = None,
    mags: NDArray[np.float64] | None = None,
) -> Path:
    """Write a set folder: `n` blobs, and scenes with a gradient and stars."""
    rng = np.random.default_rng(seed)
    if values is None:
        values = flat_prior(n, rng)
    n, exposure, zero = len(values), 1500.0, 24.5
    mags = blob_magnitudes(values) if mags is None else mags
    radius = 10 ** values[:, 3] / SCALE
    place = np.arange(size) - (size - 1) / 2
    apart = place[:, None] ** 2 + place**2
    shape = np.exp(-np.log(2) * apart / (radius**2 + 1.0)[:, None, None])
    shape /= shape.sum(axis=(1, 2), keepdims=True)
    light = exposure * 10 ** (0.4 * (zero - mags))
    clusters = light[:, :, None, None] * shape[:, None]
    yy, xx = np.mgrid[:extent, :extent]
    behind = 200.0 + 100.0 * rng.random((scenes, 1, 1, 1)) * xx / extent
    behind = np.broadcast_to(behind, (scenes, len(BANDS), extent, extent)).copy()
    for scene in behind:
        for x, y, flux in zip(
            *rng.uniform(0, extent, (2, 15)), rng.uniform(5e2, 2e4, 15), strict=True
        ):
            scene += flux / 9 * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 3)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "clusters.npy", np.sqrt(clusters).astype(np.float16))
    np.save(folder / "scenes.npy", np.sqrt(behind).astype(np.float16))
    table = QTable({name: values[:, k] for k, name in enumerate(PARAMETERS)})
    write_catalog(table, folder / "clusters.parquet")
    settings = {
        "bands": BANDS, "zero_point": [zero] * 3, "exposure_time": [exposure] * 3,
        "read_noise": [5.0] * 3, "psf_half_light": [1.0] * 3,
        "pixel_scale": SCALE, "size": size, "camera": "test",
        "distance_mpc": 4.5, "ranges": RANGES,
    }  # fmt: skip
    (folder / "set.json").write_text(json.dumps(settings))
    return folder
