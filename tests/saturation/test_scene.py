"""The light of all stars of an exposure, and how well the sky under them is known."""

import numpy as np
import pytest

from filar.saturation.scene import REACHES, at_pixels, star_width
from tests.saturation.fields import REACH, READ_NOISE, SKY, make_field, winged

NOISE = np.hypot(np.sqrt(SKY), READ_NOISE)


def test_the_light_is_what_the_stars_added() -> None:
    field = make_field([80.3, 150.5, 220.0], [99.6, 150.5, 297.0], [1e7, 1e5, 1e4], well=1e12)
    rest = field.exposure.data - SKY - field.scene().light
    assert np.abs(rest).max() < 0.7 * NOISE
    assert np.abs(rest).sum() < 0.02 * field.flux.sum()


def test_brighter_stars_are_drawn_farther_and_none_beyond_the_largest() -> None:
    scene = make_field(150.0, 150.0, 1e4).scene()
    reach = scene.reach(10.0 ** np.arange(0, 12))
    assert (np.diff(reach) >= 0).all()
    assert set(reach) == set(REACHES)
    assert REACHES[-1] == REACH


def test_stars_without_light_or_beside_the_image_leave_nothing() -> None:
    field = make_field([150.0, 150.0, -500.0], [150.0, 100.0, 20.0], [1e4, 1e4, 1e4])
    scene = field.scene(flux=np.array([0.0, -5.0, 1e4]))
    assert not scene.light.any()


def test_what_follows_from_changed_fields_is_worked_out_anew() -> None:
    scene = make_field(150.0, 150.0, 1e5).scene()
    first = scene.light.sum()
    assert scene.changed(flux=2 * scene.flux).light.sum() == pytest.approx(2 * first, rel=1e-2)
    assert scene.light.sum() == first


def test_spoilt_pixels_are_the_saturated_and_those_that_charge_may_have_reached() -> None:
    field = make_field(150.0, 150.0, 1e3)
    field.exposure.saturated[50, 60] = True
    field.exposure.mask[10, 10] = True
    spoilt = np.argwhere(field.scene().spoilt)
    expected = {(10, 10)} | {(r, c) for r in range(48, 53) for c in range(59, 62)}
    assert {tuple(place) for place in spoilt.tolist()} == expected


def test_the_sky_error_grows_with_unseen_stars_only_where_they_are() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 100, 200), rng.uniform(0, 300, 200)
    crowd = make_field(x, y, np.full(200, 500.0), seed=1)
    scene = crowd.scene(flux=np.zeros(200))
    empty = make_field([], [], [], seed=1).scene()
    assert np.median(empty.sky_error) < 0.12 * NOISE
    assert np.median(scene.sky_error[:, :60]) > 3 * np.median(empty.sky_error)
    assert np.median(scene.sky_error[:, 200:]) < 1.5 * np.median(empty.sky_error)


def test_the_sky_error_of_images_of_no_block_and_without_a_usable_pixel() -> None:
    small = make_field([], [], [], shape=(6, 5), psf=winged(shape=(6, 5))).scene()
    assert small.sky_error.shape == (6, 5) and np.isfinite(small.sky_error).all()
    field = make_field(150.0, 150.0, 1e4)
    field.exposure.mask[:] = True
    nothing = np.full(field.exposure.shape, np.nan)
    scene = field.scene(sky=nothing, noise=nothing)
    assert np.isnan(scene.sky_error).all()
    assert np.isfinite(scene.light).all()


@pytest.mark.parametrize("sigma", [0.9, 1.2, 1.8])
def test_the_width_of_a_gaussian_is_its_own(sigma: float) -> None:
    """Widened by the pixel, whose variance is 1 / 12."""
    from filar.psf.wings import WingedPSF
    from tests.psf.samples import gaussian

    psf = WingedPSF.unmeasured(gaussian(sigma))
    width = star_width(psf, np.array([300.0]), np.array([300.0]))
    assert width == pytest.approx(2.3548 * np.hypot(sigma, 1 / np.sqrt(12)), rel=0.02)


def test_pixels_of_stars_beside_the_image_are_the_nearest() -> None:
    scene = make_field(150.0, 150.0, 1e4).scene()
    rows, columns = at_pixels(scene, np.array([-9.0, 299.6, 20.5]), np.array([400.0, 0.4, 21.5]))
    assert rows.tolist() == [299, 0, 22]
    assert columns.tolist() == [0, 299, 20]
