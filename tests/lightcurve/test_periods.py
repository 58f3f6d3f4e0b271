import numpy as np
import pytest

from filar.lightcurve.eclipses import Eclipses, dip, fit_eclipses
from filar.lightcurve.periodograms import box_peaks, lomb_scargle_peaks
from filar.lightcurve.periods import at_period, find_periods
from filar.lightcurve.waves import (
    Points,
    Wave,
    best_frequency,
    cost,
    fit_wave,
    frequency_error,
    harmonics,
    wave_chi2,
)


def nights(rng, n=200, days=400):
    """Times as a ground-based survey has them: one a night, and some nights lost."""
    return np.sort(rng.choice(days, n, replace=False) + rng.normal(0.3, 0.06, n))


def points(time, mag, err=0.02, group=None):
    group = np.zeros(len(time), np.int64) if group is None else group
    return Points(time, mag, np.full(len(time), err**-2.0), group)


def wave(time, period, *sizes):
    # the harmonics' phases are those of no symmetric curve
    return sum(
        size * np.cos(2 * np.pi * k * time / period + 1 - 1.2 * k)
        for k, size in enumerate(sizes, 1)
    )


def test_harmonics_are_cosines_and_sines():
    phase = np.linspace(-3, 3, 40)
    rows = harmonics(phase, 3)
    assert rows.shape == (6, 40)
    for k in range(3):
        assert rows[k] == pytest.approx(np.cos(2 * np.pi * (k + 1) * phase))
        assert rows[3 + k] == pytest.approx(np.sin(2 * np.pi * (k + 1) * phase))


def test_a_wave_is_recovered_with_the_means_of_the_cameras():
    rng = np.random.default_rng(1)
    time = nights(rng)
    group = rng.integers(0, 3, len(time))
    true = wave(time, 5.3, 0.3, 0.1)
    mag = true + np.array([10, 11, 9.5])[group]
    found = fit_wave(points(time, mag, group=group), 1 / 5.3, 4)
    left = mag - found(time)
    for k in range(3):
        assert np.ptp(left[group == k]) < 1e-8
    assert wave_chi2(points(time, mag, group=group), np.array([1 / 5.3]), 4) < 1e-3
    grid = wave(np.linspace(0, 5.3, 5000), 5.3, 0.3, 0.1)
    assert found.amplitude == pytest.approx(np.ptp(grid), rel=1e-4)
    assert found(np.array([found.start]))[0] == pytest.approx(
        found(found.start + np.linspace(0, 5.3, 5000)).max(), abs=1e-4
    )


def test_chi2_is_that_of_least_squares():
    rng = np.random.default_rng(2)
    time = nights(rng, 60)
    mag = rng.normal(0, 1, 60)
    group = rng.integers(0, 2, 60)
    p = Points(time, mag, rng.uniform(0.5, 2, 60), group)
    for frequency in (0.11, 0.73):
        columns = np.concatenate([harmonics(frequency * time, 2), np.eye(2)[group].T])
        root = np.sqrt(p.weight)
        left = np.linalg.lstsq((columns * root).T, mag * root, rcond=None)[1][0]
        assert wave_chi2(p, np.array([frequency]), 2)[0] == pytest.approx(left)


def test_the_error_of_a_period_is_honest():
    pulls = []
    for k in range(40):
        rng = np.random.default_rng(k)
        time = nights(rng, 120)
        p = points(time, wave(time, 7.7, 0.1) + rng.normal(0, 0.05, len(time)), 0.05)
        exact = best_frequency(p, 1 / 7.7, 1, width=0.3, step=0.03)
        pulls.append((exact - 1 / 7.7) / frequency_error(p, exact, 1))
    assert np.std(pulls) == pytest.approx(1, abs=0.25)


def test_cost_of_parameters_and_of_gross_errors():
    rng = np.random.default_rng(3)
    time = nights(rng)
    p = points(time, np.zeros(len(time)))
    left = rng.normal(0, 0.02, len(time))
    assert cost(p, left, 5) > cost(p, left, 3)
    bad = left.copy()
    bad[:3] = 5.0
    far = left.copy()
    far[:3] = 50.0
    assert cost(p, bad, 3) == pytest.approx(cost(p, far, 3))


def test_peaks_of_the_periodograms():
    rng = np.random.default_rng(4)
    time = nights(rng)
    p = points(time, wave(time, 0.5678, 0.2) + rng.normal(0, 0.02, len(time)))
    peaks = lomb_scargle_peaks(p, 0.1, 200, 8)
    assert np.abs(peaks - 1 / 0.5678).min() < 1e-3
    assert np.abs(peaks - (1 / 0.5678 - 1)).min() < 3e-3  # the alias of daily observing
    eclipses = 0.5 * (np.abs((time / 3.21 + 0.5) % 1 - 0.5) < 0.04)
    boxes = box_peaks(points(time, eclipses + rng.normal(0, 0.02, len(time))), 0.5, 200, 4)
    assert min(abs(period - 3.21) for period, *_ in boxes) < 0.01


def test_a_dip_is_flat_around_and_one_deep():
    phase = np.linspace(-0.5, 0.5, 1001)
    for shape in (0.5, 1.0, 4.0):
        values = dip(phase, 0.02, shape)
        assert values.max() == pytest.approx(1)
        assert values[np.abs(phase) > 0.2].max() < 1e-6
        assert (values >= 0).all()


def test_eclipses_are_fitted():
    rng = np.random.default_rng(5)
    time = nights(rng, 300, 700)
    true = Eclipses(2.7183, 59000.3 - 59000, (0.02, 0.02), 1.0, 0.5, np.array([0.8, 0.3, 0, 0]))
    mag = 10 + true(time) + rng.normal(0, 0.01, len(time))
    found = fit_eclipses(points(time, mag, 0.01), 2.7184, 0.32, 0.09)
    assert found is not None
    assert found.period == pytest.approx(2.7183, abs=2e-4)
    assert found.linear[:2] == pytest.approx([0.8, 0.3], abs=0.04)
    assert found.amplitude == pytest.approx(0.8, abs=0.03)


def test_the_deeper_minimum_is_the_first():
    rng = np.random.default_rng(6)
    time = nights(rng, 300, 700)
    true = Eclipses(2.7183, 0.3, (0.02, 0.02), 1.0, 0.5, np.array([0.3, 0.8, 0, 0]))
    found = fit_eclipses(points(time, true(time), 0.01), 2.7183, 0.3, 0.09)
    assert found is not None
    assert found.linear[0] > found.linear[1]
    assert found(np.array([found.start]))[0] == pytest.approx(0.8, abs=0.05)


def none(time):
    return np.zeros(len(time), bool)


def test_too_few_points_have_no_period():
    time = np.arange(12.0)
    assert find_periods(points(time, time), none(time)) == []
    assert at_period(points(time, time), 3.0) is None
    same = np.zeros(50)
    assert find_periods(points(same, same), none(same)) == []


def test_limits_of_the_period():
    rng = np.random.default_rng(7)
    time = nights(rng)
    p = points(time, wave(time, 0.8, 0.3) + rng.normal(0, 0.02, len(time)))
    found = find_periods(p, none(time), (2.0, 20.0))
    assert all(2.0 <= one.period <= 40.0 for one in found)


@pytest.mark.parametrize("second", [1.0, 0.9])
def test_a_contact_binary_has_two_minima_per_orbit(second):
    rng = np.random.default_rng(8)
    time = nights(rng, 300, 700)
    angle = 2 * np.pi * time / 0.3456
    depth = np.where(np.cos(angle) > 0, 1.0, second)
    mag = 0.4 * depth * (1 - np.abs(np.sin(angle))) + rng.normal(0, 0.01, len(time))
    found = find_periods(points(time, mag, 0.01), none(time))[0]
    assert found.period == pytest.approx(0.3456, rel=1e-3)


@pytest.mark.parametrize("sizes", [(0.2,), (0.2, 0.02), (0.3, 0.15, 0.08)])
def test_pulsations_are_not_doubled(sizes):
    rng = np.random.default_rng(9)
    time = nights(rng, 250, 500)
    mag = wave(time, 0.6180, *sizes) + rng.normal(0, 0.02, len(time))
    found = find_periods(points(time, mag), none(time))[0]
    assert found.period == pytest.approx(0.6180, rel=1e-3)
    assert found.remark == ""


def test_a_period_that_is_given_is_refined_and_kept():
    rng = np.random.default_rng(10)
    time = nights(rng)
    p = points(time, wave(time, 11.1, 0.3) + rng.normal(0, 0.02, len(time)))
    found = at_period(p, 11.12)
    assert found is not None
    assert found.given
    assert found.period == pytest.approx(11.1, abs=0.01)
    assert found.phase(time).min() >= 0
    assert found.phase(time).max() < 1
    assert np.mean(found.curve(np.linspace(0, 11.1, 1000, endpoint=False))) == pytest.approx(
        0, abs=2e-3
    )


def test_waves_average_to_nothing():
    assert Wave(1.0, 0.0, np.array([0.3]), np.array([0.1])).mean == 0
