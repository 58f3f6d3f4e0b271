"""Recipes: read, checked key by key, changed and written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.recipe import Recipe, load_recipe, override, recipe_names, save_recipe

MINIMAL = """
name = "mine"
job = "centering"
[network]
name = "c23-v1"
[loss]
name = "mae"
"""


PHASES = "phases = [{part = 0.1, rates = [1e-3, 1e-4], steps = 2, epochs = 5}]\n"
STEPPED = "schedule = 'stepped'\n" + PHASES


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_papers_recipes_come_along() -> None:
    assert {"c23-v1", "c23-v2", "c24-vgg8"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_named_as_its_file_and_survives_writing(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    save_recipe(tmp_path / "copy.toml", recipe)
    assert load_recipe(tmp_path / "copy.toml") == recipe


def test_c24_is_trained_as_its_paper_says() -> None:
    recipe = load_recipe("c24-vgg8")
    assert (recipe.optimiser.name, recipe.optimiser.lr) == ("adamw", 4e-5)
    assert (recipe.optimiser.weight_decay, recipe.ema.momentum) == (8e-3, 0.95)
    assert recipe.data.inputs == ("x", "y", "mag")


@pytest.mark.parametrize("name", ["c23-v1", "c23-v2"])
def test_c23_is_trained_as_its_paper_says(name: str) -> None:
    recipe = load_recipe(name)
    assert (recipe.optimiser.name, recipe.optimiser.lr) == ("adam", 1e-5)
    assert (recipe.data.q, recipe.data.isolation) == ((0.0001, 1.0), 5.0)


def test_cointoss_is_trained_as_its_paper_says() -> None:
    """Harris & Speagle 2024, section 6.3: parts, numbers of rates and of epochs."""
    recipe = load_recipe("cointoss")
    assert recipe.network.options == {"layers": [200, 200, 200]}
    assert (recipe.optimiser.name, recipe.table.fractions) == ("adam", (0.8, 0.0, 0.2))
    phases = [(p.part, p.steps, p.epochs) for p in recipe.optimiser.phases]
    assert phases == [(0.05, 10, 50), (0.1, 5, 50), (0.2, 5, 50), (1.0, 5, 50), (1.0, 1, 100)]
    first, last = recipe.optimiser.phases[-1].rates
    assert first == last
    assert recipe.optimiser.l2 > 0
    assert recipe.ema.momentum == 0


def test_a_recipe_of_ones_own_needs_only_names(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, MINIMAL + "depth = 3\n"))
    assert recipe.loss.options == {"depth": 3}
    assert recipe.network.options == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (MINIMAL + "[optimiser]\nlearning_rate = 1e-3\n", "unknown key optimiser.learning_rate"),
        (MINIMAL + "[optimizer]\nlr = 1e-3\n", "unknown key optimizer"),
        (MINIMAL + "[data]\nsize = 13\n", "data.size"),
        (MINIMAL + "[data]\nq = [1.0, 0.0]\n", "first must be below the second"),
        (MINIMAL + "[data]\nfractions = [0.7, 0.1, 0.1]\n", "add up to 1"),
        (MINIMAL + "[optimiser]\nlr = nan\n", "optimiser.lr"),
        (MINIMAL + "[optimiser]\nname = 'adam'\nweight_decay = 0.1\n", "adamw"),
        (MINIMAL + "[budget]\nepochs = 0\n", "budget.epochs"),
        (MINIMAL + "[table]\nmagnitudes = 'true'\n", "table.magnitudes"),
        (MINIMAL + "[table]\nfractions = [0.0, 0.5, 0.5]\n", "nothing to train on"),
        (MINIMAL + "[table]\nerrors = true\n[data]\nsize = 8\n", "data and table"),
        (MINIMAL + "[table]\nerrors = true\n[stars]\nflips = true\n", "table and stars: a recipe"),
        (MINIMAL + "[stars]\nsize = 20\n", "odd number"),
        (MINIMAL + "[stars]\nfractions = [0.0, 0.5, 0.5]\n", "nothing to train on"),
        (MINIMAL + "[optimiser]\nl2 = 1e-4\n", "l2 needs name = 'adam'"),
        (MINIMAL + "[optimiser]\nschedule = 'stepped'\n", "need each other"),
        (MINIMAL + f"[optimiser]\n{PHASES}", "need each other"),
        (MINIMAL + f"[optimiser]\n{STEPPED}", "the phases have 10"),
        (MINIMAL + f"[budget]\nepochs = 10\n[optimiser]\nlr = 1e-2\n{STEPPED}", "largest rate"),
        (MINIMAL + f"[budget]\nepochs = 10\n[optimiser]\nwarmup = 0.1\n{STEPPED}", "warmup"),
        (
            MINIMAL + f"[budget]\nepochs = 10\nsteps_per_epoch = 3\n[optimiser]\n{STEPPED}",
            "steps_per_epoch",
        ),
        (MINIMAL + "[ema]\nmomentum = 1.0\n", "ema.momentum"),
        (MINIMAL + "[search]\n'optimiser.rate' = {low = 1, high = 2}\n", "optimiser.rate"),
        (MINIMAL + "[search]\n'optimiser.lr' = {low = 1e-3, high = -1}\n", "low below high"),
        (MINIMAL + "[search]\n'optimiser.lr' = {low = 0, high = 1, log = true}\n", "above 0"),
        (MINIMAL + "[search]\n'ema.momentum' = {low = 0.5, high = 1.5}\n", "ema.momentum"),
        (MINIMAL.replace("job", "jobs"), "unknown key jobs"),
        ("name = ", "no TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputFileError, match=str(path)) as caught:
        load_recipe(path)
    assert named in str(caught.value)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"c23-v1.*path of a .toml"):
        load_recipe("c25")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot read"):
        load_recipe(tmp_path / "none.toml")


def test_a_binary_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFileError, match="no TOML"):
        load_recipe(path)


def test_settings_are_changed_by_dotted_names() -> None:
    recipe = load_recipe("c23-v1")
    changed = override(recipe, {"budget.epochs": 3, "network.width": 12, "name": "mine"})
    assert (changed.budget.epochs, changed.network.options, changed.name) == (
        3,
        {"width": 12},
        "mine",
    )
    assert recipe.budget.epochs == 1000


@pytest.mark.parametrize(
    "changes", [{"budget.epoch": 3}, {"budget.epochs": -1}, {"a.b.c": 1}, {"name.first": 1}]
)
def test_changes_to_what_is_not_there_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(changes)).split(".")[0]):
        override(load_recipe("c23-v1"), changes)


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_recipe("c23-v1").budget.epochs = 3  # type: ignore[misc]


def test_a_recipe_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="cannot write"):
        save_recipe(tmp_path / "none" / "x.toml", load_recipe("c23-v1"))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALAR = st.booleans() | st.integers(-(2**62), 2**62) | TEXT | st.floats(allow_nan=False, width=32)


@given(about=TEXT, options=st.dictionaries(TEXT, SCALAR | st.lists(SCALAR, max_size=3), max_size=4))
def test_any_text_and_options_survive_writing(
    about: str, options: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = {
        key: value
        for key, value in options.items()
        if key != "name" and "inf" not in repr(value) and not key.startswith("_")
    }
    content = load_recipe("c23-v1").model_dump() | {"about": about}
    content["network"] = {"name": "x"} | options
    recipe = Recipe.model_validate(content)
    path = tmp_path_factory.mktemp("recipe") / "x.toml"
    save_recipe(path, recipe)
    assert load_recipe(path) == recipe


def test_covariates_are_all_unless_they_are_named(tmp_path: Path) -> None:
    assert load_recipe(written(tmp_path, MINIMAL)).table.covariates is None
    none = load_recipe(written(tmp_path, MINIMAL + "[table]\ncovariates = []\n"))
    assert none.table.covariates == ()
    save_recipe(tmp_path / "copy.toml", none)
    assert load_recipe(tmp_path / "copy.toml") == none


@given(part=st.floats(0.001, 1), rows=st.integers(1, 10**6))
def test_batches_are_a_part_of_the_rows_within_limits(part: float, rows: int) -> None:
    budget = {"batch_size": 200, "batch_part": part, "batch_least": 32}
    recipe = override(load_recipe("logistic"), {f"budget.{k}": v for k, v in budget.items()})
    assert 32 <= recipe.budget.batch_rows(rows) <= 200
    if 33 < part * rows < 199:
        assert recipe.budget.batch_rows(rows) == pytest.approx(part * rows, abs=0.5)
    assert load_recipe("c24-vgg8").budget.batch_rows(rows) == 256
