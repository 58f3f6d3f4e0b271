"""What a survey's pipeline does to bright stars."""

import numpy as np
import pytest

from filar.simulate import bleed
from filar.simulate.survey import pipeline
from filar.simulate.survey.optics import Lens
from filar.simulate.survey.render import ImageOptics, render

SHAPE = (400, 300)
OPTICS = ImageOptics.of(Lens(), SHAPE)
X, Y = np.array([150.3, 60.0]), np.array([200.1, 100.0])


class Fates:
    """Decides as it was told."""

    def __init__(self, value):
        self.value = value

    def uniform(self, size=None):
        return self.value if size is None else np.full(size, self.value)


@pytest.fixture(scope="module")
def stars():
    light = render(OPTICS, X, Y, np.array([2e7, 1e5])).light + 200.0
    return light, bleed(light, 60_000.0, up=0.4)


def around(image, k, radius):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return image[np.hypot(columns - X[k], rows - Y[k]) < radius].sum()


def test_the_star_is_found_in_the_middle_of_its_core(stars):
    (blob,) = pipeline.find_blobs(stars[1], 60_000.0)
    assert blob.bled
    assert blob.x == pytest.approx(X[0], abs=0.6)
    assert blob.y == pytest.approx(Y[0], abs=1.0)


def test_the_trail_goes_to_the_star(stars):
    light, bled = stars
    before = bled.copy()
    fixed = pipeline.correct_trails(bled, 60_000.0, 2.2, Fates(0.5))
    np.testing.assert_array_equal(bled, before)
    assert fixed.sum() == pytest.approx(bled.sum(), rel=1e-6)
    assert around(bled, 0, 12) < 0.5 * around(light, 0, 12)
    assert around(fixed, 0, 12) == pytest.approx(around(light, 0, 12), rel=0.06)
    trail = (slice(214, 222), 150)
    assert bled[trail].min() > 50_000
    assert np.median(fixed[trail]) == pytest.approx(np.median(light[trail]), rel=0.3)
    assert around(fixed, 1, 10) == pytest.approx(around(light, 1, 10), rel=1e-6)


def test_some_trails_go_elsewhere_or_are_lost(stars):
    light, bled = stars
    lost = pipeline.correct_trails(bled, 60_000.0, 2.2, Fates(0.0))
    assert lost.sum() < bled.sum() - 1e7
    wrong = pipeline.correct_trails(bled, 60_000.0, 2.2, Fates(pipeline.NOWHERE + 0.001))
    assert wrong.sum() == pytest.approx(bled.sum(), rel=1e-6)
    assert around(wrong, 0, 8) < 0.5 * around(light, 0, 8)


def test_stars_that_do_not_bleed_are_left_alone():
    light = render(OPTICS, X, Y, np.array([3e5, 1e5])).light + 200.0
    fixed = pipeline.correct_trails(light, 60_000.0, 2.2, Fates(0.5))
    np.testing.assert_array_equal(fixed, light)


def test_stars_at_the_corners_do_no_harm():
    x, y = np.array([0.0, 299.0, 150.0]), np.array([0.0, 399.0, 399.4])
    light = render(OPTICS, x, y, np.full(3, 5e7)).light + 200.0
    for fate in (0.0, 0.05, 0.5):
        fixed = pipeline.correct_trails(bleed(light, 6e4), 60_000.0, 2.2, Fates(fate))
        assert np.isfinite(fixed).all()


def test_overflow_sets_cores_to_exactly_one(stars):
    light, bled = stars
    hit = pipeline.overflow(bled, light, 60_000.0, Fates(0.0))
    assert 4 < (hit == 1.0).sum() < 60
    assert hit[200, 150] == 1.0
    np.testing.assert_array_equal(hit[hit != 1.0], bled[hit != 1.0])
    spared = pipeline.overflow(bled, light, 60_000.0, Fates(0.9))
    np.testing.assert_array_equal(spared, bled)
