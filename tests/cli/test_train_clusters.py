"""``filar train clusters``: from a set to a model, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.cli import console, main
from filar.clusters.estimator import ClusterModel
from filar.learn.history import read_history
from filar.learn.modelfile import read_card
from filar.learn.recipe import load_recipe, override, save_recipe
from tests.clusters.samples import BANDS, write_set


def filar(*arguments: object) -> tuple[int, str]:
    """Run a command in this process: the status that the shell would see, and what was told."""
    console.set_verbosity(0)
    given = [str(a) for a in ("train", "clusters", *arguments)]
    done = CliRunner().invoke(main.app, given, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 1, str(done.exception)
    return done.exit_code, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set, and the recipe of a small network."""
    folder = tmp_path_factory.mktemp("clusters")
    write_set(folder / "mocks", 150, size=16, extent=64)
    changes = {
        "network.channels": [4, 4], "network.blocks": 1, "network.hidden": 16, "network.bins": 10,
        "budget.epochs": 2, "budget.batch_size": 64, "mocks.fractions": [0.7, 0.15, 0.15],
    }  # fmt: skip
    save_recipe(folder / "small.toml", override(load_recipe("filar-clusters"), changes))
    return folder


def test_from_a_set_to_a_model(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    command = [folder / "mocks", "-o", model, "--recipe", folder / "small.toml", "--seed", 3]
    status, told = filar(*command)
    assert status == 0, told
    assert "150 mock clusters, 4 scenes, test F336W/F438W/F814W, 16 x 16 pixels" in told
    assert "held-out clusters: rms of log age" in told
    assert "told apart" in told
    assert str(model) in told
    card = read_card(model)
    assert (card.job, card.filters, card.size, card.seed) == ("clusters", BANDS, 16, 3)
    assert len(read_history(tmp_path / "m_training" / "history.csv")) == 2
    # nothing is left to be done, and nothing is done
    before = model.read_bytes()
    assert filar(*command, "--resume")[0] == 0
    assert model.read_bytes() == before
    assert np.isfinite(ClusterModel.load(model).inputs_.softening).all()


def test_options_change_the_recipe(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    more = ("--recipe", folder / "small.toml", "--epochs", 1, "--batch", 32)
    assert filar(folder / "mocks", "-o", model, *more)[0] == 0
    budget = read_card(model).recipe.budget
    assert (budget.epochs, budget.batch_size) == (1, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "-o", "m.safetensors"], "set.json"),
        (["mocks", "-o", "m.fits"], "m.fits"),
        (["mocks", "-o", "m.safetensors", "--recipe", "w24"], "for clusters"),
        (["mocks", "-o", "m.safetensors", "--recipe", "none"], "one of"),
    ],
)
def test_what_cannot_be_done_is_refused_before_it_is_begun(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(folder)
    status, told = filar(*arguments)
    assert status in (1, 2)
    assert message in told
    assert not (folder / "m.safetensors").exists()
    assert not (folder / "m_training").exists()
