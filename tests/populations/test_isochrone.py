"""Isochrones and sets of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.populations import IsochroneSet
from tests.populations.samples import toy_isochrones


@pytest.fixture(scope="module")
def stars() -> IsochroneSet:
    return toy_isochrones()


def test_a_tabulated_age_is_given_as_it_is(stars: IsochroneSet) -> None:
    one = stars.at(7.0, 0.015)
    assert one.log_age == 7.0
    assert one.z == 0.015
    row = (stars.group_log_age == 7.0) & (stars.group_z == 0.015)
    first = stars.start[np.flatnonzero(row)[0]]
    np.testing.assert_array_equal(one.mags, stars.mags[first : first + 85])
    np.testing.assert_allclose(one.flux, 10 ** (-0.4 * one.mags))


@given(age=st.floats(6.3, 10.1), z=st.sampled_from([0.015, 0.03]))
def test_every_age_between_has_ascending_masses_between_its_neighbours(
    age: float, z: float
) -> None:
    stars = toy_isochrones(log_ages=(6.3, 7.0, 8.5, 10.1))
    one = stars.at(age, z)
    ages = stars.log_ages
    young = stars.at(float(ages[ages <= age + 1e-9].max()), z)
    old = stars.at(float(ages[ages >= age - 1e-9].min()), z)
    assert np.all(np.diff(one.mass) >= 0)
    assert np.isfinite(one.mags).all()
    assert old.mass[-1] * (1 - 1e-9) <= one.mass[-1] <= young.mass[-1] * (1 + 1e-9)


def test_ages_between_are_interpolated_along_the_phases_of_life() -> None:
    # the toys' turn-off goes as a power of the age: so does the interpolated one
    wide = toy_isochrones(log_ages=(7.3, 7.8))
    truth = toy_isochrones(log_ages=(7.55,)).at(7.55)
    found = wide.at(7.55)
    assert found.mass[-1] == pytest.approx(truth.mass[-1], rel=1e-6)
    assert found.mags.min(axis=0) == pytest.approx(truth.mags.min(axis=0), abs=0.01)


def test_without_phases_the_nearest_age_is_taken() -> None:
    plain = toy_isochrones(phases=False)
    assert plain.at(7.04).log_age == 7.0
    assert plain.at(7.06).log_age == 7.1


def test_the_nearest_metallicity_is_taken(stars: IsochroneSet) -> None:
    assert stars.at(7.0).z == 0.015
    assert stars.at(7.0, 0.02).z == 0.015
    assert stars.at(7.0, 0.035).z == 0.03


@pytest.mark.parametrize("age", [6.0, 10.2, np.nan])
def test_an_age_outside_is_refused(stars: IsochroneSet, age: float) -> None:
    with pytest.raises(ParameterError, match=r"log_age.*6\.3 to 10\.1"):
        stars.at(age)


@pytest.mark.parametrize("z", [0.001, 0.1, 0.0, np.nan])
def test_a_metallicity_outside_is_refused(stars: IsochroneSet, z: float) -> None:
    with pytest.raises(ParameterError, match=r"z = .*0\.015 to 0\.03"):
        stars.at(7.0, z)


def test_bands_are_chosen_in_the_order_given(stars: IsochroneSet) -> None:
    chosen = stars.with_bands(("F814W", "F336W"))
    assert chosen.bands == ("F814W", "F336W")
    np.testing.assert_array_equal(chosen.mags, stars.mags[:, [2, 0]])
    with pytest.raises(ParameterError, match="F555W"):
        stars.with_bands(("F336W", "F555W"))
