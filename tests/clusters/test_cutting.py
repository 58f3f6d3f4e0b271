"""Cutouts hold the pixels about their positions, and say where pixels were missing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.clusters.cutting import cut
from filar.errors import ParameterError
from filar.flags import Flag
from tests.clusters.fields import PLACES, field

FIELD = field()


@settings(max_examples=40, deadline=None)
@given(st.floats(20, 120), st.floats(20, 120), st.integers(8, 33))
def test_positions_are_within_half_a_pixel_of_the_middle(x: float, y: float, size: int) -> None:
    ramp = replace(FIELD, flux=np.mgrid[:150, :160].astype(np.float32), bands=("y", "x"))
    ramp = replace(ramp, gain=np.ones(2))
    cutouts = cut(ramp, [x], [y], size)
    middle = cutouts.flux[0].mean(axis=(1, 2))  # of a ramp: the coordinate of the centre
    assert abs(middle[0] - y) <= 0.5 + 1e-4
    assert abs(middle[1] - x) <= 0.5 + 1e-4
    assert cutouts.size == size
    assert np.all(np.diff(cutouts.flux[0, 1], axis=1) == 1)


def test_clusters_inside_have_no_flags_and_the_image_s_noise() -> None:
    cutouts = cut(FIELD, PLACES[:, 0], PLACES[:, 1], 64)
    assert cutouts.flags.tolist() == [0, 0, 0]
    assert cutouts.bands == FIELD.bands
    np.testing.assert_allclose(cutouts.noise, np.tile(FIELD.noise, (3, 1)), rtol=0.15)
    np.testing.assert_allclose(cutouts.gain, np.tile(FIELD.gain, (3, 1)), rtol=1e-6)


def test_edges_are_filled_with_the_border_s_level() -> None:
    cutouts = cut(FIELD, [3.0], [75.0], 64)
    assert cutouts.flags.tolist() == [int(Flag.EDGE)]
    assert np.isfinite(cutouts.flux).all()
    beyond = cutouts.flux[0, :, :, :28]
    assert np.ptp(beyond, axis=(1, 2)).max() == 0
    np.testing.assert_allclose(
        beyond[:, 0, 0], np.median(FIELD.flux, axis=(1, 2)), atol=3 * FIELD.noise.max()
    )


def test_unusable_pixels_are_filled_and_told() -> None:
    flux = FIELD.flux.copy()
    flux[1, 60, 40] = np.nan
    cutouts = cut(replace(FIELD, flux=flux), PLACES[:, 0], PLACES[:, 1], 32)
    assert cutouts.flags.tolist() == [int(Flag.MASKED), 0, 0]
    assert np.isfinite(cutouts.flux).all()


@pytest.mark.parametrize("place", [(-3.0, 50.0), (50.0, 150.2), (np.nan, 50.0), (1e9, -np.inf)])
def test_positions_off_the_image_are_told(place: tuple[float, float]) -> None:
    cutouts = cut(FIELD, [place[0], 80.0], [place[1], 80.0], 32)
    assert cutouts.flags.tolist() == [int(Flag.OFF_IMAGE), 0]
    assert np.isfinite(cutouts.flux).all()


def test_a_hole_in_one_band_is_as_good_as_off_the_image() -> None:
    flux = FIELD.flux.copy()
    flux[2, 90:, 60:90] = np.nan
    cutouts = cut(replace(FIELD, flux=flux), PLACES[:, 0], PLACES[:, 1], 32)
    assert cutouts.flags[2] == Flag.OFF_IMAGE
    assert cutouts.flags[0] == 0


def test_a_cutout_larger_than_the_image_is_possible() -> None:
    cutouts = cut(FIELD, [80.0], [75.0], 300)
    assert cutouts.flags.tolist() == [int(Flag.EDGE)]
    assert np.isnan(cutouts.noise).all()  # its border is all beyond the image
    assert np.isfinite(cutouts.flux).all()


def test_no_positions_give_no_cutouts_and_wrong_ones_are_refused() -> None:
    assert len(cut(FIELD, [], [], 32)) == 0
    with pytest.raises(ParameterError, match="x, y"):
        cut(FIELD, [1.0, 2.0], [1.0], 32)
    with pytest.raises(ParameterError, match="size"):
        cut(FIELD, [1.0], [1.0], 0)
