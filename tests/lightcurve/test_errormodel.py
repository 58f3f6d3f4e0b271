import numpy as np
import pytest

from filar.flags import Flag
from filar.lightcurve.epochs import Epochs
from filar.lightcurve.errormodel import with_common_scatter
from filar.lightcurve.statistics import dispersions, group_quantiles, statistics


def epochs(rng, sigma, quoted, stars=200, per=40, saturated=None):
    star = np.repeat(np.arange(stars), per)
    n = len(star)
    mag = np.repeat(np.linspace(9, 14, stars), per)
    flags = np.zeros(n, np.int32)
    if saturated is not None:
        flags[mag < saturated] = int(Flag.SATURATED)
    zeros = np.zeros(n, np.int64)
    scatter = sigma(mag) if callable(sigma) else np.full(n, sigma)
    return Epochs(star, zeros, np.tile(np.arange(per), stars), np.tile(np.arange(per), stars) * 1.0,
                  mag + rng.normal(0, 1, n) * scatter, np.full(n, quoted),
                  np.full(n, 3, np.int32), flags), mag  # fmt: skip


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.006])
def test_errors_become_what_stars_scatter(sigma):
    found, mag = epochs(np.random.default_rng(1), sigma, 0.01)
    better = with_common_scatter(found, 200)
    assert np.std((found.mag - mag) / better.mag_err) == pytest.approx(1, abs=0.07)


def test_saturated_stars_have_scatter_of_their_own():
    rng = np.random.default_rng(2)
    found, mag = epochs(rng, lambda m: np.where(m < 11, 0.05, 0.01), 0.01, saturated=11)
    better = with_common_scatter(found, 200)
    assert np.median(better.mag_err[mag < 11]) == pytest.approx(0.05, rel=0.1)
    assert np.median(better.mag_err[mag > 11]) == pytest.approx(0.01, rel=0.1)


def test_variable_stars_do_not_change_the_others():
    found, _ = epochs(np.random.default_rng(3), 0.01, 0.01)
    wave = np.where(found.star % 5 == 0, np.sin(found.mjd), 0)
    varied = Epochs(**{**found.__dict__, "mag": found.mag + wave})
    assert np.median(with_common_scatter(varied, 200).mag_err) < 0.012


def test_few_stars_tell_nothing():
    found, _ = epochs(np.random.default_rng(4), 0.05, 0.01, stars=5)
    assert (with_common_scatter(found, 5).mag_err == found.mag_err).all()


def test_quantiles_are_numpy_s():
    rng = np.random.default_rng(5)
    star = rng.integers(0, 9, 300)
    values = rng.normal(0, 1, 300)
    fractions = (0, 0.15, 0.5, 0.85, 1)
    every = group_quantiles(star, values, 10, fractions)
    for fraction, found in zip(fractions, every, strict=True):
        for k in range(9):
            assert found[k] == pytest.approx(np.quantile(values[star == k], fraction))
        assert np.isnan(found[9])


def test_dispersion_is_half_the_range_from_15_to_85_percent():
    rng = np.random.default_rng(6)
    mag = rng.normal(11, 0.04, 20000)
    assert dispersions(np.zeros(20000, np.int64), mag, 1)[0] == pytest.approx(0.04146, rel=0.03)
    assert np.isnan(dispersions(np.array([0]), np.array([11.0]), 1)[0])


def test_statistics_of_stars():
    rng = np.random.default_rng(7)
    star = np.repeat(np.arange(50), 100)
    err = rng.uniform(0.01, 0.03, 5000)
    mag = 12 + rng.normal(0, err)
    mag[3] = np.nan
    found = statistics(star, mag, err, 51)
    assert found.number.tolist() == [99] + [100] * 49 + [0]
    assert found.mean[:50] == pytest.approx(12, abs=0.01)
    assert np.mean(found.chi2[:50] / 99) == pytest.approx(1, abs=0.05)
    assert np.isnan(found.mean[50])
    assert found.spread[:50] == pytest.approx(4 * found.dispersion[:50], rel=0.4)
