"""Training a network several times from different beginnings; the best is kept.

Each training is on its own: it has its own folder, first weights and order of batches, and one
thread. So the result is the same bits whether they run one after the other or side by side, and
whether or not some were killed on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.learn.recipe import Recipe, override
from filar.saturation.batches import Columns, training_batches, validation_batches
from filar.saturation.crew import Crew
from filar.saturation.networks import Inputs, build_network, inputs_class, trainings
from filar.threads import torch_threads

if TYPE_CHECKING:
    from torch import nn

    from filar.learn.history import Row
    from filar.learn.train import Progress, TrainResult

Tell = Callable[["Progress"], None]
KEPT = 3
"""One of so many goes on at each stage of a race."""


@dataclass(frozen=True)
class Member:
    """One training, as another process can be told it.

    Parameters
    ----------
    recipe : Recipe
        With the number of epochs until the next look.
    facts : dict
        Of the inputs.
    number : int
        Which of the trainings.
    alone : bool
        Whether it is the only one.
    folder : Path
        Of all trainings.
    seed : int
        Of all trainings.
    data : str
        Digest of what is trained on.
    resume : bool
        Whether to go on from a checkpoint.
    options : dict
        For `filar.learn.train.train`.
    """

    recipe: Recipe
    facts: dict[str, Any]
    number: int
    alone: bool
    folder: Path
    seed: int
    data: str
    resume: bool
    options: dict[str, Any]

    @property
    def place(self) -> Path:
        """Its own folder."""
        return self.folder if self.alone else self.folder / f"training-{self.number:02d}"

    def run(
        self, columns: dict[str, Columns], tell: Tell | None = None
    ) -> tuple[nn.Module, TrainResult]:
        """Train it, or take up what is left of it."""
        from filar.learn.train import train

        inputs = inputs_class(self.recipe).from_facts(self.facts)
        seed = int(np.random.SeedSequence([self.seed, self.number]).generate_state(1)[0])
        network = build_network(self.recipe, inputs, seed)
        judged = columns.get("validation")
        size = self.recipe.budget.batch_rows(len(columns["train"]["log_n"]))
        # operations are small: one thread is fastest for each training
        with torch_threads(1):
            result = train(
                network, training_batches(columns["train"], size, seed),
                None if judged is None else validation_batches(judged),
                self.recipe.training, self.place, seed=seed, data=self.data, resume=self.resume,
                progress=tell, **self.options,
            )  # fmt: skip
        return network, result


@dataclass(frozen=True, eq=False)
class Trained:
    """The best of several trainings.

    Parameters
    ----------
    network : torch.nn.Module
        With its weights.
    history : list of dict
        Its epochs.
    losses : list of float
        The least validation loss of each training, NaN of those that ended before the last epoch.
    best : int
        Which one it is.
    seconds : float
        Spent on all of them, added up.
    """

    network: nn.Module
    history: list[Row]
    losses: list[float]
    best: int
    seconds: float


def train_members(
    recipe: Recipe,
    inputs: Inputs,
    columns: dict[str, Columns],
    folder: Path,
    seed: int,
    *,
    data: str,
    resume: bool = False,
    workers: int = 1,
    progress: Tell | None = None,
    **options: Any,
) -> Trained:
    """Train as often as a recipe says, and keep the best.

    Parameters
    ----------
    recipe : Recipe
        For saturated stars.
    inputs : Inputs
        Of the network.
    columns : dict of str to dict of str to tensor
        "train", and, if there are any, "validation".
    folder : Path
        For checkpoints and logs.
    seed : int
        Of all of them.
    data : str
        Digest of what is trained on.
    resume : bool
        Whether to go on from what is in the folder.
    workers : int
        Processes.
    progress : callable, optional
        Told how far all of them are.
    **options
        See `filar.learn.train.train`.

    Returns
    -------
    Trained

    Raises
    ------
    ParameterError
        If the recipe has options that its network has not, or the folder's checkpoints are of
        another training.
    InputFileError, OutputFileError
        If the folder cannot be used, a checkpoint is damaged, or a process was killed.
    """
    number, _ = trainings(recipe)
    first = Member(
        recipe, dict(inputs.facts()), 0, number == 1, folder, seed, data, resume, options
    )
    with ExitStack() as stack:
        crew = None
        if workers > 1 and number > 1:
            crew = stack.enter_context(Crew(folder, columns, min(workers, number)))
        return _in_stages(first, columns, crew, progress)


def _in_stages(
    first: Member, columns: dict[str, Columns], crew: Crew | None, progress: Tell | None
) -> Trained:
    """Train all, and after each stage of a race the best of them."""
    recipe, resume = first.recipe, first.resume
    number, race = trainings(recipe)
    alive, before, done = list(range(number)), 0, 0
    total = planned(number, race, recipe.budget.epochs)
    results: dict[int, tuple[nn.Module, TrainResult]] = {}
    for stop in (*race, recipe.budget.epochs):
        stage = override(recipe, {"budget.epochs": stop})
        members = [
            replace(first, recipe=stage, number=m, resume=resume or before > 0) for m in alive
        ]
        if crew is not None and len(members) > 1:
            crew.train(members, _counted(progress, done - before * len(members), total))
            members = [replace(member, resume=True) for member in members]
        for place, member in enumerate(members):
            start = done + place * (stop - before) - before
            results[member.number] = member.run(columns, _shifted(progress, start, total))
        done += len(alive) * (stop - before)
        scores = {m: _least(results[m][1].history[:stop]) for m in alive}
        if stop < recipe.budget.epochs:
            alive = sorted(sorted(alive, key=scores.__getitem__)[: -(-len(alive) // KEPT)])
        before = stop
    best = min(alive, key=scores.__getitem__)
    network, result = results[best]
    losses = [scores[m] if m in alive else float("nan") for m in range(number)]
    seconds = sum(one.seconds for _, one in results.values())
    if number > 1:
        from filar.learn.history import write_history

        write_history(first.folder, result.history)
    return Trained(network, result.history, losses, best, seconds)


def planned(number: int, race: tuple[int, ...], epochs: int) -> int:
    """Epochs of all trainings together.

    Parameters
    ----------
    number : int
        Trainings that begin.
    race : tuple of int
        Epochs after which only the best third goes on.
    epochs : int
        Of those that go all the way.

    Returns
    -------
    int
    """
    total, before = 0, 0
    for stop in (*race, epochs):
        total += number * (stop - before)
        number, before = -(-number // KEPT), stop
    return total


def _least(history: list[Row]) -> float:
    """The least validation loss; without validation the last training loss."""
    judged = [row["validation_loss"] for row in history if "validation_loss" in row]
    return min(judged) if judged else history[-1]["train_loss"]


def _shifted(progress: Tell | None, start: int, total: int) -> Tell | None:
    """Progress of one training as that of all."""
    if progress is None:
        return None
    return lambda now: progress(replace(now, epoch=start + now.epoch, epochs=total))


def _counted(progress: Tell | None, start: int, total: int) -> Callable[[int], None]:
    """Progress by epochs that other processes have done."""

    def tell(epochs: int) -> None:
        from filar.learn.train import Progress

        if progress is not None:
            progress(Progress(min(start + epochs, total), total, 0, 0, {}))

    return tell
