"""The 34th-row error: coordinates along a chip with narrow rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.instruments.wfpc2_rows import (
    FIRST,
    PERIOD,
    WIDTH,
    beside_narrow_row,
    narrow_rows,
    to_ideal,
    to_pixels,
)

rows = st.floats(-50, 900)
settings = {
    "period": st.floats(5, 100),
    "first": st.floats(-100, 100),
    "width": st.floats(0, 0.5),
}


def test_narrow_rows_of_a_chip():
    found = narrow_rows(800)
    assert found[0] == FIRST
    assert len(found) == 23
    assert set(np.diff(found)) == {34, 35}
    assert found[-1] == round(FIRST + 22 * PERIOD)
    assert len(narrow_rows(10)) == 0


@given(st.lists(rows, max_size=20), st.fixed_dictionaries(settings))
def test_the_two_coordinates_undo_each_other(values, options):
    y = np.array(values)
    np.testing.assert_allclose(to_ideal(to_pixels(y, **options), **options), y, atol=1e-9)


@given(rows, rows, st.fixed_dictionaries(settings))
def test_order_is_kept(a, b, options):
    one, two = to_pixels([min(a, b), max(a, b)], **options)
    assert one <= two


def test_rows_have_their_widths():
    borders = to_ideal(np.arange(801) - 0.5)
    width = np.diff(borders)
    narrow = narrow_rows(800)
    others = np.setdiff1d(np.arange(800), narrow)
    usual = 1 + WIDTH / PERIOD
    np.testing.assert_allclose(width[others], usual, atol=1e-9)
    np.testing.assert_allclose(width[narrow], usual - WIDTH, atol=1e-9)


def test_no_shift_and_no_trend_over_a_chip():
    y = np.linspace(-0.5, 799.5, 40_001)
    error = to_pixels(y) - y
    slope, _ = np.polyfit(y - 400, error, 1)
    assert abs(error.mean()) < 1e-3
    assert abs(slope * 800) < 2e-3
    assert error.max() == pytest.approx(0.5 * WIDTH, abs=1e-3)
    assert error.min() == pytest.approx(-0.5 * WIDTH, abs=1e-3)


def test_the_jump_over_a_narrow_row():
    row = narrow_rows(800)[3]
    before, after = to_pixels(to_ideal([row - 0.5, row + 0.5])) - to_ideal([row - 0.5, row + 0.5])
    assert after - before == pytest.approx(WIDTH - WIDTH / PERIOD)


def test_rows_on_either_side_see_the_star_differently():
    y = np.linspace(30, 760, 2000)
    row, below, above = beside_narrow_row(y)
    pixel = to_pixels(y)
    assert set(row) <= set(narrow_rows(800))
    assert np.abs(pixel - row).max() < 18
    low, high = pixel <= row - 0.5, pixel >= row + 0.5
    np.testing.assert_allclose(below[low], pixel[low], atol=1e-9)
    np.testing.assert_allclose(above[high], pixel[high], atol=1e-9)
    np.testing.assert_allclose(above - below, WIDTH, rtol=1e-3)


def test_missing_values_and_shapes_stay():
    y = np.array([[np.nan, 10.0], [300.0, np.nan]])
    moved = to_pixels(y)
    assert moved.shape == (2, 2)
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(y))
    assert np.isnan(to_ideal(np.nan))
    assert to_pixels(5.0).shape == ()
    assert to_pixels([]).size == 0


@pytest.mark.parametrize("wrong", [{"period": 1.0}, {"width": 1.0}, {"width": -0.1}])
def test_senseless_rows_are_refused(wrong):
    with pytest.raises(ParameterError):
        to_ideal([1.0, 2.0], **wrong)
