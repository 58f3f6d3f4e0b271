from dataclasses import replace

import numpy as np
import pytest

from filar.frames.curves import fit_bias, transformation_curve
from filar.frames.excess import fit_weighted_bias
from filar.frames.mean import solve_frames
from filar.frames.starlist import StarList
from tests.frames.synthetic import Sky, frame_of


def uneven(sky: Sky, quoted: bool = True) -> list[StarList]:
    """Measures whose noise is four times worse at a pixel's centre than at its edge."""
    rng = np.random.default_rng(5)
    lists = []
    for number, stars in enumerate(sky.lists()):
        columns = {}
        for axis, true in zip("xy", sky.place(number), strict=True):
            sigma = 0.02 * (1 + 0.6 * np.cos(2 * np.pi * true))
            columns[axis] = getattr(stars, axis) + rng.normal(0, sigma)
            own = np.hypot(sigma, sky.noise)
            columns[f"{axis}_err"] = own if quoted else np.full(len(stars), np.nan)
        lists.append(replace(stars, **columns))
    return lists


def test_unequal_noise_bends_the_curve_but_not_the_weighted_bias() -> None:
    plain, weighted = [], []
    for seed in range(4):
        sky = Sky(bias=0.0, noise=0.003, exposures=40, stars=800, seed=seed)
        frame = frame_of(uneven(sky), sky.offsets, "psf")
        plain += [fit_bias(transformation_curve(frame, axis)).significance for axis in "xy"]
        weighted += [fit_weighted_bias(frame, axis) for axis in "xy"]
    assert np.mean(plain) > 3
    assert max(abs(fit.significance) for fit in weighted) < 4
    assert abs(np.mean([fit.significance for fit in weighted])) < 1.5
    assert max(fit.limit for fit in weighted) < 0.006
    # The quoted errors are right: nothing is left over.
    assert max(abs(fit.sigma) for fit in weighted) < 0.005


def test_clipping_of_the_means_makes_no_bias() -> None:
    """Measures at a pixel's centre are bad, and lose most where one limit holds for a star."""
    rng = np.random.default_rng(8)
    x, y = rng.uniform(0, 800, (2, 1200))
    lists = []
    for number in range(40):
        dx, dy = rng.uniform(-0.9, 0.9, 2) if number else (0.0, 0.0)
        err_x, err_y = (0.006 + 0.018 * np.cos(np.pi * p) ** 2 for p in (x + dx, y + dy))
        at = (x + dx + rng.normal(0, err_x), y + dy + rng.normal(0, err_y))
        lists.append(StarList.build(*at, x_err=err_x, y_err=err_y, exposure=f"e{number:03d}"))
    (frame,) = solve_frames(lists)
    for axis in "xy":
        assert abs(fit_weighted_bias(frame, axis).significance) < 3


def test_the_bias_is_recovered_within_its_error() -> None:
    pulls = []
    for seed in range(4):
        sky = Sky(bias=0.02, noise=0.003, exposures=40, stars=800, seed=seed)
        frame = frame_of(uneven(sky), sky.offsets, "psf")
        for axis in "xy":
            fit = fit_weighted_bias(frame, axis)
            assert fit.amplitude == pytest.approx(0.02, rel=0.15)
            pulls.append((fit.amplitude - 0.02) / fit.amplitude_err)
    assert np.abs(pulls).max() < 4


def test_quoted_errors_that_are_too_small_are_noise_and_no_bias() -> None:
    sky = Sky(bias=0.0, exposures=40)
    lists = [replace(s, x_err=s.x_err / 2) for s in sky.lists()]
    fit = fit_weighted_bias(frame_of(lists, sky.offsets, "bold"), "x")
    assert fit.sigma == pytest.approx(0.01 * np.sqrt(3) / 2, rel=0.12)
    assert abs(fit.significance) < 4


def test_gross_errors_are_left_out() -> None:
    sky = Sky(bias=0.02, exposures=40)
    rng = np.random.default_rng(3)
    lists = []
    for stars in sky.lists():
        x = stars.x.copy()
        x[rng.integers(0, len(x), 12)] += rng.uniform(0.2, 0.8, 12)
        lists.append(replace(stars, x=x))
    fit = fit_weighted_bias(frame_of(lists, sky.offsets, "psf"), "x")
    assert fit.amplitude == pytest.approx(0.02, rel=0.1)


def test_without_quoted_errors_or_exposures_there_is_none() -> None:
    sky = Sky(exposures=10)
    frame = frame_of(uneven(sky, quoted=False), sky.offsets, "psf")
    assert np.isnan(fit_weighted_bias(frame, "x").amplitude)
    assert np.isnan(fit_weighted_bias(Sky(exposures=2).frame(), "y").amplitude)
    assert np.isnan(fit_weighted_bias(replace(frame, reference="gone"), "y").amplitude)
