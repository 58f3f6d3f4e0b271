import numpy as np
import pytest

from filar.errors import ParameterError
from filar.saturation.bins import (
    LEAST_STARS,
    bin_edges,
    bootstrap_quantiles,
    scatter,
    scatter_bins,
)


def test_edges_hold_all_magnitudes() -> None:
    edges = bin_edges(np.array([4.1, np.nan, 6.0]), 0.5)
    np.testing.assert_allclose(edges, [4, 4.5, 5, 5.5, 6, 6.5])
    np.testing.assert_allclose(bin_edges(np.array([5.3]), 0.25), [5.25, 5.5])
    for mag, width in ((np.array([1.0]), 0.0), (np.array([np.nan]), 0.5)):
        with pytest.raises(ParameterError):
            bin_edges(mag, width)


def test_known_misses_give_known_figures() -> None:
    star = np.arange(1001)
    miss = np.linspace(-0.5, 0.5, 1001) + 0.1
    found = scatter(star, miss, miss / 0.1)
    assert found.bias == pytest.approx(0.1)
    assert found.half68 == pytest.approx(0.34)
    assert found.half95 == pytest.approx(0.475)
    assert found.rms == pytest.approx(np.sqrt(np.mean(miss**2)))
    assert found.pull == pytest.approx(1.4826 * 2.5, rel=0.01)
    assert found.pull68 == pytest.approx(3.4, rel=0.01)
    assert found.pull_mean == pytest.approx(1.0)
    assert found.inside68 == pytest.approx(0.2, abs=0.005)
    assert found.enough


def test_gaussian_misses_with_honest_errors_have_pulls_of_one() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.01, 0.1, 40_000)
    miss = rng.normal(0, sigma)
    found = scatter(np.arange(40_000), miss, miss / sigma)
    assert found.pull == pytest.approx(1, abs=0.02)
    assert found.pull68 == pytest.approx(0.9945, abs=0.02)
    assert (found.inside68, found.inside95) == pytest.approx((0.683, 0.95), abs=0.01)
    assert abs(found.bias) < 4 * found.bias_err


def test_errors_are_those_of_stars_not_of_images() -> None:
    rng = np.random.default_rng(1)
    biases, told, alone = [], [], []
    for seed in range(60):
        own = rng.normal(0, 0.1, 80)
        star = np.repeat(np.arange(80), 25)
        miss = own[star] + rng.normal(0, 0.01, len(star))
        if seed < 6:
            told.append(scatter(star, miss, miss).bias_err)
            alone.append(scatter(np.arange(len(star)), miss, miss).bias_err)
        biases.append(np.median(miss))
    assert np.mean(told) == pytest.approx(np.std(biases), rel=0.35)
    assert np.mean(alone) < 0.4 * np.mean(told)


def test_a_bin_with_few_stars_says_so() -> None:
    mag = np.concatenate([np.full(30, 5.2), np.full(LEAST_STARS - 1, 5.7), np.full(90, 6.7)])
    star = np.concatenate([np.arange(30), np.arange(LEAST_STARS - 1), np.zeros(90, int)])
    miss = np.random.default_rng(2).normal(0, 0.1, len(mag))
    miss[:3] = np.nan
    found = scatter_bins(mag, star, miss, np.full(len(mag), np.nan), bin_edges(mag, 0.5))
    assert [one.enough for one in found] == [True, False, False, False]
    assert [one.stamps for one in found] == [30, LEAST_STARS - 1, 0, 90]
    assert [one.stars for one in found] == [30, LEAST_STARS - 1, 0, 1]
    assert found[0].told == pytest.approx(0.9)
    assert np.isnan(found[0].pull)
    assert np.isfinite(found[0].bias)
    assert np.isnan(found[3].bias)
    assert np.isnan(found[2].told)
    with pytest.raises(ParameterError, match="rising"):
        scatter_bins(mag, star, miss, miss, np.array([1.0, 0.0]))


def test_bootstrap_is_the_same_with_the_same_seed_and_in_pieces(monkeypatch) -> None:
    star, values = np.repeat(np.arange(20), 3), np.random.default_rng(3).normal(0, 1, 60)
    first = bootstrap_quantiles(star, values, (0.5,), draws=30, seed=4)
    monkeypatch.setattr("filar.saturation.bins._AT_ONCE", 200)
    np.testing.assert_array_equal(
        first, bootstrap_quantiles(star, values, (0.5,), draws=30, seed=4)
    )
    assert first.std() > 0
    with pytest.raises(ParameterError):
        bootstrap_quantiles(star[:0], values[:0], (0.5,))
