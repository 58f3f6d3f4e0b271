"""Foreground stars and background galaxies."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.interlopers import (
    POINTS,
    InterloperSettings,
    background_galaxies,
    foreground_stars,
)
from tests.populations.samples import toy_isochrones

SET = toy_isochrones()


def test_foreground_stars_have_the_numbers_and_magnitudes_asked_for():
    settings = InterloperSettings(stars=2000.0, star_mags=(16.0, 22.0))
    stars = foreground_stars(settings, SET, (900, 600), 0.05, np.random.default_rng(0))
    assert len(stars.x) == pytest.approx(2000 * 30 * 45 / 3600, rel=0.15)
    last = -2.5 * np.log10(stars.flux[:, -1])
    assert 16.0 <= last.min() < last.max() <= 22.0
    assert np.mean(last > 19.0) > 0.6
    # dwarfs are redder than Vega
    assert np.median(-2.5 * np.log10(stars.flux[:, 0] / stars.flux[:, -1])) > 0.5
    assert (np.abs(stars.x - 299.5) <= 300).all()
    assert (np.abs(stars.y - 449.5) <= 450).all()


def test_half_of_a_galaxys_light_lies_within_its_radius():
    settings = InterloperSettings(galaxies=60.0, galaxy_radius=(0.5, 0.5), galaxy_mags=(20, 20))
    found = background_galaxies(settings, SET, (600, 600), 0.05, np.random.default_rng(1))
    count = len(found.middles)
    assert count > 5
    x = found.x.reshape(count, POINTS) - found.middles[:, :1]
    y = found.y.reshape(count, POINTS) - found.middles[:, 1:]
    # flattened: the half-light ellipse has the radius as its longer half-axis
    longest = np.median(np.hypot(x, y), axis=1) * 0.05
    assert (longest < 0.5 + 1e-3).all()
    assert (longest > 0.15).all()
    total = found.flux.reshape(count, POINTS, -1).sum(axis=1)
    np.testing.assert_allclose(-2.5 * np.log10(total[:, -1]), 20.0, atol=1e-6)


def test_none_wanted_is_none_drawn():
    settings = InterloperSettings(stars=0.0, galaxies=0.0)
    rng = np.random.default_rng(2)
    for draw in (foreground_stars, background_galaxies):
        found = draw(settings, SET, (100, 100), 0.05, rng)
        assert found.x.shape == (0,)
        assert found.flux.shape == (0, 3)


@pytest.mark.parametrize("name, value", [("stars", -1.0), ("galaxy_mags", (24.0, 19.0))])
def test_settings_without_meaning_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        InterloperSettings(**{name: value})
