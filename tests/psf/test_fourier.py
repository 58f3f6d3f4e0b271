import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.psf.fourier import (
    FrequencyGrid,
    gaussian_transfer,
    kernel_transfer,
    pixel_transfer,
    tail_log_slope,
    tail_transfer,
    values,
)
from tests.psf.samples import optical

GRID = FrequencyGrid(24.0, 96)
OFFSETS = np.arange(-8, 9.0)


def gauss(grid: FrequencyGrid, sigma: float) -> np.ndarray:
    return gaussian_transfer(grid, sigma**2, sigma**2).astype(complex)


def test_grid_holds_the_frequencies_of_its_period() -> None:
    assert GRID.fx[1] == pytest.approx(1 / 24)
    assert GRID.fx[-1] == pytest.approx(2.0)
    assert GRID.fy[1] == pytest.approx(1 / 24)
    assert GRID.step == 0.25
    assert GRID.offsets()[1] == 0.25


@pytest.mark.parametrize(("period", "samples"), [(24, 95), (24, 0), (0, 96), (-1, 96)])
def test_grids_without_meaning_are_refused(period: float, samples: int) -> None:
    with pytest.raises(ParameterError):
        FrequencyGrid(period, samples)


def test_a_gaussian_comes_out_as_one() -> None:
    sigma = 1.3
    image = values(gauss(GRID, sigma), GRID, OFFSETS, OFFSETS + 0.3)
    r2 = OFFSETS[:, None] ** 2 + (OFFSETS + 0.3)[None, :] ** 2
    assert np.allclose(image, np.exp(-r2 / 2 / sigma**2) / (2 * np.pi * sigma**2), atol=1e-9)


def test_an_elongated_gaussian_has_its_covariance() -> None:
    fine = np.arange(-40, 40) / 4
    image = values(gaussian_transfer(GRID, 2.0, 1.0, 0.5).astype(complex), GRID, fine, fine)
    total = image.sum()
    x, y = fine[None, :], fine[:, None]
    moments = [(image * m).sum() / total for m in (x * x, y * y, x * y)]
    assert moments == pytest.approx([2.0, 1.0, 0.5], abs=1e-6)


def test_pixel_transfer_is_the_integral_over_a_pixel() -> None:
    sigma, fine = 0.8, 200
    inside = (np.arange(fine) + 0.5) / fine - 0.5
    direct = values(gauss(GRID, sigma), GRID, inside + 1.0, inside - 0.4).mean()
    pixel = values(
        gauss(GRID, sigma) * pixel_transfer(GRID), GRID, np.array([1.0]), np.array([-0.4])
    )
    assert pixel[0, 0] == pytest.approx(direct, rel=1e-5)


def test_kernel_transfer_is_a_convolution_with_the_kernel() -> None:
    edge, corner = 0.05, 0.0125
    kernel = np.array([[corner, edge, corner], [edge, 1 - 4 * (edge + corner), edge],
                       [corner, edge, corner]])  # fmt: skip
    plain = gauss(GRID, 0.9)
    wide = np.arange(-9, 10.0)
    image = values(plain, GRID, wide + 0.2, wide - 0.1)
    expected = sum(kernel[i, j] * image[i : i + 17, j : j + 17] for i in range(3) for j in range(3))
    found = values(plain * kernel_transfer(GRID, edge, corner), GRID, OFFSETS + 0.2, OFFSETS - 0.1)
    assert np.allclose(found, expected, atol=1e-12)


def test_gaussian_transfer_convolves() -> None:
    both = gauss(GRID, 0.9) * gaussian_transfer(GRID, 0.6**2, 0.6**2)
    assert np.allclose(both, gauss(GRID, np.hypot(0.9, 0.6)))


@given(st.floats(-0.02, 0.02))
def test_tail_keeps_light_and_variance(tail: float) -> None:
    transfer = tail_transfer(GRID, tail)
    assert transfer[0, 0] == 1
    # no term in k^2: the next is tail k^4 / 12
    k = 2 * np.pi * GRID.fx[1]
    assert np.log(transfer[0, 1]) == pytest.approx(
        tail * k**4 / 12, abs=2e-3 * abs(tail) ** 0.5 * k**4
    )


@pytest.mark.parametrize("tail", [-0.01, -1e-3, 1e-3, 0.01])
def test_tail_slope_is_the_derivative(tail: float) -> None:
    h = 1e-6
    numeric = (np.log(tail_transfer(GRID, tail + h)) - np.log(tail_transfer(GRID, tail - h))) / (
        2 * h
    )
    assert np.allclose(tail_log_slope(GRID, tail), numeric, rtol=1e-4, atol=1e-6)


@settings(max_examples=20)
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_shift_theorem(dx: float, dy: float) -> None:
    transform = optical("PC").transforms[4]
    grid = optical("PC").grid
    phase = np.exp(-2j * np.pi * (grid.fy[:, None] * dy + grid.fx * dx)).astype(np.complex64)
    moved = values(transform * phase, grid, OFFSETS, OFFSETS)
    assert np.allclose(moved, values(transform, grid, OFFSETS - dy, OFFSETS - dx), atol=2e-6)


def test_values_at_samples_are_the_inverse_transform() -> None:
    rng = np.random.default_rng(3)
    grid = FrequencyGrid(8.0, 16)
    image = rng.normal(size=(16, 16))
    image = np.fft.irfft2(np.fft.rfft2(image) * (np.abs(grid.fy)[:, None] < 0.9) * (grid.fx < 0.9))
    found = values(np.fft.rfft2(image) * grid.step**2, grid, grid.offsets(), grid.offsets())
    assert np.allclose(found, image, atol=1e-12)
