"""Dark current and hot pixels."""

import numpy as np
import pytest

from filar.simulate.darks import DARK_RATE, HOT_FRACTION, HOT_LIMIT, HOTTEST, dark_current

SHAPE = (800, 800)


def test_dark_current_without_hot_pixels():
    rates = dark_current(SHAPE, hot_pixels=0.0, seed=1)
    assert rates.mean() == pytest.approx(DARK_RATE, rel=0.02)
    assert rates.max() < HOT_LIMIT
    np.testing.assert_array_equal(dark_current(SHAPE, dark=0.0, hot_pixels=0.0, seed=1), 0.0)


def test_hot_pixels_have_their_number_and_their_power_law():
    rates = dark_current(SHAPE, dark=0.0, seed=1)
    hot = rates[rates > 0]
    expected = HOT_FRACTION * rates.size
    assert len(hot) == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert hot.min() >= HOT_LIMIT
    assert hot.max() <= HOTTEST
    above = (hot > 0.2).sum() / len(hot)
    assert above == pytest.approx(10**-1.2, rel=0.25)


def test_switching_one_off_leaves_the_other():
    both = dark_current(SHAPE, seed=1)
    plain = dark_current(SHAPE, hot_pixels=0.0, seed=1)
    cool = both < HOT_LIMIT
    np.testing.assert_array_equal(both[cool], plain[cool])
    np.testing.assert_allclose(both - dark_current(SHAPE, dark=0.0, seed=1), plain, atol=1e-12)
