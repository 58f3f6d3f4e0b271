import numpy as np
import pytest

from filar.annulus import annulus_sky
from filar.psf.render import render_image
from tests.psf.samples import gaussian

SHAPE = (120, 120)


def noise(level: float = 50.0, sigma: float = 7.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, sigma, SHAPE)


def stars(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.uniform(15, 105, (2, count))


def test_the_level_of_a_flat_sky_and_its_error() -> None:
    image = np.random.default_rng(0).normal(50.0, 7.0, (800, 800))
    x, y = np.random.default_rng(1).uniform(15, 785, (2, 3000))
    sky = annulus_sky(image, np.zeros(image.shape, bool), x, y)
    assert sky.level.mean() == pytest.approx(image.mean(), abs=0.03)
    assert np.median(sky.error) == pytest.approx(7 / np.sqrt(300), rel=0.15)
    pulls = (sky.level - 50) / sky.error
    assert pulls.std() == pytest.approx(1, abs=0.1)


def test_the_star_itself_is_left_out() -> None:
    image = noise()
    image[55:66, 55:66] += 1e5
    sky = annulus_sky(image, np.zeros(SHAPE, bool), np.array([60.0]), np.array([60.0]))
    assert sky.level[0] == pytest.approx(50, abs=3)


def test_neighbours_are_clipped() -> None:
    shape = SHAPE
    image = noise() + render_image(
        gaussian(1.2, shape),
        shape,
        np.array([69.3, 52.0]),
        np.array([60.2, 64.0]),
        np.array([1e5, 3e4]),
    )
    sky = annulus_sky(image, np.zeros(shape, bool), np.array([60.0]), np.array([60.0]))
    assert sky.level[0] == pytest.approx(50, abs=4 * sky.error[0])


def test_a_gradient_gives_the_level_under_the_star() -> None:
    columns = np.arange(SHAPE[1], dtype=float)
    image = noise(sigma=3.0) + 0.2 * columns
    x, y = stars()
    sky = annulus_sky(image, np.zeros(SHAPE, bool), x, y)
    assert np.abs(sky.level - 50 - 0.2 * x).mean() < 0.5


def test_unusable_pixels_do_not_count() -> None:
    image, unusable = noise(), np.zeros(SHAPE, bool)
    image[:, 65:] = -1e5
    unusable[:, 65:] = True
    sky = annulus_sky(image, unusable, np.array([60.0]), np.array([60.0]))
    assert sky.level[0] == pytest.approx(50, abs=4 * sky.error[0])


def test_beyond_the_image_there_is_nothing() -> None:
    sky = annulus_sky(noise(), np.zeros(SHAPE, bool), np.array([0.0, 119.0]), np.array([0.0, 3.0]))
    assert np.all(np.abs(sky.level - 50) < 4 * sky.error)
    assert np.all(sky.error > 7 / np.sqrt(300))


def test_no_usable_pixel_means_the_images_median() -> None:
    image, unusable = noise(), np.zeros(SHAPE, bool)
    unusable[40:80, 40:80] = True
    sky = annulus_sky(image, unusable, np.array([60.0]), np.array([60.0]))
    assert sky.level[0] == pytest.approx(50, abs=1)
    assert sky.error[0] > 1
    everything = annulus_sky(image, np.ones(SHAPE, bool), np.array([60.0]), np.array([60.0]))
    assert everything.level[0] == 0


def test_integers_of_constant_images() -> None:
    sky = annulus_sky(
        np.full(SHAPE, 7.0), np.zeros(SHAPE, bool), np.array([60.0]), np.array([60.0])
    )
    assert sky.level[0] == pytest.approx(7)
    assert sky.error[0] < 1e-3


def test_no_stars() -> None:
    sky = annulus_sky(noise(), np.zeros(SHAPE, bool), np.empty(0), np.empty(0))
    assert sky.level.shape == sky.error.shape == (0,)
