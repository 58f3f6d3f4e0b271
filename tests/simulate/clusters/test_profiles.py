"""Profiles by their half-light radius."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import j0, kv

from filar.errors import ParameterError
from filar.simulate.clusters.profiles import EFF, King

PROFILES = st.one_of(
    st.builds(EFF, st.floats(2.02, 8.0), st.sampled_from([5.0, 10.0])),
    st.builds(King, st.floats(0.2, 2.5)),
)


@settings(max_examples=30, deadline=None)
@given(PROFILES)
def test_half_of_the_light_is_within_one_and_all_within_the_edge(profile):
    np.testing.assert_allclose(profile.light_within([0.0, 1.0]), [0.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(profile.light_within([profile.edge, 1e3]), 1.0)
    assert profile.brightness(1.001 * profile.edge) == 0.0
    radius = np.geomspace(1e-5, profile.edge, 20_001)
    light = np.trapezoid(2 * np.pi * radius * profile.brightness(radius), radius)
    assert light == pytest.approx(1.0, abs=1e-5)
    assert (np.diff(profile.brightness(radius)) <= 0).all()


@settings(max_examples=30, deadline=None)
@given(PROFILES, st.floats(0.001, 0.999))
def test_radii_and_parts_of_the_light_are_each_other_s_inverse(profile, part):
    assert profile.light_within(profile.radius_of(part)) == pytest.approx(part, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(PROFILES, st.floats(0.001, 3.0))
def test_transforms_are_those_of_the_brightness(profile, frequency):
    edges = profile.radius_of(np.linspace(0.0, 1.0, 200_001))
    middles = np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)
    truth = np.mean(j0(2 * np.pi * frequency * middles))
    assert profile.transform(frequency) == pytest.approx(truth, abs=2e-4)
    assert profile.transform(0.0) == pytest.approx(1.0)


def test_a_profile_that_goes_on_has_the_known_transform():
    # of (1 + r^2 / a^2)^(-3/2) it is exp(-2 pi a f)
    profile, frequency = EFF(3.0, truncation=100.0), np.array([0.1, 0.3, 0.8])
    known = np.exp(-2 * np.pi * profile.scale * frequency)
    np.testing.assert_allclose(profile.transform(frequency), known, atol=0.006)
    order, k = 1.0, 2 * np.pi * EFF(4.0, 100.0).scale * frequency
    bessel = 2 * (k / 2) ** order * kv(order, k)
    np.testing.assert_allclose(EFF(4.0, 100.0).transform(frequency), bessel, atol=2e-4)


@pytest.mark.parametrize("profile", [EFF(2.2), EFF(3.5), King(1.5)])
def test_drawn_stars_follow_the_profile(profile):
    x, y = profile.draw(40_000, np.random.default_rng(2))
    radius = np.hypot(x, y)
    parts = np.linspace(0.1, 0.9, 9)
    found = [np.mean(radius < r) for r in profile.radius_of(parts)]
    np.testing.assert_allclose(found, parts, atol=0.01)
    assert radius.max() <= profile.edge * (1 + 1e-9)
    np.testing.assert_allclose([np.median(x), np.median(y)], 0.0, atol=0.02)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: EFF(2.0), "gamma"),
        (lambda: EFF(np.nan), "gamma"),
        (lambda: EFF(3.0, 1.0), "truncation"),
        (lambda: King(3.0), "concentration"),
    ],
)
def test_profiles_without_meaning_are_refused(make, name):
    with pytest.raises(ParameterError, match=name):
        make()
