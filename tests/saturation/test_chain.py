"""Wings, sky and saturated stars of an exposure, from images of which they are known."""

from functools import cache

import numpy as np
import pytest

from filar.psf.wings import KNOTS
from filar.saturation.chain import Stars, combined, measure_scene, solve
from filar.saturation.rings import Rings
from filar.saturation.scene import Scene
from tests.psf.samples import gaussian
from tests.saturation.fields import SKY, Field, make_field, winged

SIZE = 320
BRIGHT = (7.3, 7.0, 6.7, 6.4, 6.2, 6.0)


def places(count: int, apart: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Stars none of which is near another; the first ones, the bright, lie farther apart."""
    rng = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    while len(found) < count:
        place = rng.uniform(8, SIZE - 8, 2)
        limit = 60 if len(found) < len(BRIGHT) else apart
        if all(np.hypot(*(place - other)) > limit for other in found):
            found.append(place)
    x, y = np.array(found).T
    return x, y


@cache
def crowd(factor: float) -> Field:
    """Stars of all brightnesses with wings of a factor times those that are assumed."""
    rng = np.random.default_rng(3)
    log_n = np.concatenate([BRIGHT, rng.uniform(4, 5.9, 14), rng.uniform(2.7, 4, 40)])
    x, y = places(len(log_n), 12)
    psf = winged(factor, (SIZE, SIZE))
    return make_field(x, y, 10**log_n, psf=psf, shape=(SIZE, SIZE), seed=1)


@cache
def measured(factor: float) -> Scene:
    field = crowd(factor)
    return measure_scene(field.exposure, field.psf.core, field.stars())


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_wings_are_found_whatever_was_assumed(factor: float) -> None:
    found, truth = measured(factor).psf.light, crowd(factor).psf.light
    r = np.array(KNOTS)
    inside = (r > 4) & (r < 25)
    np.testing.assert_allclose(found[inside], truth[inside], rtol=0.15)
    assert abs(np.median(found[inside] / truth[inside]) - 1) < 0.06


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_saturated_stars_have_their_light(factor: float) -> None:
    field = crowd(factor)
    assert field.saturated.sum() == len(BRIGHT)
    ratio = (measured(factor).flux / field.flux)[field.saturated]
    assert (np.abs(ratio - 1) < 0.06).all(), ratio
    assert abs(ratio.mean() - 1) < 0.03, ratio


def test_light_of_other_stars_is_left_as_it_was() -> None:
    field = crowd(1.0)
    scene = measured(1.0)
    steady = ~field.saturated
    np.testing.assert_array_equal(scene.flux[steady], field.flux[steady])
    np.testing.assert_array_equal(scene.x[steady], field.x[steady])


def test_the_sky_lies_under_the_wings() -> None:
    scene = measured(1.0)
    assert np.median(scene.sky) == pytest.approx(SKY, abs=1.5)
    assert np.abs(scene.sky - SKY).max() < 15


def test_a_wrong_guess_of_a_saturated_star_does_not_matter() -> None:
    field = crowd(1.0)
    expected = measured(1.0).flux[field.saturated]
    for guess in (np.nan, 0.0, -100.0, 1e9):
        flux = np.where(field.saturated, guess, field.flux)
        scene = measure_scene(field.exposure, field.psf.core, field.stars(flux))
        np.testing.assert_allclose(scene.flux[field.saturated], expected, rtol=0.05)


def test_saturated_stars_move_to_where_their_light_is() -> None:
    field = crowd(1.0)
    stars = field.stars()
    x, y = stars.x.copy(), stars.y.copy()
    x[field.saturated] += 1.0
    y[field.saturated] -= 1.0
    moved = Stars(x, y, stars.flux, stars.error, stars.saturated, stars.reliable)
    scene = measure_scene(field.exposure, field.psf.core, moved)
    off = np.hypot(scene.x - field.x, scene.y - field.y)[field.saturated]
    assert (off < 0.5).all(), off


@pytest.mark.parametrize("case", ["empty", "no saturated", "no reliable", "NaN", "beside", "full",
                                  "masked", "one"])  # fmt: skip
def test_odd_fields_do_not_break_it(case: str) -> None:
    """And give a scene of finite light; RuntimeWarnings are errors in the tests."""
    field = make_field([60.2, 30.0, 90.0], [60.7, 30.0, 40.0], [3e6, 5e4, 2e4], shape=(120, 130),
                       psf=winged(shape=(120, 130)), seed=1)  # fmt: skip
    stars, exposure = field.stars(), field.exposure
    if case == "empty":
        none = np.zeros(0)
        stars = Stars(none, none, none, none, none.astype(bool), none.astype(bool))
    elif case == "no saturated":
        exposure = exposure.replace(saturated=np.zeros_like(exposure.saturated))
        flags = np.zeros(3, bool)
        stars = Stars(stars.x, stars.y, stars.flux, stars.error, flags, ~flags)
    elif case == "no reliable":
        stars = Stars(stars.x, stars.y, stars.flux, stars.error, stars.saturated, np.zeros(3, bool))
    elif case == "NaN":
        nan = np.full(3, np.nan)
        stars = Stars(stars.x, stars.y, nan, nan, stars.saturated, stars.reliable)
    elif case == "beside":
        far = np.array([-30.0, -1.0, 128.0])
        stars = Stars(stars.x + far, stars.y, stars.flux, stars.error, np.ones(3, bool),
                      np.zeros(3, bool))  # fmt: skip
    elif case == "full":
        exposure = exposure.replace(saturated=np.ones_like(exposure.saturated))
        stars = Stars(stars.x, stars.y, stars.flux, stars.error, np.ones(3, bool),
                      np.zeros(3, bool))  # fmt: skip
    elif case == "masked":
        exposure = exposure.replace(mask=np.ones_like(exposure.mask))
    elif case == "one":
        stars = Stars(stars.x[:1], stars.y[:1], stars.flux[:1], stars.error[:1],
                      stars.saturated[:1], stars.reliable[:1])  # fmt: skip
    scene = measure_scene(exposure, field.psf.core, stars)
    assert np.isfinite(scene.flux).all() and (scene.flux >= 0).all()
    assert np.isfinite(scene.light).all()
    assert np.isfinite(scene.psf.light).all()


def made_rings(flux: np.ndarray, error: float = 0.001) -> Rings:
    ones = np.ones_like(flux)
    return Rings(flux, error * flux, ones, 0 * ones, ones)


def test_solving_carries_the_scale_outwards() -> None:
    """Known faint stars see inner rings only, unknown bright ones outer ones only."""
    truth = np.array([1e4, 1e4, 1e5, 1e5, 1e6, 1e6])
    wrong = np.array([0.0, 0.0, 0.3, -0.2, 0.4])
    flux = truth[:, None] * np.exp(wrong)
    seen = np.array([[1, 1, 1, 0, 0]] * 2 + [[0, 1, 1, 1, 0]] * 2 + [[0, 0, 0, 1, 1]] * 2, bool)
    flux = np.where(seen, flux, np.nan)
    known = np.array([1e4, 1e4, np.nan, np.nan, np.nan, np.nan])
    trusted = np.array([True, True, False, False, False])
    found = solve(made_rings(flux), truth, known, np.full(6, 0.01), trusted)
    np.testing.assert_allclose(found, np.log(truth), atol=0.06)


def test_stars_without_a_ring_have_no_light() -> None:
    flux = np.array([[1e4, 1e4], [np.nan, np.nan]])
    nothing = np.full(2, np.nan)
    found = solve(made_rings(flux), np.array([1e4, 1e4]), nothing, np.ones(2), np.ones(2, bool))
    assert found[0] == pytest.approx(np.log(1e4), abs=0.01)
    assert np.isnan(found[1])


def test_combining_weights_by_errors_and_skips_what_is_not_there() -> None:
    rings = Rings(
        flux=np.array([[100.0, 130.0, np.nan], [np.nan] * 3]),
        error=np.array([[10.0, 20.0, np.nan], [np.nan] * 3]),
        pixels=np.array([[1.0, 1.0, 0.0], [0.0] * 3]),
        others=np.zeros((2, 3)), chi2=np.ones((2, 3)),
    )  # fmt: skip
    flux, error = combined(rings, 0.0)
    assert flux[0] == pytest.approx((100 / 100 + 130 / 400) / (1 / 100 + 1 / 400))
    assert error[0] == pytest.approx(np.sqrt(1 / (1 / 100 + 1 / 400)))
    assert np.isnan(flux[1]) and np.isnan(error[1])
    assert combined(rings, 0.1)[1][0] > error[0]


def test_the_core_is_that_of_the_fit() -> None:
    assert measured(1.0).psf.core.name == gaussian(1.2, (SIZE, SIZE)).name
