"""Noise and visibility."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.canvas import Glow, canvas_for
from filar.simulate.clusters.noise import expose, seen_radius, visibility
from filar.simulate.clusters.profiles import EFF

CAMERA = preset_camera("m83")


def test_noise_is_that_of_photons_and_reading():
    rate = np.broadcast_to(np.array([0.001, 0.02, 0.2])[:, None, None], (3, 200, 200))
    electrons = expose(rate, CAMERA, np.random.default_rng(1))
    expected = rate[:, 0, 0] * CAMERA.exposure_times
    assert electrons.dtype == np.float32
    np.testing.assert_allclose(electrons.mean(axis=(1, 2)), expected, atol=0.5)
    variance = expected + CAMERA.read_noises**2
    np.testing.assert_allclose(electrons.var(axis=(1, 2)), variance, rtol=0.04)
    again = expose(rate, CAMERA, np.random.default_rng(1))
    np.testing.assert_array_equal(electrons, again)
    assert not np.array_equal(electrons, expose(rate, CAMERA, np.random.default_rng(2)))


@pytest.mark.parametrize("rate", [np.zeros((2, 8, 8)), np.full((3, 8, 8), -1.0), np.zeros(3)])
def test_rates_without_meaning_are_refused(rate):
    with pytest.raises(ParameterError, match="rate"):
        expose(rate, CAMERA, np.random.default_rng(1))


@pytest.mark.parametrize("r_h, gamma", [(1.0, 2.5), (3.0, 2.2), (3.0, 3.5), (9.0, 3.0)])
def test_half_of_the_light_is_within_the_radius_that_is_seen(r_h, gamma):
    canvas = canvas_for(CAMERA, (128, 128))
    glow = Glow(EFF(gamma), r_h, 64.0, 64.0, np.ones(3))
    images = canvas.draw(np.zeros(0), np.zeros(0), np.zeros((0, 3)), [glow])
    y, x = np.indices((128, 128))
    order = np.argsort(np.hypot(x - 64, y - 64), axis=None)
    area = np.pi * seen_radius(r_h, CAMERA.psf_half_lights) ** 2
    light = np.cumsum(images.reshape(3, -1)[:, order], axis=1)
    within = [one[round(pixels) - 1] for pixels, one in zip(area, light, strict=True)]
    np.testing.assert_allclose(within, 0.485, atol=0.055)


def test_visibility_in_the_limits():
    n = np.array([1e6, 1e2])
    electrons = n[:, None] * np.ones(3)
    psf, dark = CAMERA.psf_half_lights, np.zeros(3)
    snr, by_band = visibility(electrons, np.zeros((2, 3)), np.ones(2), psf, dark)
    np.testing.assert_allclose(by_band, np.sqrt(n / 2)[:, None] * np.ones(3))
    np.testing.assert_allclose(snr, np.sqrt(3 * n / 2))
    # a bright background: the noise is that of its light in the aperture
    snr, by_band = visibility(electrons, np.full((2, 3), 1e9), np.full(2, 50.0), psf, dark)
    expected = n / 2 / np.sqrt(np.pi * 2500 * 1e9)
    np.testing.assert_allclose(by_band[:, 0], expected, rtol=1e-2)
    args = (electrons, np.full((2, 3), 10.0), np.ones(2), psf, CAMERA.read_noises)
    longer, usual = visibility(*args, depth=4.0)[0], visibility(*args)[0]
    assert (longer >= 2 * usual).all()
