from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.frames.curves import transformation_curve
from filar.frames.measured import measured, well_measured
from filar.frames.spread import rms_ratio, summed_gaussians, well_known
from tests.frames.synthetic import SATURATED, Sky, frame_of, left_out


def test_summed_gaussians_have_the_area_of_the_stars_and_the_width_asked_for() -> None:
    grid = np.linspace(0, 0.1, 4001)
    one = summed_gaussians(np.array([0.05, np.nan]), grid)
    step = grid[1] - grid[0]
    assert one.sum() * step == pytest.approx(1)
    assert np.sqrt((one * (grid - 0.05) ** 2).sum() * step) == pytest.approx(0.0013)
    many = summed_gaussians(np.random.default_rng(1).uniform(0.03, 0.07, 5000), grid)
    assert many.sum() * step == pytest.approx(5000)
    with pytest.raises(ParameterError, match="width"):
        summed_gaussians(np.zeros(1), grid, 0.0)


def test_the_ratio_of_two_methods_is_found_star_by_star() -> None:
    noisy = Sky(noise=0.016, bias=0.0, exposures=20, seed=2)
    good = replace(noisy, noise=0.01)
    other = good.lists()
    shuffled = np.random.default_rng(0).permutation(noisy.stars)[:-20]
    other = frame_of([stars[shuffled] for stars in other], good.offsets, "other")
    ratio = rms_ratio(noisy.frame(), other)
    assert ratio.stars == 380
    assert ratio.x == pytest.approx(1.6, abs=4 * max(ratio.x_err, 0.002))
    assert ratio.y == pytest.approx(1.6, abs=4 * max(ratio.y_err, 0.002))


def test_independent_noise_gives_a_ratio_within_its_error() -> None:
    one, two = Sky(bias=0.0, seed=3), Sky(bias=0.0, seed=3)
    lists = two.lists()
    rng = np.random.default_rng(9)
    lists = [replace(s, x=s.x + rng.normal(0, 0.01, len(s))) for s in lists]
    ratio = rms_ratio(one.frame(), frame_of(lists, two.offsets, "other"))
    assert ratio.x == pytest.approx(1 / np.sqrt(2), abs=5 * ratio.x_err)
    assert 0.002 < ratio.x_err < 0.02
    assert ratio.y == pytest.approx(1, abs=1e-3)


def test_frames_with_other_references_are_compared_in_one_system() -> None:
    sky = Sky(exposures=12)
    lists = sky.lists()
    order = [3, *range(3), *range(4, 12)]
    other = frame_of([lists[i] for i in order], sky.offsets[order] - sky.offsets[3], "other")
    ratio = rms_ratio(sky.frame(), other)
    assert ratio.stars > 390
    assert ratio.x == pytest.approx(1, abs=0.02)


def test_frames_without_common_stars_have_no_ratio() -> None:
    ratio = rms_ratio(Sky(exposures=5).frame(), Sky(exposures=5, seed=7).frame())
    assert ratio.stars < 5
    empty = rms_ratio(
        Sky(exposures=5).frame(), replace(Sky(exposures=5).frame(), snr=np.full(400, 3.0))
    )
    assert empty.stars == 0
    assert np.isnan(empty.x)


def test_stars_that_count() -> None:
    frame = Sky(exposures=10).frame()
    frame.flags[0] = SATURATED
    frame.snr[1] = 20
    frame.snr[2] = np.nan
    frame.n_used[3] = 4
    known = well_known(frame)
    assert list(known[:5]) == [False, False, True, False, True]
    assert well_known(left_out(frame, 9, "spoilt")).sum() == known.sum()


def test_measures_find_their_rows() -> None:
    frame = Sky(exposures=4, stars=60).frame()
    x = measured(frame, "x")
    for tie in range(4):
        chosen = frame.measures.tie == tie
        np.testing.assert_array_equal(
            x[chosen], frame.ties[tie].stars.x[frame.measures.row[chosen]]
        )
    frame.measures.used[5] = False
    good = well_measured(frame)
    assert not good[5]
    assert good.sum() == 60 * 4 - 1
    assert len(transformation_curve(frame, "x")) == 3
