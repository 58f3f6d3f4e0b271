"""Charge that bleeds along columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filar.errors import ParameterError
from filar.simulate import bleed


def test_bleeding_conserves_charge_and_fills_to_the_well():
    charge = np.full((101, 5), 100.0)
    charge[50, 2] = 1e6
    after = bleed(charge, 90_000.0)
    np.testing.assert_allclose(after.sum(axis=0), charge.sum(axis=0))
    np.testing.assert_array_equal(after[:, [0, 1, 3, 4]], charge[:, [0, 1, 3, 4]])
    assert after.max() <= 90_000
    np.testing.assert_allclose(after[:, 2], after[::-1, 2])
    full = np.flatnonzero(after[:, 2] >= 90_000 - 1e-6)
    assert full.tolist() == list(range(45, 56))


def test_charge_turns_back_at_the_chips_end():
    charge = np.full((40, 1), 10.0)
    charge[1] = 5e5
    after = bleed(charge, 90_000.0)
    assert after.sum() == pytest.approx(charge.sum())
    assert after.max() <= 90_000 + 1e-6


@settings(max_examples=60, deadline=None)
@given(arrays(float, (12, 3), elements=st.floats(0, 3e5)))
def test_bleeding_conserves_any_charge_that_fits(charge):
    after = bleed(charge, 1e5)
    assert after.max() <= 1e5 + 1e-6
    assert after.min() >= 0
    np.testing.assert_allclose(after.sum(axis=0), np.minimum(charge.sum(axis=0), 12e5), rtol=1e-9)


def test_below_full_well_nothing_moves():
    charge = np.random.default_rng(0).uniform(0, 8e4, (20, 20))
    np.testing.assert_array_equal(bleed(charge, 9e4), charge)


def test_columns_may_hold_different_charges_and_bleed_more_to_one_side():
    charge = np.zeros((201, 3))
    charge[100] = 2e6
    wells = np.array([90_000.0, 100_000.0, 110_000.0])
    after = bleed(charge, wells, up=0.75)
    np.testing.assert_allclose(after.sum(axis=0), 2e6)
    np.testing.assert_allclose(after.max(axis=0), wells)
    above, below = after[101:].sum(axis=0), after[:100].sum(axis=0)
    np.testing.assert_allclose(above / (above + below), 0.75, atol=0.03)


def test_wells_and_parts_without_meaning_are_refused():
    with pytest.raises(ParameterError, match="full_well"):
        bleed(np.zeros((5, 4)), np.ones(5))
    with pytest.raises(ParameterError, match="up"):
        bleed(np.zeros((5, 4)), 1.0, up=1.5)
