"""``filar train saturation``: from samples or images to a model, and what is refused."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.cli import console, main
from filar.learn.history import read_history
from filar.learn.modelfile import read_card
from filar.learn.recipe import load_recipe, save_recipe
from filar.measure.saturation_samples import Collected, Collecting
from filar.saturation.estimator import SaturationModel
from filar.saturation.store import load_samples, save_samples
from tests.saturation.toys import small_recipe, toy_samples


def filar(*arguments: object) -> tuple[int, str]:
    """Run a command in this process: the status that the shell would see, and what was told."""
    console.set_verbosity(0)
    given = [str(a) for a in ("train", "saturation", *arguments)]
    done = CliRunner().invoke(main.app, given, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 1, str(done.exception)
    return done.exit_code, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples, and the recipes of small networks."""
    folder = tmp_path_factory.mktemp("samples")
    save_samples(folder / "toys.safetensors", toy_samples())
    save_recipe(folder / "small.toml", small_recipe())
    ranges = {"optimiser.lr": {"low": 1e-3, "high": 1e-2, "log": True}}
    searched = small_recipe(search=ranges, network__trainings=2)
    save_recipe(folder / "searched.toml", searched)
    return folder


def test_from_samples_to_a_model(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    command = [folder / "toys.safetensors", "-o", model, "--recipe", folder / "small.toml"]
    status, told = filar(*command)
    assert status == 0, told
    assert "300 stamps of 150 stars in 2 images, sim-a g; 300 used" in told
    assert "small: 3 epochs" in told
    assert re.search(r"held-out saturated stars: bias [+-]\d\.\d+, 68 % within", told)
    assert str(model) in told
    assert len(read_history(tmp_path / "m_training" / "history.csv")) == 3
    same = SaturationModel(small_recipe()).fit(toy_samples())
    loaded = SaturationModel.load(model)
    np.testing.assert_array_equal(
        loaded.predict(toy_samples()).log_n, same.predict(toy_samples()).log_n
    )
    # nothing is left to be done, and nothing is done
    before = model.read_bytes()
    assert filar(*command, "--resume")[0] == 0
    assert model.read_bytes() == before
    assert filar(*command, "--seed", 3)[0] == 0
    assert model.read_bytes() != before


def test_options_change_the_recipe(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    status, told = filar(folder / "toys.safetensors", folder / "toys.safetensors", "-o", model,
                         "--recipe", folder / "small.toml", "--epochs", 2, "--trainings", 2,
                         "--batch", 50, "--samples", tmp_path / "both.safetensors")  # fmt: skip
    assert status == 0, told
    assert "600 stamps of 150 stars in 4 images" in told
    assert re.search(r"training [01] of 2, the best", told)
    recipe = read_card(model).recipe
    assert (recipe.budget.epochs, recipe.budget.batch_size) == (2, 50)
    assert recipe.network.options["trainings"] == 2
    assert len(load_samples(tmp_path / "both.safetensors")) == 600


def test_a_search_comes_first(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    status, told = filar(folder / "toys.safetensors", "-o", model, "--recipe",
                         folder / "searched.toml", "--search", 2)  # fmt: skip
    assert status == 0, told
    assert "best of 2 trials" in told
    best = load_recipe(tmp_path / "m.toml")
    assert best.optimiser.lr != small_recipe().optimiser.lr
    assert best.network.options["trainings"] == 2
    assert read_card(model).recipe.optimiser.lr == best.optimiser.lr


def test_images_become_samples(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def collect_samples(paths: list[Path], how: Collecting, **options: Any) -> Collected:
        asked.update(options, paths=paths, how=how)
        options["progress"](1, 2)
        return Collected(toy_samples(), ("a.fits: no star of the catalogue in it",))

    monkeypatch.setattr("filar.measure.saturation_samples.collect_samples", collect_samples)
    model, kept = tmp_path / "m.safetensors", tmp_path / "kept.safetensors"
    command = ["a.fits", "b.fits", "--catalog", "stars.ecsv", "-o", model, "--samples", kept,
               "--recipe", folder / "small.toml", "--mag", "r", "--gain", 2, "--filter", "r",
               "--saturation", 6e4, "--resume"]  # fmt: skip
    status, told = filar(*command)
    # One of two images gave nothing: the model is there, but not all was done.
    assert status == 1, told
    assert SaturationModel.load(model).history_ == []
    assert "warning: a.fits: no star of the catalogue" in told
    assert asked["paths"] == [Path("a.fits"), Path("b.fits")]
    how = asked["how"]
    assert how.catalog == Path("stars.ecsv") and how.mag == "r" and how.resume
    assert how.folder == tmp_path / "m_training" / "samples" and asked["workers"] == 1
    assert (how.read.gain, how.read.filter, how.read.saturation) == (2, "r", 6e4)
    assert load_samples(kept).digest() == toy_samples().digest()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["a.fits"], "--catalog.*known magnitude"),
        (["a.fits", "toys.safetensors"], "images, or samples"),
        (["toys.safetensors", "--catalog", "stars.ecsv"], "--catalog.*samples"),
        (["toys.safetensors", "--recipe", "c23-v1"], "one for saturation"),
        (["toys.safetensors", "--recipe", "unheard"], "filar-saturation.*w24"),
        (["toys.safetensors", "--recipe", "w24", "--epochs", "0"], "epochs"),
        (["toys.safetensors", "--samples", "toys.safetensors"], "another name than an input's"),
        (["toys.safetensors", "--samples", "toys.fits"], r"\.safetensors"),
        (["few.safetensors", "--recipe", "w24"], "99 in 198 stamps.*100 or more"),
        (["none.safetensors"], "cannot read"),
        (["torn.safetensors"], "else, or damaged"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    folder: Path, tmp_path: Path, arguments: list[str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_samples(folder / "few.safetensors", toy_samples().select(slice(0, 198)))
    (folder / "torn.safetensors").write_bytes(b"torn")
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    status, told = filar(*arguments, "-o", tmp_path / "m.safetensors")
    assert status != 0
    assert re.search(named, told.replace("\n", " ")), told
    assert not list(tmp_path.iterdir())
    assert sorted(folder.iterdir()) == before
    assert filar("toys.safetensors", "-o", "toys.safetensors")[0] != 0
