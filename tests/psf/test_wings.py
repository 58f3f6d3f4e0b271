"""A PSF with wings: its light, its places, its profile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.psf.wings import (
    AUREOLE_LIGHT,
    KNOTS,
    WingedPSF,
    assumed_wings,
    squared_distances,
)
from tests.psf.samples import gaussian, optical

CENTRE = np.array([400.0])
bare = WingedPSF(gaussian(), np.zeros(len(KNOTS)))
places = st.floats(100, 700)


@given(places, places)
@settings(max_examples=30)
def test_without_wings_the_light_is_that_of_the_fitted_psf(x: float, y: float) -> None:
    stamp = bare.stamps(np.array([x]), np.array([y]), 40)[0]
    assert stamp.sum() == pytest.approx(1, abs=1e-3)
    assert not stamp[:32].any() and not stamp[:, 49:].any()
    inner = gaussian().stamps(np.array([x]), np.array([y]), 7)[0]
    np.testing.assert_allclose(stamp[37:44, 37:44], inner, atol=2e-4)


@given(places, places)
@settings(max_examples=30)
def test_the_light_is_where_the_star_is(x: float, y: float) -> None:
    """The centre of light, counted from the pixel (rint(x), rint(y)), is the star's place."""
    psf = WingedPSF.unmeasured(gaussian())
    stamp = psf.stamps(np.array([x]), np.array([y]), 7)[0]
    stamp = np.where(squared_distances(np.array([x]), np.array([y]), 7)[0] < 6**2, stamp, 0)
    away = np.arange(-7, 8)
    assert away @ stamp.sum(axis=0) / stamp.sum() == pytest.approx(x - np.rint(x), abs=0.02)
    assert away @ stamp.sum(axis=1) / stamp.sum() == pytest.approx(y - np.rint(y), abs=0.02)


@pytest.mark.parametrize("half", [0, 3, 7, 8, 30, 120])
def test_stamps_of_all_sizes_are_cuts_of_each_other(half: int) -> None:
    psf = WingedPSF.unmeasured(optical("PC"))
    x, y = np.array([100.5, 200.49, 300.0]), np.array([301.5, 50.51, 5.2])
    large = psf.stamps(x, y, 120)
    cut = slice(120 - half, 121 + half)
    np.testing.assert_allclose(psf.stamps(x, y, half), large[:, cut, cut], atol=1e-12)


def test_a_star_in_the_middle_of_a_pixel_is_symmetric() -> None:
    stamp = WingedPSF.unmeasured(gaussian()).stamps(CENTRE, CENTRE, 60)[0]
    for same in (stamp[::-1], stamp[:, ::-1], stamp.T):
        np.testing.assert_allclose(same, stamp, rtol=1e-4, atol=1e-9)


def test_opposite_halves_of_a_pixel_mirror_each_other() -> None:
    psf = WingedPSF.unmeasured(gaussian())
    left, right = psf.stamps(CENTRE - 0.3, CENTRE, 40)[0], psf.stamps(CENTRE + 0.3, CENTRE, 40)[0]
    np.testing.assert_allclose(left[:, ::-1], right, rtol=1e-3, atol=1e-7)


def test_half_a_pixel_belongs_to_the_even_one() -> None:
    """As numpy's rint: 400.5 is nearest to 400, 401.5 to 402."""
    low = bare.stamps(CENTRE + 0.5, CENTRE, 3)[0]
    high = bare.stamps(CENTRE + 1.5, CENTRE, 3)[0]
    assert low[3, 3] == pytest.approx(low[3, 4], rel=1e-3)
    assert high[3, 3] == pytest.approx(high[3, 2], rel=1e-3)
    assert low[3, 2] < 0.9 * low[3, 3] and high[3, 4] < 0.9 * high[3, 3]


def test_the_profile_is_continuous_and_passes_through_the_knots() -> None:
    light = assumed_wings() * np.random.default_rng(0).uniform(0.5, 2, len(KNOTS))
    psf = WingedPSF(gaussian(), light)
    np.testing.assert_allclose(psf.profile(np.array(KNOTS)), light)
    r = np.linspace(0, 300, 300_001)
    profile = psf.profile(r)
    assert np.abs(np.diff(profile)).max() < 0.01 * profile.max()
    assert (profile >= 0).all()
    assert not profile[r <= 2].any()


def test_beyond_the_last_knot_light_falls_as_the_cube_of_the_radius() -> None:
    psf = WingedPSF.unmeasured(gaussian())
    last = KNOTS[-1]
    assert psf.profile(np.array([2 * last]))[0] == pytest.approx(psf.light[-1] / 8)


def test_the_assumed_wings_hold_the_light_that_is_assumed() -> None:
    """Outside of 2 pixels: most of it."""
    psf = WingedPSF(gaussian(), assumed_wings())
    r = np.linspace(0, 3000, 300_001)
    light = np.trapezoid(2 * np.pi * r * psf.profile(r), r)
    assert 0.6 * AUREOLE_LIGHT < light < AUREOLE_LIGHT
    stamp = psf.stamps(CENTRE, CENTRE, 120)[0]
    assert stamp.sum() - 1 == pytest.approx(light, rel=0.25)


def test_wings_add_to_the_core() -> None:
    psf = WingedPSF.unmeasured(gaussian())
    both = psf.stamps(CENTRE + 0.2, CENTRE, 30)
    assert psf.with_light(0 * psf.light).stamps(CENTRE + 0.2, CENTRE, 30).sum() < both.sum()
    wings = psf.profile(np.sqrt(squared_distances(CENTRE + 0.2, CENTRE, 30)))
    np.testing.assert_allclose(both - bare.stamps(CENTRE + 0.2, CENTRE, 30), wings, atol=1e-12)


def test_no_stars_give_no_stamps() -> None:
    assert bare.stamps(np.zeros(0), np.zeros(0), 10).shape == (0, 21, 21)


def test_many_stars_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    psf = WingedPSF.unmeasured(gaussian())
    x = np.random.default_rng(0).uniform(50, 700, 20)
    together = psf.stamps(x, x[::-1], 20)
    monkeypatch.setattr("filar.psf.wings.CHUNK", 3 * 41**2)
    np.testing.assert_array_equal(psf.stamps(x, x[::-1], 20), together)


def test_a_profile_of_another_length_is_refused() -> None:
    with pytest.raises(ParameterError, match=f"{len(KNOTS)} values"):
        WingedPSF(gaussian(), np.zeros(3))
