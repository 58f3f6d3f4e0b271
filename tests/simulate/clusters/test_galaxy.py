"""Pieces of a disc."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.galaxy import SUN_V, DiscSettings, draw_disc


def disc_of(seed=1, shape=(96, 120), **settings):
    rng = np.random.default_rng(seed)
    return draw_disc(DiscSettings(**settings), shape, 0.04, 4.5, rng)


@pytest.mark.parametrize("brightness", [20.5, 22.5])
def test_the_light_has_the_surface_brightness_that_was_asked_for(brightness):
    disc = disc_of(surface_brightness=(brightness, brightness), young_share=(0.3, 0.3))
    light = disc.old + disc.young
    modulus = 25 + 5 * np.log10(4.5)
    found = SUN_V + modulus - 2.5 * np.log10(light.mean() / 0.04**2)
    assert found == pytest.approx(brightness, abs=1e-6)
    assert disc.young.sum() / light.sum() == pytest.approx(0.3)
    assert disc.shape == disc.a_v.shape == (96, 120)
    assert disc.pixel_parsec == pytest.approx(0.04 * 4.5e6 / 206_264.8)


def test_the_young_light_follows_arm_and_clumps():
    plain = disc_of(arm_contrast=(0.0, 0.0), clumpiness=(0.0, 0.0), scale_length=(1e6, 1e6))
    np.testing.assert_allclose(plain.young, plain.young.mean(), rtol=1e-3)
    spread = [np.std(disc_of(seed, clumpiness=(0.9, 0.9)).young) for seed in range(5)]
    assert np.mean(spread) > 0.3 * plain.young.mean()


def test_the_same_seed_gives_the_same_disc():
    one, two, other = disc_of(3), disc_of(3), disc_of(4)
    np.testing.assert_array_equal(one.young, two.young)
    assert one.facts == two.facts != other.facts


@pytest.mark.parametrize(
    "name, value",
    [("surface_brightness", (23.0, 20.0)), ("young_share", (0.0, 1.5)), ("dust", (0.0, 1.0))],
)
def test_ranges_without_meaning_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        DiscSettings(**{name: value})
