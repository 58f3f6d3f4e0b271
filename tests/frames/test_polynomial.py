import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.frames.polynomial import Polynomial, design, exponents, fit_polynomial


def bent(seed: int, order: int, strength: float = 0.3) -> Polynomial:
    """A transformation close to a shift, with random higher terms of some tenths of a pixel."""
    rng = np.random.default_rng(seed)
    coefficients = rng.normal(0, strength, (2, len(exponents(order))))
    coefficients[0, :3] = 403.0, 400.0, 2.0
    coefficients[1, :3] = 398.0, -1.5, 401.0
    return Polynomial(order, coefficients, (400.0, 400.0), 400.0)


def places(n: int = 500, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(seed).uniform(0, 800, (2, n))
    return x, y


@given(seed=st.integers(0, 1000), order=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_inverse_undoes_the_transformation(seed: int, order: int) -> None:
    transform = bent(seed, order)
    x, y = places()
    back = transform.inverse(*transform(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-9)


@given(seed=st.integers(0, 1000), order=st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_exact_pairs_give_back_the_transformation(seed: int, order: int) -> None:
    truth = bent(seed, order)
    x, y = places()
    fit = fit_polynomial(x, y, *truth(x, y), order=order)
    np.testing.assert_allclose(fit.transform(x, y), truth(x, y), atol=1e-8)


def test_jacobian_is_the_slope() -> None:
    transform, step = bent(3, 4), 1e-4
    x, y = places(5)
    slopes = transform.jacobian(x, y)
    for axis, (dx, dy) in enumerate([(step, 0), (0, step)]):
        high, low = transform(x + dx, y + dy), transform(x - dx, y - dy)
        slope = (np.array(high) - np.array(low)) / (2 * step)
        np.testing.assert_allclose(slopes[:, :, axis].T, slope, atol=1e-7)


def test_terms_are_ordered_by_power() -> None:
    assert exponents(2) == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    np.testing.assert_allclose(design(np.array([2.0]), np.array([3.0]), 2)[0], [1, 2, 3, 4, 6, 9])


def test_outliers_are_clipped_and_the_error_is_the_noise() -> None:
    truth, rng = bent(5, 3), np.random.default_rng(2)
    x, y = places(4000)
    u, v = truth(x, y)
    u, v = u + rng.normal(0, 0.01, 4000), v + rng.normal(0, 0.03, 4000)
    u[:400] += rng.normal(0, 3, 400)
    fit = fit_polynomial(x, y, u, v)
    assert np.count_nonzero(fit.used[:400]) < 20
    # Clipping at 3 sigma takes 1.4% off a Gaussian's width.
    assert fit.error_x == pytest.approx(0.01 * 0.986, rel=0.04)
    assert fit.error_y == pytest.approx(0.03 * 0.986, rel=0.04)
    off = np.array(fit.transform(x, y)) - np.array(truth(x, y))
    assert np.abs(off[0]).max() < 0.004


def test_weights_favour_the_better_pairs() -> None:
    rng = np.random.default_rng(4)
    x, y = places(2000)
    sigma = np.where(np.arange(2000) % 2, 0.01, 1.0)
    u, v = x + rng.normal(0, sigma), y + rng.normal(0, sigma)
    fit = fit_polynomial(x, y, u, v, order=1, weight=sigma**-2)
    assert np.abs(fit.transform(x, y)[0] - x).max() < 0.003


def test_pairs_that_are_not_finite_are_left_out() -> None:
    x, y = places(100)
    u = x.copy()
    u[3] = np.nan
    fit = fit_polynomial(x, y, u, y, order=2)
    assert not fit.used[3]
    assert fit.used.sum() == 99


def test_linear_part_and_identity() -> None:
    matrix = np.array([[1.01, 0.02], [-0.03, 0.99]])
    np.testing.assert_allclose(Polynomial.linear(matrix, np.ones(2)).linear_part, matrix)
    x, y = places(3)
    np.testing.assert_allclose(Polynomial.identity()(x, y), (x, y))


def test_an_inverse_that_does_not_exist_is_nan() -> None:
    coefficients = np.zeros((2, 6))
    coefficients[0, [1, 3]] = 1.0, 1.0  # u = x + x^2 never falls below -0.25
    coefficients[1, 2] = 1.0
    x, _ = Polynomial(2, coefficients).inverse(np.array([-1.0, 0.0]), np.zeros(2))
    assert np.isnan(x[0])
    assert x[1] == pytest.approx(0)


@pytest.mark.parametrize("order", [0, 6])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    x, y = places(100)
    with pytest.raises(ParameterError, match="1 to 5"):
        fit_polynomial(x, y, x, y, order=order)


def test_too_few_pairs_are_refused() -> None:
    x, y = places(19)
    with pytest.raises(ParameterError, match="20 or more for order 3"):
        fit_polynomial(x, y, x, y)
