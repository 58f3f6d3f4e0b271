"""Sky noise, light and crowding: against noise and fields whose answers are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from filar.completeness.covariates import (
    annulus_pixels,
    crowding,
    image_covariates,
    mean_light,
    ring_light,
    sky_noise,
    surface_brightness,
)
from filar.errors import ParameterError
from filar.exposure import Exposure

RNG = np.random.default_rng(5)
SHAPE = (120, 150)


def places(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Random positions, some of them a little outside of the image."""
    return RNG.uniform(-3, SHAPE[1] + 2, n), RNG.uniform(-3, SHAPE[0] + 2, n)


def test_the_noise_of_gaussian_pixels_is_found_and_neighbours_hardly_lift_it() -> None:
    pixels = RNG.normal(100.0, 7.0, (400, 204))
    clean = sky_noise(pixels)
    pixels[:, :6] += 500.0
    assert np.mean(clean) == pytest.approx(7.0, rel=0.02)
    assert np.mean(sky_noise(pixels)) == pytest.approx(7.0, rel=0.02)
    assert np.std(clean) == pytest.approx(7.0 / np.sqrt(2 * 204), rel=0.2)


def test_the_noise_does_not_depend_on_level_order_or_company() -> None:
    pixels = RNG.normal(10.0, 3.0, (5, 204))
    pixels[2, :100] = np.nan
    noise = sky_noise(pixels)
    assert np.allclose(sky_noise(pixels + 1e4), noise, rtol=1e-9)
    assert np.array_equal(sky_noise(pixels[:, ::-1]), noise)
    assert np.array_equal(sky_noise(pixels[2:3]), noise[2:3])
    assert np.allclose(sky_noise(pixels * 2.0), 2.0 * noise, rtol=1e-9)


def test_no_noise_without_pixels_and_none_of_constant_ones() -> None:
    pixels = np.full((3, 30), 5.0)
    pixels[1, 7:] = np.nan
    pixels[2] = np.nan
    assert np.array_equal(sky_noise(pixels), [0.0, np.nan, np.nan], equal_nan=True)


def test_pixels_of_an_annulus_are_those_at_its_radii() -> None:
    rows, columns = np.indices(SHAPE)
    unusable = np.zeros(SHAPE, bool)
    x, y = np.array([40.3, 149.4, 160.0, np.nan]), np.array([60.4, 0.0, 50.0, 50.0])
    across = annulus_pixels(columns.astype(np.float32), unusable, x, y)
    up = annulus_pixels(rows.astype(np.float32), unusable, x, y)
    radius = np.hypot(across[0] - 40, up[0] - 60)
    assert radius.min() == 4.0
    assert radius.max() <= 9.0
    apart = np.hypot(rows - 60, columns - 40)
    assert len(radius) == ((apart >= 4.0) & (apart <= 9.0)).sum()
    assert np.isfinite(across[1]).sum() < 0.35 * across.shape[1]
    assert np.isnan(across[2:]).all()
    unusable[60, 44] = True
    again = annulus_pixels(columns.astype(np.float32), unusable, x[:1], y[:1])
    assert np.isnan(again).sum() == 1


def test_light_by_convolution_is_that_of_the_gathered_pixels() -> None:
    image = (RNG.normal(20.0, 4.0, SHAPE) + 1e5 * (RNG.random(SHAPE) < 0.002)).astype(np.float32)
    unusable = RNG.random(SHAPE) < 0.05
    unusable[:90, 100:] = True  # here too little of a ring is usable
    x, y = places(300)
    fast = ring_light(image, unusable, x, y)
    slow = mean_light(annulus_pixels(image, unusable, x, y, 4.0, 40.0))
    assert np.array_equal(np.isnan(fast), np.isnan(slow))
    assert np.isnan(fast).any()
    assert np.allclose(fast, slow, rtol=1e-6, equal_nan=True)


def test_surface_brightness_is_in_magnitudes_per_area() -> None:
    light = np.array([100.0, 10.0, 1.0, -5.0, np.nan])
    per_pixel = surface_brightness(light, zero_point=25.0)
    assert np.allclose(per_pixel[:3], [20.0, 22.5, 25.0])
    assert per_pixel[3] == surface_brightness(np.array([0.0]), zero_point=25.0)[0]
    assert np.isnan(per_pixel[4])
    per_area = surface_brightness(light, zero_point=25.0, pixel_scale=0.1)
    assert np.allclose((per_area - per_pixel)[:4], 5.0 * np.log10(0.1))
    assert surface_brightness(np.array([30.0]), sky=29.0)[0] == pytest.approx(0.0)
    with pytest.raises(ParameterError, match="pixel_scale"):
        surface_brightness(light, pixel_scale=0.0)


def test_crowding_is_the_number_per_resolution_element_up_to_the_edges() -> None:
    grid = np.arange(1.5, 400.0, 4.0)
    det_x, det_y = (part.ravel() for part in np.meshgrid(grid, grid))
    x, y = np.array([201.9, 0.0, 399.0, np.nan, 420.0]), np.array([197.8, 0.0, 200.0, 3.0, 5.0])
    found = crowding(x, y, det_x, det_y, fwhm=2.0, shape=(400, 400))
    expected = np.pi / 16.0
    assert np.allclose(found[:3], expected, rtol=0.04)
    assert np.isnan(found[3:]).all()
    whole = crowding(x, y, det_x, det_y, fwhm=2.0)
    assert whole[1] == pytest.approx(expected / 4, rel=0.05)
    bright = det_x < 200
    assert crowding(x[:1], y[:1], det_x, det_y, bright, fwhm=2.0)[0] == pytest.approx(
        expected / 2, rel=0.1
    )


def test_the_star_itself_is_no_neighbour() -> None:
    x, y = np.array([50.0]), np.array([50.0])
    neighbours = np.array([60.0, 45.0]), np.array([50.0, 50.0])
    with_own = np.append(neighbours[0], 50.4), np.append(neighbours[1], 49.3)
    alone = crowding(x, y, *neighbours, fwhm=2.0)
    assert crowding(x, y, *with_own, fwhm=2.0)[0] == alone[0] == 2 / 3600
    nothing = np.empty(0)
    assert crowding(x, y, nothing, nothing, fwhm=2.0)[0] == 0.0
    with pytest.raises(ParameterError, match="fwhm"):
        crowding(x, y, *neighbours, fwhm=0.0)


def test_covariates_of_images_are_named_by_band() -> None:
    no = np.zeros(SHAPE, bool)
    exposures = [
        Exposure(RNG.normal(50, s, SHAPE).astype(np.float32), no, no, no, 1.0, 5.0)
        for s in (5.0, 9.0)
    ]
    x, y = places(50)
    found = image_covariates(exposures, ("B", "V"), x, y)
    assert list(found) == [
        "sky_noise_B",
        "surface_brightness_B",
        "sky_noise_V",
        "surface_brightness_V",
    ]
    assert np.nanmean(found["sky_noise_V"]) == pytest.approx(9.0, rel=0.05)
    assert np.nanmean(found["surface_brightness_B"]) == pytest.approx(-2.5 * np.log10(50), abs=0.02)
    assert list(image_covariates(exposures[:1], "B", x, y, light=False)) == ["sky_noise_B"]
    with pytest.raises(ParameterError, match=r"1 images.*B, V"):
        image_covariates(exposures[:1], ("B", "V"), x, y)
