"""The zero point of an image: vignetting, outliers, degrees, errors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.saturation.zeropoint import ZeroPoint, fit_zero_point

SHAPE = (800, 1000)


def vignetting(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Half of the light in the corners, magnitude."""
    share = ((x - 500) ** 2 + (y - 400) ** 2) / (500**2 + 400**2)
    return np.asarray(-2.5 * np.log10(1 - 0.5 * share))


def make(
    n: int, seed: int = 0, *, outliers: float = 0.0, intrinsic: float = 0.0, flat: bool = False
) -> dict[str, Any]:
    """Stars of an image whose zero point is 25 in the middle."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, SHAPE[1], n), rng.uniform(0, SHAPE[0], n)
    mag = rng.uniform(11, 15, n)
    truth = 25 - (0 if flat else vignetting(x, y))
    flux = 10 ** (0.4 * (truth - mag))
    flux_err = np.sqrt(flux + 1e4)
    mag_err = np.full(n, 0.01)
    flux = flux + flux_err * rng.normal(size=n)
    mag = mag + (mag_err**2 + intrinsic**2) ** 0.5 * rng.normal(size=n)
    wrong = rng.uniform(size=n) < outliers
    flux[wrong] *= 10 ** rng.uniform(-0.1, 0.8, wrong.sum())
    return {"x": x, "y": y, "flux": flux, "flux_err": flux_err, "mag": mag, "mag_err": mag_err}


@pytest.mark.parametrize("outliers", [0.0, 0.15])
def test_vignetting_of_half_the_light_is_followed_into_the_corners(outliers: float) -> None:
    zero = fit_zero_point(**make(600, outliers=outliers), shape=SHAPE)
    y, x = np.mgrid[0:800:50, 0:1000:50].astype(float)
    assert zero.degree >= 2
    truth = 25 - vignetting(x, y)
    assert np.abs(zero(x, y) - truth).max() < 0.03
    assert np.abs(np.median(zero(x, y) - truth)) < 0.003
    assert zero.error(x, y).shape == x.shape


def test_a_flat_field_takes_no_polynomial() -> None:
    zeros = [fit_zero_point(**make(300, seed, flat=True), shape=SHAPE) for seed in range(8)]
    assert sum(zero.degree == 0 for zero in zeros) >= 5
    assert all(zero(500.0, 400.0) == pytest.approx(25, abs=0.005) for zero in zeros)


def test_outliers_are_not_used() -> None:
    stars = make(400, outliers=0.2)
    clean = make(400, outliers=0.0)
    wrong = np.abs(np.log10(stars["flux"] / clean["flux"])) > 0.1
    zero = fit_zero_point(**stars, shape=SHAPE)
    assert wrong.sum() > 40
    assert not zero.used[wrong].any()
    assert zero.used[~wrong].mean() > 0.95


@pytest.mark.parametrize(("n", "degree"), [(12, 0), (40, 1), (300, 4), (300, None)])
def test_pulls(n: int, degree: int | None) -> None:
    # where the model holds, the error quoted is the error made
    pulls = []
    for seed in range(100 if degree is not None else 40):
        stars = make(n, seed, flat=degree is not None, outliers=0.05 if n > 100 else 0.0)
        zero = fit_zero_point(**stars, shape=SHAPE, degree=degree)
        place = np.random.default_rng(seed).uniform((100, 80), (900, 720), (3, 2)).T
        truth = 25 - (0 if degree is not None else vignetting(*place))
        pulls.append((zero(*place) - truth) / zero.error(*place))
    spread = np.sqrt(np.mean(np.square(pulls)))
    assert 0.85 < spread < (1.35 if n < 20 else 1.2)


def test_scatter_that_errors_do_not_explain_is_found() -> None:
    zero = fit_zero_point(**make(500, intrinsic=0.05), shape=SHAPE)
    assert zero.intrinsic == pytest.approx(0.05, abs=0.007)
    assert zero.scatter > 0.05
    quiet = fit_zero_point(**make(500), shape=SHAPE)
    assert quiet.intrinsic < 0.008


def test_few_stars() -> None:
    zero = fit_zero_point(**make(3), shape=SHAPE)
    assert zero.degree == 0
    stars = make(20)
    stars["flux"][2:] = -1
    with pytest.raises(ParameterError, match=r"stars = 2.*3 or more unsaturated stars"):
        fit_zero_point(**stars, shape=SHAPE)
    with pytest.raises(ParameterError, match="16 or more"):
        fit_zero_point(**make(10), shape=SHAPE, degree=4)


def test_stars_without_flux_or_magnitude_are_left_out() -> None:
    stars = make(200)
    stars["mag"][:5] = np.nan
    stars["flux"][5:10] = 0, -3, np.nan, np.inf, -np.inf
    zero = fit_zero_point(**stars, shape=SHAPE)
    assert not zero.used[:10].any()
    assert len(zero.used) == 200


def test_errors_may_be_unknown() -> None:
    stars = make(200)
    stars["flux_err"][:50] = np.nan
    assert fit_zero_point(**stars, shape=SHAPE)(500.0, 400.0) == pytest.approx(25, abs=0.02)
    del stars["mag_err"]
    stars.pop("flux_err")
    zero = fit_zero_point(**stars, flux_err=None, shape=SHAPE)
    assert zero(500.0, 400.0) == pytest.approx(25, abs=0.02)
    assert zero.intrinsic > 0.008


@pytest.mark.parametrize(
    ("change", "message"), [({"degree": 7}, "degree = 7"), ({"mag": [1]}, "mag")]
)
def test_nonsense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        fit_zero_point(**{**make(50), "shape": SHAPE, **change})


def test_the_same_stars_give_the_same_zero_point() -> None:
    first, second = (fit_zero_point(**make(150), shape=SHAPE, seed=3) for _ in range(2))
    assert first.coefficients.tolist() == second.coefficients.tolist()


@given(shift=st.floats(-5, 5), seed=st.integers(0, 20))
def test_brighter_catalogue_brighter_zero_point(shift: float, seed: int) -> None:
    stars = make(60, seed)
    before = fit_zero_point(**stars, shape=SHAPE, degree=2)
    stars["mag"] += shift
    after = fit_zero_point(**stars, shape=SHAPE, degree=2)
    x, y = stars["x"], stars["y"]
    assert after(x, y) - before(x, y) == pytest.approx(np.full(60, shift), abs=1e-4)


def test_constant() -> None:
    zero = ZeroPoint.constant(24.5, 0.02)
    assert zero([1.0, 700.0], [3.0, 9.0]).tolist() == [24.5, 24.5]
    assert zero.error(1.0, 1.0) == pytest.approx(0.02)
