"""Apertures: areas, known light, sky, unknown pixels, symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.clusters.apertures import (
    RADII,
    aperture_fluxes,
    aperture_weights,
    border,
    border_sky,
    fitting_radii,
)
from filar.errors import ParameterError


@given(size=st.integers(6, 70), part=st.floats(0.1, 0.65))
@settings(max_examples=30, deadline=None)
def test_weights_are_parts_of_pixels_and_add_up_to_the_area(size: int, part: float) -> None:
    radius = part * size / 2
    weights = aperture_weights(size, (radius,))[0].astype(float)
    assert weights.min() >= 0 and weights.max() < 1.03
    assert weights.sum() == pytest.approx(np.pi * radius**2, rel=1e-5)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)
    np.testing.assert_allclose(weights, weights.T, atol=0.02)
    away = np.hypot(*np.meshgrid(*2 * [np.arange(size) - (size - 1) / 2]))
    assert (weights[away > radius + 0.71] == 0).all()
    np.testing.assert_allclose(weights[away < radius - 0.71], 1, atol=0.03)


def test_radii_that_fit() -> None:
    assert fitting_radii(64) == RADII
    assert fitting_radii(32) == RADII[:7]
    assert not (aperture_weights(64)[-1] * border(64)).any()
    with pytest.raises(ParameterError, match=r"20.8 pixels for cutouts of 64"):
        aperture_weights(64, (3.0, 25.0))
    with pytest.raises(ParameterError, match="radii"):
        aperture_fluxes(np.zeros((1, 1, 10, 10)), (5.0,))
    with pytest.raises(ParameterError, match="shape"):
        aperture_fluxes(np.zeros((2, 10, 10)))


def test_a_gaussian_on_a_sky_gives_its_light() -> None:
    away = np.arange(64) - 31.5
    square = away[:, None] ** 2 + away**2
    shape = np.exp(-square / 18) / (18 * np.pi)
    light, sky = np.array([[5.0, 70.0]]), np.array([[2.0, 0.3]])
    flux = light[:, :, None, None] * shape + sky[:, :, None, None]
    found = aperture_fluxes(flux)
    expected = 1 - np.exp(-np.square(RADII) / 18)
    np.testing.assert_allclose(found[0], light.T * expected, rtol=0.015)  # pixels are samples here
    np.testing.assert_allclose(border_sky(flux), sky, rtol=1e-5)


def test_sky_is_a_median_and_unknown_pixels_count_as_sky() -> None:
    rng = np.random.default_rng(1)
    flux = rng.normal(10, 1, (3, 2, 64, 64)).astype(np.float32)
    flux[0, 0, :3, :] = 1e5  # a star at the border
    flux[1, 1, 31:33, 31:33] = np.nan
    flux[2, 0] = np.nan
    sky = border_sky(flux)
    assert sky[2, 0] == 0
    rest = np.delete(sky.ravel(), 4)
    np.testing.assert_allclose(rest, 10, atol=0.2)
    assert aperture_fluxes(flux[:0]).shape == (0, 2, len(RADII))
    found = aperture_fluxes(flux)
    assert np.isfinite(found).all()
    assert (found[2, 0] == 0).all()
    assert np.abs(found[1, 1, 0]) == 0  # all four pixels of the smallest circle


def test_flips_and_turns_change_nothing() -> None:
    flux = np.random.default_rng(2).normal(0, 1, (4, 3, 32, 32))
    found = aperture_fluxes(flux)
    for other in (flux[:, :, ::-1], flux[..., ::-1], np.rot90(flux, axes=(2, 3))):
        np.testing.assert_allclose(aperture_fluxes(other.copy()), found, atol=0.15)
