"""Clusters of stars."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.populations import KROUPA, Population, draw_stars
from tests.populations.samples import toy_isochrones

STARS = toy_isochrones(log_ages=(6.6, 7.0, 8.0))


def many(age: float, mass: float, number: int, limit: float | None = None) -> np.ndarray:
    rng = np.random.default_rng(5)
    population = Population(STARS.at(age))
    return np.array([draw_stars(population, mass, rng, limit=limit).total for _ in range(number)])


@given(
    log_mass=st.floats(2.5, 5.0),
    age=st.sampled_from([6.6, 7.0, 8.0]),
    scatter=st.floats(0.003, 0.2),
    seed=st.integers(0, 2**32),
)
def test_the_total_mass_is_the_wanted_one(
    log_mass: float, age: float, scatter: float, seed: int
) -> None:
    mass = 10**log_mass
    drawn = draw_stars(STARS.at(age), mass, np.random.default_rng(seed), scatter=scatter)
    # a single star may be heavier than what is left
    assert abs(drawn.total_mass - mass) < 60
    assert drawn.total_mass >= mass * (1 - 1e-12)
    assert np.all(drawn.mass >= drawn.limit)
    assert np.all(drawn.mass <= STARS.at(age).mass[-1])
    assert drawn.flux.shape == (len(drawn.mass), 3)
    assert np.all(drawn.total > 0)


def test_fluxes_are_those_of_the_isochrone() -> None:
    isochrone = STARS.at(7.0)
    drawn = draw_stars(isochrone, 3000, np.random.default_rng(0), limit=1.0)
    wanted = np.interp(drawn.mass, isochrone.mass, isochrone.mags[:, 1])
    np.testing.assert_allclose(-2.5 * np.log10(drawn.flux[:, 1]), wanted)


@pytest.mark.parametrize("limit", [0.08, 0.5, 4.0, None])
def test_the_mean_is_the_light_of_the_population_whatever_the_limit(limit: float | None) -> None:
    light = many(8.0, 3000, 400, limit)
    population = Population(STARS.at(8.0))
    error = population.scatter(3000) / np.sqrt(400)
    deviation = light.mean(axis=0) / (3000 * population.light) - 1
    assert np.all(np.abs(deviation) < 4 * error + 0.005)


def test_the_scatter_is_poissons_and_the_limit_loses_none_of_it() -> None:
    population = Population(STARS.at(7.0))
    for limit in (0.3, None):
        light = many(7.0, 10_000, 500, limit)
        relative = light.std(axis=0) / light.mean(axis=0)
        assert relative == pytest.approx(population.scatter(10_000), rel=0.2)


def test_the_limit_leaves_the_scatter_that_was_asked_for() -> None:
    population = Population(STARS.at(7.0))
    limit = population.limit(1e4, 0.01)
    point = np.searchsorted(population.isochrone.mass, limit)
    left = np.sqrt(population.squares_below[point] / 1e4) / population.light
    assert 0.005 < left.max() <= 0.01
    assert population.limit(1e5, 0.01) > limit


def test_dead_stars_have_mass_but_no_light() -> None:
    isochrone = STARS.at(8.0)
    drawn = draw_stars(isochrone, 1e5, np.random.default_rng(3), limit=1.0)
    expected = 1e5 * float(KROUPA.number(isochrone.mass[-1], 120))
    assert drawn.dead == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_a_seed_gives_the_same_stars() -> None:
    one, two = (draw_stars(STARS.at(7.0), 1e4, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one.flux, two.flux)


@pytest.mark.parametrize(
    ("name", "values"),
    [("mass", {"mass": 0.0}), ("scatter", {"scatter": -1.0}), ("limit", {"limit": 0.0})],
)
def test_what_is_not_positive_is_refused(name: str, values: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=name):
        draw_stars(STARS.at(7.0), **{"mass": 1e3, "rng": np.random.default_rng(0), **values})  # type: ignore[arg-type]
