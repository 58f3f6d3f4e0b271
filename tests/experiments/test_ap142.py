"""AP 142: the published stars' size, the image's noise, coordinates, the report."""

from pathlib import Path

import numpy as np
import pytest

from experiments.ap142 import published
from experiments.ap142.image import READ_NOISE, binned, fitted_radii, read_image, sky_noise
from experiments.ap142.network import to_binned, to_image
from experiments.ap142.text import report, verdict
from experiments.ap142.training import m31_camera
from filar.errors import InputFileError
from filar.simulate.clusters.profiles import EFF

TRUE_RADIUS, TRUE_SLOPE = 12.0, 2.8


@pytest.fixture(scope="module")
def stars() -> published.Stars:
    """A cluster of known size with a field, listed in the circle and in the ring."""
    rng = np.random.default_rng(1)
    x, y = (151.0 + TRUE_RADIUS * v for v in EFF(TRUE_SLOPE).draw(1500, rng))
    field_x, field_y = rng.uniform(0, 301, (2, 3000))
    x, y = np.concatenate([x, field_x]), np.concatenate([y, field_y])
    away = np.hypot(x - published.CENTRE[0], y - published.CENTRE[1])
    listed = (away < published.CIRCLE) | ((away > published.RING[0]) & (away < published.RING[1]))
    return published.Stars(x[listed], y[listed], rng.uniform(24, 26, listed.sum()))


def test_the_profile_of_the_stars_is_found(stars: published.Stars) -> None:
    found = published.fit_profile(stars)
    assert (found.x, found.y) == pytest.approx((151.0, 151.0), abs=1.0)
    assert found.r_h == pytest.approx(TRUE_RADIUS, rel=0.15)
    assert published.SLOPES[0] <= found.gamma <= published.SLOPES[1]
    growth = published.growth_radius(stars, found.x, found.y)
    # what lies beyond the circle is missing: half of the rest
    within = float(EFF(TRUE_SLOPE).light_within(published.CIRCLE / TRUE_RADIUS))
    expected = TRUE_RADIUS * float(EFF(TRUE_SLOPE).radius_of(within / 2))
    assert growth == pytest.approx(expected, rel=0.15)


def test_resampling_says_how_uncertain_it_is(stars: published.Stars) -> None:
    def measure(some: published.Stars) -> np.ndarray:
        return np.array([published.growth_radius(some, 151.0, 151.0)])

    again = published.resampled(stars, measure, 20, 1)
    assert again.shape == (20, 1)
    assert 0.05 < again.std() < 2.0
    assert np.array_equal(again, published.resampled(stars, measure, 20, 1))


def test_noise_and_exposure_time_come_from_the_sky() -> None:
    rng = np.random.default_rng(2)
    level, time, exposures = 0.11, 1700.0, 40
    image = np.zeros((240, 240))
    for _ in range(exposures):  # each with its own phase of drizzling
        one = rng.poisson(level * time / exposures, (241, 241)).astype(float)
        one += rng.normal(0, READ_NOISE / exposures**0.5, one.shape)
        (dx, dy) = rng.uniform(0, 1, 2)
        one = (1 - dx) * one[:, :-1] + dx * one[:, 1:]
        image += (1 - dy) * one[:-1] + dy * one[1:]
    found = sky_noise((image / time).astype(np.float32))
    assert found.level == pytest.approx(level, rel=0.05)
    assert found.exposure_time == pytest.approx(time, rel=0.15)


def test_rings_give_back_a_profile() -> None:
    y, x = np.indices((301, 301))
    profile = EFF(TRUE_SLOPE)
    radius = np.hypot(x - 150.3, y - 149.6) / TRUE_RADIUS
    rate = 500 * profile.brightness(radius) / TRUE_RADIUS**2 + 0.15
    found = fitted_radii(rate.astype(np.float32), 150.3, 149.6, (TRUE_SLOPE,))
    assert found[TRUE_SLOPE] == pytest.approx(TRUE_RADIUS, rel=0.05)


def test_positions_go_to_the_binned_image_and_back() -> None:
    assert to_binned(0.5) == 0.0
    assert float(to_image(to_binned(151.7))) == pytest.approx(151.7)


def test_squares_of_pixels_have_the_sum_of_their_sky_and_noise() -> None:
    plain, coarse = m31_camera(1), m31_camera(2)
    assert coarse.pixel_scale == 2 * plain.pixel_scale
    assert coarse.skies[0] == pytest.approx(4 * plain.skies[0])
    assert coarse.read_noises[0] == pytest.approx(2 * plain.read_noises[0])
    assert coarse.zero_points[0] == plain.zero_points[0]


def test_the_report_tells_whether_it_is_found_and_as_large() -> None:
    sizes = {"growth": [0.6, 0.5, 0.7], "profile": [1.0, 0.6, 1.3], "gamma": 2.2}
    injected = {"number": 9, "found": 1.0, "false": 0.0, "ratio": 1.0, "scatter": 0.1,
                "within": 0.7}  # fmt: skip
    model = {"r_h": [0.8, 0.7, 0.9], "p_there": 0.99, "elsewhere": 0.2, "p": 0.99,
             "in_domain": True, "injected": injected}  # fmt: skip
    found = {"sky": {"level": 0.1, "exposure_time": 1700.0}, "exposure_time": 1710.0,
             "published": sizes, "image": {"2.2": 1.1}, "models": [model]}  # fmt: skip
    text = report(found)
    assert "0.80 | 0.70-0.90" in text
    assert (
        "Found: yes; radius told, and within 1.5 times of the published photometry's: yes" in text
    )
    assert "Found: no" in verdict({**model, "elsewhere": 0.995}, sizes)
    for wrong in ([2.0, 1.5, 2.5], [0.62, 0.24, 1.6]):  # too large; no more than the prior
        assert verdict({**model, "r_h": wrong}, sizes).endswith("photometry's: no.")


def test_the_real_image_and_its_stars(shared: Path) -> None:
    folder = shared / "clusters"
    image = read_image(folder)
    assert image.filter == "F475W"
    assert image.zero_point == pytest.approx(26.16, abs=0.02)
    assert binned(image, 2).shape == (150, 150)
    assert binned(image, 2).rate.sum() == pytest.approx(image.rate[:300, :300].sum(), rel=1e-5)
    stars = published.read_stars(folder, image.wcs)
    assert len(stars.x) == 1773
    radius = published.growth_radius(stars, 151.7, 150.7) * image.pixel_scale
    assert radius == pytest.approx(0.58, abs=0.05)


def test_a_missing_list_is_told(tmp_path: Path, shared: Path) -> None:
    image = read_image(shared / "clusters")
    with pytest.raises(InputFileError, match="PHAT's photometry"):
        published.read_stars(tmp_path, image.wcs)
