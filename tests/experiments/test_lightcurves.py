"""Light curves against the truth, with very small numbers."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.lightcurves.__main__ import main
from experiments.lightcurves.ideal import CAMERAS, Survey, observe, schedule
from experiments.lightcurves.judge import judge, summed, table
from experiments.lightcurves.measured import MeasuredSurvey, light_curves, make_catalog, verdicts
from experiments.trials.folder import read_json
from filar.lightcurve.settings import LightCurveSettings
from filar.simulate.survey.variables import KINDS

SHORT = Survey(years=0.8)


def test_a_survey_observes_at_night_in_season_in_groups_of_three():
    time, camera = schedule(Survey(), np.random.default_rng(1))
    assert set(camera) == set(range(len(CAMERAS)))
    assert ((time / 365.25) % 1 < 0.68).all()
    first = np.sort(time[camera == 0])
    assert len(first) % 3 == 0
    assert np.median(np.diff(first)) == pytest.approx(2 / 1440, rel=0.1)


def test_what_is_observed_is_the_truth_with_noise():
    star = observe("cepheid", Survey(faint=0), np.random.default_rng(2), amplitude=1.0)
    away = (star.curve.mag - star.true) / star.curve.mag_err
    assert np.std(away) == pytest.approx(1, abs=0.1)
    assert np.ptp(star.true[star.curve.group == 0]) == pytest.approx(1.0, abs=0.1)
    assert not star.outlier.any()


def test_verdicts_are_summed():
    star = observe("rrc", SHORT, np.random.default_rng(3), amplitude=0.4)
    found = judge(star, LightCurveSettings())
    assert found.period_right
    assert found.amplitude_right
    wrong = replace(found, found_period=2 * found.period)
    numbers = summed([found, wrong])
    assert numbers["stars"] == 2
    assert numbers["periods_right"] == 1
    assert numbers["wrong"][0]["found_period"] == wrong.found_period
    assert "| rrc | 2 | 1 | 2 |" in table({"rrc": numbers})


def test_stars_of_small_amplitude_are_not_judged():
    star = observe("rrc", SHORT, np.random.default_rng(4), amplitude=0.05)
    assert summed([judge(star, LightCurveSettings())])["stars"] == 0


def test_the_experiment_writes_its_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("experiments.lightcurves.__main__.ALL", ("semiregular", "mira"))
    main(["-o", str(tmp_path / "out"), "--stars", "1"])
    text = (tmp_path / "out" / "table.md").read_text()
    assert "| mira | 1 |" in text
    assert text.strip() in capsys.readouterr().out
    assert set(read_json(tmp_path / "out" / "numbers.json")["ideal"]) == {"semiregular", "mira"}


def test_measured_images(tmp_path):
    survey = MeasuredSurvey(epochs=2, size=144, targets=14)
    make_catalog(tmp_path, survey, 1)
    curves, chosen = light_curves(tmp_path, survey)
    assert 5 < len(chosen) <= 14
    found = verdicts(curves, chosen)
    assert {one.kind for one in found} <= {*KINDS, "constant"}
    constant = np.asarray(chosen["kind"]) == "constant"
    away = curves.statistics.median - np.asarray(chosen["g_mag"], float)
    assert np.nanmedian(np.abs(away[constant])) < 0.2
