"""Errors of magnitudes: bias, scatter, skewness, tails and correlation as they are in the stars."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from filar.completeness.inputs import Inputs
from filar.completeness.scatter import TRAINING, MagnitudeErrors, rounding_step
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
BUDGET = TRAINING.budget.model_copy(update={"epochs": 12})
QUICK = TRAINING.model_copy(update={"budget": BUDGET})
BLEND, SHIFT = 0.1, -0.25
CORRELATION = 0.6


def spread(mag: FloatArray) -> FloatArray:
    return np.asarray(0.01 * 10 ** (0.25 * (mag - 20)))


def scene(number: int, seed: int) -> ArtificialStars:
    """Correlated Gaussian errors that grow to the faint; one star in ten is blended."""
    rng = np.random.default_rng(seed)
    mag = rng.uniform(20, 26, number)[:, None] - np.array([0.0, 1.0]) * rng.uniform(
        0, 2, (number, 1)
    )
    mix = np.array([[1.0, CORRELATION], [CORRELATION, 1.0]])
    noise = rng.standard_normal((number, 2)) @ np.linalg.cholesky(mix).T
    blended = rng.random(number) < BLEND
    delta = spread(mag) * (0.3 + noise + np.where(blended, SHIFT / 0.05, 0.0)[:, None])
    recovered = rng.random(number) < 0.9
    out = np.where(recovered[:, None], mag + delta, np.nan)
    return ArtificialStars(("V", "I"), mag, out, recovered)


def at_level(level: float) -> float:
    """Where the true errors' distribution reaches a level, in spreads: one in ten blended."""
    z = np.linspace(-20, 6, 20_001)
    near, far = norm.cdf(z - 0.3), norm.cdf(z - 0.3 - SHIFT / 0.05)
    return float(np.interp(level, (1 - BLEND) * near + BLEND * far, z))


@pytest.fixture(scope="module")
def errors() -> MagnitudeErrors:
    stars = scene(6000, 1)
    return MagnitudeErrors.fit(stars, Inputs.learn(stars), 0, settings=QUICK)


@pytest.fixture(scope="module")
def fresh() -> ArtificialStars:
    return scene(6000, 2)


def test_bias_and_scatter(errors: MagnitudeErrors, fresh: ArtificialStars) -> None:
    bias, scatter = errors.bias_scatter(fresh)
    unit = spread(fresh.mag_in)
    low, middle, high = (at_level(level) for level in (0.1587, 0.5, 0.8413))
    for part in np.array_split(np.argsort(fresh.mag_in[:, 0]), 5):
        assert (bias / unit)[part].mean(axis=0) == pytest.approx([middle] * 2, abs=0.15)
        assert (scatter / unit)[part].mean(axis=0) == pytest.approx([(high - low) / 2] * 2, rel=0.1)


def test_skewness_and_coverage(errors: MagnitudeErrors, fresh: ArtificialStars) -> None:
    levels = (0.0228, 0.05, 0.1587, 0.5, 0.8413, 0.9772)
    delta = np.where(fresh.recovered[:, None], fresh.delta, np.nan)[fresh.recovered]
    limits = errors.quantiles(fresh.select(fresh.recovered), levels)
    for level, limit in zip(levels, limits, strict=True):
        assert (delta < limit).mean(axis=0) == pytest.approx([level] * 2, abs=0.015)
    low, middle, high = limits[0], limits[3], limits[5]
    skew = (at_level(0.5) - at_level(0.0228)) / (at_level(0.9772) - at_level(0.5))
    assert skew > 2.5  # blends make stars brighter
    assert np.median((middle - low) / (high - middle)) == pytest.approx(skew, rel=0.1)


def test_samples_are_as_the_stars(errors: MagnitudeErrors, fresh: ArtificialStars) -> None:
    drawn = np.asarray(errors.sample(fresh, np.random.default_rng(3)) / spread(fresh.mag_in))
    assert (drawn < SHIFT / 0.1).mean(axis=0) == pytest.approx([BLEND] * 2, abs=0.02)
    core = drawn[(np.abs(drawn - 0.3) < 3).all(axis=1)]
    assert core.mean(axis=0) == pytest.approx([0.3] * 2, abs=0.1)
    assert core.std(axis=0) == pytest.approx([1.0] * 2, rel=0.1)
    assert np.corrcoef(core.T)[0, 1] == pytest.approx(CORRELATION, abs=0.1)
    again = errors.sample(fresh, np.random.default_rng(3)) / spread(fresh.mag_in)
    np.testing.assert_array_equal(drawn, again)


def test_density_is_near_the_true_one(errors: MagnitudeErrors, fresh: ArtificialStars) -> None:
    told = errors.log_prob(fresh)
    np.testing.assert_array_equal(np.isfinite(told), fresh.recovered)
    z = fresh.delta / spread(fresh.mag_in) - 0.3

    def bivariate(z: FloatArray) -> FloatArray:
        square = (z**2).sum(axis=1) - 2 * CORRELATION * z.prod(axis=1)
        left = 1 - CORRELATION**2
        return np.asarray(np.exp(-square / 2 / left) / (2 * np.pi * np.sqrt(left)))

    density = (1 - BLEND) * bivariate(z) + BLEND * bivariate(z - SHIFT / 0.05)
    true = np.log(density / spread(fresh.mag_in).prod(axis=1))
    assert np.nanmean(true - told) < 0.1
    assert np.nanmean(true - told) > 0


def test_a_band_alone_is_what_is_left_of_both(
    errors: MagnitudeErrors, fresh: ArtificialStars
) -> None:
    """The density in one band is the joint one, added up over the other."""
    star = fresh.select(fresh.recovered).select(slice(0, 1))
    alone = replace(star, mag_out=np.array([[star.mag_out[0, 0], np.nan]]))
    grid = np.arange(-30.0, 10.0, 0.02) * spread(star.mag_in)[0, 1]
    many = star.select(np.zeros(len(grid), int))
    out = np.stack([many.mag_out[:, 0], many.mag_in[:, 1] + grid], axis=1)
    total = np.exp(errors.log_prob(replace(many, mag_out=out))).sum() * (grid[1] - grid[0])
    assert total == pytest.approx(np.exp(errors.log_prob(alone))[0], rel=0.01)


def test_rounded_tables_do_not_make_bright_stars_perfect() -> None:
    stars = scene(3000, 4)
    small = stars.mag_in + np.where(np.abs(stars.delta) < 0.2, stars.delta, 0.0)
    rounded = np.round(small - stars.mag_in, 1)
    stars = replace(stars, mag_out=np.where(stars.found, stars.mag_in + rounded, np.nan))
    quick = QUICK.model_copy(update={"budget": BUDGET.model_copy(update={"epochs": 4})})
    errors = MagnitudeErrors.fit(stars, Inputs.learn(stars), 0, settings=quick)
    _, scatter = errors.bias_scatter(stars)
    assert scatter.min() > 0.02  # of a step, evenly: 0.034
    assert np.nanmax(errors.log_prob(stars)) < 2 * np.log(1 / 0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("found", [(1.0, 1.0), (1.0, 0.3), (0.2, 0.8)])
def test_errors_all_alike_and_stars_of_one_band(found: tuple[float, float]) -> None:
    """Cuts may ask for one band alone; a table may know no errors at all."""
    rng = np.random.default_rng(8)
    mag = rng.uniform(20, 26, (1500, 2))
    out = np.where(rng.random(mag.shape) < found, mag, np.nan)
    stars = ArtificialStars(("V", "I"), mag, out, np.isfinite(out).any(axis=1))
    few = QUICK.model_copy(update={"budget": BUDGET.model_copy(update={"epochs": 1})})
    errors = MagnitudeErrors.fit(stars, Inputs.learn(stars), settings=few)
    bias, scatter = errors.bias_scatter(stars)
    assert np.abs(bias).max() < 0.01 and 0 < scatter.max() < 0.02
    np.testing.assert_array_equal(np.isfinite(errors.log_prob(stars)), stars.recovered)


@pytest.mark.parametrize("step", [0.1, 0.01, 0.001, 0.0])
def test_rounding_is_seen(step: float) -> None:
    delta = np.random.default_rng(5).normal(0, 0.3, 500)
    if step:
        delta = np.round(delta / step) * step
    mag = np.random.default_rng(6).uniform(15, 28, 500)
    for kind in (np.float64, np.float32):
        given = (mag + delta).astype(kind).astype(float) - mag.astype(kind).astype(float)
        if kind is np.float64 or step >= 0.01:
            assert rounding_step(np.append(given, np.nan)) == step


def test_missing_magnitudes_and_empty_tables(
    errors: MagnitudeErrors, fresh: ArtificialStars
) -> None:
    mag = fresh.mag_in[:5].copy()
    mag[0, 1] = np.nan
    real = RealStars(("V", "I"), mag)
    for values in (*errors.bias_scatter(real), errors.sample(real, np.random.default_rng(0))):
        np.testing.assert_array_equal(np.isfinite(values), np.isfinite(mag))
    with pytest.raises(ParameterError, match="levels"):
        errors.quantiles(real, (0.0, 0.5))
    with pytest.raises(ParameterError, match="bands"):
        errors.bias_scatter(RealStars(("V", "R"), mag))


def test_kept_as_tensors_it_is_the_same(errors: MagnitudeErrors, fresh: ArtificialStars) -> None:
    kept = errors.tensors("errors.")
    assert all(name.startswith("errors.") for name in kept)
    again = MagnitudeErrors.from_tensors(
        {**kept, "other": kept["errors.knots"]}, "errors.", errors.inputs
    )
    np.testing.assert_array_equal(errors.log_prob(fresh), again.log_prob(fresh))
    with pytest.raises(LookupError):
        MagnitudeErrors.from_tensors(kept, "wrong.", errors.inputs)
    with pytest.raises(ValueError, match="shape"):
        MagnitudeErrors.from_tensors(
            {**kept, "errors.knots": kept["errors.step"]}, "errors.", errors.inputs
        )


def test_too_few_recovered_stars() -> None:
    stars = scene(80, 7)
    with pytest.raises(ParameterError, match="100 or more"):
        MagnitudeErrors.fit(stars, Inputs.learn(stars))
