"""``filar measure --saturated``: magnitudes of saturated stars by a model."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from typer.testing import CliRunner

from filar.catalogfile import read_catalog
from filar.cli import console, main
from filar.flags import Flag
from filar.saturation.estimator import SaturationModel
from tests.saturation.experttoys import quick_recipe, toys
from tests.saturation.fields import WELL, make_field, winged

SHAPE = (200, 180)
X, Y = [60.3, 120.6, 30.2, 150.0, 90.7, 140.4], [70.2, 130.4, 160.0, 40.3, 100.1, 170.6]
FLUX = [3e6, 1e6, 6e4, 3e4, 2e4, 4e4]
BRIGHT, SILENT = int(Flag.BY_MODEL), int(Flag.NO_MAGNITUDE)


def filar(*arguments: object) -> tuple[int, str]:
    """Run the command in this process: the status that the shell would see, and what was told."""
    console.set_verbosity(0)
    done = CliRunner().invoke(main.app, ["measure", *map(str, arguments), "--psf", "default"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 1, str(done.exception)
    return done.exit_code, done.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "bright.safetensors"
    SaturationModel(quick_recipe(budget__epochs=8)).fit(toys(110)).save(path)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Two saturated stars and four others."""
    field = make_field(X, Y, FLUX, shape=SHAPE, psf=winged(shape=SHAPE), seed=2)
    hdu = fits.PrimaryHDU(np.rint(field.exposure.data).astype(np.float32))
    hdu.header.update({"GAIN": 1.0, "RDNOISE": 5.0, "EXPTIME": 10.0, "FILTER": "g",
                       "SATURATE": 0.99 * WELL})  # fmt: skip
    path = tmp_path / "in" / "field.fits"
    path.parent.mkdir()
    hdu.writeto(path)
    return path


def test_saturated_stars_get_magnitudes(image: Path, model: Path, tmp_path: Path) -> None:
    out, plain = tmp_path / "a.ecsv", tmp_path / "b.ecsv"
    status, told = filar(image, "-o", out, "--saturated", model)
    assert status == 0, told
    assert filar(image, "-o", plain)[0] == 0
    table, before = read_catalog(out), read_catalog(plain)
    saturated = (table["flags"] & int(Flag.SATURATED)) != 0
    by_model = (table["flags"] & BRIGHT) != 0
    assert by_model.sum() == 2 and saturated[by_model].all()
    assert np.isfinite(table["mag"].value[by_model]).all()
    assert (table["mag_err"].value[by_model] > 0).all()
    assert not (before["flags"] & (BRIGHT | SILENT)).any()
    for name in ("mag", "mag_err", "flux_fit"):
        np.testing.assert_array_equal(table[name][~by_model], before[name][~by_model])
    np.testing.assert_array_equal(table["flux_fit"], before["flux_fit"])
    # the two differ by as much as their light
    mags = np.sort(table["mag"].value[by_model])
    assert mags[1] - mags[0] == pytest.approx(2.5 * np.log10(3), abs=0.2)
    assert table.meta["parameters"]["saturated"] == "bright.safetensors"
    assert before.meta["parameters"]["saturated"] == "none"
    facts = table.meta["exposures"][0]["saturation"]
    assert (facts["model"], facts["recipe"], facts["n_stars"]) == ("bright.safetensors", "quick", 2)
    assert "saturation" not in before.meta["exposures"][0]


@pytest.mark.parametrize("suffix", [".fits", ".parquet"])
def test_other_formats_and_a_page(image: Path, model: Path, tmp_path: Path, suffix: str) -> None:
    out, page = tmp_path / f"a{suffix}", tmp_path / "a.html"
    status, told = filar(image, "-o", out, "--saturated", model, "--report", page)
    assert status == 0, told
    table = read_catalog(out)
    assert ((table["flags"] & BRIGHT) != 0).sum() == 2
    assert table.meta["exposures"][0]["saturation"]["model"] == "bright.safetensors"
    assert page.is_file()


def test_an_image_without_saturated_stars_is_measured_as_ever(
    image: Path, model: Path, tmp_path: Path
) -> None:
    with fits.open(image, mode="update") as hdus:
        hdus[0].header["SATURATE"] = 1e9
    status, told = filar(image, "-o", tmp_path / "a.ecsv", "--saturated", model)
    assert status == 0, told
    assert not (read_catalog(tmp_path / "a.ecsv")["flags"] & (BRIGHT | SILENT)).any()


def test_what_nothing_is_left_of_has_no_magnitude(
    image: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model says nothing of stars of which there is no evidence."""
    from filar.saturation.inputs import Inputs

    monkeypatch.setattr(
        Inputs, "usable", staticmethod(lambda samples: np.zeros(len(samples), bool))
    )
    status, told = filar(image, "-o", tmp_path / "a.ecsv", "--saturated", model)
    assert status == 0, told
    table = read_catalog(tmp_path / "a.ecsv")
    silent = (table["flags"] & SILENT) != 0
    assert silent.sum() == 2
    assert np.isnan(table["mag"].value[silent]).all()
    assert np.isnan(table["mag_err"].value[silent]).all()
    assert np.isfinite(table["flux_fit"].value[silent]).all()


def test_two_processes_give_the_same(image: Path, model: Path, tmp_path: Path) -> None:
    second = image.with_name("second.fits")
    second.write_bytes(image.read_bytes())
    tables = []
    for workers in (1, 2):
        out = tmp_path / f"{workers}.ecsv"
        given = [image, second, "-o", out, "--saturated", model, "--workers", workers]
        status, told = filar(*given)
        assert status == 0, told
        tables.append(read_catalog(out))
    for name in ("mag", "mag_err", "flags"):
        np.testing.assert_array_equal(tables[0][name], tables[1][name])


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("none.safetensors", "no such model file"),
        ("text.safetensors", "text.safetensors"),
        ("torn.safetensors", "torn.safetensors"),
        ("other.safetensors", "completeness|centering|saturation"),
        ("folder", "no such model file"),
    ],
)
def test_wrong_models_are_told_before_the_work(
    image: Path, model: Path, tmp_path: Path, name: str, named: str
) -> None:
    """And no catalogue is written."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    wrong = tmp_path / "in" / name
    if name == "text.safetensors":
        wrong.write_text("no model")
    elif name == "torn.safetensors":
        wrong.write_bytes(model.read_bytes()[:2000])
    elif name == "other.safetensors":
        with safe_open(model, "np") as file:
            facts = {
                k: v.replace('"saturation"', '"centering"') for k, v in file.metadata().items()
            }
            save_file({key: file.get_tensor(key) for key in file.keys()}, wrong, facts)  # noqa: SIM118
    elif name == "folder":
        wrong.mkdir()
    status, told = filar(image, "-o", tmp_path / "a.ecsv", "--saturated", wrong)
    assert status == 1
    assert re.search(named, told), told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
