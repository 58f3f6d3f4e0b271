import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from filar.catalogfile import write_catalog
from filar.cli import console, main
from filar.completeness.estimator import CompletenessModel
from filar.completeness.readers import read_artificial_stars
from filar.completeness.table import RealStars
from filar.errors import ParameterError
from filar.report import completeness_page
from tests.completeness.toys import toy_stars


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Artificial stars, another table of them, real stars, and models of the first."""
    folder = tmp_path_factory.mktemp("in")
    stars, real = toy_stars(3000), toy_stars(400, seed=3)
    write_catalog(stars.to_table(), folder / "asts.ecsv")
    write_catalog(toy_stars(1000, seed=8).to_table(), folder / "other.ecsv")
    real = real.select(real.recovered)
    sky = RealStars(real.bands, real.mag_out, real.covariates, real.x, real.y)
    write_catalog(sky.to_table(), folder / "sky.ecsv")
    write_catalog(RealStars(real.bands, real.mag_out).to_table(), folder / "bare.ecsv")
    stars = read_artificial_stars(folder / "asts.ecsv")  # as rounded as it was written
    CompletenessModel("logistic").fit(stars).save(folder / "lr.safetensors")
    CompletenessModel("logistic", covariates=["crowding"]).fit(stars).save(folder / "b.safetensors")
    return folder


@pytest.fixture(autouse=True)
def one_figure(monkeypatch) -> None:
    """The page has tests of its own."""
    drawn = completeness_page.report_figures
    monkeypatch.setattr(completeness_page, "report_figures", lambda facts: drawn(facts)[:1])


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command in this process; the exit status and what was told."""
    console.set_verbosity(0)
    found = CliRunner().invoke(main.app, ["evaluate", "completeness", *map(str, arguments)])
    status = 2 if isinstance(found.exception, ParameterError) else found.exit_code
    return status, f"{found.output} {found.exception}"


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def test_recipes_are_trained_and_judged_by_held_out_stars(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    status, told = invoke(made / "asts.ecsv", "--recipes", "boosting", "--curve", "300,1000",
                          "--stars", made / "sky.ecsv", "-o", out)  # fmt: skip
    assert status == 0, told
    assert {p.name for p in tmp_path.iterdir()} == {"page.html", "page.json", "page_figures"}
    numbers = read(tmp_path / "page.json")
    assert numbers["judged"]["stars"] == 600
    assert "held out" in numbers["judged"]["rule"]
    logistic, boosting = numbers["summary"]
    assert (logistic["model"], boosting["model"]) == ("logistic", "boosting")
    assert boosting["trained_on"] == 2400
    points = [(row["model"], row["stars"]) for row in numbers["learning_curve"]]
    assert points == [(name, n) for name in ("logistic", "boosting") for n in (300, 1000, 2400)]
    # The curve's last model is the one that is judged.
    assert numbers["learning_curve"][2]["log_loss"] == pytest.approx(logistic["log_loss"])
    assert [one["band"] for one in numbers["products"]["luminosity_functions"]] == [
        "F555W", "F814W",
    ]  # fmt: skip
    assert "boosting: accuracy" in told
    assert "calibration error" in told


def test_a_model_is_judged_by_its_test_part_beside_the_classic_one(
    made: Path, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    status, told = invoke(made / "asts.ecsv", "--model", f"lr={made / 'lr.safetensors'}",
                          "--model", made / "b.safetensors", "-o", out)  # fmt: skip
    assert status == 0, told
    numbers = read(tmp_path / "page.json")
    assert [row["model"] for row in numbers["summary"]] == ["lr", "b"]
    own = CompletenessModel.load(made / "lr.safetensors").card_
    assert numbers["judged"]["stars"] == round(3000 * own.recipe.table.fractions[2])
    assert numbers["summary"][0]["log_loss"] == pytest.approx(own.figures["log_loss"], rel=1e-5)
    assert "test part" in told


def test_another_table_is_judged_whole_and_recipes_in_parts(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    status, told = invoke(made / "other.ecsv", "--model", made / "b.safetensors", "-o", out,
                          "--recipes", "boosting")  # fmt: skip
    assert status == 0, told
    numbers = read(tmp_path / "page.json")
    assert numbers["judged"] == {
        "stars": 1000,
        "rule": "These are all stars of the table; none of the models was trained on this file's.",
    }
    boosting = numbers["summary"][1]
    assert boosting["about"] == "trained here, in 5 parts"
    assert boosting["trained_on"] == 800
    # What it was trained on would be told better than this.
    assert boosting["log_loss"] > 0.9 * boosting["honest_log_loss"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{d}/none.ecsv"], 1, "none.ecsv"),
        (["{d}/asts.ecsv", "--model", "{d}/no.safetensors"], 1, "there is no such file"),
        (["{d}/asts.ecsv", "--model", "a={d}/lr.safetensors", "--model", "a={d}/b.safetensors"],
         2, "which is taken"),
        (["{d}/asts.ecsv", "--model", "=x"], 2, "NAME=FILE"),
        (["{d}/asts.ecsv", "--recipes", "cointos"], 2, "one of"),
        (["{d}/asts.ecsv", "--recipes", "c24-vgg8"], 2, "recipes for completeness"),
        (["{d}/asts.ecsv", "--curve", "some"], 2, "numbers of stars"),
        (["{d}/asts.ecsv", "--magnitudes", "true"], 2, "input or measured"),
        (["{d}/sky.ecsv"], 1, "stars"),
        (["{d}/asts.ecsv", "--stars", "{d}/bare.ecsv"], 2, "a table without crowding, sky_noise"),
        (["{d}/asts.ecsv", "--stars", "{d}/asts.ecsv"], 1, "asts.ecsv"),
        (["{d}/asts.ecsv", "--model", "boosting={d}/lr.safetensors", "--recipes", "boosting"],
         2, "different names"),
    ],
)  # fmt: skip
def test_bad_input_is_told_before_anything_is_written(
    made: Path, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    given = [text.format(d=made) for text in arguments]
    found, told = invoke(*given, "-o", tmp_path / "a.html")
    assert found == status, told
    assert message in told
    assert list(tmp_path.iterdir()) == []


def test_other_cuts_are_told(made: Path, tmp_path: Path) -> None:
    stars = toy_stars(500, seed=11)
    stars.meta["cuts"] = {"snr": 3.0, "bands": 2}
    write_catalog(stars.to_table(), tmp_path / "deep.ecsv")
    status, told = invoke(tmp_path / "deep.ecsv", "--model", made / "lr.safetensors", "-o",
                          tmp_path / "a.html")  # fmt: skip
    assert status == 0, told
    assert "other cuts than this table's: bands 2, snr 5.0 instead of bands 2, snr 3.0" in told
