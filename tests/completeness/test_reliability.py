import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.completeness.reliability import (
    binomial_error,
    calibration_error,
    chance_calibration_error,
    deciles,
    equal_edges,
    even_edges,
    fraction_bins,
    fraction_cells,
    reliability,
)
from filar.errors import ParameterError
from tests.completeness.test_evaluate import drawn, shifted


def test_honest_probabilities_pull_by_chance_alone() -> None:
    p, recovered = drawn(100_000)
    mag = -np.log(p / (1 - p)) + np.random.default_rng(3).normal(0, 0.5, len(p))
    for bins in (
        reliability(p, recovered),
        deciles(p, recovered),
        fraction_bins(mag, p, recovered, even_edges(mag, 40, 0.98)),
    ):
        assert 0.6 < np.sqrt(np.mean(bins.pull**2)) < 1.5
    cells = fraction_cells(mag, p, p, recovered, (even_edges(mag, 10), np.linspace(0, 1, 11)))
    filled = cells.number >= 50
    assert 0.8 < np.sqrt(np.mean(cells.pull[filled] ** 2)) < 1.2


def test_a_shift_of_the_logit_is_seen_in_its_direction() -> None:
    p, recovered = drawn(100_000)
    bins = reliability(shifted(p, 0.5), recovered)
    assert bins.pull[2:-2].min() > 3
    assert (reliability(shifted(p, -0.5), recovered).pull[2:-2] < -3).all()


def test_calibration_error_by_hand() -> None:
    # Bins of a tenth: (0.0, 0.08) with one recovered of two, (0.9) recovered.
    p, recovered = np.array([0.0, 0.08, 0.9]), np.array([False, True, True])
    assert calibration_error(p, recovered, 10) == pytest.approx((0.92 + 0.1) / 3)
    bins = reliability(p, recovered, 10)
    assert bins.number.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert bins.true[[0, 9]].tolist() == [0.5, 1.0]
    np.testing.assert_allclose(bins.predicted[[0, 9]], [0.04, 0.9])
    assert np.isnan(bins.true[1:9]).all()
    assert np.isnan(bins.chance[1:9]).all()


def test_calibration_errors_by_chance_are_those_of_simulated_outcomes() -> None:
    p, _ = drawn(3000)
    rng = np.random.default_rng(9)
    true = [calibration_error(p, rng.random(len(p)) < p) for _ in range(300)]
    simulated = chance_calibration_error(p, draws=300, seed=1)
    assert np.mean(simulated) == pytest.approx(np.mean(true), rel=0.08)
    assert np.quantile(simulated, 0.95) == pytest.approx(np.quantile(true, 0.95), rel=0.12)
    again = chance_calibration_error(p, draws=300, seed=1)
    assert np.array_equal(simulated, again)
    # With a hundred times the stars chance is ten times smaller.
    many = chance_calibration_error(np.tile(p, 100), draws=20)
    assert np.mean(many) == pytest.approx(np.mean(simulated) / 10, rel=0.2)


def test_binomial_errors() -> None:
    many = binomial_error(np.array([5000]), np.array([10_000]))
    assert many[0] == pytest.approx(0.005, rel=1e-3)
    none = binomial_error(np.array([0, 10, 0]), np.array([10, 10, 0]))
    assert none[0] == none[1] == pytest.approx(0.05 / 1.1)
    assert np.isnan(none[2])


def test_stars_beyond_the_edges_and_without_a_value_do_not_count() -> None:
    mag = np.array([19.9, 20.0, 20.5, 21.0, 22.0, 22.1, np.nan])
    p, recovered = np.linspace(0, 1, 7), np.array([1, 1, 0, 1, 0, 1, 1], bool)
    bins = fraction_bins(mag, p, recovered, np.array([20.0, 21.0, 22.0]))
    assert bins.number.tolist() == [2, 2]
    np.testing.assert_allclose(bins.middle, [20.25, 21.5])
    np.testing.assert_allclose(bins.true, [0.5, 0.5])
    cells = fraction_cells(mag, -mag, p, recovered, (np.array([20.0, 22.0]), np.array([-21, -20])))
    assert cells.number.tolist() == [[3]]


def test_tenths_hold_equal_numbers_though_probabilities_repeat() -> None:
    p = np.r_[np.zeros(50), np.ones(45)]
    bins = deciles(p, p > 0)
    assert set(bins.number) == {9, 10}
    assert (np.diff(bins.predicted) >= 0).all()
    assert bins.difference.tolist() == [0] * 10


def test_edges() -> None:
    values = np.r_[np.arange(1001.0), np.nan]
    np.testing.assert_allclose(even_edges(values, 4, 1.0), [0, 250, 500, 750, 1000])
    np.testing.assert_allclose(equal_edges(values**2, 4), np.array([0, 250, 500, 750, 1000]) ** 2)
    assert equal_edges(np.array([1.0, 1, 1, 1, 2]), 4).tolist() == [1, 2]
    assert equal_edges(np.full(5, 3.0), 4).tolist() == [2.5, 3.5]
    with pytest.raises(ParameterError, match="nothing finite"):
        even_edges(np.array([np.nan]), 4)
    with pytest.raises(ParameterError, match="increasing"):
        fraction_bins(np.ones(2), np.ones(2), np.ones(2), np.array([1.0, 1.0]))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 30),
)
def test_bins_hold_all_stars_and_the_error_is_bounded(rows: list, number: int) -> None:
    p, recovered = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    for bins in (reliability(p, recovered, number), deciles(p, recovered, number)):
        assert bins.number.sum() == len(rows)
        some = bins.number > 0
        assert (bins.number * bins.true)[some].sum() == pytest.approx(recovered.sum())
        assert (bins.number * bins.predicted)[some].sum() == pytest.approx(p.sum(), abs=1e-9)
    surplus = abs(p.sum() - recovered.sum()) / len(p)
    assert surplus - 1e-9 <= calibration_error(p, recovered, number) <= 1
