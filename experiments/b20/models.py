"""Training networks and trees on the same mock clusters, and asking them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.trials.folder import read_json, write_json
from filar.clusters.boosting import Boosting, Features, features
from filar.clusters.compose import Composer
from filar.clusters.cutouts import Cutouts
from filar.clusters.data import SetFolder, Truth
from filar.clusters.estimator import ClusterModel
from filar.clusters.evaluate import Estimates
from filar.clusters.parts import share_out
from filar.clusters.posterior import PARAMETERS
from filar.learn.recipe import Recipe
from filar.wholefile import whole_file

AT_ONCE = 1024
DRAWS = 500
"""From each posterior."""

Tell = Callable[[str], None]


def trained(
    name: str,
    recipe: Recipe,
    data: SetFolder,
    folder: Path,
    seed: int,
    accelerator: str,
    tell: Tell,
) -> ClusterModel:
    """Train a network, go on with it, or read it.

    Parameters
    ----------
    name : str
        For the file.
    recipe : Recipe
        What to train.
    data : SetFolder
        To train and validate on.
    folder : Path
        Of the experiment.
    seed : int
        Of weights, order and noise.
    accelerator : str
        Lightning's.
    tell : callable
        Told how long it took.

    Returns
    -------
    ClusterModel
    """
    path = folder / f"{name}.safetensors"
    if not path.exists():
        model = ClusterModel(recipe, seed=seed)
        model.fit(data, folder=folder / f"{name}_training", resume=True, accelerator=accelerator)
        write_json(path.with_suffix(".json"), {
            "seconds": model.seconds_, "epochs": len(model.history_), "history": model.history_,
        })  # fmt: skip
        model.save(path)
        tell(f"{name}: {len(model.history_)} epochs in {model.seconds_:.0f} s")
    return ClusterModel.load(path)


def training_seconds(folder: Path, name: str) -> float:
    """How long a training took."""
    return float(read_json(folder / f"{name}.json")["seconds"])


def composed_test(data: SetFolder, recipe: Recipe, seed: int) -> tuple[Cutouts, Truth]:
    """Every cluster of a set once, some of them replaced by backgrounds.

    Parameters
    ----------
    data : SetFolder
        The set that judges.
    recipe : Recipe
        How cutouts are composed.
    seed : int
        Of it all.

    Returns
    -------
    cutouts : Cutouts
    truth : Truth
    """
    composer = Composer(data, np.arange(len(data)), np.arange(len(data.scenes)), recipe.mocks)
    return composer.compose(composer.rows, np.random.default_rng([seed, 3]))


def boosted(
    data: SetFolder, recipe: Recipe, cutouts: Cutouts, folder: Path, rounds: int, seed: int,
    tell: Tell,
) -> Estimates:  # fmt: skip
    """Grow trees on the part of a set that networks are trained on, and ask them; or read it.

    Parameters
    ----------
    data : SetFolder
        To train on.
    recipe : Recipe
        How its cutouts are composed.
    cutouts : Cutouts
        What is asked.
    folder : Path
        Of the experiment: trees cannot be kept, answers can.
    rounds : int
        Times that each cluster is shown.
    seed : int
        Of it all.
    tell : callable
        Told how long it took.

    Returns
    -------
    Estimates
    """
    path = folder / "boosting.npz"
    asked = hashlib.sha256(cutouts.flux.tobytes()).hexdigest()
    found = _kept(path, asked)
    if found is None:
        began = time.perf_counter()
        columns, truth = _shown(data, recipe, rounds, seed)
        trees = Boosting(seed=seed).fit(columns, truth)
        grown = time.perf_counter()
        found = trees.predict(features(cutouts))
        _keep(path, found, asked)
        seconds = {"seconds": grown - began, "told": time.perf_counter() - grown}
        write_json(folder / "boosting.json", {**seconds, "rows": len(columns)})
        tell(f"boosting: {len(columns)} cutouts in {grown - began:.0f} s")
    return found


def _shown(data: SetFolder, recipe: Recipe, rounds: int, seed: int) -> tuple[Features, Truth]:
    parts = share_out(data, recipe, seed)
    composer = Composer(data, parts.clusters[0], parts.scenes[0], recipe.mocks)
    rng = np.random.default_rng([seed, 4])
    columns, truths = [], []
    for _ in range(rounds):
        for start in range(0, len(composer.rows), AT_ONCE):
            cutouts, truth = composer.compose(composer.rows[start : start + AT_ONCE], rng)
            columns.append(features(cutouts))
            truths.append(truth)
    fields = {
        name: np.concatenate([getattr(one, name) for one in truths])
        for name in ("values", "cluster", "log_snr")
    }
    return np.concatenate(columns), Truth(**fields)


def _keep(path: Path, found: Estimates, asked: str) -> None:
    ends = {
        f"{side}_{level:g}": found.intervals[level][k]
        for level in found.intervals for k, side in enumerate(("low", "high"))
    }  # fmt: skip
    assert found.p_cluster is not None
    assert found.log_snr is not None
    arrays = {"value": found.value, "p_cluster": found.p_cluster, "log_snr": found.log_snr, **ends}
    arrays["asked"] = np.array(asked)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _kept(path: Path, asked: str) -> Estimates | None:
    """Answers, if there are any about these cutouts."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        if str(kept["asked"]) != asked:
            return None
        levels = sorted(float(name[4:]) for name in kept.files if name.startswith("low_"))
        return Estimates(
            kept["value"].reshape(-1, len(PARAMETERS)),
            {level: (kept[f"low_{level:g}"], kept[f"high_{level:g}"]) for level in levels},
            kept["p_cluster"],
            kept["log_snr"],
        )
