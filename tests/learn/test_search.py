"""Searching: halving, resuming, several processes, and what goes wrong."""

from __future__ import annotations

import fcntl
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.recipe import Recipe, load_recipe, override
from filar.learn.search import BEST, SearchProgress, SearchResult, search_recipe
from filar.learn.study import NAME
from filar.learn.train import Progress, train
from tests.learn.searches import RECIPE, figure, pretend, pretend_slowly
from tests.learn.small import Small, batches, validation

TRIALS = 16
ROOT = Path(__file__).resolve().parents[2]


def search(folder: Path, fit: Any = pretend, trials: int = TRIALS, **options: Any) -> SearchResult:
    return search_recipe(RECIPE, fit, folder, trials=trials, figure="error", **options)


def epochs_done(folder: Path) -> list[tuple[int, int]]:
    """Process and epoch of all that was pretended."""
    lines = (folder / "epochs").read_text().splitlines()
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SearchResult]:
    folder = tmp_path_factory.mktemp("search")
    return folder, search(folder)


def test_the_best_recipe_is_found_and_written(found: tuple[Path, SearchResult]) -> None:
    folder, result = found
    best = result.recipe
    assert load_recipe(folder / BEST) == best
    assert best.name == "pretended-best"
    assert result.value == pytest.approx(figure(best, 9))
    assert result.value < figure(RECIPE, 9)
    assert abs(math.log10(best.optimiser.lr) + 2) < 1
    assert 1 <= best.network.options["depth"] <= 5
    assert best.search == RECIPE.search


def test_poor_trials_end_early_and_the_best_go_all_the_way(
    found: tuple[Path, SearchResult],
) -> None:
    folder, result = found
    assert len(result.trials) == TRIALS
    epochs = epochs_done(folder)
    assert len(epochs) < 0.6 * TRIALS * 9
    begun, ended = sum(e == 1 for _, e in epochs), sum(e == 9 for _, e in epochs)
    assert begun == TRIALS
    assert ended == sum(trial.complete for trial in result.trials) < TRIALS / 2
    ones = sorted(trial.value - 1 for trial in result.trials if not trial.complete)
    assert min(t.value for t in result.trials if t.complete) < ones[len(ones) // 2]


def test_folders_of_trials_are_removed(found: tuple[Path, SearchResult]) -> None:
    assert not list(found[0].glob("trial-*"))


def test_the_same_seed_gives_the_same_search(
    found: tuple[Path, SearchResult], tmp_path: Path
) -> None:
    assert search(tmp_path).trials == found[1].trials
    assert search(tmp_path / "other", seed=1, trials=5).trials != found[1].trials[:5]


def test_a_finished_search_does_nothing_more_but_can_be_prolonged(tmp_path: Path) -> None:
    first = search(tmp_path, trials=6)
    done = len(epochs_done(tmp_path))
    again = search(tmp_path, trials=6)
    assert (again.recipe, again.trials) == (first.recipe, first.trials)
    assert len(epochs_done(tmp_path)) == done
    longer = search(tmp_path, trials=9)
    assert longer.trials[:6] == first.trials
    assert len(longer.trials) == 9


def test_an_interrupted_trial_is_done_again_with_its_settings(tmp_path: Path) -> None:
    rates: list[float] = []

    def interrupted(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        rates.append(recipe.optimiser.lr)
        if len(rates) == 5:
            raise KeyboardInterrupt
        pretend(recipe, folder, progress)

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, interrupted, trials=8)
    result = search(tmp_path, interrupted, trials=8)
    assert len(result.trials) == 8
    assert rates[5] == rates[4]
    assert len(rates) == 9
    assert len(set(rates)) == 8


def test_killed_with_its_processes_at_work_it_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.learn.searches", str(tmp_path)]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    wait_for(lambda: (tmp_path / "epochs").exists() and len(epochs_done(tmp_path)) > 5)
    running.kill()
    assert running.wait() == -signal.SIGKILL
    before = {pid for pid, _ in epochs_done(tmp_path)}
    wait_for(lambda: not any(alive(pid) for pid in before))
    result = search(tmp_path, pretend_slowly)
    assert len(result.trials) == TRIALS
    assert len({trial.number for trial in result.trials}) == TRIALS
    assert os.getpid() in {pid for pid, _ in epochs_done(tmp_path)}
    assert load_recipe(tmp_path / BEST) == result.recipe


def alive(pid: int) -> bool:
    """Whether a process runs; the dead may wait for a parent to look."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    """Look again and again, so that a search that hangs does not hang the tests."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("what was waited for never came")


def test_several_processes_share_the_trials(tmp_path: Path) -> None:
    told: list[SearchProgress] = []
    result = search(tmp_path, pretend_slowly, trials=6, workers=2, progress=told.append)
    assert [trial.number for trial in result.trials] == list(range(6))
    pids = {pid for pid, _ in epochs_done(tmp_path)}
    assert os.getpid() not in pids
    assert len(pids) == 2
    assert (told[-1].done, told[-1].trials, told[-1].best) == (6, 6, result.value)


def test_a_fault_in_the_program_is_not_hidden(tmp_path: Path) -> None:
    def broken(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        raise ZeroDivisionError("a fault in the program")

    with pytest.raises(ZeroDivisionError, match="a fault in the program"):
        search(tmp_path, broken)


def test_settings_that_cannot_train_do_not_end_the_search(tmp_path: Path) -> None:
    def sometimes(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        if recipe.optimiser.lr > 1e-2:
            raise ParameterError("optimiser.lr", recipe.optimiser.lr, "less")
        pretend(recipe, folder, progress)

    result = search(tmp_path, sometimes)
    failed = [trial for trial in result.trials if trial.error]
    assert failed
    assert len(result.trials) == TRIALS
    assert result.recipe.optimiser.lr <= 1e-2
    assert all("optimiser.lr" in trial.error and not trial.complete for trial in failed)


def test_a_search_in_which_nothing_trains_says_why(tmp_path: Path) -> None:
    def never(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        raise ParameterError("data", 0, "some")

    with pytest.raises(ParameterError, match="the first failed: data = 0"):
        search(tmp_path, never, trials=3)


def test_a_figure_that_is_not_told_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="figure = 'nothing'"):
        search_recipe(RECIPE, pretend, tmp_path, trials=2, figure="nothing")


def test_a_folder_with_the_search_of_another_recipe_is_refused(tmp_path: Path) -> None:
    search(tmp_path, trials=2)
    other = override(RECIPE, {"budget.epochs": 5})
    with pytest.raises(ParameterError, match="another folder"):
        search_recipe(other, pretend, tmp_path, trials=2, figure="error")
    with pytest.raises(ParameterError, match="another folder"):
        search(tmp_path, trials=2, data="others")


def test_a_folder_in_which_another_search_is_at_work_is_refused(tmp_path: Path) -> None:
    search(tmp_path, trials=2)
    with (tmp_path / "search.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OutputFileError, match="at work there"):
            search(tmp_path, trials=3)


def test_damaged_trials_are_told(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"no database" * 100)
    with pytest.raises(InputFileError, match=NAME):
        search(tmp_path, trials=2)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError, match="another folder"):
        search(tmp_path / "file", trials=2)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"trials": 0}, "trials"), ({"workers": 0}, "workers")],
)
def test_numbers_below_one_are_refused(tmp_path: Path, options: dict[str, int], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        search(tmp_path, **options)


def test_a_recipe_without_a_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"\[search\]"):
        search_recipe(override(RECIPE, {"search": {}}), pretend, tmp_path, trials=1)


def test_real_trainings_are_searched(tmp_path: Path) -> None:
    def fit(recipe: Recipe, folder: Path, progress: Callable[[Progress], None]) -> None:
        train(
            Small(), batches, validation, recipe.training, folder, progress=progress,
            accelerator="cpu", devices=1, tensorboard=False,
        )  # fmt: skip

    recipe = override(
        RECIPE,
        {"search": {"optimiser.lr": {"choices": [1e-7, 3e-2, 1e-6]}}, "budget.epochs": 4},
    )
    result = search_recipe(recipe, fit, tmp_path, trials=8)
    assert result.recipe.optimiser.lr == 3e-2
    assert not all(trial.complete for trial in result.trials)
