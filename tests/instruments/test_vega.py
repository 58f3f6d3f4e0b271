"""Vega zero points of HST's filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.instruments.vega import (
    ab_minus_vega,
    knows_filter,
    photflam_of,
    pivot_wavelength,
    vega_zero_point,
)

KNOWN = [("WFC3", "F336W"), ("WFC3", "F438W"), ("WFC3", "F814W"), ("ACS", "F475W")]


@given(st.sampled_from(KNOWN), st.floats(20.0, 30.0))
def test_a_zero_point_survives_the_header(band, zero_point):
    photflam = photflam_of(*band, zero_point)
    found = vega_zero_point(*band, photflam, pivot_wavelength(*band))
    assert found == pytest.approx(zero_point, abs=1e-9)


def test_a_flat_spectrum_of_zero_ab_magnitude_has_3631_jansky():
    pivot, speed_of_light = pivot_wavelength("WFC3", "F814W"), 2.998e18
    flux = 3.631e-20 * speed_of_light / pivot**2
    ab = vega_zero_point("WFC3", "F814W", flux, pivot) + ab_minus_vega("WFC3", "F814W")
    assert ab == pytest.approx(0.0, abs=0.002)


def test_ab_and_vega_agree_in_the_visual_and_differ_in_the_ultraviolet():
    assert abs(ab_minus_vega("WFC3", "F555W")) < 0.05
    assert ab_minus_vega("WFC3", "F336W") == pytest.approx(1.18, abs=0.02)


@pytest.mark.parametrize("band", [("WFC3", "F999W"), ("NICMOS", "F110W")])
def test_what_is_not_known_is_refused(band):
    assert not knows_filter(*band)
    with pytest.raises(ParameterError, match="one of"):
        pivot_wavelength(*band)


@pytest.mark.parametrize("photflam, photplam", [(0.0, 8000.0), (1e-19, float("nan"))])
def test_keywords_that_say_nothing_are_refused(photflam, photplam):
    with pytest.raises(ParameterError, match="PHOT"):
        vega_zero_point("WFC3", "F814W", photflam, photplam)
