from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.saturation.dispersion import curve_dispersions, epochs_from_times, median_dispersions
from tests.saturation.judgedtoys import toy_answer, toy_judged

GAUSS = 1.0364  # half of the 15-85% range over the standard deviation
OF_THREE = 0.6698  # standard deviation of the median of three Gaussians


@pytest.fixture(scope="module")
def judged():
    return toy_judged(150, epochs=60)


def answers(judged):
    quiet, noisy = toy_answer(judged, sigma=0.02), toy_answer(judged, sigma=0.2, seed=2)
    psf = np.where(judged.saturated, np.nan, quiet.log_n)
    return {"ours": quiet.log_n, "noisy": noisy.log_n, "psf": psf}


def test_dispersions_are_those_of_medians_of_epochs(judged) -> None:
    found = curve_dispersions(judged, answers(judged))
    # Two cameras; the first twenty stars vary.
    assert len(found) == 2 * 130
    assert set(found.camera.tolist()) == {"cam0", "cam1"}
    assert (found.epochs == 60).all()
    assert np.isnan(found.values["psf"][found.saturated]).all()
    np.testing.assert_allclose(
        found.values["psf"][~found.saturated], found.values["ours"][~found.saturated]
    )
    rows = median_dispersions(found, ~found.saturated, "psf")
    ours, noisy, psf = rows
    assert ours.median == pytest.approx(0.02 * GAUSS * OF_THREE, rel=0.05)
    assert 0 < ours.median_err < 0.05 * ours.median
    assert (ours.ratio, psf.ratio) == pytest.approx((1, 1))
    assert noisy.ratio == pytest.approx(10, rel=0.1)
    assert noisy.ratio_err < 1
    nothing = median_dispersions(found, found.saturated, "psf")[2]
    assert nothing.curves == 0
    assert np.isnan(nothing.median)
    with pytest.raises(ParameterError, match="reference"):
        median_dispersions(found, found.saturated, "wings")


def test_methods_are_compared_on_the_same_stamps(judged) -> None:
    given = answers(judged)
    rng = np.random.default_rng(3)
    holes = rng.random(len(judged)) < 0.3
    with_holes = {**given, "ours": np.where(holes, np.nan, given["ours"])}
    found = curve_dispersions(judged, with_holes)
    shared = curve_dispersions(judged.select(~holes), {n: a[~holes] for n, a in given.items()})
    for name, values in found.values.items():
        np.testing.assert_allclose(values, shared.values[name])
    assert found.told["ours"].mean() == pytest.approx(0.7, abs=0.02)
    assert found.told["noisy"].mean() == 1


def test_short_light_curves_are_not_judged(judged) -> None:
    few = judged.select(judged.epoch[judged.image] % 60 < 9)
    assert len(curve_dispersions(few, {"a": few.log_n})) == 0
    given = toy_answer(few, sigma=0.02).log_n
    short = curve_dispersions(few, {"a": given}, least=5)
    assert len(short) == 260
    # Few epochs do not make light curves quieter.
    assert np.mean(short.values["a"]) == pytest.approx(0.02 * GAUSS * OF_THREE, rel=0.05)
    empty = median_dispersions(curve_dispersions(few, {"a": few.log_n}), np.zeros(0, bool))
    assert empty[0].curves == 0
    with pytest.raises(ParameterError, match="epoch"):
        curve_dispersions(replace(judged, epoch=np.zeros(0, int)), {})
    with pytest.raises(ParameterError, match="answers"):
        curve_dispersions(judged, {"a": np.zeros(3)})


def test_exposures_in_a_row_are_an_epoch() -> None:
    mjd = np.array([5.0, 5.001, 8.0, 5.002, 8.001, np.nan, 8.0005, 5.0])
    cameras = ("a", "a", "a", "a", "a", "a", "b", "a")
    filters = ("g", "g", "g", "g", "g", "g", "g", "V")
    epoch = epochs_from_times(mjd, cameras, filters)
    assert epoch.tolist() == [0, 0, 1, 0, 1, -1, 2, 3]
