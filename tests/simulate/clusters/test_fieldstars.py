"""Stars of a galaxy's field."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.populations.light import integrated_mags
from filar.simulate.clusters.fieldstars import (
    OLD_EDGES,
    YOUNG,
    Mixture,
    draw_field_stars,
    formed,
    mean_flux,
)
from tests.populations.samples import toy_isochrones

SET = toy_isochrones()
ONE = Mixture((7.5,), (1.0,), 1.0)


def test_the_mean_light_is_that_of_the_populations():
    expected = 10 ** (-0.4 * integrated_mags(SET.at(7.5)))
    np.testing.assert_allclose(mean_flux(SET, ONE), expected, rtol=0.02)


@pytest.mark.parametrize("brightest", [0.0, 3.0, 30.0])
def test_drawn_and_smooth_light_make_all_light(brightest):
    limit = np.full(3, 10 ** (-0.4 * brightest))
    rng = np.random.default_rng(1)
    drawn = draw_field_stars(SET, ONE, 3e5, limit, rng, most=50_000)
    total = drawn.flux.sum(axis=0) + drawn.unresolved
    np.testing.assert_allclose(total / 3e5, mean_flux(SET, ONE), rtol=0.15)
    assert len(drawn) == len(drawn.teff) < 51_000
    assert (drawn.unresolved > 0).all()


def test_fainter_limits_draw_more_stars_and_leave_less_light():
    results = [
        draw_field_stars(SET, ONE, 1e5, np.full(3, limit), np.random.default_rng(2), most=1e6)
        for limit in (10.0, 0.1)
    ]
    assert len(results[0]) < len(results[1])
    assert (results[0].unresolved > results[1].unresolved).all()
    # each star is about as bright as the limit says, in one band at least
    assert (results[0].flux.max(axis=1) > 5.0).all()


def test_star_formation_forms_mass_in_proportion_to_time():
    mixture = formed((7.0, 8.0, 9.0))
    assert sum(mixture.masses) == pytest.approx(1.0)
    assert mixture.masses[1] / mixture.masses[0] == pytest.approx(10.0)
    assert mixture.log_ages == (7.5, 8.5)
    declined = formed(OLD_EDGES, 2.0)
    assert sum(declined.masses) == pytest.approx(1.0)
    assert declined.masses[-1] > 1.5 * formed(OLD_EDGES).masses[-1]
    # old stars are many for their light
    light = [one.mass_to_light for one in (YOUNG, formed(OLD_EDGES), declined)]
    assert light == sorted(light)
    assert 0.09 < light[0] < 0.13
    assert 2.3 < light[1] < 3.5


@given(st.floats(0.5, 1000.0))
def test_any_decline_forms_all_mass(timescale):
    mixture = formed(OLD_EDGES, timescale)
    assert sum(mixture.masses) == pytest.approx(1.0)
    assert min(mixture.masses) >= 0.0
    assert 2.0 < mixture.mass_to_light < 6.2


def test_numbers_scatter_as_counts_do():
    limit = np.full(3, 1.0)
    counts = [
        len(draw_field_stars(SET, ONE, 2e4, limit, np.random.default_rng(seed), most=1e6))
        for seed in range(60)
    ]
    assert np.var(counts) / np.mean(counts) == pytest.approx(1.0, abs=0.5)
