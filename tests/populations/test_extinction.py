"""Extinction by dust."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.populations import Extinction
from filar.populations.extinction import law
from tests.populations.samples import toy_isochrones

BANDS = ("F336W", "F438W", "F814W")


def test_the_law_is_that_of_the_paper() -> None:
    # Cardelli et al. (1989), table 3: A_lambda / A_V for R_V = 3.1
    wavelengths = np.array([365.0, 440.0, 550.0, 700.0, 900.0, 1250.0, 2200.0])
    table = [1.569, 1.337, 1.000, 0.751, 0.479, 0.282, 0.114]
    np.testing.assert_allclose(law(wavelengths), table, atol=0.015)


def test_blue_bands_lose_more() -> None:
    coefficients = Extinction(BANDS).coefficients([4000.0, 10000.0, 30000.0], 1.0)
    assert coefficients.shape == (3, 3)
    assert np.all(np.diff(coefficients, axis=1) < -0.1)
    # a cool star's light in a band is redder and suffers less
    assert np.all(np.diff(coefficients, axis=0) > 0)


@given(teff=st.floats(1000, 2e5), a_v=st.floats(0, 20), r_v=st.sampled_from([2.5, 3.1, 5.5]))
def test_coefficients_are_smooth_everywhere(teff: float, a_v: float, r_v: float) -> None:
    law_in_bands = EXTINCTIONS[r_v]
    here, near = law_in_bands.coefficients([teff, teff * 1.001], a_v)
    assert np.all((here > 0.3) & (here < 2.2))
    np.testing.assert_allclose(here, near, atol=1e-3)


EXTINCTIONS = {r_v: Extinction(BANDS, r_v) for r_v in (2.5, 3.1, 5.5)}


def test_reddening_an_isochrone_dims_each_star_by_its_own_coefficient() -> None:
    isochrone = toy_isochrones(log_ages=(8.0,)).at(8.0)
    dust = Extinction(BANDS)
    red = dust.redden(isochrone, 2.0)
    np.testing.assert_allclose(
        red.mags - isochrone.mags, 2 * dust.coefficients(isochrone.teff, 2.0)
    )
    np.testing.assert_array_equal(dust.redden(isochrone, 0.0).mags, isochrone.mags)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ParameterError, match="band"):
        Extinction(("F999W",))
    with pytest.raises(ParameterError, match="r_v"):
        Extinction(BANDS, 1.0)
    with pytest.raises(ParameterError, match="a_v"):
        Extinction(BANDS).coefficients([5000.0], -1.0)
    with pytest.raises(ParameterError, match="bands"):
        Extinction(("F814W",)).redden(toy_isochrones().at(7.0), 1.0)
    with pytest.raises(ParameterError, match="wavelength"):
        law([5000.0])
