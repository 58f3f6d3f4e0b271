import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.phases import phase_histogram, pixel_phase


def test_an_integer_is_a_pixel_s_centre():
    assert pixel_phase(np.array([0.0, 3.0, 2.25, 2.75, -0.25])) == pytest.approx(
        [0, 0, 0.25, -0.25, -0.25]
    )


@given(st.floats(-1e5, 1e5))
def test_phases_stay_within_the_pixel(x):
    phase = pixel_phase(np.array([x]))[0]
    assert -0.5 <= phase < 0.5
    counts, _ = phase_histogram(np.array([x]))
    assert counts.sum() == 1


def test_uniform_positions_are_flat_within_counting_noise():
    rng = np.random.default_rng(3)
    values = [phase_histogram(rng.uniform(0, 800, 400))[1] for _ in range(300)]
    assert np.mean(values) == pytest.approx(1, abs=0.1)


def test_positions_pulled_to_the_centre_are_found():
    x = np.random.default_rng(3).uniform(0, 800, 2000)
    pulled = x - 0.05 * np.sin(2 * np.pi * x)
    counts, chi2 = phase_histogram(pulled)
    assert chi2 > 5
    assert counts[4] > counts[0]


def test_hand_counted():
    counts, chi2 = phase_histogram(np.array([0.1, 0.2, 0.3, -0.1, np.nan]), bins=2)
    assert list(counts) == [1, 3]
    assert chi2 == pytest.approx((1 + 1) / 2)


def test_no_stars_and_too_few_bins():
    counts, chi2 = phase_histogram(np.array([np.nan]))
    assert counts.sum() == 0
    assert np.isnan(chi2)
    with pytest.raises(ParameterError, match="2 or more"):
        phase_histogram(np.array([1.0]), bins=1)
