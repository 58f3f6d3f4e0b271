"""Star clusters: how many are told and trained on per second, how long an image is searched.

Told: from cutouts of 64x64 pixels in memory to a thousand draws from each joint posterior.
Trained: rows of batches composed, shown and learnt from. Searched: a map of probabilities of
1000x1000 pixels in three bands. Without a model, networks of the named recipes are trained for two
steps on made-up clusters: it takes as long whatever is in them.

    python -m benchmarks.clusters [--recipes filar-clusters,b20] [--models M1 M2] [--threads 1]
"""

from __future__ import annotations

import argparse
import json
import resource
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import torch

from filar.catalogfile import write_catalog
from filar.clusters.batches import training_batches
from filar.clusters.compose import Composer
from filar.clusters.cutouts import Cutouts, make_cutouts
from filar.clusters.data import SetFolder
from filar.clusters.estimator import ClusterModel
from filar.clusters.posterior import PARAMETERS
from filar.learn.recipe import load_recipe, override

BANDS = ("F336W", "F438W", "F814W")
SIZE, SCENE, SCALE = 64, 512, 0.04
RANGES = ((6.6, 8.0), (0.0, 3.0), (3.477, 5.477), (-1.398, -0.398))
SKY, NOISE = 2000.0, 45.0
"""Electrons of a background pixel, and the scatter of its light."""
SECONDS = 5.0
STEPS = 4
IMAGE = 1000


def made_up(folder: Path, clusters: int, scenes: int, seed: int = 0) -> SetFolder:
    """A set of round smooth clusters in front of flat galaxies."""
    from astropy.table import QTable

    rng = np.random.default_rng(seed)
    low, high = np.array(RANGES).T
    values = rng.uniform(low, high, (clusters, len(PARAMETERS)))
    away = np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2
    width = 1.0 + 10 ** values[:, 3, None, None] / SCALE
    shape = np.exp(-(away[:, None] ** 2 + away**2) / (2 * width**2)) / (2 * np.pi * width**2)
    reddening = 10 ** (-0.4 * values[:, 1, None] * np.array([1.6, 1.3, 0.6]))
    light = 10 ** (values[:, 2, None] + 1.0 - (values[:, 0, None] - 6.6)) * reddening
    images = np.sqrt(shape[:, None] * light[:, :, None, None]).astype(np.float16)
    sky = SKY + NOISE * rng.standard_normal((scenes, len(BANDS), SCENE, SCENE), np.float32)
    np.save(folder / "clusters.npy", images)
    np.save(folder / "scenes.npy", np.sqrt(np.maximum(sky, 0)).astype(np.float16))
    table = QTable(dict(zip(PARAMETERS, values.T, strict=True)))
    write_catalog(table, folder / "clusters.ecsv")
    settings = {
        "bands": BANDS, "zero_point": [23.5, 25.0, 24.7], "exposure_time": [1890, 1880, 1203],
        "read_noise": [6, 6, 6], "pixel_scale": SCALE, "size": SIZE, "camera": "made up",
        "distance_mpc": 4.5, "psf_half_light": [1.3, 1.3, 1.6],
        "ranges": dict(zip(PARAMETERS, RANGES, strict=True)),
    }  # fmt: skip
    (folder / "set.json").write_text(json.dumps(settings), encoding="utf-8")
    return SetFolder(folder)


def rows_told(model: ClusterModel, cutouts: Cutouts) -> float:
    """Cutouts per second."""
    model.predict(cutouts)
    told, began = 0, perf_counter()
    while perf_counter() - began < SECONDS:
        model.predict(cutouts)
        told += len(cutouts)
    return told / (perf_counter() - began)


def rows_trained(model: ClusterModel, data: SetFolder, rows: int) -> float:
    """Rows per second, batches composed and learnt from, after one to warm up."""
    network, everything = model.network_, np.arange(len(data))
    composer = Composer(data, everything, np.arange(len(data.scenes)), model.recipe_.mocks)
    batches = training_batches(composer, model.inputs_, rows, True, 0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-6)
    network.train()
    began = perf_counter()
    for step, batch in enumerate(islice(batches(0), STEPS + 1)):
        if step == 1:
            began = perf_counter()
        loss, _ = network.loss(batch)  # type: ignore[operator]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    return STEPS * rows / (perf_counter() - began)


def seconds_searched(model: ClusterModel) -> float:
    """For a map of probabilities of a square image."""
    # Place by place takes as long as there are places: some of them tell.
    side = IMAGE if hasattr(model.network_, "p_map") else 2 * model.inputs_.size
    noise = model.inputs_.softening.astype(np.float32)[:, None, None]
    flux = np.random.default_rng(0).standard_normal((len(noise), side, side), np.float32) * noise
    began = perf_counter()
    found = model.p_map(flux)
    seconds = perf_counter() - began
    places = ((IMAGE - model.inputs_.size) // found.step + 1) ** 2
    return seconds * places / found.p.size


def untrained(recipe: str, data: SetFolder) -> ClusterModel:
    """A model of a recipe that learnt next to nothing."""
    changes = {"budget.epochs": 1, "budget.batch_size": 16, "budget.steps_per_epoch": 2}
    return ClusterModel(override(load_recipe(recipe), changes)).fit(data)


def line(name: str, model: ClusterModel, data: SetFolder | None, rows: int) -> str:
    """Of the table."""
    inputs = model.inputs_
    rng = np.random.default_rng(1)
    shape = (rows, len(inputs.bands), inputs.size, inputs.size)
    flux = rng.standard_normal(shape, np.float32) * inputs.softening[:, None, None]
    cutouts = make_cutouts(flux, inputs.softening, 100.0, inputs.bands, inputs.pixel_scale)
    trained = float("nan") if data is None else rows_trained(model, data, 64)
    told, searched = rows_told(model, cutouts), seconds_searched(model)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return f"{name:28s} {told:10.0f} {trained:12.0f} {searched:14.1f} {memory:6.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recipes", default="filar-clusters,b20")
    parser.add_argument("--models", nargs="*", default=[], help="model files, instead of recipes")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    head = f"{'':28s} {'told per s':>10s} {'trained per s':>12s}"
    print(f"{head} {'1000x1000 in s':>14s} {'GiB':>6s}", flush=True)
    for path in given.models:
        print(line(Path(path).name, ClusterModel.load(path), None, given.rows), flush=True)
    if given.models:
        return
    with TemporaryDirectory(prefix="filar-clusters-") as temporary:
        data = made_up(Path(temporary), 400, 6)
        for recipe in given.recipes.split(","):
            print(line(recipe, untrained(recipe, data), data, given.rows), flush=True)


if __name__ == "__main__":
    main()
