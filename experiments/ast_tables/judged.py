"""One recipe trained on some of a table's artificial stars and judged by those held out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from experiments.trials.folder import read_json, write_json
from filar.completeness.estimator import CompletenessModel
from filar.completeness.evaluate import scores
from filar.completeness.table import ArtificialStars
from filar.learn.recipe import load_recipe, override

DRAWS = 200


@dataclass(frozen=True)
class Task:
    """What is to be trained.

    Parameters
    ----------
    table, recipe : str
        Names.
    size : int
        Artificial stars to train on; 0: all but those held out.
    seed : int
        Of the split and the training.
    changes : dict
        Settings of the recipe to change, for tests.
    """

    table: str
    recipe: str
    size: int
    seed: int
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Stem of its files."""
        return f"{self.table}-{self.recipe}-{self.size or 'all'}"


@dataclass(frozen=True)
class Row:
    """How one model did.

    Parameters
    ----------
    table, recipe : str
        Names.
    size : int
        As asked for: 0 for all.
    trained_on, judged_by : int
        Artificial stars.
    accuracy, log_loss, log_loss_err, brier : float
        Of the stars held out.
    ece, ece_chance, ece_chance_95 : float
        Expected calibration error in 20 bins, what perfect probabilities would have on average and
        in one of twenty cases.
    worst_decile : float
        Largest difference of predicted and true fraction in a tenth of the stars.
    seconds, cpu_seconds : float
        Training, by the clock and of the processor: others may use the machine.
    """

    table: str
    recipe: str
    size: int
    trained_on: int
    judged_by: int
    accuracy: float
    log_loss: float
    log_loss_err: float
    brier: float
    ece: float
    ece_chance: float
    ece_chance_95: float
    worst_decile: float
    seconds: float
    cpu_seconds: float


def split(stars: ArtificialStars, held_out: float, seed: int) -> tuple[ArtificialStars, ...]:
    """Stars to train on, in an order by chance, and stars held out; the same for all recipes."""
    return stars.split((1.0 - held_out, held_out), seed)


def judge(task: Task, stars: ArtificialStars, held_out: float, folder: Path) -> Row:
    """Train and judge; what is in the folder is not done again.

    Parameters
    ----------
    task : Task
        What.
    stars : ArtificialStars
        The whole table.
    held_out : float
        Part that is not trained on.
    folder : Path
        Where rows and the checkpoints of trainings are kept.

    Returns
    -------
    Row
    """
    path = folder / f"{task.name}.json"
    if not path.exists():
        train, test = split(stars, held_out, task.seed)
        chosen = train if task.size == 0 else train.select(slice(task.size))
        recipe = override(load_recipe(task.recipe), task.changes)
        model = CompletenessModel(recipe, seed=task.seed)
        began = process_time()
        model.fit(chosen, test=False, folder=folder / "runs" / task.name, resume=True)
        cpu = process_time() - began
        found = scores(model.p_recovered(test), test.recovered, draws=DRAWS, seed=task.seed)
        row = Row(
            task.table, task.recipe, task.size, len(chosen), len(test), found.accuracy,
            found.log_loss, found.log_loss_err, found.brier, found.calibration_error,
            found.chance_calibration_error, found.chance_calibration_error_95,
            found.worst_decile, model.seconds_, cpu,
        )  # fmt: skip
        write_json(path, asdict(row))
    values = read_json(path)
    return Row(**{name: np.nan if v is None else v for name, v in values.items()})
