"""Stars that a model makes up are like those that it was trained on."""

from types import SimpleNamespace

import numpy as np
import pytest

from filar.completeness.curves import completeness_curves
from filar.completeness.imagined import imagined_stars
from filar.completeness.luminosity import corrected_luminosity_function
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

EDGES = np.arange(21.0, 28.01, 0.5)


class Errors:
    """Errors that grow, the same in both bands."""

    def sample(self, stars, rng):
        sigma = 0.05 * 10 ** (0.3 * (stars.mag[:, :1] - 24.0))
        return sigma * rng.normal(size=stars.mag.shape)


def known_model(kind="input", errors=True):
    """Recovery falls at V 26, or a magnitude earlier where it is crowded."""

    def p_recovered(stars):
        return 1 / (1 + np.exp((stars.mag[:, 0] - 26.0 + stars.covariates["crowding"]) / 0.25))

    return SimpleNamespace(
        p_recovered=p_recovered, errors_=Errors() if errors else None,
        inputs_=SimpleNamespace(magnitudes=kind),
    )  # fmt: skip


def stars(number, seed=0):
    rng = np.random.default_rng(seed)
    visual = rng.uniform(21, 28, number)
    mag = np.stack([visual, visual - rng.uniform(-1, 3, number)], axis=1)
    crowding = rng.integers(0, 2, number).astype(float)
    return RealStars(("V", "I"), mag, {"crowding": crowding}, 100 * crowding, crowding)


def test_they_are_recovered_as_the_model_says_and_have_its_errors():
    like = stars(500)
    made = imagined_stars(known_model(), like, 100_000, limits=(22.0, 28.0), seed=1)
    assert len(made) == 100_000
    assert made.mag_in[:, 0].min() >= 22.0
    for crowded, limit in ((0.0, 26.0), (1.0, 25.0)):
        part = made.select(made.covariates["crowding"] == crowded)
        curves = completeness_curves(part, np.arange(22.0, 28.01, 0.25))
        assert curves.limit(0.5, against="input") == pytest.approx(limit, abs=0.04)
    near = made.recovered & (np.abs(made.mag_in[:, 0] - 24.0) < 0.1)
    assert np.std(made.delta[near, 0]) == pytest.approx(0.05, rel=0.1)
    # Colours and places are those of the stars that they are like.
    color = made.mag_in[:, 0] - made.mag_in[:, 1]
    assert np.isin(np.round(color, 6), np.round(like.mag[:, 0] - like.mag[:, 1], 6)).all()
    np.testing.assert_array_equal(made.x, 100 * made.covariates["crowding"])
    assert "made up" in made.meta["source"]


def test_colours_may_be_those_of_other_stars():
    blue = RealStars(("V", "I"), np.array([[22.0, 22.1], [23.0, 23.3], [np.nan, 20.0]]))
    made = imagined_stars(known_model(), stars(100), 1000, colors=blue, limits=(22.0, 27.0), seed=1)
    color = np.round(made.mag_in[:, 0] - made.mag_in[:, 1], 6)
    assert set(color) == {-0.1, -0.3}
    assert np.ptp(made.mag_in[:, 0]) > 4.9
    assert set(made.covariates["crowding"]) == {0.0, 1.0}


def test_the_same_seed_gives_the_same_stars():
    one, two, other = (
        imagined_stars(known_model(), stars(50), 200, band="I", seed=s) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.mag_out, two.mag_out)
    assert not np.array_equal(one.mag_in, other.mag_in)


def test_they_correct_a_luminosity_function_as_well_as_real_ones():
    rng = np.random.default_rng(3)
    many = imagined_stars(known_model(), stars(2000), 200_000, limits=(21.0, 28.0), seed=2)
    # A rising function in the crowded region alone, observed with the same model.
    field = imagined_stars(known_model(), stars(2000, 5), 60_000, limits=(21.0, 28.0), seed=4)
    field = field.select(rng.random(len(field)) < 10 ** (0.3 * (field.mag_in[:, 0] - 28.0)))
    field = field.select(field.covariates["crowding"] == 1.0)
    seen = RealStars(field.bands, field.mag_out[field.recovered])
    truth = np.histogram(field.mag_in[:, 0], EDGES)[0]
    groups = np.ones(len(seen), int), many.covariates["crowding"].astype(int)
    found = corrected_luminosity_function(seen, many, EDGES, groups=groups, behind=5000)
    sure = corrected_luminosity_function(seen, many, EDGES, groups=groups)
    good = found.reliable & (truth > 20)
    assert np.all(np.abs(found.number - truth)[good] < 4 * sure.field_err[good])
    # Few artificial stars behind the model are less certain than the many made up.
    np.testing.assert_array_equal(found.number, sure.number)
    assert np.all(found.field_err[good] > sure.field_err[good])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": known_model(errors=False)}, "errors=True"),
        ({"model": known_model("measured")}, "measured"),
        ({"number": 0}, "number"),
        ({"limits": (25.0, 22.0)}, "limits"),
        ({"band": "K"}, "one of V, I"),
        ({"colors": RealStars(("V", "K"), np.ones((1, 2)))}, "colors"),
        ({"like": RealStars(("V",), np.full((3, 1), np.nan))}, "magnitudes"),
    ],
)
def test_senseless_wishes_are_refused(change, message):
    given = {"model": known_model(), "like": stars(10), "number": 10, **change}
    with pytest.raises(ParameterError, match=message):
        imagined_stars(**given)


def test_a_number_behind_the_model_must_be_one():
    made = imagined_stars(known_model(), stars(10), 100)
    assert isinstance(made, ArtificialStars)
    with pytest.raises(ParameterError, match="behind"):
        corrected_luminosity_function(stars(10), made, EDGES, behind=0)
