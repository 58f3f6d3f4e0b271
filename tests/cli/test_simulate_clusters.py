"""``filar simulate clusters``."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.catalogfile import read_catalog
from filar.cli.main import app
from filar.clusters.data import SetFolder
from filar.errors import InputFileError, ParameterError
from tests.simulate.clusters.samples import write_isochrones

SMALL = ["--bands", "F438W,F814W", "--cutout", "16", "--workers", "1", "--log-mass", "3", "3.5"]
SET = [*SMALL, "-n", "3", "--scenes", "1", "--scene-size", "32"]


@pytest.fixture(scope="module")
def isochrones(tmp_path_factory):
    return write_isochrones(tmp_path_factory.mktemp("isochrones") / "toy.dat")


@pytest.fixture(scope="module")
def images(isochrones, tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    run("-o", folder, "--field", *SMALL, "-n", 2, "--size", 170, "--isochrones", isochrones)
    return folder


def run(*arguments, status=0):
    result = CliRunner().invoke(app, ["simulate", "clusters", *map(str, arguments)])
    if status == 0:
        assert result.exit_code == 0, result.output
    return result


def test_a_set_is_written_and_training_can_read_it(isochrones, tmp_path):
    options = [*SET, "--isochrones", isochrones, "--seed", 5]
    result = run("-o", tmp_path, *options, "--log-age", 7, 7.5, "--distance", 5)
    assert "3 clusters, 1 scenes" in result.stderr
    found = SetFolder(tmp_path)
    assert len(found) == 3
    assert found.bands == ("F438W", "F814W")
    assert found.facts.distance_mpc == 5
    assert found.facts.ranges["log_age"] == (7, 7.5)
    options[options.index("-n") + 1] = "4"
    assert "kept" in run("-o", tmp_path, *options, "--log-age", 7, 7.5, "--distance", 5).stderr
    assert len(SetFolder(tmp_path)) == 4


def test_images_with_clusters_are_written(images):
    assert {path.name for path in images.iterdir()} == {"F438W.fits", "F814W.fits", "clusters.ecsv"}
    assert len(read_catalog(images / "clusters.ecsv")) == 2


def test_real_images_are_backgrounds(isochrones, images, tmp_path):
    files = [item for band in ("F438W", "F814W")
             for item in ("--background", images / f"{band}.fits")]  # fmt: skip
    options = ["--scenes", 0, "--scene-size", 64, "-n", 2, "--isochrones", isochrones, *SMALL]
    result = run("-o", tmp_path, *options, *files)
    assert "9 real backgrounds" in result.stderr
    scenes = np.load(tmp_path / "scenes_real.npy")
    assert scenes.shape == (9, 2, 64, 64)
    settings = json.loads((tmp_path / "set.json").read_text())
    assert settings["backgrounds"] == ["F438W.fits", "F814W.fits"]
    assert settings["exposure_time"] == [1880.0, 1203.0]
    assert settings["zero_point"] == pytest.approx([24.98, 24.67])


def test_the_camera_can_be_changed(isochrones, tmp_path):
    changes = ["--pixel-scale", 0.06, "--exposure-times", "500,700"]
    run("-o", tmp_path, *SET, "--isochrones", isochrones, *changes)
    settings = json.loads((tmp_path / "set.json").read_text())
    assert settings["exposure_time"] == [500.0, 700.0]
    assert settings["pixel_scale"] == 0.06


@pytest.mark.parametrize(
    "options, name",
    [
        (["--camera", "keck"], "camera"),
        (["--bands", "F999W"], "bands"),
        (["--log-age", "8", "7"], "log_age"),
        (["--surface-brightness", "23", "20"], "surface_brightness"),
        (["--exposure-times", "100"], "exposure-times"),
        (["--exposure-times", "a,b"], "exposure-times"),
        (["-n", "0"], "clusters"),
        (["--cutout", "4"], "size"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(isochrones, tmp_path, options, name):
    result = run("-o", tmp_path / "new", *SET, "--isochrones", isochrones, *options, status=2)
    assert isinstance(result.exception, ParameterError)
    assert name in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_backgrounds_that_do_not_fit_are_refused(isochrones, images, tmp_path):
    one = ["--background", images / "F814W.fits"]
    result = run("-o", tmp_path / "new", *SET, "--isochrones", isochrones, *one, status=2)
    assert isinstance(result.exception, ParameterError)
    wrong = [*one, "--background", images / "F438W.fits"]
    result = run("-o", tmp_path / "new", *SET, "--isochrones", isochrones, *wrong, status=2)
    assert "in this order" in str(result.exception)
    both = ["--background", images / "F438W.fits", *one, "--scene-size", 200]
    result = run("-o", tmp_path / "new", *SET, "--isochrones", isochrones, *both, status=1)
    assert isinstance(result.exception, InputFileError)
    assert "--scene-size" in str(result.exception)
    field = run("-o", tmp_path / "new", "--field", *SMALL, *one, status=2)
    assert isinstance(field.exception, ParameterError)
    assert not (tmp_path / "new").exists()
