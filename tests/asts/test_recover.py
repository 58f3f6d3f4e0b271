"""Artificial stars are found and measured as if each had been put into the whole image alone."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from filar.asts.band import found_stars
from filar.asts.cuts import Cuts
from filar.asts.recover import HALF, Recovered, recover, star_light
from filar.measure import measure_exposure

from .fields import SHAPE, band_of, places

NUMBER = 60


@pytest.fixture(scope="module")
def case():
    band = band_of()
    x, y, flux = places(NUMBER, seed=3)
    light = star_light(band, x, y, flux, np.random.default_rng(4))
    return band, x, y, flux, light, recover(band, x, y, flux, light)


def same(one: Recovered, other: Recovered, rows=slice(None)) -> None:
    assert np.array_equal(one.found[rows], other.found)
    assert np.array_equal(one.stars.flags[rows], other.stars.flags)
    for name in ("x", "y", "flux", "flux_err", "qfit", "chi2", "sharpness"):
        ours, theirs = getattr(one.stars, name)[rows], getattr(other.stars, name)
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    np.testing.assert_array_equal(one.sky_noise[rows], other.sky_noise)


def test_batch_and_one_by_one_are_identical(case) -> None:
    band, x, y, flux, light, batch = case
    for i in range(NUMBER):
        one = slice(i, i + 1)
        same(batch, recover(band, x[one], y[one], flux[one], light[one]), one)


def test_it_does_not_matter_how_many_are_looked_through_at_once(case, monkeypatch) -> None:
    band, x, y, flux, light, batch = case
    monkeypatch.setattr("filar.asts.recover.LOOKS", 17)
    same(batch, recover(band, x, y, flux, light))


def test_patches_as_large_as_the_image_change_nothing(case) -> None:
    band, x, y, flux, light, batch = case
    rim = max(SHAPE) - HALF
    for i in range(0, NUMBER, 6):
        one = slice(i, i + 1)
        whole = np.pad(light[one], ((0, 0), (rim, rim), (rim, rim)))
        same(batch, recover(band, x[one], y[one], flux[one], whole), one)


def test_the_whole_pipeline_on_the_whole_image_finds_the_same(case) -> None:
    band, x, y, flux, light, batch = case
    agree, ratio = [], []
    for i in range(0, NUMBER, 2):
        stars = found_stars(measure_exposure(with_star(band.exposure, x[i], y[i], light[i]),
                                             band.settings, method="psf"))  # fmt: skip
        distance = np.hypot(stars.x - x[i], stars.y - y[i])
        nearest = int(np.nanargmin(distance))
        found = distance[nearest] < 1.5
        found &= stars.flux[nearest] <= 2 * flux[i]
        agree.append(found == batch.found[i])
        if found and batch.found[i]:
            ratio.append(stars.flux[nearest] / batch.stars.flux[i])
    # the sky of the whole image and its sharpest stars change a little with any star
    assert np.mean(agree) > 0.95
    assert np.median(np.abs(np.array(ratio) - 1)) < 1e-4
    assert np.mean(np.abs(np.array(ratio) - 1) < 0.01) > 0.9


def with_star(exposure, x, y, light):
    """The whole image with a star in it."""
    padded = np.pad(exposure.data.astype(float), HALF)
    row, column = round(y), round(x)
    padded[row : row + 2 * HALF + 1, column : column + 2 * HALF + 1] += light
    data = padded[HALF:-HALF, HALF:-HALF]
    full = (data > exposure.saturation) & ~exposure.mask
    data = np.where(exposure.mask, 0, np.minimum(data, exposure.saturation))
    return exposure.replace(data=data.astype(np.float32), saturated=exposure.saturated | full)


def test_bright_stars_are_found_where_they_were_put_with_their_flux() -> None:
    band = band_of()
    x, y, _ = places(80, seed=8, low=20)
    away = cKDTree(np.c_[band.stars.x, band.stars.y]).query(np.c_[x, y])[0] > 6
    x, y = x[away], y[away]
    flux = np.full(len(x), 8000.0)
    result = recover(band, x, y, flux, star_light(band, x, y, flux, np.random.default_rng(1)))
    assert result.found.mean() > 0.9
    stars, found = result.stars, result.found
    pull = (stars.flux - flux)[found] / stars.flux_err[found]
    assert abs(np.median(pull)) < 0.6
    assert np.hypot(stars.x - x, stars.y - y)[found].max() < 0.3
    assert stars.passing(Cuts())[found].mean() > 0.8


def test_hopeless_stars_are_lost_and_give_nothing() -> None:
    band = band_of()
    x, y, _ = places(100, seed=9, low=10)
    flux = np.full(100, 1.0)
    result = recover(band, x, y, flux, star_light(band, x, y, flux, np.random.default_rng(1)))
    assert result.found.mean() < 0.02
    lost = ~result.found
    assert np.isnan(result.stars.flux[lost]).all()
    assert not result.stars.flags[lost].any()
    assert np.isfinite(result.sky_noise).all()


@pytest.mark.parametrize("claims", ["light", "list"])
def test_a_brighter_real_star_claims_the_detection(claims: str) -> None:
    band = band_of()
    order = np.argsort(-np.nan_to_num(band.stars.flux))[:5]
    x, y = band.stars.x[order] + 0.2, band.stars.y[order]
    flux = 0.3 * band.stars.flux[order]
    light = star_light(band, x, y, flux, np.random.default_rng(1))
    assert not recover(band, x, y, flux, light, claims=claims).found.any()
    brighter = 3 * band.stars.flux[order]
    light = star_light(band, x, y, brighter, np.random.default_rng(1))
    result = recover(band, x, y, brighter, light, claims=claims)
    assert result.found.all()
    # and is measured with the light of both
    assert (result.stars.flux / brighter > 1.1).mean() > 0.5


def test_a_star_above_the_limit_of_the_converter_is_saturated() -> None:
    from filar.flags import Flag

    band = band_of()
    x, y, flux = np.array([100.2]), np.array([90.4]), np.array([6e5])
    result = recover(band, x, y, flux, star_light(band, x, y, flux, np.random.default_rng(1)))
    assert result.found.all() and result.stars.flags[0] & Flag.SATURATED


def test_light_has_the_flux_and_the_noise_of_photons() -> None:
    band = band_of()
    n, flux = 400, 3000.0
    x, y = np.full(n, 100.3), np.full(n, 90.8)
    light = star_light(band, x, y, np.full(n, flux), np.random.default_rng(2))
    total = light.sum(axis=(1, 2))
    inside = total.mean() / flux
    assert 0.9 < inside <= 1.001
    assert total.std() == pytest.approx(np.sqrt(inside * flux), rel=0.12)
    middle = light.mean(axis=0)
    row, column = np.unravel_index(middle.argmax(), middle.shape)
    assert (row, column) == (HALF, HALF)
