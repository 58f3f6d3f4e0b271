"""Mock clusters."""

from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.populations import Extinction, draw_stars, integrated_mags
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.mock import Mocks, draw_mocks
from filar.simulate.clusters.settings import MockSettings
from tests.populations.samples import toy_isochrones

STARS = toy_isochrones()
SETTINGS = MockSettings()


@pytest.fixture(scope="module")
def mocks():
    return draw_mocks(SETTINGS, STARS, 30, 7)


def test_parameters_are_in_their_ranges(mocks):
    for name in ("log_age", "a_v", "log_mass", "log_r_h"):
        low, high = getattr(SETTINGS, name)
        values = getattr(mocks, name)
        assert ((low <= values) & (values <= high)).all()
        assert np.ptp(values) > 0.7 * (high - low)
    assert ((mocks.shape >= 2.2) & (mocks.shape <= 3.5)).all()
    assert (np.abs(np.array([mocks.x, mocks.y]) - 31.5) <= 2.1 + 1e-9).all()
    assert 0.4 < np.std([mocks.x, mocks.y]) < 1.0
    assert mocks.rate.shape == (30, 3, 64, 64)
    assert mocks.rate.dtype == np.float32
    assert mocks.rate.min() >= 0
    np.testing.assert_array_equal(mocks.values[:, 2], mocks.log_mass)


def test_images_hold_the_light_of_the_magnitudes(mocks):
    camera = SETTINGS.camera
    part = mocks.rate.sum(axis=(2, 3)) / camera.rate(mocks.mag)
    small = mocks.log_r_h < -0.9
    assert small.sum() > 5
    assert ((part[small] > 0.88) & (part[small] < 1.0)).all()  # the rest is in the PSF's wings
    assert (part > 0.5).all()


def test_the_light_is_about_the_middle(mocks):
    compact = mocks.log_r_h < -1.0
    axis = np.arange(64.0)
    band = mocks.rate[compact, 2] / mocks.rate[compact, 2].sum(axis=(1, 2), keepdims=True)
    x, y = band.sum(axis=1) @ axis, band.sum(axis=2) @ axis
    apart = np.hypot(x - mocks.x[compact], y - mocks.y[compact])
    r_h = 10 ** mocks.log_r_h[compact] / 0.04
    assert np.median(apart / r_h) < 0.6


def test_seeds_and_numbers_of_clusters_give_the_same_again(mocks):
    again = Mocks.join(
        [draw_mocks(SETTINGS, STARS, 3, 7), draw_mocks(SETTINGS, STARS, 2, 7, first=3)]
    )
    assert len(again) == 5
    np.testing.assert_array_equal(again.rate, mocks.rate[:5])
    np.testing.assert_array_equal(again.mag, mocks.mag[:5])
    other = draw_mocks(SETTINGS, STARS, 3, 8)
    assert not np.isin(other.log_age, mocks.log_age).any()


def test_massive_clusters_have_the_colours_of_their_populations():
    fixed = replace(
        SETTINGS, log_age=(7.5, 7.5), a_v=(1.0, 1.0), log_mass=(6.0, 6.0), log_r_h=(-1.0, -1.0)
    )
    mocks = draw_mocks(fixed, STARS, 4, 1)
    red = Extinction(STARS.bands).redden(STARS.at(7.5), 1.0)
    expected = integrated_mags(red, 1e6) + fixed.camera.distance_modulus
    np.testing.assert_allclose(mocks.mag.mean(axis=0), expected, atol=0.1)


def test_dust_and_distance_dim(mocks):
    clear = replace(SETTINGS, a_v=(0.0, 0.0))
    dusty = replace(SETTINGS, a_v=(2.0, 2.0))
    loss = draw_mocks(dusty, STARS, 5, 7).mag - draw_mocks(clear, STARS, 5, 7).mag
    # random numbers are the same, but the limit of what is drawn star by star may not be
    assert (np.median(loss, axis=0) > [2.5, 2.0, 0.8]).all()
    assert (np.diff(np.median(loss, axis=0)) < 0).all()
    near = replace(SETTINGS, camera=replace(SETTINGS.camera, distance_mpc=0.45))
    brighter = mocks.mag[:3] - draw_mocks(near, STARS, 3, 7).mag
    np.testing.assert_allclose(brighter, 5.0)


def test_larger_clusters_are_wider():
    images = []
    for log_r_h in (-1.3, -0.5):
        fixed = replace(SETTINGS, log_r_h=(log_r_h, log_r_h), offset=0.0)
        images.append(draw_mocks(fixed, STARS, 5, 3).rate[:, 2])
    y, x = np.indices((64, 64)) - 31.5
    centre = np.hypot(x, y) < 3.0
    part = [image[:, centre].sum() / image.sum() for image in images]
    assert part[0] > 2 * part[1]


def test_other_cameras_sizes_profiles_and_metallicities():
    one = MockSettings(
        preset_camera("m31-f475w"), size=40, profile="king", metallicities=(0.015, 0.03)
    )
    stars = toy_isochrones(("F475W", "F814W"))
    mocks = draw_mocks(one, stars, 12, 2)
    assert mocks.rate.shape == (12, 1, 40, 40)
    assert set(mocks.z) == {0.015, 0.03}
    assert ((mocks.shape >= 0.5) & (mocks.shape <= 2.0)).all()


def test_ages_are_those_drawn_also_where_isochrones_are_not_interpolated():
    mocks = draw_mocks(SETTINGS, toy_isochrones(phases=False), 40, 1)
    assert len(np.unique(mocks.log_age)) == 40
    low, high = SETTINGS.log_age
    assert low <= mocks.log_age.min() < low + 0.2
    assert high - 0.2 < mocks.log_age.max() <= high


def test_what_the_isochrones_lack_is_refused_before_anything_is_drawn():
    with pytest.raises(ParameterError):
        draw_mocks(SETTINGS, toy_isochrones(("F336W",)), 1, 1)
    with pytest.raises(ParameterError):
        draw_mocks(replace(SETTINGS, log_age=(6.0, 7.0)), STARS, 1, 1)
    with pytest.raises(ParameterError):
        draw_mocks(replace(SETTINGS, metallicities=(0.001,)), STARS, 1, 1)
    with pytest.raises(ParameterError, match="n = 0"):
        draw_mocks(SETTINGS, STARS, 0, 1)


def test_light_that_is_not_drawn_star_by_star_is_where_the_stars_are():
    coarse, fine = replace(SETTINGS, scatter=0.05), replace(SETTINGS, scatter=0.001)
    for one in (coarse, fine):
        stars = draw_stars(STARS.at(7.0), 1e5, np.random.default_rng(1), scatter=one.scatter)
        assert len(stars.flux) > 0
    few, many = (draw_mocks(one, STARS, 8, 5) for one in (coarse, fine))
    assert few.stars.sum() < many.stars.sum() / 2
    y, x = np.indices((64, 64)) - 31.5
    ring = (np.hypot(x, y) > 5) & (np.hypot(x, y) < 20)
    for mocks in (few, many):
        mocks_light = mocks.rate[:, 0][:, ring].sum() / mocks.rate[:, 0].sum()
        assert mocks_light == pytest.approx(0.4, abs=0.15)
