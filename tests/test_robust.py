import numpy as np
import pytest

from filar.errors import ParameterError
from filar.robust import (
    binned,
    dispersion,
    dispersion_of_few,
    first_harmonic,
    group_medians,
    median_error,
    robust_rms,
    robust_rms_error,
)


def test_widths_of_gaussians_and_their_errors() -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(3, 0.5, (400, 200))
    widths = np.array([robust_rms(row) for row in draws])
    assert widths.mean() == pytest.approx(0.5, rel=0.02)
    assert widths.std() == pytest.approx(robust_rms_error(0.5, 200), rel=0.15)
    medians = np.median(draws, axis=1)
    assert medians.std() == pytest.approx(np.mean([median_error(r) for r in draws]), rel=0.15)
    spoilt = draws[0].copy()
    spoilt[:10] = 1e6
    spoilt[10] = np.nan
    assert robust_rms(spoilt) == pytest.approx(0.5, rel=0.25)
    assert np.isnan(robust_rms(np.array([1.0])))
    assert np.isnan(robust_rms_error(1.0, 1))


def test_bins_hold_what_lies_between_their_edges() -> None:
    x = np.array([0.0, 0.5, 1.0, 1.5, 1.9, 2.0, -0.1, np.nan])
    bins = binned(x, np.arange(8.0), np.array([0.0, 1.0, 2.0]))
    assert bins.number.tolist() == [2, 3]
    assert bins.median.tolist() == [0.5, 3.0]
    assert bins.centre.tolist() == [0.5, 1.5]
    empty = binned(np.zeros(0), np.zeros(0), np.array([0.0, 1.0]))
    assert np.isnan(empty.median[0])
    with pytest.raises(ParameterError, match="rising"):
        binned(x, x, np.array([1.0, 0.0]))


def test_waves_are_found_in_spite_of_outliers() -> None:
    rng = np.random.default_rng(2)
    phase = rng.uniform(-0.5, 0.5, 4000)
    values = 0.3 + 0.02 * np.sin(2 * np.pi * phase) - 0.01 * np.cos(2 * np.pi * phase)
    values += rng.normal(0, 0.01, 4000)
    values[:50] += 5
    wave = first_harmonic(phase, values)
    assert wave.sine == pytest.approx(0.02, abs=4 * wave.error)
    assert wave.cosine == pytest.approx(-0.01, abs=4 * wave.error)
    assert wave.amplitude == pytest.approx(np.hypot(0.02, 0.01), abs=4 * wave.error)
    assert wave.number == pytest.approx(3950, abs=5)
    assert np.isnan(first_harmonic(phase[:5], values[:5]).amplitude)


def test_the_dispersion_is_half_of_the_middle_range() -> None:
    values = np.concatenate([np.linspace(0, 10, 101), [np.nan, np.inf]])
    assert dispersion(values) == pytest.approx(3.5)
    draws = np.random.default_rng(3).normal(5, 0.02, 100_000)
    assert dispersion(draws) == pytest.approx(1.0364 * 0.02, rel=0.01)
    assert np.isnan(dispersion(np.array([1.0, np.nan])))


def test_medians_of_groups_are_those_of_numpy() -> None:
    rng = np.random.default_rng(4)
    group, values = rng.integers(-3, 40, 200), rng.normal(0, 1, 200)
    values[rng.random(200) < 0.1] = np.nan
    group[:2], values[:2] = 99, np.nan
    groups, medians, number = group_medians(group, values)
    assert 99 not in groups
    for one, median, count in zip(groups, medians, number, strict=True):
        own = values[group == one]
        assert median == pytest.approx(np.nanmedian(own))
        assert count == np.isfinite(own).sum()
    empty = group_medians(np.zeros(0, int), np.zeros(0))
    assert [len(one) for one in empty] == [0, 0, 0]


@pytest.mark.parametrize("number", [5, 10, 12, 30, 50])
def test_few_values_have_a_smaller_dispersion(number: int) -> None:
    draws = np.random.default_rng(5).normal(0, 1, (4000, number))
    mean = np.mean([dispersion(row) for row in draws]) / 1.0364
    assert dispersion_of_few(number) == pytest.approx(mean, rel=0.03)
    assert dispersion_of_few(number) < dispersion_of_few(number + 40) < 1
    assert np.isnan(dispersion_of_few(1))
