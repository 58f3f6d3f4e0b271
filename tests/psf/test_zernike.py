import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.psf.zernike import annular_zernikes, noll_indices, zernike


def disc(obscuration: float = 0.0, samples: int = 400) -> tuple[np.ndarray, np.ndarray]:
    u = (np.arange(samples) + 0.5) / samples * 2 - 1
    x, y = np.meshgrid(u, u)
    r = np.hypot(x, y)
    inside = (r <= 1) & (r >= obscuration)
    return x[inside], y[inside]


def test_noll_indices_are_those_of_the_paper() -> None:
    orders = [(0, 0), (1, 1), (1, -1), (2, 0), (2, -2), (2, 2), (3, -1), (3, 1), (3, -3), (3, 3),
              (4, 0), (4, 2), (4, -2)]  # fmt: skip
    assert [noll_indices(j) for j in range(1, 14)] == orders
    assert noll_indices(22) == (6, 0)


@given(st.integers(1, 500))
def test_noll_indices_count_every_mode_once(j: int) -> None:
    n, m = noll_indices(j)
    assert abs(m) <= n
    assert (n - abs(m)) % 2 == 0
    assert m == 0 or (m > 0) == (j % 2 == 0)
    assert n * (n + 1) // 2 < j <= (n + 1) * (n + 2) // 2


def test_noll_indices_do_not_repeat() -> None:
    assert len({noll_indices(j) for j in range(1, 300)}) == 299


def test_index_0_is_refused() -> None:
    with pytest.raises(ParameterError, match="j = 0"):
        noll_indices(0)


def test_zernikes_are_orthonormal_over_the_disc() -> None:
    x, y = disc()
    basis = np.stack([zernike(j, x, y) for j in range(1, 22)])
    assert np.allclose(basis @ basis.T / x.size, np.eye(21), atol=0.02)


def test_low_orders_have_their_names_shapes() -> None:
    x, y = np.array([0.3, -0.5]), np.array([0.2, 0.4])
    r2 = x**2 + y**2
    assert np.allclose(zernike(4, x, y), np.sqrt(3) * (2 * r2 - 1))
    assert np.allclose(zernike(5, x, y), np.sqrt(6) * 2 * x * y)
    assert np.allclose(zernike(6, x, y), np.sqrt(6) * (x**2 - y**2))
    assert np.allclose(zernike(8, x, y), np.sqrt(8) * (3 * r2 - 2) * x)
    assert np.allclose(zernike(11, x, y), np.sqrt(5) * (6 * r2**2 - 6 * r2 + 1))


@pytest.mark.parametrize("obscuration", [0.0, 0.33, 0.6])
def test_annular_zernikes_are_orthonormal_over_the_annulus(obscuration: float) -> None:
    x, y = disc(obscuration)
    basis = annular_zernikes(22, x, y, obscuration)
    assert np.allclose(basis @ basis.T / x.size, np.eye(22), atol=0.03)


def test_without_obscuration_they_are_the_ordinary_ones() -> None:
    x, y = disc(samples=40)
    ordinary = np.stack([zernike(j, x, y) for j in range(1, 12)])
    assert np.allclose(annular_zernikes(11, x, y, 0.0), ordinary, atol=1e-9)


def test_an_obscuration_of_all_light_is_refused() -> None:
    with pytest.raises(ParameterError, match="obscuration"):
        annular_zernikes(4, np.zeros(1), np.zeros(1), 1.0)
