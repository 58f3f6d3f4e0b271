"""Loose groups and chance groups."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.associations import (
    GroupSettings,
    chance_groups,
    draw_associations,
    member_positions,
    positions_from,
)


def test_positions_follow_the_map():
    density = np.zeros((20, 30))
    density[3, 7], density[10, 20] = 1.0, 3.0
    x, y = positions_from(density, 4000, np.random.default_rng(0))
    first = (np.abs(x - 7) <= 0.5) & (np.abs(y - 3) <= 0.5)
    second = (np.abs(x - 20) <= 0.5) & (np.abs(y - 10) <= 0.5)
    assert (first | second).all()
    assert second.mean() == pytest.approx(0.75, abs=0.03)
    assert np.std(x[first]) == pytest.approx(12**-0.5, abs=0.02)


def test_half_of_an_associations_stars_lie_within_its_radius():
    rng = np.random.default_rng(1)
    within = []
    for _ in range(300):
        x, y = member_positions(200, 10.0, rng)
        within.append(np.mean(np.hypot(x, y) < 10.0))
    assert np.mean(within) == pytest.approx(0.5, abs=0.08)
    assert np.std(within) > 0.05


def test_associations_lie_where_the_young_light_is():
    young = np.ones((200, 200))
    young[:, :100] = 0.0
    settings = GroupSettings(associations=2e4, mass=(300.0, 3000.0))
    groups = draw_associations(settings, young, 1.0, np.random.default_rng(2))
    assert len(groups) == pytest.approx(800, rel=0.15)
    assert groups.x.min() >= 99.5
    # the median of M^-2 between two masses is their harmonic mean
    assert np.median(groups.mass) == pytest.approx(2 / (1 / 300 + 1 / 3000), rel=0.1)
    assert 12.0 <= groups.radius.min() < groups.radius.max() <= 60.0


def test_chance_groups_take_different_bright_stars():
    settings = GroupSettings(chance=7e4, chance_stars=(3, 5), chance_radius=(0.1, 0.1))
    bright = np.arange(1000, 1080)
    star, x, y, middles = chance_groups(
        settings, (100, 100), 0.05, bright, np.random.default_rng(3)
    )
    assert 0 < len(star) <= len(bright)
    assert len(np.unique(star)) == len(star)
    assert set(star) <= set(bright)
    nearest = np.hypot(x[:, None] - middles[:, 0], y[:, None] - middles[:, 1]).min(axis=1)
    assert np.median(nearest) < 4.0
    nothing = chance_groups(settings, (100, 100), 0.05, bright[:0], np.random.default_rng(3))
    assert len(nothing[0]) == len(nothing[3]) == 0


@pytest.mark.parametrize(
    "name, value", [("radius", (60.0, 12.0)), ("associations", -1.0), ("log_age", (5.0, 7.0))]
)
def test_settings_without_meaning_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        GroupSettings(**{name: value})
