"""Bands are put in order, on one grid and in one unit; what does not go together is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.clusters.cutouts import flux_of
from filar.clusters.images import read_images, stack_images, typical_noise
from filar.errors import InputFileError, ParameterError
from filar.instruments.bandimage import BandOptions
from tests.clusters.fields import BANDS, TIMES, ZERO_POINTS, field_images, field_rates
from tests.instruments.bandfiles import sky_grid, write_band


def test_flux_1_is_a_star_of_magnitude_25_and_gain_its_electrons() -> None:
    images = field_images()
    stack = stack_images(images)
    assert stack.bands == BANDS
    for k, image in enumerate(images):
        rate_of_star = 10 ** (0.4 * (ZERO_POINTS[k] - 23.0))
        np.testing.assert_allclose(
            stack.flux[k] * rate_of_star, image.rate * flux_of(23.0), rtol=1e-5
        )
        assert stack.gain[k] * flux_of(23.0) == pytest.approx(rate_of_star * TIMES[k])
        unit = 10 ** (0.4 * (ZERO_POINTS[k] - 25))
        assert stack.noise[k] == pytest.approx(0.004 / unit, rel=0.1)


def test_bands_come_in_the_order_wanted_and_others_are_left_out() -> None:
    images = field_images()
    stack = stack_images(images, ("F814W", "F336W"))
    assert stack.bands == ("F814W", "F336W")
    np.testing.assert_array_equal(stack.flux[1], stack_images(images).flux[0])
    assert [fact["filter"] for fact in stack.facts] == ["F814W", "F336W"]


def test_a_missing_band_a_double_one_and_another_scale_are_refused() -> None:
    images = field_images()
    with pytest.raises(ParameterError, match=r"in F336W, F438W.*give the image in F814W"):
        stack_images(images[:2], BANDS)
    with pytest.raises(ParameterError, match="2 in F438W"):
        stack_images([*images, images[1]], BANDS)
    with pytest.raises(ParameterError, match="none"):
        stack_images([])
    with pytest.raises(ParameterError, match=r'0.04" per pixel.*0.05"'):
        stack_images(images, pixel_scale=0.05)
    assert stack_images(images, pixel_scale=0.0403).pixel_scale == 0.04


def test_an_unknown_scale_must_be_given() -> None:
    blind = [replace(image, wcs=None, pixel_scale=np.nan) for image in field_images()]
    with pytest.raises(ParameterError, match="--pixel-scale"):
        stack_images(blind, pixel_scale=0.04)
    told = [replace(image, pixel_scale=0.04) for image in blind]
    assert stack_images(told, pixel_scale=0.04).pixel_scale == 0.04


def test_the_first_wanted_image_gives_the_grid() -> None:
    images = field_images()
    moved = sky_grid((150, 160), shift=(2.0, 0.0))
    shifted = [replace(image, wcs=moved) for image in images[1:]]
    stack = stack_images([images[0], *shifted])
    np.testing.assert_allclose(
        stack.flux[1][:, :-3], stack_images(images).flux[1][:, 2:-1], atol=1e-3
    )
    assert np.isnan(stack.flux[1][:, -1]).all()


def test_files_are_read_with_the_options_of_each(tmp_path: Path) -> None:
    rates, wcs = field_rates(), sky_grid((150, 160))
    paths = [
        write_band(tmp_path / f"{band}.fits", rate, band, wcs=wcs, dropped=("EXPTIME",))
        for band, rate in zip(BANDS, rates, strict=True)
    ]
    with pytest.raises(InputFileError, match=r"F336W.fits: no exposure time"):
        read_images(paths)
    stack = read_images(paths, BANDS, [BandOptions(exposure_time=t) for t in TIMES])
    assert [fact["exposure_time_s"] for fact in stack.facts] == list(TIMES)
    assert stack.facts[0]["target"] == "M83"
    assert stack.wcs is not None
    single = read_images(paths, BANDS, [BandOptions(exposure_time=9.0)])
    assert single.gain[0] == pytest.approx(stack.gain[0] * 9 / 1890)
    with pytest.raises(ParameterError, match="options"):
        read_images(paths, BANDS, [BandOptions(), BandOptions()])


def test_noise_is_that_of_the_background_whatever_stars_there_are() -> None:
    rng = np.random.default_rng(5)
    plane = rng.normal(3, 0.2, (200, 200))
    plane[rng.random(plane.shape) < 0.05] += 50
    plane[:, 150:] = np.nan
    assert typical_noise(plane.astype(np.float32)) == pytest.approx(0.2, rel=0.1)
    assert np.isnan(typical_noise(np.full((80, 80), np.nan, np.float32)))
