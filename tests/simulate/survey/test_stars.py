"""The stars of a field."""

import numpy as np
import pytest

from filar.gaia import magnitude_in
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.stars import make_field, star_density
from filar.simulate.survey.variables import KINDS

SETTINGS = SurveySettings(size=512, fields=2, targets=60)


@pytest.fixture(scope="module")
def field():
    return make_field(SETTINGS, 0)


def test_targets_are_even_in_magnitude_and_saturated_ones_apart(field):
    targets = field.target
    assert targets.sum() == 60
    assert targets[:60].all()
    g = field.g[targets]
    counts, _ = np.histogram(g, np.linspace(4.5, 14.5, 11))
    assert counts.tolist() == [6] * 10
    x, y = field.xi[targets], field.eta[targets]
    assert np.abs([x, y]).max() <= 256
    bright = g < 9.0
    gap = np.hypot(x[bright][:, None] - x[bright], y[bright][:, None] - y[bright])
    np.fill_diagonal(gap, np.inf)
    assert np.median(gap.min(axis=1)) > 40
    # trails run along columns: the brightest do not share them
    brightest = g < 5.5
    across = np.abs(x[brightest][:, None] - x[brightest])
    np.fill_diagonal(across, np.inf)
    assert across.min() > 5


def test_fields_are_different_and_reproducible(field):
    again, other = make_field(SETTINGS, 0), make_field(SETTINGS, 1)
    np.testing.assert_array_equal(again.xi, field.xi)
    assert not set(other.id) & set(field.id)
    assert other.center != field.center
    assert not np.allclose(np.sort(other.g[:60]), np.sort(field.g[:60]))


def test_the_plane_of_the_galaxy_is_crowded():
    high, low = (make_field(SurveySettings(size=256, latitude=b), 0) for b in (70.0, 10.0))
    assert len(low) > 3 * len(high)
    assert star_density(-10.0) == star_density(10.0)
    assert high.g.max() <= 17.5
    counts, _ = np.histogram(low.g[~low.target], np.arange(12.5, 17.6))
    assert (np.diff(counts) > 0).all()
    assert low.diffuse < high.diffuse  # magnitudes: the plane is brighter
    from astropy.coordinates import SkyCoord

    place = SkyCoord(*low.center, unit="deg").galactic
    assert place.b.deg == pytest.approx(10.0)


def test_fainter_stars_are_drawn_if_wanted():
    usual, deep = (make_field(SurveySettings(size=256, faintest=m), 0) for m in (17.5, 19.5))
    assert 3.0 < len(deep) / len(usual) < 6.0
    assert 19.0 < deep.g.max() <= 19.5
    bright = [np.count_nonzero(one.g[~one.target] < 17.5) for one in (usual, deep)]
    assert bright[0] == pytest.approx(bright[1], rel=0.2)
    assert deep.diffuse > usual.diffuse


def test_no_star_ever_outshines_the_brightest_targets_by_much():
    field = make_field(SurveySettings(size=512, variables=1.0), 0)
    assert (field.g - 0.65 * field.amplitude).min() > 3.9


def test_only_some_targets_vary(field):
    variable = field.kind != "constant"
    assert variable.sum() == 15
    assert not (variable & ~field.target).any()
    assert set(field.kind[variable]) == set(KINDS)
    assert (field.amplitude[variable] > 0).all()
    assert np.isnan(field.period[~variable]).all()
    for name, kind in KINDS.items():
        rows = field.kind == name
        assert (field.period[rows] >= kind.periods[0]).all()
        assert (field.amplitude_in("V")[rows] / field.amplitude[rows]).std() < 1e-9


@pytest.mark.parametrize("saturation", [True, False])
def test_gaia_magnitudes_lead_back_to_g_and_v(field, saturation):
    from dataclasses import replace

    from filar.simulate.survey.tables import star_table

    table = star_table(replace(SETTINGS, fields=1, gaia_saturation=saturation), [field])
    listed = [table[f"phot_{band}_mean_mag"].value for band in ("g", "bp", "rp")]
    off = [magnitude_in(band, *listed)[0] - table[f"{band}_mag"].value for band in ("g", "V")]
    largest = np.abs(off).max()
    assert (largest < 2e-3) if saturation else (0.002 < largest < 0.1)
    assert np.abs(np.array(off)[:, field.g > 10.5]).max() < 1e-4
