"""Star lists."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from filar.errors import ParameterError
from filar.simulate import StarField, draw_fluxes, draw_stars


@pytest.mark.parametrize("slope", [0.0, 1.0, 1.6, 2.5])
def test_fluxes_follow_the_power_law(slope):
    low, high = 100.0, 1e5
    flux = draw_fluxes(40_000, (low, high), slope, 1)
    assert flux.min() >= low
    assert flux.max() <= high
    edges = np.geomspace(low, high, 8)
    power = 1 - slope

    def cumulative(f):
        return np.log(f) if slope == 1 else f**power / power

    expected = 40_000 * np.diff(cumulative(edges)) / (cumulative(high) - cumulative(low))
    counts = np.histogram(flux, edges)[0]
    assert np.sum((counts - expected) ** 2 / np.maximum(expected, 5)) < 30


def test_positions_have_flat_pixel_fractions_and_fill_the_chip():
    stars = draw_stars(50_000, (400, 300), seed=2)
    assert stars.x.min() >= -0.5
    assert stars.x.max() < 299.5
    assert stars.y.max() < 399.5
    counts = np.histogram(stars.x - np.rint(stars.x), 10, (-0.5, 0.5))[0]
    assert np.sum((counts - 5000) ** 2 / 5000) < 30


def test_same_seed_same_field():
    one, two, other = (draw_stars(50, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.flux, two.flux)
    assert not np.array_equal(one.x, other.x)


def test_separation_is_kept():
    stars = draw_stars(400, (300, 300), separation=8, seed=3)
    assert len(stars) == 400
    assert len(cKDTree(np.c_[stars.x, stars.y]).query_pairs(8)) == 0
    assert len(draw_stars(400, (60, 60), separation=8, seed=3)) < 100


def test_core_radius_holds_half_of_a_plummer_sphere():
    stars = draw_stars(20_000, (4000, 4000), core_radius=50, seed=4)
    inside = np.hypot(stars.x - 1999.5, stars.y - 1999.5) < 50
    assert inside.mean() == pytest.approx(0.5, abs=0.02)


def test_origin_is_respected():
    stars = draw_stars(1000, (100, 100), origin=(40, 60), seed=1)
    assert stars.x.min() >= 39.5
    assert stars.y.min() >= 59.5


def test_no_stars():
    assert len(draw_stars(0, seed=1)) == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"limits": (0.0, 10.0)},
        {"limits": (10.0, 1.0)},
        {"core_radius": 0.0},
        {"separation": -1.0},
        {"origin": (900, 0)},
    ],
)
def test_senseless_parameters_are_refused(bad):
    with pytest.raises(ParameterError):
        draw_stars(10, **bad)
    with pytest.raises(ParameterError):
        draw_stars(-1)


def test_a_field_needs_finite_arrays_of_one_length():
    with pytest.raises(ParameterError):
        StarField(np.zeros(3), np.zeros(2), np.zeros(3))
    with pytest.raises(ParameterError):
        StarField(np.zeros(1), np.full(1, np.nan), np.ones(1))
