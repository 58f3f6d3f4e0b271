"""A survey on disk."""

import json

import numpy as np
import pytest

from filar.catalogfile import read_catalog
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.instruments import read_exposures
from filar.simulate.survey.files import write_survey
from filar.simulate.survey.settings import SurveySettings
from tests.survey_samples import TINY, tiny_survey


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    return tiny_survey(tmp_path_factory.mktemp("survey") / "one")


def contents(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_images_are_read_without_any_option(survey):
    images = read_catalog(survey.images)
    assert survey.made == len(survey.files) == len(images) == 2
    for path, row in zip(survey.files, images, strict=True):
        (exposure,) = read_exposures(path)
        assert exposure.name == row["name"] == path.stem
        assert exposure.instrument == row["camera"] == "sim-a"
        assert exposure.exposure_time == 90.0
        assert exposure.saturation == pytest.approx(60_000 * exposure.gain)
        assert exposure.saturated.any()
        middle = exposure.time.mjd + 45.0 / 86_400.0
        assert middle == pytest.approx(row["mjd"].value, abs=1e-6)
        darkest = np.percentile(exposure.data, 1) / exposure.gain
        assert 0.5 < darkest / row["sky"].value < 2.0


def test_stars_are_where_the_wcs_and_the_light_table_say(survey):
    stars, light = read_catalog(survey.stars), read_catalog(survey.light)
    assert set(light["id"]) <= set(stars["id"][stars["target"]])
    assert not stars["variable"][~stars["target"]].any()
    for path in survey.files:
        (exposure,) = read_exposures(path)
        rows = light[light["image"] == path.stem]
        ours = stars[np.searchsorted(stars["id"], rows["id"])]
        x, y = exposure.wcs.world_to_pixel_values(ours["ra"].value, ours["dec"].value)
        np.testing.assert_allclose(x, rows["x"].value, atol=1e-4)
        np.testing.assert_allclose(y, rows["y"].value, atol=1e-4)


def test_full_pixels_are_told_after_flat_fielding_too(survey, tmp_path):
    flat = tiny_survey(tmp_path, flat_fielded=True, epochs=1)
    (before,), (after,) = read_exposures(survey.files[0]), read_exposures(flat.files[0])
    assert after.saturated[before.saturated].all()
    assert after.saturated.sum() < 1.2 * before.saturated.sum()


def test_the_light_follows_from_zero_point_and_vignetting(survey):
    light, images = read_catalog(survey.light), read_catalog(survey.images)
    for row in images:
        ours = light[light["image"] == row["name"]]
        expected = 10 ** (0.4 * (row["zero_point"].value - ours["mag"].value))
        passed = ours["electrons"].value / expected
        assert passed.max() < 1.01
        assert passed.min() > 0.45
        radius = np.hypot(ours["x"].value - 95.5, ours["y"].value - 95.5)
        assert np.corrcoef(radius, passed)[0, 1] < -0.8


def test_the_files_depend_on_neither_workers_nor_interruption(survey, tmp_path):
    again = tiny_survey(tmp_path / "again", epochs=1)
    assert again.made == 1
    again = write_survey(SurveySettings(**TINY), tmp_path / "again", workers=2)
    assert (again.made, again.kept) == (1, 1)
    again.files[0].unlink()
    again = write_survey(SurveySettings(**TINY), tmp_path / "again", workers=2)
    assert (again.made, again.kept) == (1, 1)
    ours, wanted = contents(again.folder), contents(survey.folder)
    assert set(ours) == set(wanted)
    assert [name for name in ours if ours[name] != wanted[name]] == []
    assert tiny_survey(again.folder).made == 0


def test_other_fields_of_the_same_seed_have_the_same_cameras(tmp_path):
    both = tiny_survey(tmp_path / "both", fields=2, epochs=1, size=96)
    second = tiny_survey(tmp_path / "second", first_field=1, epochs=1, size=96)
    name = "f01_a_g_0000_1.fits"
    assert [path.name for path in second.files] == [name]
    assert second.files[0].read_bytes() == both.files[1].read_bytes()
    light, wanted = read_catalog(second.light), read_catalog(both.light)
    assert list(light["id"]) == list(wanted["id"][wanted["image"] == name[:-5]])


def test_another_survey_in_the_folder_is_refused(survey, tmp_path):
    with pytest.raises(OutputFileError, match=r"seed = 1 instead of 2"):
        tiny_survey(survey.folder, seed=2)
    with pytest.raises(OutputFileError, match=r"2 epochs, more than asked for"):
        tiny_survey(survey.folder, epochs=1)
    with pytest.raises(ParameterError, match="workers"):
        write_survey(SurveySettings(**TINY), tmp_path / "new", workers=0)
    (tmp_path / "other" / "images").mkdir(parents=True)
    with pytest.raises(OutputFileError, match=r"no survey\.json"):
        tiny_survey(tmp_path / "other")
    (tmp_path / "other" / "survey.json").write_text("{")
    with pytest.raises(InputFileError, match="cannot be read"):
        tiny_survey(tmp_path / "other")
    (tmp_path / "other" / "survey.json").write_text(json.dumps([1]))
    with pytest.raises(InputFileError, match="no settings"):
        tiny_survey(tmp_path / "other")
