import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.catalogfile import read_catalog
from filar.cli import console, main, training
from filar.errors import ParameterError
from filar.learn.history import read_history
from filar.learn.modelfile import load_model, read_card, save_model
from filar.learn.recipe import load_recipe
from filar.stamps.store import StampStore
from tests.measure import dithered

FAST = ("--epochs", "2", "--batch", "256")
RECIPE = """
name = "small"
job = "centering"
[data]
size = 6
normalisation = "noise"
subtract_neighbours = true
[network]
name = "guided"
width = 16
blocks = 1
[loss]
name = "likelihood"
[budget]
epochs = 3
batch_size = 256
[search]
"optimiser.lr" = {low = 1e-4, high = 1e-2, log = true}
"""


def filar(*arguments: object) -> tuple[int, str]:
    """Run a command in this process: the status that the shell would see, and what was told."""
    console.set_verbosity(0)
    done = CliRunner().invoke(main.app, [str(a) for a in arguments], catch_exceptions=True)
    return done.exit_code, done.stderr


def train(*arguments: object) -> str:
    status, told = filar("train", "centering", *arguments, *FAST)
    assert status == 0, told
    return told


@pytest.fixture(scope="module")
def dithers(tmp_path_factory):
    return dithered.write(tmp_path_factory.mktemp("dithers"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, dithers):
    """A model trained on exposures, and what was told then."""
    model = tmp_path_factory.mktemp("trained") / "mine.safetensors"
    told = train(*dithers.files, "-o", model, "--labels", dithers.truth, "--psf", "default")
    return model, told


@pytest.fixture(scope="module")
def stamps(trained) -> Path:
    return trained[0].with_name("mine_training") / "stamps"


def test_from_exposures_to_a_model(trained, stamps: Path) -> None:
    model, told = trained
    store = StampStore.open(stamps)
    assert f"{len(store)} stamps of" in told
    assert "in 8 exposures" in told
    assert "filar-centering: 2 epochs in" in told
    assert "mpix against the labels" in told
    assert str(model) in told
    assert len(read_history(stamps.parent / "history.csv")) == 2
    card = read_card(model)
    assert (card.data, card.recipe.name, card.seed) == (store.digest, "filar-centering", 0)
    assert card.filters == ("F555W",)
    assert card.figures["sigma_x"] < 0.1


def test_the_model_measures(dithers, trained, tmp_path: Path) -> None:
    out = tmp_path / "stars.parquet"
    model = trained[0]
    status, told = filar("measure", dithers.files[0], "-o", out, "--psf", "default", "--method",
                         "network", "--model", model)  # fmt: skip
    assert status == 0
    table = read_catalog(out)
    by = np.asarray(table["method"]) == "network"
    assert f"{by.sum()} placed by network" in told
    assert by.mean() > 0.9
    distance = np.hypot(
        table["x_fit"].value[:, None] - dithers.x, table["y_fit"].value[:, None] - dithers.y
    )
    assert np.median(distance.min(axis=1)[by]) < 0.03
    facts = table.meta["exposures"][0]["network"]
    assert (facts["model"], facts["recipe"]) == ("mine.safetensors", "filar-centering")
    assert table.meta["parameters"]["model"] == "mine.safetensors"


def test_the_same_seed_and_stamps_give_the_same_file(trained, stamps: Path, tmp_path: Path) -> None:
    first, again, other = trained[0], tmp_path / "again.safetensors", tmp_path / "o.safetensors"
    train(stamps, "-o", again)
    train(stamps, "-o", other, "--seed", 7)
    assert again.read_bytes() == first.read_bytes()
    assert other.read_bytes() != first.read_bytes()
    # nothing is left to be done, and nothing is done
    told = train(stamps, "-o", again, "--resume")
    assert again.read_bytes() == first.read_bytes()
    assert "2 epochs" in told


def test_a_model_is_continued_from(trained, stamps: Path, tmp_path: Path) -> None:
    out = tmp_path / "more.safetensors"
    train(stamps, "-o", out, "--from", trained[0])
    old, new = (load_model(path)[0] for path in (trained[0], out))
    assert "continued from filar-centering" in read_card(out).notes
    assert set(old) == set(new)
    assert out.read_bytes() != trained[0].read_bytes()


def test_the_best_recipe_of_a_search_is_written_and_trained(stamps: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "small.toml", tmp_path / "m.safetensors"
    recipe.write_text(RECIPE)
    status, told = filar("train", "centering", stamps, "-o", out, "--recipe", recipe,
                         "--search", 3)  # fmt: skip
    assert status == 0, told
    assert "best of 3 trials" in told
    best = load_recipe(tmp_path / "m.toml")
    assert best == read_card(out).recipe
    assert best.optimiser.lr != load_recipe(recipe).optimiser.lr


def bad_files(folder: Path, model: Path) -> None:
    """What users may give by mistake."""
    (folder / "unknown.toml").write_text(RECIPE + "\n[optimizer]\nlr = 1\n")
    (folder / "truncated.safetensors").write_bytes(model.read_bytes()[:-100])
    (folder / "pickle.safetensors").write_bytes(pickle.dumps({"weights": [1.0]}))
    (folder / "folder").mkdir()
    (folder / "table.parquet").write_text("no table")


def told_by_main(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["filar", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    return stopped.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["d00.fits", "d01.fits", "-o", "m.safetensors"], 2, "5 exposures or more"),
        (["d00.fits", "-o", "m.pt"], 2, ".safetensors"),
        (["d00.fits", "-o", "none/m.safetensors"], 1, "no folder"),
        (["none.fits", "-o", "m.safetensors", "--labels", "truth.parquet"], 1, "no such file"),
        (["d00.fits", "-o", "m.safetensors", "--labels", "none.parquet"], 1, "no such file"),
        (["d00.fits", "-o", "m.safetensors", "--labels", "table.parquet"], 1, "cannot be read"),
        (["d00.fits", "-o", "m.safetensors", "--recipe", "none"], 2, "c23-v1"),
        (["d00.fits", "-o", "m.safetensors", "--recipe", "unknown.toml"], 1, "optimizer"),
        (["d00.fits", "-o", "m.safetensors", "--from", "none.safetensors"], 1, "no such model"),
        (["d00.fits", "-o", "m.safetensors", "--from", "truncated.safetensors"], 1, "truncated"),
        (["d00.fits", "-o", "m.safetensors", "--from", "pickle.safetensors"], 1, "pickle"),
        (["d00.fits", "folder", "-o", "m.safetensors"], 2, "one folder of stamps"),
        (["folder", "-o", "m.safetensors"], 1, "meta.json"),
        (["d00.fits", "-o", "m.safetensors", "--devices", "two"], 2, "--devices"),
        (["d00.fits", "-o", "m.safetensors", "--psf", "none.fits"], 1, "no such PSF"),
    ],
)
def test_bad_input_is_told_before_the_work(
    dithers, trained, tmp_path, monkeypatch, capsys, arguments, status, message
) -> None:
    for path in (*dithers.files[:2], dithers.truth):
        (tmp_path / path.name).symlink_to(path)
    bad_files(tmp_path, trained[0])
    monkeypatch.chdir(tmp_path)
    found, told = told_by_main(monkeypatch, capsys, "train", "centering", *arguments)
    assert (found, told.count("\n")) == (status, 1), told
    assert message in told
    assert not list(tmp_path.glob("m.*"))


def test_exposures_of_two_filters(dithers, tmp_path, monkeypatch, capsys) -> None:
    red = dithered.write(tmp_path, 4, FILTER="F814W")
    files = [str(path) for path in (*dithers.files[:4], *red.files)]
    arguments = ["train", "centering", *files, "-o", str(tmp_path / "m.safetensors")]
    found, told = told_by_main(monkeypatch, capsys, *arguments, "--psf", "default")
    assert found == 2
    assert "F555W" in told
    assert "F814W" in told


@pytest.mark.parametrize("name", ["truncated", "pickle", "other"])
@pytest.mark.parametrize("method", ["auto", "network"])
def test_measure_refuses_a_bad_model(
    dithers, trained, tmp_path, monkeypatch, capsys, name: str, method: str
) -> None:
    bad_files(tmp_path, trained[0])
    tensors, card = load_model(trained[0])
    other = card.model_copy(update={"filters": ("F814W",)})
    save_model(tmp_path / "other.safetensors", tensors, other)
    out = tmp_path / "stars.ecsv"
    arguments = ["measure", str(dithers.files[0]), "-o", str(out), "--psf", "default", "--method"]
    arguments += [method, "--model", str(tmp_path / f"{name}.safetensors")]
    status, told = told_by_main(monkeypatch, capsys, *arguments)
    assert status == 1
    assert {"truncated": "truncated", "pickle": "pickle", "other": "F814W"}[name] in told
    assert f"{name}.safetensors" in told
    assert not out.exists()


def test_search_needs_a_training_that_begins_anew(trained, stamps, tmp_path) -> None:
    done = CliRunner().invoke(main.app, ["train", "centering", str(stamps), "-o",
        str(tmp_path / "m.safetensors"), "--search", "2", "--from", str(trained[0])])  # fmt: skip
    assert isinstance(done.exception, ParameterError)


def test_the_table_of_epochs_shows_the_validation_figures() -> None:
    rows = {n: {"rate": 1.0, "train_loss": -n, "train_x": 9.0, "validation_x": 0.1 * n}
            for n in range(1, 10)}  # fmt: skip
    table = training.epochs_table(rows)
    assert [column.header for column in table.columns] == ["epoch", "train\nloss", "validation\nx"]
    assert table.row_count == training.SHOWN
    assert list(table.columns[2].cells) == ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
