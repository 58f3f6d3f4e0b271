"""Table 3 of a chip in a filter: classic, VGG8 and filar's own, against labels and the truth."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from experiments.trials.folder import read_json, write_json
from experiments.trials.training import model_path, training_speed
from filar.catalogfile import read_catalog
from filar.centering.estimator import StarCenterer
from filar.centering.evaluate import phase_semi_amplitude, table3
from filar.frames.truth import Truth
from filar.measure.heldout import CLASSIC, CenterErrors, errors_of, measure_store
from filar.stamps.stamps import Stamps
from filar.stamps.store import StampStore

BOUND = "bound"
TIMED = 2000
DRAWS = 20


@dataclass(frozen=True)
class Row:
    """One method on one chip in one filter.

    Parameters
    ----------
    filter, chip, method : str
        The method is `CLASSIC`, `BOUND` or the name of a recipe.
    x, y, x_err, y_err : float
        Table 3: standard deviations of position minus label and their errors, mpix.
    number : int
        Stars held out, in the range of magnitudes.
    true_x, true_y : float
        The same against the truth, after a cubic map per exposure, mpix.
    phase_x, phase_y, phase_err : float
        Semi-amplitudes of the pixel-phase bias against the truth, and their error, mpix.
    trained, predicted : float
        Stamps per second; NaN where nothing is trained.
    """

    filter: str
    chip: str
    method: str
    x: float
    y: float
    x_err: float
    y_err: float
    number: int
    true_x: float
    true_y: float
    phase_x: float = float("nan")
    phase_y: float = float("nan")
    phase_err: float = float("nan")
    trained: float = float("nan")
    predicted: float = float("nan")


@dataclass(frozen=True)
class Judgement:
    """What is to be judged: it crosses to another process.

    Parameters
    ----------
    filter, chip : str
        Which.
    store, truth, models : Path
        Stamps, true positions, trained networks.
    networks : tuple of (str, str)
        Recipes, and the names of their trials.
    """

    filter: str
    chip: str
    store: Path
    truth: Path
    models: Path
    networks: tuple[tuple[str, str], ...]

    @property
    def path(self) -> Path:
        """Where its rows are kept."""
        return self.models / f"{'+'.join(name for _, name in self.networks)}-rows.json"


def judge(task: Judgement) -> list[Row]:
    """Rows of a chip in a filter; what is there is kept.

    Parameters
    ----------
    task : Judgement
        What is to be judged.

    Returns
    -------
    list of Row
        The bound is what Gaussian errors as small as the fitted PSF allows would give; against
        labels, with the labels' own errors.
    """
    if not task.path.exists():
        write_json(task.path, [asdict(row) for row in _judged(task)])
    nan = float("nan")
    return [
        Row(**{name: nan if value is None else value for name, value in values.items()})
        for values in read_json(task.path)
    ]


def _judged(task: Judgement) -> list[Row]:
    store = StampStore.open(task.store)
    networks = {
        recipe: StarCenterer.load(model_path(task.models, name)) for recipe, name in task.networks
    }
    measured = measure_store(store, networks)
    kind = measured.kinds[0]
    truth = Truth.from_table(read_catalog(task.truth))
    against = errors_of(measured, kind), errors_of(measured, kind, truth=truth)
    sample, _ = store.read(slice(0, TIMED))
    rows = [_row(task, CLASSIC, *(one[CLASSIC] for one in against))]
    for recipe, name in task.networks:
        rows.append(_row(
            task, recipe, *(one[recipe] for one in against),
            trained=training_speed(task.models, name),
            predicted=_speed(networks[recipe], sample),
        ))  # fmt: skip
    drawn = (_at_bound(one[CLASSIC]) for one in against)
    bound = _row(task, BOUND, *drawn)
    nothing = {name: float("nan") for name in ("phase_x", "phase_y", "phase_err")}
    return [*rows, replace(bound, number=rows[0].number, x_err=0.0, y_err=0.0, **nothing)]


def _row(
    task: Judgement, method: str, labels: CenterErrors, truth: CenterErrors, **speeds: float
) -> Row:
    one, true = (table3(e.dx[e.judged], e.dy[e.judged], e.mag[e.judged]) for e in (labels, truth))
    waves = [
        phase_semi_amplitude(getattr(truth, f"d{axis}")[truth.judged],
                             getattr(truth, axis)[truth.judged])
        for axis in "xy"
    ]  # fmt: skip
    mpix = [1e3 * value for value in (one.x, one.y, one.x_err, one.y_err)]
    phases = [wave.amplitude for wave in waves] + [max(wave.error for wave in waves)]
    return Row(
        task.filter, task.chip, method, *mpix, one.number, 1e3 * true.x, 1e3 * true.y,
        *(1e3 * value for value in phases), **speeds,
    )  # fmt: skip


def _at_bound(errors: CenterErrors) -> CenterErrors:
    """Gaussian errors at the bounds, many for each star."""
    rng = np.random.default_rng(0)
    many = {one.name: np.tile(getattr(errors, one.name), DRAWS)
            for one in fields(errors) if one.name != "against"}  # fmt: skip
    for axis in "xy":
        bound = many[f"{axis}_bound"]
        many[f"d{axis}"] = bound * rng.normal(size=len(bound))
    return replace(errors, **many)


def _speed(network: StarCenterer, stamps: Stamps) -> float:
    """Stamps per second, of a second go: the first prepares PSFs."""
    network.predict(stamps)
    start = time.perf_counter()
    network.predict(stamps)
    return len(stamps) / (time.perf_counter() - start)
