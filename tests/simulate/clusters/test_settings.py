"""What mock clusters are like."""

import json

import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.profiles import EFF, King
from filar.simulate.clusters.settings import MockSettings, settings_from


def test_settings_come_back_from_their_plain_values():
    one = MockSettings(
        preset_camera("m31-f475w"), log_age=(7.0, 9.0), profile="king", metallicities=(0.01, 0.02)
    )
    assert settings_from(json.loads(json.dumps(one.plain()))) == one
    assert settings_from({}) == MockSettings()


def test_profiles_have_their_own_range():
    assert MockSettings().make_profile(2.5) == EFF(2.5)
    king = MockSettings(profile="king")
    assert king.shape_range == king.concentration
    assert king.make_profile(1.0) == King(1.0)


@pytest.mark.parametrize(
    "changes, name",
    [
        ({"log_age": (8.0, 7.0)}, "log_age"),
        ({"log_age": (3.0, 7.0)}, "log_age"),
        ({"a_v": (-1.0, 1.0)}, "a_v"),
        ({"log_mass": (3.0, float("nan"))}, "log_mass"),
        ({"log_r_h": (-9.0, 0.0)}, "log_r_h"),
        ({"gamma": (1.9, 3.0)}, "gamma"),
        ({"concentration": (0.0, 3.0)}, "concentration"),
        ({"profile": "plummer"}, "profile"),
        ({"truncation": 1.0}, "truncation"),
        ({"metallicities": (2.0,)}, "metallicities"),
        ({"r_v": 1.0}, "r_v"),
        ({"size": 4}, "size"),
        ({"offset": 20.0}, "offset"),
        ({"scatter": 0.0}, "scatter"),
    ],
)
def test_values_without_meaning_are_refused(changes, name):
    with pytest.raises(ParameterError, match=name):
        MockSettings(**changes)


@pytest.mark.parametrize("values", [{"colour": 1}, {"size": "big"}, {"log_age": 3}])
def test_files_with_other_settings_are_refused(values):
    with pytest.raises(ParameterError):
        settings_from(values)
