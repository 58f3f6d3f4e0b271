"""Limiting magnitudes of a model whose limits are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.completeness.limits import (
    limiting_magnitude,
    places_along,
    places_on_grid,
    typical_place,
)
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

BANDS = ("V", "I")


class Known:
    """Recovery falls at V 26 and at I 25, a magnitude earlier for each dex of crowding."""

    def __init__(self, top=1.0):
        self.top, self.asked = top, 0

    def p_recovered(self, stars):
        self.asked += len(stars)
        mag = stars.magnitudes() if isinstance(stars, RealStars) else stars.mag_in
        shift = np.log10(stars.covariates["crowding"])
        p = 1 / (1 + np.exp((np.c_[mag[:, 0] - 26.0, mag[:, 1] - 25.0] + shift[:, None]) / 0.2))
        return self.top * p.min(axis=1)


def stars(number=400, seed=0):
    rng = np.random.default_rng(seed)
    visual = rng.uniform(20, 29, number)
    mag = np.stack([visual, visual - rng.uniform(-1, 3, number)], axis=1)
    x, y = rng.uniform(0, 800, (2, number))
    crowding = 10 ** (x / 800)
    return ArtificialStars(BANDS, mag, mag, np.ones(number, bool), {"crowding": crowding}, x, y)


def test_a_limit_is_where_the_probability_is_the_level():
    place = typical_place(stars(), color=1.5)
    for level in (0.2, 0.5, 0.8):
        found = limiting_magnitude(Known(), place, level=level, search=(20, 29))
        shift = np.log10(place.covariates["crowding"][0])
        assert found.mag[0] == pytest.approx(
            26 - shift - 0.2 * np.log(level / (1 - level)), abs=1e-4
        )
        assert not found.never[0]
        assert not found.beyond[0]


def test_the_limit_has_two_segments_in_colour():
    place = typical_place(stars())
    place = places_along(place, "crowding", np.array([1.0]))
    colors = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
    at = places_along(place, "color", colors)
    visual = limiting_magnitude(Known(), at, search=(18, 30)).mag
    red = limiting_magnitude(Known(), at, band="I", search=(18, 30)).mag
    # Blue stars are lost in the redder filter, red ones in the bluer.
    np.testing.assert_allclose(visual, np.minimum(26.0, 25.0 + colors), atol=1e-3)
    np.testing.assert_allclose(red, visual - colors, atol=1e-3)


@given(st.floats(-2.0, 2.0))
def test_the_limit_follows_a_covariate(logarithm):
    place = typical_place(stars(), color=0.0)
    at = places_along(place, "crowding", np.array([10.0**logarithm]))
    found = limiting_magnitude(Known(), at, search=(18, 30))
    assert found.mag[0] == pytest.approx(25 - logarithm, abs=1e-3)


def test_what_is_never_reached_is_missing_and_said_so():
    place = places_along(typical_place(stars(), color=2.0), "crowding", np.array([1.0]))
    never = limiting_magnitude(Known(top=0.7), place, level=0.8, search=(20, 29))
    assert np.isnan(never.mag[0])
    assert never.never[0]
    assert not never.beyond[0]
    beyond = limiting_magnitude(Known(), place, search=(20, 25))
    assert np.isnan(beyond.mag[0])
    assert beyond.beyond[0]
    assert not beyond.never[0]


def test_the_map_shows_crowding_that_changes_over_the_image():
    x, y = np.arange(50.0, 800.0, 100.0), np.arange(0.0, 800.0, 200.0)
    at = places_on_grid(stars(20_000), x, y, color=2.0)
    found = limiting_magnitude(Known(), at, search=(20, 29))
    image = found.mag.reshape(len(y), len(x))
    np.testing.assert_allclose(image, np.broadcast_to(26 - x / 800, image.shape), atol=0.04)
    np.testing.assert_array_equal(found.at.x.reshape(image.shape)[0], x)
    given = places_on_grid(stars(), x, y, color=2.0, maps={"crowding": np.ones(image.shape)})
    flat = limiting_magnitude(Known(), given, search=(20, 29)).mag
    np.testing.assert_allclose(flat, 26.0, atol=1e-3)


def test_many_places_are_asked_about_in_pieces():
    model = Known()
    many = stars(5000)
    found = limiting_magnitude(model, many, search=(20, 29))
    one = limiting_magnitude(model, many.select([4321]), search=(20, 29))
    assert found.mag[4321] == one.mag[0]
    assert model.asked > 5000 * 46


def test_unknown_covariates_stay_unknown():
    some = stars(50)
    holes = ArtificialStars(
        BANDS, some.mag_in, some.mag_out, some.recovered,
        {"crowding": np.where(some.x < 400, np.nan, 1.0), "nothing": np.full(50, np.nan)},
        some.x, some.y,
    )  # fmt: skip
    place = typical_place(holes)
    assert place.covariates["crowding"][0] == 1.0
    assert np.isnan(place.covariates["nothing"][0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"level": 1.0}, "level"),
        ({"band": "K"}, "one of V, I"),
        ({"search": (25.0, 25.0)}, "search"),
        ({"search": (25.0, np.nan)}, "search"),
    ],
)
def test_senseless_questions_are_refused(wrong, message):
    with pytest.raises(ParameterError, match=message):
        limiting_magnitude(Known(), stars(), **wrong)


def test_senseless_places_are_refused():
    place = typical_place(stars())
    with pytest.raises(ParameterError, match="color, crowding"):
        places_along(place, "size", np.ones(2))
    with pytest.raises(ParameterError, match="color"):
        typical_place(stars(), color=(1.0, 2.0))
    single = RealStars(("V",), np.ones((3, 1)), {"crowding": np.ones(3)})
    with pytest.raises(ParameterError, match="no colour"):
        places_along(typical_place(single), "color", np.ones(2))
    with pytest.raises(ParameterError, match="positions"):
        places_on_grid(single, np.arange(3.0), np.arange(3.0))
    with pytest.raises(ParameterError, match="map of crowding"):
        places_on_grid(stars(), np.arange(3.0), np.arange(2.0), maps={"crowding": np.ones((3, 3))})
