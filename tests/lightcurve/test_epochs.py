import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.lightcurve.epochs import MINUTE, epoch_numbers, gather_epochs, median_variance

times = st.lists(
    st.tuples(st.floats(50000, 50003, allow_nan=False), st.integers(0, 2)), min_size=0, max_size=40
)


@given(times, st.floats(0, 600))
def test_epochs_hold_one_camera_are_short_and_as_few_as_possible(rows, gap):
    mjd = np.array([t for t, _ in rows])
    group = np.array([g for _, g in rows], np.int64)
    epoch = epoch_numbers(mjd, group, gap)
    assert epoch.shape == mjd.shape
    assert set(epoch) == set(range(len(set(epoch))))
    starts = []
    for one in sorted(set(epoch)):
        mine = epoch == one
        assert len(set(group[mine])) == 1
        assert np.ptp(mjd[mine]) <= gap * MINUTE + 2e-9
        starts.append(mjd[mine].min())
        # the next exposure of the camera is beyond the gap from the first
        later = mjd[(group == group[mine][0]) & (mjd > mjd[mine].max())]
        assert (later > mjd[mine].min() + gap * MINUTE - 2e-9).all()
    assert starts == sorted(starts)


@given(times, st.floats(0, 600))
def test_the_order_of_images_does_not_matter(rows, gap):
    mjd = np.array([t for t, _ in rows])
    group = np.array([g for _, g in rows], np.int64)
    turned = epoch_numbers(mjd[::-1], group[::-1], gap)[::-1]
    straight = epoch_numbers(mjd, group, gap)
    for a, b in ((straight, turned), (turned, straight)):
        assert all(len(set(b[a == one])) == 1 for one in set(a))


def test_a_night_without_pause_is_many_epochs():
    mjd = 59000 + np.arange(240) * 2 * MINUTE
    epoch = epoch_numbers(mjd, np.zeros(240, np.int64), 30)
    assert len(set(epoch)) == 15
    assert (np.bincount(epoch) == 16).all()
    assert len(set(epoch_numbers(mjd, np.zeros(240, np.int64), 0))) == 240


def gathered(mag, err=None, flags=None, star=None, mjd=None, group=None, epoch=None):
    n = len(mag)
    mjd = np.arange(n) * MINUTE if mjd is None else mjd
    return gather_epochs(
        np.zeros(n, np.int64) if star is None else np.asarray(star),
        np.arange(n),
        np.asarray(mag, float),
        np.full(n, 0.01) if err is None else np.asarray(err, float),
        np.zeros(n, np.int32) if flags is None else np.asarray(flags, np.int32),
        mjd=mjd,
        group=np.zeros(n, np.int64) if group is None else np.asarray(group),
        epoch=np.zeros(n, np.int64) if epoch is None else np.asarray(epoch),
    )


def test_median_of_three_mean_of_two_value_of_one():
    assert gathered([10.0, 10.5, 10.1]).mag == pytest.approx([10.1])
    assert gathered([10.0, 10.5]).mag == pytest.approx([10.25])
    assert gathered([10.3]).mag == pytest.approx([10.3])
    one = gathered([10.0, np.nan, 10.2], flags=[1, 2, 8])
    assert one.mag == pytest.approx([10.1])
    assert one.n_exposures.tolist() == [2]
    assert one.flags.tolist() == [9]
    assert one.mjd == pytest.approx([MINUTE])


def test_stars_without_magnitudes_have_no_epochs():
    assert len(gathered([np.nan, np.nan])) == 0
    assert len(gathered([10.0, 10.0], star=[-1, -1])) == 0


def test_rows_are_sorted_by_star_and_time():
    found = gathered(
        [1, 2, 3, 4], star=[1, 0, 1, 0], mjd=np.array([5.0, 3.0, 1.0, 4.0]), epoch=[3, 1, 0, 2]
    )
    assert found.star.tolist() == [0, 0, 1, 1]
    assert found.mag.tolist() == [2, 4, 3, 1]


def test_variance_of_the_median():
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 4, 5, 8, 11, 14, 30):
        value = np.var(np.median(rng.normal(size=(40000, n)), axis=1))
        assert median_variance(np.array([n]))[0] == pytest.approx(value, rel=0.05)


@pytest.mark.parametrize("wrong", [1.0, 2.0, 0.5])
@pytest.mark.parametrize("per", [1, 2, 3, 5])
def test_errors_of_epochs_are_honest_whatever_is_quoted(wrong, per):
    rng = np.random.default_rng(5)
    stars, epochs = 100, 60
    n = stars * epochs * per
    sigma = 0.02
    star = np.repeat(np.arange(stars), epochs * per)
    epoch = np.tile(np.repeat(np.arange(epochs), per), stars)
    found = gather_epochs(
        star, np.tile(np.arange(epochs * per), stars), rng.normal(12, sigma, n),
        np.full(n, sigma / wrong), np.zeros(n, np.int32),
        mjd=np.arange(epochs * per) * MINUTE, group=np.zeros(epochs * per, np.int64),
        epoch=np.repeat(np.arange(epochs), per),
    )  # fmt: skip
    assert len(epoch) == n
    pull = (found.mag - 12) / found.mag_err
    if per == 1:  # nothing within epochs tells how wrong the quoted errors are
        assert np.std(pull) == pytest.approx(wrong, rel=0.05)
    else:
        assert np.std(pull) == pytest.approx(1, abs=0.12)


def test_one_bad_exposure_of_three_does_not_spoil_the_error():
    rng = np.random.default_rng(1)
    mag = rng.normal(12, 0.01, 300)
    mag[0] += 1.5
    epoch = np.repeat(np.arange(100), 3)
    found = gathered(mag, mjd=np.arange(300) * MINUTE, epoch=epoch)
    assert abs(found.mag[0] - 12) < 0.03
    assert found.mag_err[0] < 0.02
