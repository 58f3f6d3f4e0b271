"""Gaia's relations: published values, limits, ranges, and their inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.gaia import (
    RELATIONS,
    band_of,
    blue_and_red,
    gaia_like,
    magnitude_in,
    saturated_like_gaia,
    saturation_corrected,
)


def test_each_saturation_correction_vanishes_at_its_limit_and_beyond() -> None:
    near = 1e-6
    g, _, _ = saturation_corrected([8 - near, 8, 14.0], [9.0] * 3, [9.0] * 3)
    assert g == pytest.approx([8, 8, 14], abs=1e-3)
    assert g[1] == 8
    _, bp, _ = saturation_corrected([3.94 - near, 3.94], [5.0, 5.0], [5.0, 5.0])
    assert bp == pytest.approx([5, 5], abs=1e-3)
    _, _, rp = saturation_corrected([9.0, 9.0], [9.0, 9.0], [3.45 - near, 3.45])
    assert rp == pytest.approx([3.45, 3.45], abs=1e-3)


def test_corrections_by_hand() -> None:
    g, bp, rp = saturation_corrected([3.0, 5.0], [3.4, 5.5], [2.4, 4.2])
    assert g[0] - 3.0 == pytest.approx(-0.09892 + 0.177 - 0.087975 + 0.0133218)
    assert g[1] - 5.0 == pytest.approx(-0.09892 + 0.295 - 0.244375 + 0.061675)
    # BP's correction depends on G, as published
    assert bp[0] - 3.4 == pytest.approx(-0.9921 - 0.07794 + 1.6497 - 0.77274)
    assert bp[1] == 5.5
    assert rp[0] - 2.4 == pytest.approx(-14.94 + 34.584 - 26.82432 + 6.953472)
    assert rp[1] == 4.2


def test_nothing_is_corrected_where_nothing_is_published() -> None:
    g, bp, rp = saturation_corrected([1.9, 4.0], [2.2, 4.4], [1.2, 1.9])
    assert np.isnan([g[0], bp[0], rp[0], rp[1]]).all()
    assert np.isfinite([g[1], bp[1]]).all()


def test_sun_like_star() -> None:
    # BP - RP = 0.82 and G - RP = 0.49 are the Sun's; its V - G is 0.14 by the relation
    bp, rp = blue_and_red(10.0, 0.82)
    assert 10.0 - float(rp) == pytest.approx(0.49, abs=0.01)
    v, error = magnitude_in("V", [10.0], bp[None], rp[None])
    assert v[0] - 10 == pytest.approx(0.02704 - 0.011677 + 0.144969 - 0.007863, abs=1e-5)
    assert error[0] == 0.03017
    g, error = magnitude_in("g", [10.0], bp[None], rp[None])
    assert g[0] - 10 == pytest.approx(-0.2199 + 0.52193 + 0.104088 - 0.003529, abs=1e-5)
    assert error[0] == 0.0745


def test_bands_agree_with_each_other_for_a_sun_like_star() -> None:
    # the Sun: g - r = 0.44, r - i = 0.11, V - R = 0.36, V - I = 0.70 (a check of all coefficients)
    bp, rp = blue_and_red(np.array([10.0]), np.array([0.82]))
    mag = {band: float(magnitude_in(band, [10.0], bp, rp)[0][0]) for band in RELATIONS}
    assert mag["g"] - mag["r"] == pytest.approx(0.44, abs=0.06)
    assert mag["r"] - mag["i"] == pytest.approx(0.11, abs=0.06)
    assert mag["V"] - mag["R"] == pytest.approx(0.36, abs=0.03)
    assert mag["V"] - mag["I"] == pytest.approx(0.70, abs=0.03)


@pytest.mark.parametrize("band", RELATIONS)
def test_no_magnitude_outside_of_the_colour_range(band: str) -> None:
    relation = RELATIONS[band]
    low, high = relation.bluest, relation.reddest
    colour = np.array([low - 0.01, low + 0.01, high - 0.01, high + 0.01, np.nan])
    mag, error = magnitude_in(band, np.full(5, 12.0), 12 + colour, np.full(5, 12.0))
    assert np.isfinite(mag).tolist() == [False, True, True, False, False]
    assert (np.isfinite(mag) == np.isfinite(error)).all()


@pytest.mark.parametrize(
    ("name", "band"),
    [("g", "g"), ("g'", "g"), ("SDSS g", "g"), ("sdss_r", "r"), ("Johnson V", "V"), ("Rc", "R"),
     ("SLOAN G", "g"), ("JOHNSON R", "R"), ("Cousins Ic", "I"), ("ip", "i"),
     ("G", ""), ("F555W", ""), ("", ""), ("v", "")],
)  # fmt: skip
def test_names_of_filters(name: str, band: str) -> None:
    assert band_of(name) == band


def test_a_filter_without_relation_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match=r"F814W.*g, r, i, V, R, I"):
        magnitude_in("F814W", [10.0], [10.5], [9.5])


@given(g=st.floats(2.3, 20), colour=st.floats(-0.05, 1.36), saturation=st.booleans())
def test_inverse_gives_g_and_v_back(g: float, colour: float, saturation: bool) -> None:
    v = g - colour
    listed = gaia_like([g], [v], saturation=saturation)
    if not saturation:  # `magnitude_in` corrects: what it gets must be as Gaia lists it
        listed = saturated_like_gaia(*listed)
    if not np.isfinite(listed).all():  # brighter than 2 in G or RP
        assert min(g, v) < 4
        return
    for band, true in (("g", g), ("V", v)):
        # where a correction ends it is off by up to 0.0006 mag, in G, BP and RP
        assert magnitude_in(band, *listed)[0][0] == pytest.approx(true, abs=3e-3)


def test_inverse_is_exact_for_stars_that_gaia_does_not_saturate() -> None:
    g, v = np.linspace(9, 18, 50), np.linspace(9.05, 17, 50)
    listed = gaia_like(g, v)
    good = np.isfinite(listed[0])
    assert good.sum() > 40
    assert magnitude_in("g", *listed)[0][good] == pytest.approx(g[good], abs=1e-7)
    assert magnitude_in("V", *listed)[0][good] == pytest.approx(v[good], abs=1e-7)


def test_inverse_knows_no_stars_beyond_its_colours() -> None:
    assert np.isnan(gaia_like([10.0, 10.0], [10.1, 8.6])).all()
