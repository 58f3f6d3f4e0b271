"""How fast networks train and predict: our recipe beside C24's VGG8 on the same stamps.

    python -m benchmarks.centering_speed STAMPS [--threads 2]

STAMPS is a folder of `filar train centering --stamps`. Training: batches read from disk, prepared,
loss, gradients, a step of AdamW. Prediction: from stamps in memory to centres. The classic fit of
whole exposures is in `benchmarks.fit_speed`.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from filar.centering.data import batches
from filar.centering.estimator import predict_places
from filar.centering.model import CenteringModel, build_model
from filar.learn.recipe import load_recipe
from filar.stamps.labels import TRAIN
from filar.stamps.store import StampStore
from filar.threads import torch_threads

BATCH = 1024
STEPS = {"filar-centering": 100, "c24-vgg8": 8}
PREDICTED = {"filar-centering": 20_000, "c24-vgg8": 4_000}
ROUNDS = 3


def speeds(store: StampStore, name: str) -> tuple[float, float]:
    """Stamps per second, training and predicting."""
    model = build_model(load_recipe(name), store, 0)
    # as the estimator does it
    with torch_threads(1) if name == "filar-centering" else nullcontext():
        trained = training_speed(model, store, STEPS[name])
    return trained, predicting_speed(model, store, name)


def training_speed(model: CenteringModel, store: StampStore, steps: int) -> float:
    """Steps of AdamW on batches from disk, after one to warm up."""
    optimiser = torch.optim.AdamW(model.network.parameters(), lr=1e-4)
    model.network.train()
    began = perf_counter()
    for step, (stamps, labels) in enumerate(islice(batches(store, TRAIN, BATCH), steps + 1)):
        if step == 1:
            began = perf_counter()
        loss, _ = model.network.loss(model.inputs.batch(stamps, labels))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.network.eval()
    return steps * BATCH / (perf_counter() - began)


def predicting_speed(model: CenteringModel, store: StampStore, name: str) -> float:
    """Stamps in memory to places, best of a few rounds."""
    stamps, _ = store.read(np.arange(min(PREDICTED[name], len(store))))
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        predict_places(model, stamps)
        times.append(perf_counter() - began)
    return len(stamps) / min(times)


def main() -> None:
    """Print both and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("stamps", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    store = StampStore.open(given.stamps)
    found = {name: speeds(store, name) for name in STEPS}
    print("recipe             trained  predicted (stamps/s)")
    for name, (train, predict) in found.items():
        print(f"{name:16s} {train:9.0f}  {predict:9.0f}")
    ours, paper = found.values()
    print(f"ratio            {ours[0] / paper[0]:9.0f}  {ours[1] / paper[1]:9.0f}")


if __name__ == "__main__":
    main()
