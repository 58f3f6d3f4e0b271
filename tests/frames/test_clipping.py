import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.frames.clipping import clipped_means, group_mean, group_median


@given(st.lists(st.tuples(st.integers(0, 6), st.floats(-1e3, 1e3)), max_size=60))
def test_groups_agree_with_numpy(pairs: list[tuple[int, float]]) -> None:
    star = np.array([p[0] for p in pairs], int)
    values = np.array([p[1] for p in pairs], float)
    median = group_median(star, values, 7)
    mean, deviation = group_mean(star, values, 7)
    for k in range(7):
        mine = values[star == k]
        if not len(mine):
            assert np.isnan([median[k], mean[k], deviation[k]]).all()
            continue
        assert median[k] == pytest.approx(np.median(mine), abs=1e-9)
        assert mean[k] == pytest.approx(np.mean(mine), abs=1e-9)
        if len(mine) > 1:
            assert deviation[k] == pytest.approx(np.std(mine, ddof=1), abs=1e-6)
        else:
            assert np.isnan(deviation[k])


def measures(n: int, number: int, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    star = np.repeat(np.arange(n), number)
    mag = rng.uniform(-13, -9, n)
    sigma = 0.01 * 10 ** (0.2 * (mag + 12))
    place = rng.uniform(0, 4000, (2, n))
    x, y = place[:, star] + rng.normal(0, sigma[star], (2, n * number))
    return star, x, y, mag, sigma, place


@pytest.mark.parametrize("number", [4, 20, 200])
def test_gross_errors_do_not_count(number: int) -> None:
    star, x, y, mag, sigma, place = measures(500, number)
    bad = np.zeros(len(star), bool)
    bad[:: number // 4 * 4 if number > 4 else 4] = True  # one of each star
    x = np.where(bad, x + 0.9, x)
    everything = np.ones(len(star), bool)
    means = clipped_means(star, x, y, 500, allowed=everything, mag=mag)
    assert not means.used[bad].any()
    left = number - bad.reshape(500, number).sum(axis=1)
    pull = (means.x - place[0]) / sigma * np.sqrt(left)
    assert np.std(pull) == pytest.approx(1, abs=0.12)
    assert abs(np.mean(pull)) < 4 / np.sqrt(500)


@pytest.mark.parametrize("number", [3, 10, 100])
def test_scatter_is_what_was_put_in(number: int) -> None:
    star, x, y, mag, sigma, _ = measures(2000, number)
    means = clipped_means(star, x, y, 2000, allowed=np.ones(len(star), bool), mag=mag)
    ratio = np.sqrt(np.mean((means.x_rms / sigma) ** 2))
    assert ratio == pytest.approx(1, abs=0.04)
    # Of normal errors 0.27 % per coordinate lie beyond three deviations.
    assert 0 < np.mean(~means.used) < 0.02


def test_measures_that_are_not_allowed_do_not_count() -> None:
    star = np.array([0, 0, 0, 1])
    x = np.array([1.0, 1.0, 9.0, 5.0])
    allowed = np.array([True, True, False, False])
    means = clipped_means(star, x, x, 2, allowed=allowed, mag=np.full(2, np.nan))
    assert means.x[0] == 1
    assert np.isnan(means.x[1])
    assert list(means.n_used) == [2, 0]
    assert list(means.used) == [True, True, False, False]


def test_a_single_measure_has_no_scatter() -> None:
    one = np.array([3.0])
    means = clipped_means(
        np.array([0]), one, one, 1, allowed=np.array([True]), mag=np.array([-9.0])
    )
    assert means.x[0] == 3
    assert np.isnan(means.x_rms[0])
