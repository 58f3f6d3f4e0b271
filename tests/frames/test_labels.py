from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filar.catalogfile import write_catalog
from filar.errors import InputFileError
from filar.flags import Flag
from filar.frames.labels import FramePlaces, TruePlaces, for_list, star_isolation
from filar.frames.polynomial import Polynomial
from filar.frames.starlist import StarList

from .synthetic import Sky, left_out

UNBIASED = Sky(bias=0.0, stars=500, exposures=25, roll=3e-3)


@pytest.fixture(scope="module")
def frame():
    return UNBIASED.frame()


def test_labels_are_the_true_places_within_their_errors(frame):
    labels, pulls = FramePlaces(frame), []
    for number in (0, 7, 24):
        places = labels.of(number)
        x, y = UNBIASED.place(number)
        assert np.array_equal(places.star[places.row], places.row)
        errors = np.stack([places.x - x[places.star], places.y - y[places.star]])
        assert np.median(places.x_err) == pytest.approx(0.01 / 5, rel=0.1)
        # The frame is the first exposure's list: its transformation's error is common to all.
        smooth = np.median(errors, axis=1, keepdims=True)
        pulls.append((errors - smooth) / np.stack([places.x_err, places.y_err]))
        assert np.std(errors) < 0.3 * 0.01
    assert 0.85 < np.std(np.concatenate(pulls, axis=1)) < 1.3


def test_errors_turn_with_the_exposure(frame):
    turned = Polynomial.linear(np.array([[0.0, -1.0], [1.0, 0.0]]), np.array([800.0, 0.0]))
    ties = (*frame.ties[:3], replace(frame.ties[3], to_frame=turned), *frame.ties[4:])
    frame = replace(frame, ties=ties, x_err=np.full(500, 0.001), y_err=np.full(500, 0.003))
    places = FramePlaces(frame).of(3)
    assert places.x == pytest.approx(frame.y[places.star])
    assert places.y == pytest.approx(800 - frame.x[places.star])
    assert places.x_err == pytest.approx(0.003)
    assert places.y_err == pytest.approx(0.001)


def test_stars_of_few_measures_or_unknown_error_get_no_label(frame):
    number, error = frame.n_used.copy(), frame.x_err.copy()
    number[3], error[5] = 4, np.nan
    labels = FramePlaces(replace(frame, n_used=number, x_err=error)).of(2)
    assert set(range(500)) - set(labels.star.tolist()) == {3, 5}


def test_exposures_left_out_have_no_labels(frame):
    assert len(FramePlaces(left_out(frame, 4, "no stars in common")).of(4)) == 0


def write_truth(path, sky, **changes):
    table = QTable({**sky.truth(), **changes})
    write_catalog(table, path)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".ecsv"])
def test_true_places_come_from_the_file(tmp_path, suffix):
    sky = Sky(stars=50, exposures=4, noise=0.02)
    truth = TruePlaces.read(write_truth(tmp_path / f"truth{suffix}", sky))
    for number, stars in enumerate(sky.lists()):
        assert ("PC", stars.exposure) in truth
        places = truth.of(stars)
        x, y = sky.place(number)
        assert np.array_equal(places.row, np.arange(50))
        assert np.array_equal(places.star, np.arange(1, 51))
        assert places.x == pytest.approx(x)
        assert places.y == pytest.approx(y)
        assert not places.x_err.any()
    assert ("WF3", "e001") not in truth
    assert len(truth.of(replace(stars, chip="WF3"))) == 0


def test_chips_of_one_table_are_kept_apart(tmp_path):
    one, two = Sky(stars=20, exposures=2), Sky(stars=20, exposures=2, chip="WF3", seed=5)
    both = {k: np.concatenate([v, two.truth()[k]]) for k, v in one.truth().items()}
    write_catalog(QTable(both), tmp_path / "truth.parquet")
    truth = TruePlaces.read(tmp_path / "truth.parquet")
    for sky in (one, two):
        assert truth.of(sky.lists()[1]).x == pytest.approx(sky.place(1)[0])


def test_a_table_without_places_is_refused(tmp_path):
    write_catalog(QTable({"chip": ["PC"], "exposure": ["a"], "x": [1.0]}), tmp_path / "t.parquet")
    with pytest.raises(InputFileError, match=r"no column id, y"):
        TruePlaces.read(tmp_path / "t.parquet")
    with pytest.raises(InputFileError, match="no such file"):
        TruePlaces.read(tmp_path / "absent.parquet")


def test_what_is_spoilt_or_far_from_any_star_gets_no_label(tmp_path):
    sky = Sky(stars=20, exposures=1)
    truth = TruePlaces.read(write_truth(tmp_path / "truth.parquet", sky))
    (stars,) = sky.lists()
    flags = stars.flags.copy()
    flags[4] = Flag.COSMIC_RAY
    x = stars.x.copy()
    x[7] += 3
    places = truth.of(replace(stars, flags=flags, x=x))
    assert set(range(20)) - set(places.row.tolist()) == {4, 7}


def test_labels_go_to_another_list_of_the_same_exposure(tmp_path):
    sky = Sky(stars=40, exposures=1)
    truth = TruePlaces.read(write_truth(tmp_path / "truth.parquet", sky))
    (other,) = sky.lists()
    order = np.random.default_rng(1).permutation(40)[:30]
    own = StarList.build(other.x[order] + 0.1, other.y[order] - 0.1)
    places, rows = for_list(truth.of(other), own, other)
    assert np.array_equal(rows, order)
    assert np.array_equal(places.row, np.arange(30))
    assert np.array_equal(places.star, order + 1)


PLACES = arrays(float, st.integers(0, 25), elements=st.floats(0, 60))


@given(PLACES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_isolation_is_the_distance_to_the_next_star_that_matters(x, random):
    y = np.array([random.uniform(0, 30) for _ in x])
    mag = np.array([random.choice([np.nan, -12.0, -10.0, -7.0]) for _ in x])
    found = star_isolation(x, y, mag)
    for i in range(len(x)):
        far = [
            np.hypot(x[i] - x[j], y[i] - y[j])
            for j in range(len(x))
            if j != i and not mag[j] - mag[i] > 2.5 * np.log10(20)
        ]
        expected = min([60.0, *far])
        near = sum(np.hypot(x[i] - x, y[i] - y) <= expected)
        assert found[i] == pytest.approx(expected) or (near > 11 and found[i] >= expected)


def test_places_that_are_unknown_disturb_nobody():
    x = np.array([1.0, np.nan, 4.0])
    assert star_isolation(x, np.zeros(3), np.zeros(3)) == pytest.approx([3.0, 60.0, 3.0])
