"""Light of many stars on one image."""

import numpy as np
import pytest

from filar.simulate.survey.cameras import ZERO_POINTS
from filar.simulate.survey.optics import Lens, core_light
from filar.simulate.survey.render import ImageOptics, render

SHAPE = (400, 500)


@pytest.fixture(scope="module")
def optics():
    return ImageOptics.of(Lens(aureole=0.06, aureole_reach=100.0), SHAPE)


def draw(optics, x, y, electrons):
    return render(optics, np.atleast_1d(x), np.atleast_1d(y), np.atleast_1d(electrons))


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.5])
def test_no_light_is_lost(optics, phase):
    for electrons in (1e5, 1e8):
        image = draw(optics, 250.0 + phase, 200.0 - phase, electrons).light
        assert image.sum() == pytest.approx(electrons, rel=1e-3)


def test_faint_stars_keep_almost_all_of_theirs(optics):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(150, 350, 200), rng.uniform(150, 250, 200)
    electrons = np.full(200, 5000.0)
    assert draw(optics, x, y, electrons).light.sum() == pytest.approx(1e6, rel=5e-3)


def test_light_adds_up(optics):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-30, 530, 40), rng.uniform(-30, 430, 40)
    electrons = 10 ** rng.uniform(3, 8, 40)
    together = draw(optics, x, y, electrons).light
    apart = sum(draw(optics, *star).light for star in zip(x, y, electrons, strict=True))
    np.testing.assert_allclose(together, apart, atol=1e-6 * together.max(), rtol=1e-6)


def test_wings_are_what_the_lens_says_far_out(optics):
    lens, electrons, x, y = optics.lens, 1e8, 250.3, 199.8
    image = draw(optics, x, y, electrons).light
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    radius2 = (rows - y) ** 2 + (columns - x) ** 2
    shape = (1 + radius2 / lens.aureole_core**2) ** (-0.5 * lens.aureole_slope)
    shape *= np.exp(-((radius2 / lens.aureole_reach**2) ** 2))
    far = (radius2 > 26**2) & (radius2 < 150**2)
    expected = lens.aureole * electrons * shape / shape.sum()
    np.testing.assert_allclose(image[far], expected[far], rtol=2e-3, atol=0.01)
    core = (1 - lens.aureole) * electrons * core_light(lens, 0.0, 0.0, columns - x, rows - y)
    near = (radius2 > 8**2) & (radius2 < 13**2)
    np.testing.assert_allclose(image[near], (core + expected)[near], rtol=0.03)


def test_stars_beyond_the_edge_shine_in(optics):
    image = draw(optics, -15.0, 200.0, 1e8).light
    assert image[200, 0] > 100
    assert image[200, 0] == pytest.approx(draw(optics, 100.0, 200.0, 1e8).light[200, 115], rel=0.2)
    assert 1e5 < image.sum() < 1e7


def test_the_peak_is_that_of_each_star(optics):
    x, y = np.array([100.0, 300.4]), np.array([100.0, 250.5])
    electrons = np.array([1e4, 1e7])
    stars = render(optics, x, y, electrons)
    for k in range(2):
        alone = draw(optics, x[k], y[k], electrons[k]).light.max()
        assert stars.peak[k] == pytest.approx(alone, rel=2e-3)


def test_stars_saturate_at_about_magnitude_eleven_and_a_half():
    optics = ImageOptics.of(Lens(), SHAPE)
    electrons = 10 ** (0.4 * (ZERO_POINTS["g"] - 11.5))
    counts = render(optics, np.array([250.0]), np.array([200.0]), np.array([electrons])).peak / 1.6
    assert 0.85 < counts[0] / 60_000 < 1.3


def test_an_image_without_stars_is_dark(optics):
    none = np.empty(0)
    assert render(optics, none, none, none).light.max() == 0.0
