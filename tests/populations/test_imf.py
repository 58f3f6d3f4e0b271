"""The initial mass function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from filar.errors import ParameterError
from filar.populations import IMF, KROUPA


@given(
    middle=st.floats(0.2, 2.0),
    top=st.floats(20, 300),
    low=st.floats(0, 2.9),
    high=st.floats(1.1, 3.5),
)
def test_it_holds_one_sun_and_is_continuous(
    middle: float, top: float, low: float, high: float
) -> None:
    one = IMF((0.1, middle, top), (low, high))
    assert one.mass(0.1, top) == pytest.approx(1)
    step = 1e-5
    below = one.number(middle - step, middle)
    above = one.number(middle, middle + step)
    assert below == pytest.approx(above, rel=1e-3)


def test_kroupas_numbers() -> None:
    def density(mass: float) -> float:
        return float(mass**-1.3 if mass < 0.5 else 0.5 * mass**-2.3)

    def integral(power: int, low: float, high: float) -> float:
        breaks = [0.5] if low < 0.5 < high else None
        return float(
            integrate.quad(lambda m: m**power * density(m), low, high, points=breaks, limit=200)[0]
        )

    mass = integral(1, 0.08, 120)
    assert KROUPA.number(8, 120) == pytest.approx(integral(0, 8, 120) / mass, rel=1e-6)
    assert KROUPA.number(0.08, 120) == pytest.approx(integral(0, 0.08, 120) / mass, rel=1e-6)
    assert KROUPA.mass(0.2, 3) == pytest.approx(integral(1, 0.2, 3) / mass, rel=1e-6)


@pytest.mark.parametrize("limit", [0.0, 0.2, 3.0])
def test_draws_follow_it(limit: float) -> None:
    drawn = KROUPA.draw(limit, 200_000, np.random.default_rng(1))
    assert drawn.min() >= max(limit, 0.08)
    assert drawn.max() <= 120
    edges = np.geomspace(max(limit, 0.08), 120, 9)
    counts = np.histogram(drawn, edges)[0]
    expected = KROUPA.number(edges[:-1], edges[1:])
    expected *= 200_000 / expected.sum()
    assert np.sum((counts - expected) ** 2 / expected) < 26


def test_the_logarithmic_slopes_are_no_special_case() -> None:
    one, near = IMF((0.1, 1.0, 50.0), (1.0, 2.0)), IMF((0.1, 1.0, 50.0), (1.0 + 1e-6, 2.0 + 1e-6))
    assert one.number(0.3, 20) == pytest.approx(near.number(0.3, 20), rel=1e-4)
    np.testing.assert_allclose(
        one.draw(0.1, 5, np.random.default_rng(0)),
        near.draw(0.1, 5, np.random.default_rng(0)),
        rtol=1e-3,
    )


@pytest.mark.parametrize(
    ("edges", "slopes"), [((0.1, 1.0), (1.0, 2.0)), ((1.0, 0.1), (1.0,)), ((0.0, 1.0), (1.0,))]
)
def test_functions_that_are_none_are_refused(
    edges: tuple[float, ...], slopes: tuple[float, ...]
) -> None:
    with pytest.raises(ParameterError, match="edges"):
        IMF(edges, slopes)


def test_a_limit_above_all_stars_is_refused() -> None:
    with pytest.raises(ParameterError, match="limit"):
        KROUPA.draw(120, 1, np.random.default_rng(0))
