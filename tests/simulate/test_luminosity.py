"""Luminosity functions."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.luminosity import bright_fluxes, natural_fluxes, turn_off_flux

LIMITS = (300.0, 1e6)


def test_counts_rise_below_the_turn_off_and_giants_are_few():
    flux = natural_fluxes(200_000, LIMITS, 1e5, 1)
    below = -2.5 * np.log10(flux / 1e5)
    assert flux.min() >= LIMITS[0]
    assert flux.max() <= LIMITS[1]
    counts = np.histogram(below, [1, 2, 3, 4, 5])[0]
    np.testing.assert_allclose(counts[1:] / counts[:-1], 10**0.15, rtol=0.06)
    giants = np.count_nonzero((below > -1.5) & (below < -0.5))
    dwarfs = np.count_nonzero((below > 0.5) & (below < 1.5))
    assert giants / dwarfs == pytest.approx(0.12 * 10**-0.3, rel=0.15)


def test_a_deep_exposure_of_47_tuc_has_useful_and_saturated_stars():
    flux = natural_fluxes(20_000, LIMITS, turn_off_flux("F555W", "PC", 160.0), 1)
    assert 0.3 < np.mean(flux > 1300) < 0.8  # a signal-to-noise ratio of 30
    assert 0.001 < np.mean(flux > 150_000) < 0.05  # saturated at gain 7


def test_bright_stars_are_over_represented():
    limits = (1000.0, 2e5)
    bright, natural = bright_fluxes(20_000, limits, 1), natural_fluxes(20_000, limits, 1e5, 1)
    assert np.mean(bright > 2e4) > 2 * np.mean(natural > 2e4)
    magnitude = -2.5 * np.log10(bright)
    faint, middle = np.histogram(magnitude, [-11, -10, -9])[0]
    assert faint / middle == pytest.approx(10**0.16, rel=0.1)


def test_turn_off_scales_with_time_and_is_known_for_every_filter():
    assert turn_off_flux("F555W", "PC", 160.0) == pytest.approx(1.03e5, rel=0.02)
    assert turn_off_flux("F814W", "WF3", 320.0) == pytest.approx(
        2 * turn_off_flux("F814W", "WF3", 160.0)
    )
    assert turn_off_flux("F675W", "WF2", 100.0) > 0
    assert turn_off_flux("F1042M", "WF2", 100.0) > 0


@pytest.mark.parametrize("limits", [(0.0, 10.0), (10.0, 1.0), (1.0, np.inf)])
def test_senseless_limits_are_refused(limits):
    with pytest.raises(ParameterError):
        natural_fluxes(5, limits, 1e5, 1)
    with pytest.raises(ParameterError):
        bright_fluxes(5, limits, 1)


def test_senseless_turn_off_is_refused_and_one_flux_is_allowed():
    with pytest.raises(ParameterError):
        natural_fluxes(5, LIMITS, 0.0, 1)
    assert natural_fluxes(3, (500.0, 500.0), 1e5, 1).tolist() == [500.0] * 3
