"""``filar simulate saturated``."""

import pytest
from typer.testing import CliRunner

from filar.catalogfile import read_catalog
from filar.cli.main import app
from filar.errors import OutputFileError, ParameterError
from filar.instruments import read_exposures

SMALL = ["--cameras", "a", "--fields", "1", "--epochs", "1", "--exposures", "2", "--size", "128"]
SMALL += ["--targets", "12", "--workers", "1"]


def run(*arguments, status=0):
    result = CliRunner().invoke(app, ["simulate", "saturated", *map(str, arguments)])
    if status == 0:
        assert result.exit_code == 0, result.output
    return result


def test_a_survey_is_written_and_then_extended(tmp_path):
    folder = tmp_path / "survey"
    assert "2 images made (seed 3)" in run("-o", folder, *SMALL, "--seed", 3).stderr
    stars = read_catalog(folder / "stars.ecsv")
    assert stars["target"].sum() == 12
    light = read_catalog(folder / "light.parquet")
    assert set(light["image"]) == {"f00_a_g_0000_1", "f00_a_g_0000_2"}
    assert len(read_exposures(folder / "images" / "f00_a_g_0000_1.fits")) == 1
    more = [*SMALL, "--seed", 3]
    more[more.index("--epochs") + 1] = "2"
    assert "2 images made, 2 kept as they were" in run("-o", folder, *more).stderr
    assert len(read_catalog(folder / "images.ecsv")) == 4


def test_filters_and_the_pipelines_deeds(tmp_path):
    options = ["--filters", "g,V", "--correct", "--damage", "--seed", 1]
    run("-o", tmp_path, *SMALL, *options)
    images = read_catalog(tmp_path / "images.ecsv")
    assert images["corrected"].all()
    assert set(images["filter"]) == {"g", "V"}
    filters = [read_exposures(path)[0].filter for path in sorted((tmp_path / "images").iterdir())]
    assert filters == sorted(images["filter"].tolist())


@pytest.mark.parametrize(
    "options, name",
    [
        (["--filters", "r"], "filters"),
        (["--size", "10"], "size"),
        (["--cameras", "a,a"], "cameras"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(tmp_path, options, name):
    result = run("-o", tmp_path / "new", *SMALL, *options, status=2)
    assert isinstance(result.exception, ParameterError)
    assert name in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_another_survey_is_not_overwritten(tmp_path):
    run("-o", tmp_path, *SMALL)
    result = run("-o", tmp_path, *SMALL, "--seed", 9, status=1)
    assert isinstance(result.exception, OutputFileError)
    assert "seed = 1 instead of 9" in str(result.exception)


def test_help_has_an_example():
    result = run("--help")
    assert "Example: filar simulate saturated -o survey" in " ".join(result.output.split())
