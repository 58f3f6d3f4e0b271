"""Background and noise maps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.sky import background, clipped_statistics, undigitised


def make(data, *, mask=None, gain=1.0, read_noise=5.0):
    none = np.zeros(data.shape, bool)
    return Exposure(
        np.asarray(data, np.float32), none if mask is None else mask, none, none, gain, read_noise
    )


def noisy(seed=0, shape=(300, 400), level=50.0, sigma=8.0):
    return level + np.random.default_rng(seed).normal(0, sigma, shape)


def test_flat_sky_and_noise_are_recovered():
    sky, noise = background(make(noisy()))
    assert sky.shape == noise.shape == (300, 400)
    assert np.abs(sky - 50).max() < 1.2
    assert abs(sky.mean() - 50) < 0.2
    assert np.median(noise) == pytest.approx(8, rel=0.03)


def test_gradient_is_followed():
    ramp = np.linspace(20, 120, 400)[None, :] * np.ones((300, 1))
    sky, _ = background(make(ramp + noisy(level=0, sigma=3)))
    assert np.abs(sky - ramp)[:, 40:-40].max() < 4


def test_stars_hardly_move_it():
    rng = np.random.default_rng(1)
    data = noisy()
    data[rng.integers(0, 300, 4000), rng.integers(0, 400, 4000)] += rng.pareto(1.0, 4000) * 30
    sky, noise = background(make(data))
    assert abs(np.median(sky) - 50) < 1.0
    assert np.median(noise) == pytest.approx(8, rel=0.1)


def test_masked_pixels_do_not_count():
    data, mask = noisy(), np.zeros((300, 400), bool)
    mask[:, 100:180] = True
    data[mask] = 1e5
    sky, noise = background(make(data, mask=mask))
    assert np.abs(sky - 50).max() < 2
    assert noise.max() < 12


def test_all_masked_gives_nan():
    data = noisy(shape=(60, 60))
    sky, noise = background(make(data, mask=np.ones(data.shape, bool)))
    assert np.isnan(sky).all()
    assert np.isnan(noise).all()


def test_digitised_data_give_the_noise_that_they_have():
    # One DN is 7.12 electrons, as much as the noise: raw quantiles would jump by whole DN.
    data = np.rint(noisy(level=20.3, sigma=7.0) / 7.12) * 7.12
    sky, noise = background(make(data, gain=7.12))
    assert np.median(sky) == pytest.approx(20.3, abs=0.6)
    assert np.median(noise) == pytest.approx(np.hypot(7.0, 7.12 / np.sqrt(12)), rel=0.05)


def test_undigitised_smears_by_one_step():
    exposure = make(noisy(), gain=7.12)
    values, added = undigitised(exposure)
    assert np.abs(values - exposure.data).max() <= 7.12 / 2
    assert np.var(values - exposure.data) == pytest.approx(added, rel=0.02)


def test_steps_that_the_flat_field_moved_leave_the_noise_alone():
    """Real calibrated files are on no exact grid, and their raw quantiles jump all the same."""
    rng = np.random.default_rng(4)
    steps = np.rint(rng.normal(1.0, 0.75, (400, 400)))
    flat = 1 + 0.004 * rng.normal(size=steps.shape)
    sky, noise = background(make(7.12 * steps * flat, gain=7.12))
    expected = 7.12 * np.std(steps)
    assert np.percentile(noise, 1) > 0.85 * expected
    assert np.median(noise) == pytest.approx(expected, rel=0.07)
    assert np.abs(sky - 7.12).max() < 1.5


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(8, 60))
def test_any_shape_gives_finite_maps(ny, nx, box):
    sky, noise = background(make(noisy(shape=(ny, nx))), box=box)
    assert sky.shape == (ny, nx)
    assert np.isfinite(sky).all()
    assert np.isfinite(noise).all()


def test_clipped_statistics_ignore_nan_and_outliers():
    values = np.random.default_rng(2).normal(10, 2, (5, 4000))
    values[:, :300] = 500
    values[0, 300:600] = np.nan
    level, sigma, count = clipped_statistics(values)
    assert np.abs(level - 10).max() < 0.25
    assert np.abs(sigma - 2).max() < 0.2
    assert count[0] <= 3400


@pytest.mark.parametrize("bad", [{"box": 3}, {"clip": 0.0}])
def test_senseless_parameters_are_refused(bad):
    with pytest.raises(ParameterError):
        background(make(noisy()), **bad)


def test_the_peak_of_a_galaxy_is_not_cut_but_that_of_a_spoilt_cell_is() -> None:
    y, x = np.mgrid[:500, :500]
    galaxy = 20 + 600 * np.exp(-np.hypot(x - 250, y - 250) / 120)
    rng = np.random.default_rng(0)
    sky, _ = background(make(rng.poisson(galaxy).astype(float)))
    inner = np.hypot(x - 250, y - 250) < 60
    assert np.abs(sky / galaxy - 1)[inner].mean() < 0.15  # 0.28 by medians alone
    flat = np.full((500, 500), 20.0)
    flat[250:300, 250:300] = 300.0  # one cell, as a very bright star might spoil it
    sky, _ = background(make(rng.poisson(flat).astype(float)))
    assert np.abs(sky - 20).max() < 3
