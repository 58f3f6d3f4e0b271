"""Images of several bands on one grid: light is conserved and lands where it belongs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.instruments.bandimage import BandImage
from filar.instruments.regrid import onto_grid, same_grid
from tests.instruments.bandfiles import sky_grid

SHAPE = (70, 80)


def image_of(rate: NDArray[np.float64], **grid: float | tuple[float, float]) -> BandImage:
    wcs = sky_grid((rate.shape[0], rate.shape[1]), **grid)  # type: ignore[arg-type]
    scale = float(grid.get("scale", 0.04))  # type: ignore[arg-type]
    return BandImage(rate.astype(np.float32), "F336W", 24.0, 100.0, scale, wcs, "WFC3")


def star(x: float, y: float, sigma: float, shape: tuple[int, int] = SHAPE) -> NDArray[np.float64]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    light = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.asarray(100 * light / (2 * np.pi * sigma**2))


@settings(max_examples=25, deadline=None)
@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-30, 30), st.sampled_from([0.03, 0.04, 0.05]))
def test_a_star_keeps_its_light_and_its_place_on_the_sky(
    dx: float, dy: float, turn: float, scale: float
) -> None:
    reference = image_of(np.zeros(SHAPE))
    other = image_of(np.zeros(SHAPE), scale=scale, shift=(dx, dy), turn=turn)
    ra, dec = reference.wcs.all_pix2world(40.3, 33.8, 0)  # type: ignore[union-attr]
    u, v = other.wcs.all_world2pix(ra, dec, 0)  # type: ignore[union-attr]
    other = replace(other, rate=star(float(u), float(v), 2.0).astype(np.float32))
    found = onto_grid(other, reference)
    assert found.shape == SHAPE
    assert same_grid(found, reference)
    light = np.nan_to_num(found.rate.astype(float))
    assert light.sum() == pytest.approx(100, rel=2e-3)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    assert (light * columns).sum() / light.sum() == pytest.approx(40.3, abs=0.02)
    assert (light * rows).sum() / light.sum() == pytest.approx(33.8, abs=0.02)


def test_shifts_by_whole_pixels_change_no_value() -> None:
    rate = np.random.default_rng(2).normal(1, 0.1, SHAPE)
    found = onto_grid(image_of(rate, shift=(3.0, -2.0)), image_of(rate))
    np.testing.assert_allclose(found.rate[2:, :-3], rate[:-2, 3:], atol=2e-4)
    assert np.isnan(found.rate[:2]).all()
    assert np.isnan(found.rate[:, -3:]).all()


def test_unusable_pixels_spoil_only_their_neighbours() -> None:
    rate = np.ones(SHAPE)
    rate[30, 40] = np.nan
    found = onto_grid(image_of(rate, shift=(0.5, 0.0)), image_of(np.ones(SHAPE)))
    bad = np.isnan(found.rate)
    assert bad[30, 39]
    assert bad[30, 40]
    assert bad[:, 2:-2].sum() == 2
    assert np.allclose(found.rate[~bad], 1, atol=1e-3)


def test_a_smaller_image_covers_a_part() -> None:
    reference = image_of(np.ones(SHAPE))
    found = onto_grid(image_of(np.full((20, 30), 2.0)), reference)
    covered = np.isfinite(found.rate)
    assert 0.9 * 600 < covered.sum() <= 600
    assert np.allclose(found.rate[covered], 2, atol=1e-3)


def test_one_grid_is_left_as_it_is() -> None:
    reference = image_of(np.ones(SHAPE))
    near = image_of(np.ones(SHAPE), shift=(0.005, 0.0))
    assert onto_grid(near, reference) is near
    blind = replace(near, wcs=None)
    assert onto_grid(blind, reference) is blind
    assert not same_grid(image_of(np.ones(SHAPE), turn=0.2), reference)


def test_what_cannot_be_brought_together_is_refused() -> None:
    reference = image_of(np.ones(SHAPE))
    with pytest.raises(ParameterError, match="WCS"):
        onto_grid(replace(image_of(np.ones((20, 20))), wcs=None), reference)
    with pytest.raises(ParameterError, match="does not overlap"):
        onto_grid(image_of(np.ones(SHAPE), shift=(500.0, 0.0)), reference)
