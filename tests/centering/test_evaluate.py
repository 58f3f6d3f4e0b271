import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.centering.evaluate import (
    clipped_sigma,
    half_dex_bins,
    mixed_rms,
    phase_semi_amplitude,
    share_outside,
    table3,
)
from filar.errors import ParameterError
from filar.robust import robust_rms


def measures(n=60_000, *, excess=1.0, quoted=1.0, seed=0):
    """Fluxes, errors in x and y, bounds and quoted errors of photon noise."""
    rng = np.random.default_rng(seed)
    flux = 10 ** rng.uniform(2.5, 5, n)
    bound = np.stack([1 / np.sqrt(flux)] * 2, axis=1) * rng.uniform(0.6, 1.6, (n, 2))
    return flux, excess * bound * rng.normal(size=(n, 2)), bound, quoted * bound


def test_errors_at_the_bound_have_ratio_and_pull_one_and_the_right_coverage() -> None:
    rows = half_dex_bins(*measures())
    assert [(round(r.low), round(r.high)) for r in rows] == [
        (316, 1000), (1000, 3162), (3162, 10000), (10000, 31623), (31623, 100000),
    ]  # fmt: skip
    assert sum(r.number for r in rows) == 60_000
    for row in rows:
        assert abs(row.ratio - 1) < 4 * row.ratio_err < 0.05
        assert abs(row.rms / row.bound - 1) < 0.05
        assert abs(row.pull - 1) < 4 * row.pull_err
        # Clipping at 3 sigma takes a part of the unequal errors' tails.
        assert 0.9 < row.summed_ratio < 1.0
        assert abs(row.inside68 - 0.6827) < 0.012
        assert abs(row.inside95 - 0.95) < 0.006
        assert row.middle == pytest.approx(np.log10(row.low) + 0.25)


def test_worse_errors_and_false_modesty_show_apart() -> None:
    flux, error, bound, quoted = measures(excess=1.3, quoted=2.6)
    for row in half_dex_bins(flux, error, bound, quoted):
        assert abs(row.ratio - 1.3) < 4 * row.ratio_err
        assert abs(row.pull - 0.5) < 4 * row.pull_err
        assert row.inside68 > 0.94


def test_gross_errors_and_unknown_values_do_not_spoil_a_bin() -> None:
    flux, error, bound, quoted = measures()
    error[::50] += 3.0
    error[1::50] = np.nan
    quoted[:, 1] = np.nan
    flux[2::50] = -1
    clean = half_dex_bins(*measures())
    for row, before in zip(half_dex_bins(flux, error, bound, quoted), clean, strict=True):
        assert abs(row.ratio / before.ratio - 1) < 0.06
        assert 0.95 < row.number / before.number < 0.97
        assert np.isfinite(row.pull)


def test_small_bins_are_left_out_and_one_axis_will_do() -> None:
    flux, error, bound, _ = measures(400)
    flux[:10] = 1e6
    (*_, last) = half_dex_bins(flux, error[:, 0], bound[:, 0])
    assert last.high < 1e6
    assert np.isnan(last.pull)
    assert np.isnan(last.inside95)
    assert half_dex_bins(flux[:0], error[:0], bound[:0]) == []


def test_columns_must_fit() -> None:
    flux, error, bound, _ = measures(100)
    with pytest.raises(ParameterError, match="one length"):
        half_dex_bins(flux, error, bound[:, 0])
    with pytest.raises(ParameterError, match="step"):
        half_dex_bins(flux, error, bound, step=0)


@given(st.floats(0.001, 10), st.floats(-5, 5), st.integers(0, 200))
def test_clipping_finds_the_core_whatever_its_scale(scale: float, shift: float, bad: int) -> None:
    rng = np.random.default_rng(bad)
    values = np.concatenate([rng.normal(size=2000), np.full(bad, 40.0)])
    sigma, number = clipped_sigma(shift + scale * values)
    assert abs(sigma / scale - 0.986) < 0.06
    assert number <= 2000


def test_clipping_of_nothing_and_of_what_is_all_alike() -> None:
    assert np.isnan(clipped_sigma(np.array([1.0, np.nan]))[0])
    assert clipped_sigma(np.ones(5)) == (0.0, 5)


def test_table_three_is_of_the_well_measured_stars() -> None:
    rng = np.random.default_rng(0)
    mag = rng.uniform(-13, -5, 20_000)
    sigma = np.where(mag < -8.5, 0.009, 0.1)
    row = table3(sigma * rng.normal(size=20_000), 2 * sigma * rng.normal(size=20_000), mag)
    assert row.number == np.count_nonzero((mag > -11.5) & (mag < -8.5))
    assert abs(row.x - 0.986 * 0.009) < 4 * row.x_err
    assert abs(row.y - 0.986 * 0.018) < 4 * row.y_err
    with pytest.raises(ParameterError, match="mag_range"):
        table3(mag, mag, mag, (-8, -11))


def test_the_semi_amplitude_of_the_bias_is_found() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 800, 4000)
    for size in (0.0, 0.004, 0.03):
        found = phase_semi_amplitude(
            0.01 * rng.normal(size=4000) + size * np.sin(2 * np.pi * (x - 0.1)), x
        )
        assert abs(found.amplitude - size) < 4 * found.error
        assert found.error < 0.0003


@given(st.floats(0, 1.5), st.floats(1e-4, 10))
def test_errors_at_the_bounds_have_the_robust_rms_that_is_drawn(width: float, scale: float) -> None:
    rng = np.random.default_rng(0)
    sigma = scale * 10 ** rng.uniform(-width, width, 40_000)
    np.testing.assert_allclose(robust_rms(sigma * rng.normal(size=40_000)), mixed_rms(sigma),
                               rtol=0.05)  # fmt: skip
    np.testing.assert_allclose(mixed_rms(np.full(3, scale)), scale, rtol=1e-4)


def test_share_out_of_domain() -> None:
    flux = np.repeat([200.0, 2000.0], 100)
    inside = np.arange(200) >= 40
    assert share_outside(flux, inside) == [(2.25, 100, 0.4), (3.25, 100, 0.0)]
