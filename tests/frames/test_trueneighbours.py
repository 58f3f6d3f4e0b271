import numpy as np
import pytest

from filar.errors import ParameterError
from filar.frames.trueneighbours import neighbour_share


def test_shares_are_of_the_light_within_the_radius() -> None:
    x = np.array([0.0, 3.0, 0.0, 100.0])
    y = np.array([0.0, 4.0, -6.0, 0.0])
    flux = np.array([100.0, 20.0, 50.0, 1.0])
    np.testing.assert_allclose(neighbour_share(x, y, flux), [0.2, 5.0, 0.0, 0.0])
    np.testing.assert_allclose(neighbour_share(x, y, flux, 6.0), [0.7, 5.0, 2.0, 0.0])


def test_a_brute_sum_agrees() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 60, (2, 300))
    flux = rng.uniform(1, 100, 300)
    near = np.hypot(x[:, None] - x, y[:, None] - y) <= 5
    np.fill_diagonal(near, False)
    np.testing.assert_allclose(neighbour_share(x, y, flux), near @ flux / flux)


def test_odd_numbers() -> None:
    assert neighbour_share(np.zeros(0), np.zeros(0), np.zeros(0)).shape == (0,)
    with pytest.raises(ParameterError, match="radius"):
        neighbour_share(np.zeros(1), np.zeros(1), np.ones(1), 0)
