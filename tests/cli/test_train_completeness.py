"""``filar train completeness``: from every kind of table to a model, and what is refused."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.catalogfile import write_catalog
from filar.cli import console, main
from filar.completeness.estimator import CompletenessModel
from filar.completeness.table import ArtificialStars
from filar.learn.history import read_history
from filar.learn.modelfile import read_card
from filar.learn.recipe import save_recipe
from tests.completeness.toys import small_recipe, toy_stars


def filar(*arguments: object) -> tuple[int, str]:
    """Run a command in this process: the status that the shell would see, and what was told."""
    console.set_verbosity(0)
    given = [str(a) for a in ("train", "completeness", *arguments)]
    done = CliRunner().invoke(main.app, given, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 1, str(done.exception)
    return done.exit_code, done.stderr


@pytest.fixture(scope="module")
def stars() -> ArtificialStars:
    return toy_stars(400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, stars: ArtificialStars) -> Path:
    """A table, and the recipe of a small network."""
    folder = tmp_path_factory.mktemp("tables")
    write_catalog(stars.to_table(), folder / "asts.parquet")
    save_recipe(folder / "small.toml", small_recipe())
    return folder


def test_from_a_table_to_a_model(folder: Path, stars: ArtificialStars, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    command = [folder / "asts.parquet", "-o", model, "--recipe", folder / "small.toml"]
    status, told = filar(*command)
    assert status == 0, told
    share = 100 * stars.recovered.mean()
    assert f"400 artificial stars in F555W F814W, {share:.1f} % recovered; input" in told
    assert "magnitudes, sky_noise_F555W, crowding" in told
    assert "small: 2 epochs in" in told
    assert "80 held-out stars: log loss" in told
    assert str(model) in told
    assert len(read_history(tmp_path / "m_training" / "history.csv")) == 2
    loaded = CompletenessModel.load(model)
    table = ArtificialStars.from_table(stars.to_table())
    same = CompletenessModel(small_recipe()).fit(table)
    np.testing.assert_array_equal(loaded.p_recovered(stars), same.p_recovered(stars))
    assert loaded.card_.cuts == {"snr": 5.0, "bands": 2}
    # nothing is left to be done, and nothing is done
    before = model.read_bytes()
    assert filar(*command, "--resume")[0] == 0
    assert model.read_bytes() == before
    assert filar(*command, "--seed", 3)[0] == 0
    assert model.read_bytes() != before


def test_options_become_facts_of_the_model(folder: Path, tmp_path: Path) -> None:
    table, model = folder / "asts.parquet", tmp_path / "m.safetensors"
    status, told = filar(table, "-o", model, "--recipe", "logistic", "--magnitudes", "measured",
                         "--covariates", "crowding,x")  # fmt: skip
    assert status == 0, told
    assert "measured magnitudes, crowding, x" in told
    card = read_card(model)
    assert card.magnitudes == "measured"
    assert card.normalisation["covariates"] == ["crowding", "x"]
    status, told = filar(table, "-o", model, "--recipe", "logistic", "--covariates", "none")
    assert status == 0 and "no covariates" in told
    assert read_card(model).normalisation["covariates"] == []


def test_tables_of_other_programs(tmp_path: Path, stars: ArtificialStars) -> None:
    lost = ~stars.recovered[:, None]
    delta = np.where(lost, 99.99, np.nan_to_num(stars.delta))
    path = tmp_path / "field_F475W-F814W.matchfake"
    np.savetxt(path, np.hstack([stars.mag_in, delta]), fmt="%.3f")
    model = tmp_path / "m.safetensors"
    status, told = filar(path, "-o", model, "--recipe", "logistic")
    assert status == 0, told
    assert read_card(model).bands == ("F475W", "F814W")
    assert filar(path, "-o", model, "--recipe", "logistic", "--bands", "B,I")[0] == 0
    assert read_card(model).bands == ("B", "I")
    text = tmp_path / "other.csv"
    rows = np.hstack([stars.mag_in[:, :1], np.where(lost, np.nan, stars.mag_in[:, :1])])
    np.savetxt(text, rows, delimiter=",", header="given,seen", comments="", fmt="%.4f")
    status, told = filar(text, "-o", model, "--recipe", "logistic", "--column", "mag_in=given",
                         "--column", "mag_out=seen", "--bands", "V")  # fmt: skip
    assert status == 0, told
    assert read_card(model).bands == ("V",)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--covariates", "seeing"], r"seeing.*sky_noise_F555W, crowding"),
        (["--magnitudes", "true"], "magnitudes"),
        (["--recipe", "boosting"], "kept in a file"),
        (["--recipe", "c23-v1"], "centering"),
        (["--recipe", "unheard"], "cointoss.*filar-completeness"),
        (["--fwhm", "2"], "--stars"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(
    folder: Path, tmp_path: Path, arguments: list[str], named: str
) -> None:
    status, told = filar(folder / "asts.parquet", "-o", tmp_path / "m.safetensors", *arguments)
    assert status != 0
    assert re.search(named, told), told
    assert not list(tmp_path.iterdir())


def test_tables_from_which_nothing_can_be_learnt(stars: ArtificialStars, tmp_path: Path) -> None:
    table, model = tmp_path / "asts.ecsv", tmp_path / "m.safetensors"
    none_lost = stars.select(stars.recovered)
    unknown = replace(stars, covariates={"crowding": np.full(len(stars), np.nan)})
    for wrong, named in [
        (none_lost, "none lost"), (stars.select(slice(0, 20)), "50 or more"),
        (unknown, "crowding"),
    ]:  # fmt: skip
        write_catalog(wrong.to_table(), table)
        status, told = filar(table, "-o", model)
        assert status == 1 and named in told
    write_catalog(stars.to_table()[:0], table)
    status, told = filar(table, "-o", model)
    assert status == 1 and str(table) in told and "no row" in told
    assert [path.name for path in tmp_path.iterdir()] == ["asts.ecsv"]
    assert filar(tmp_path / "none.parquet", "-o", model)[0] == 1
    status, told = filar(table, "-o", table)
    assert status == 1 and ".safetensors" in told
