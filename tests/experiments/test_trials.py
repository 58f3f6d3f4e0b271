"""Training several networks: settings that belong to a folder, budgets."""

import json
import math

import pytest

from experiments.trials.folder import SETTINGS, claim, read_json, write_json
from experiments.trials.training import OURS, Budget, in_processes
from filar.errors import InputFileError, OutputFileError
from filar.learn.recipe import load_recipe, override


def test_a_folder_keeps_its_settings(tmp_path):
    claim(tmp_path / "new", {"seed": 1, "stars": None})
    claim(tmp_path / "new", {"stars": None, "seed": 1})
    with pytest.raises(OutputFileError, match="seed = 1, not 2"):
        claim(tmp_path / "new", {"seed": 2, "stars": None})


def test_damaged_settings_are_told(tmp_path):
    (tmp_path / SETTINGS).write_text('{"seed": ')
    with pytest.raises(InputFileError, match=SETTINGS):
        claim(tmp_path, {"seed": 1})


def test_what_is_no_number_is_null(tmp_path):
    write_json(tmp_path / "a.json", {"a": [math.nan, 1.5], "b": math.inf})
    assert read_json(tmp_path / "a.json") == {"a": [None, 1.5], "b": None}
    json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize("stamps", [1000, 3254, 500_000])
def test_a_budget_is_stamps_shown_in_all(stamps):
    recipe = Budget(100_000, 2e-3, 32, 40).recipe("c23-v2", 8, stamps)
    shown = recipe.budget.epochs * stamps
    assert abs(shown - 100_000) <= max(stamps, 50_000 if stamps > 100_000 else stamps)
    assert recipe.data.size == 8
    assert recipe.optimiser.lr == 2e-3
    assert recipe.budget.batch_size == 32


@pytest.mark.parametrize("name", ["c23-v1", "c23-v2", "c24-vgg8"])
def test_without_a_budget_the_papers_recipes_are_the_papers(name):
    assert Budget(0, 2e-3, 32, 0).recipe(name, 6, 3254) == load_recipe(name)


def test_our_recipe_keeps_its_rate():
    own = Budget(100_000, 0.5, 7, 40).recipe(OURS, 6, 100_000)
    changes = {"budget.epochs": 40, "budget.batch_size": 1024}
    assert own == override(load_recipe(OURS), changes)


def test_one_process_works_here_and_in_order():
    assert list(in_processes(abs, [-3, 2, -1], 1)) == [3, 2, 1]
