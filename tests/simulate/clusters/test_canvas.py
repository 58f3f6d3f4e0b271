"""Stars and smooth light on pixels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.psf.family import OpticalFamily
from filar.psf.library import family_for, field_psf
from filar.psf.model import FieldGrid
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.canvas import Canvas, Glow, canvas_for
from filar.simulate.clusters.profiles import EFF, King

CAMERA = preset_camera("m83", ["F336W", "F814W"])
SHAPE = (64, 48)
NOTHING = (np.zeros(0), np.zeros(0), np.zeros((0, 2)))


@pytest.fixture(scope="module")
def canvas():
    return canvas_for(CAMERA, SHAPE)


def direct(canvas, x, y, flux):
    """The sum over all stars and frequencies, without a grid."""
    fy = np.fft.fftfreq(canvas.grid[0], 1 / canvas.fineness)
    fx = np.fft.rfftfreq(canvas.grid[1], 1 / canvas.fineness)
    twice = np.where(fx > 0, 2.0, 1.0)[:, None]
    rows = np.exp(2j * np.pi * np.outer(np.arange(canvas.shape[0]), fy))
    columns = twice * np.exp(2j * np.pi * np.outer(fx, np.arange(canvas.shape[1])))
    images = []
    for transform, light in zip(canvas.transforms, flux.T, strict=True):
        waves = np.exp(-2j * np.pi * np.outer(fy, y)) * light
        spectrum = waves @ np.exp(-2j * np.pi * np.outer(x, fx)) * transform
        images.append((rows @ spectrum @ columns).real / np.prod(canvas.period))
    return np.array(images)


@settings(max_examples=20, deadline=None)
@given(st.floats(-20.0, 67.0), st.floats(-20.0, 83.0))
def test_a_star_is_exact_wherever_it_is(x, y):
    canvas = canvas_for(CAMERA, SHAPE)
    place = np.array([x]), np.array([y])
    flux = np.array([[1.0, 3.0]])
    peak = direct(canvas, np.array([24.0]), np.array([32.0]), flux).max(axis=(1, 2))
    error = np.abs(canvas.draw(*place, flux) - direct(canvas, *place, flux)).max(axis=(1, 2))
    assert (error < 3e-5 * peak).all()


def test_many_stars_add_up(canvas):
    rng = np.random.default_rng(1)
    x, y, flux = rng.uniform(-9, 60, 200), rng.uniform(-9, 70, 200), rng.random((200, 2))
    truth = direct(canvas, x, y, flux)
    np.testing.assert_allclose(canvas.draw(x, y, flux), truth, atol=3e-5 * truth.max())
    double = canvas.draw(np.tile(x, 2), np.tile(y, 2), np.tile(flux, (2, 1)))
    np.testing.assert_allclose(double, 2 * truth, atol=6e-5 * truth.max())


def test_stamps_of_the_psf_are_the_same():
    band = replace(preset_camera("m83", ["F438W"]).bands[0], blur=None)
    camera = replace(CAMERA, bands=(band,), pixfrac=None, pixel_scale=0.0396)
    family = family_for("WFC3", "UVIS1", "F438W")
    assert isinstance(family, OpticalFamily)
    long = replace(family, optics=replace(family.optics, modes=1, period=160.0))
    psf = field_psf(long, SHAPE, long.start(), nodes=FieldGrid((24.0,), (32.0,)))
    x, y = np.array([30.3, 29.5]), np.array([32.0, 31.71])
    stamps = psf.stamps(x, y, 21)
    canvas = Canvas.of(camera, SHAPE)
    for k in range(2):
        image = canvas.draw(x[k : k + 1], y[k : k + 1], np.ones((1, 1)))[0]
        top, left = round(y[k]) - 10, round(x[k]) - 10
        part = image[top : top + 21, left : left + 21]
        np.testing.assert_allclose(part, stamps[k], atol=1e-4 * stamps[k].max())


@pytest.mark.parametrize("profile, size", [(EFF(2.3), 2.0), (King(1.0), 6.0)])
def test_smooth_light_is_that_of_endless_stars(canvas, profile, size):
    count, flux = 100_000, np.array([1.0, 2.0])
    radius = size * profile.radius_of((np.arange(count) + 0.5) / count)
    angle = np.arange(count) * np.pi * (3 - np.sqrt(5))  # the even spread of a sunflower's seeds
    x, y = 23.3 + radius * np.cos(angle), 33.8 + radius * np.sin(angle)
    stars = canvas.draw(x, y, np.tile(flux / count, (count, 1)))
    smooth = canvas.draw(*NOTHING, [Glow(profile, size, 23.3, 33.8, flux)])
    peak = smooth.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(smooth / peak, stars / peak, atol=2e-3)


def test_stars_and_smooth_light_add_up(canvas):
    glow = Glow(EFF(3.0), 3.0, 20.0, 30.0, np.array([1.0, 2.0]))
    star = (np.array([10.2]), np.array([50.1]), np.array([[2.0, 1.0]]))
    both = canvas.draw(*star, [glow, glow])
    parts = canvas.draw(*star) + 2 * canvas.draw(*NOTHING, [glow])
    np.testing.assert_allclose(both, parts, atol=1e-6)
    assert both.dtype == np.float32
    assert both.shape == (2, *SHAPE)


def test_half_of_the_light_is_within_the_half_light_radius():
    canvas = canvas_for(preset_camera("m83", ["F336W"]), (128, 128))
    image = canvas.draw(
        np.zeros(0), np.zeros(0), np.zeros((0, 1)), [Glow(EFF(3.0), 8.0, 64.0, 64.0, np.ones(1))]
    )[0]
    y, x = np.indices(image.shape)
    within = np.hypot(x - 64, y - 64) <= 8.0
    assert image[within].sum() / image.sum() == pytest.approx(
        0.485, abs=0.015
    )  # the PSF takes some out


def test_small_shapes_are_refused():
    with pytest.raises(ParameterError, match="shape"):
        Canvas.of(CAMERA, (4, 64))
