"""Training a list of networks in several processes, the most laborious first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from experiments.trials.folder import read_json, write_json
from filar.learn.recipe import Recipe, load_recipe, override
from filar.stamps.labels import TRAIN
from filar.stamps.store import StampStore

OURS = "filar-centering"
LABOUR = {"c24-vgg8": 50, "c23-v2": 15, "c23-v1": 2}
"""Time per stamp in units of our recipe's, roughly: the longest trainings begin first."""
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Budget:
    """How the papers' networks are trained with less than the papers' time.

    Parameters
    ----------
    passes : int
        Stamps that a network is shown, the same ones again and again; 0: as the recipe says.
    lr : float
        Largest learning rate of a one-cycle schedule.
    batch_size : int
        Stamps per step.
    own_epochs : int
        Epochs of our own recipe; 0: as the recipe says.
    """

    passes: int
    lr: float
    batch_size: int
    own_epochs: int

    def recipe(self, name: str, size: int, stamps: int) -> Recipe:
        """A recipe within this budget.

        Parameters
        ----------
        name : str
            Of a recipe that comes with filar.
        size : int
            Side of the rasters, pixels.
        stamps : int
            How many there are to train on.

        Returns
        -------
        Recipe
        """
        changes: dict[str, Any] = {"data.size": size}
        if name == OURS:
            # a third of small sets would be one step of its large batches
            changes["budget.batch_size"] = min(1024, max(64, stamps // 16))
            if self.own_epochs:
                changes["budget.epochs"] = self.own_epochs
        elif self.passes:
            changes |= {
                "budget.epochs": max(1, round(self.passes / stamps)),
                "budget.batch_size": self.batch_size,
                "optimiser.lr": self.lr,
                "optimiser.schedule": "one-cycle",
                "optimiser.warmup": 0.1,
                "optimiser.floor": 0.001,
            }
        return override(load_recipe(name), changes)

    def text(self) -> str:
        """What was scaled down, in a line."""
        if not self.passes:
            return "papers' networks: the papers' epochs, learning rate and batches"
        return (
            f"papers' networks: {self.passes} stamps shown in all (epochs times stamps), one-cycle "
            f"up to a learning rate of {self.lr:g}, batches of {self.batch_size}"
        )


@dataclass(frozen=True)
class Trial:
    """One network to be trained.

    Parameters
    ----------
    name : str
        Of its files.
    recipe : str
        Name of its recipe.
    store : Path
        Its stamps.
    seed : int
        Of first weights and batches.
    """

    name: str
    recipe: str
    store: Path
    seed: int


def train_all(
    trials: Sequence[Trial],
    folder: Path,
    budget: Budget,
    *,
    workers: int = 1,
    accelerator: str = "cpu",
    tell: Callable[[str], None] = print,
) -> None:
    """Train what is not there yet: models in a folder, and beside each how long it took.

    Parameters
    ----------
    trials : sequence of Trial
        The networks.
    folder : Path
        For NAME.safetensors and NAME.json.
    budget : Budget
        How long to train.
    workers : int
        Processes, each of one thread; with a GPU the networks are trained one after the other.
    accelerator : str
        Lightning's.
    tell : callable
        Told of every network.
    """
    folder.mkdir(exist_ok=True)
    left = [one for one in trials if not facts_path(folder, one.name).exists()]
    left.sort(key=lambda one: -LABOUR.get(one.recipe, 1))
    tasks = [_Task(one, folder, budget, accelerator) for one in left]
    done = len(trials) - len(left)
    for facts in in_processes(_train, tasks, workers if accelerator == "cpu" else 1):
        done += 1
        tell(
            f"{done} of {len(trials)} trained: {facts['name']}, {facts['epochs']} epochs of "
            f"{facts['stamps']} stamps in {facts['seconds']:.0f} s"
        )


def model_path(folder: Path, name: str) -> Path:
    """A trial's model file."""
    return folder / f"{name}.safetensors"


def facts_path(folder: Path, name: str) -> Path:
    """What is known about a trial's training; written last."""
    return folder / f"{name}.json"


def training_speed(folder: Path, name: str) -> float:
    """Stamps per second that a trial's training went through."""
    facts = read_json(facts_path(folder, name))
    return float(facts["epochs"] * facts["stamps"] / max(facts["seconds"], 1e-9))


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Do tasks in processes of one thread each.

    Parameters
    ----------
    function : callable
        Of a module, so that other processes find it.
    tasks : sequence
        Its arguments, started in this order.
    workers : int
        Processes; with one the work is done here.

    Yields
    ------
    object
        Results, as they are there.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        for future in as_completed([pool.submit(function, task) for task in tasks]):
            yield future.result()


def _one_thread() -> None:
    """One thread, since processes beside each other gain nothing from more; and no life alone."""
    from multiprocessing import parent_process
    from threading import Thread

    import torch

    torch.set_num_threads(1)

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


@dataclass(frozen=True)
class _Task:
    trial: Trial
    folder: Path
    budget: Budget
    accelerator: str


def _train(task: _Task) -> dict[str, Any]:
    from filar.centering.estimator import StarCenterer

    name, run = task.trial.name, task.folder / f".{task.trial.name}.run"
    store = StampStore.open(task.trial.store)
    stamps = store.count(TRAIN)
    recipe = task.budget.recipe(task.trial.recipe, store.size, stamps)
    model = StarCenterer(recipe, seed=task.trial.seed).fit(
        store, folder=run, resume=True, accelerator=task.accelerator
    )
    model.save(model_path(task.folder, name))
    history = model.history_
    facts = {
        "name": name, "recipe": task.trial.recipe, "stamps": stamps, "epochs": len(history),
        "seconds": sum(row["seconds"] for row in history), "history": history,
    }  # fmt: skip
    write_json(facts_path(task.folder, name), facts)
    shutil.rmtree(run, ignore_errors=True)
    return facts
