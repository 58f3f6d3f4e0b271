"""Learning rates: begin, end and shape."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.learn.schedule import rate_factor
from filar.learn.settings import OptimiserSettings

NAMES = ["constant", "cosine", "one-cycle"]


def settings(name: str, warmup: float = 0.0, floor: float = 0.0) -> OptimiserSettings:
    return OptimiserSettings.model_validate({"schedule": name, "warmup": warmup, "floor": floor})


@given(
    name=st.sampled_from(NAMES),
    warmup=st.floats(0, 0.9),
    floor=st.floats(0, 1),
    progress=st.floats(0, 1),
)
def test_rates_lie_between_nothing_and_the_largest(
    name: str, warmup: float, floor: float, progress: float
) -> None:
    assert 0 <= rate_factor(settings(name, warmup, floor), progress) <= 1 + 1e-12


@given(warmup=st.floats(0.05, 0.9), floor=st.floats(0, 1), name=st.sampled_from(NAMES))
def test_the_largest_rate_is_reached_when_the_warmup_ends(
    name: str, warmup: float, floor: float
) -> None:
    assert rate_factor(settings(name, warmup, floor), warmup) == pytest.approx(1)
    before = rate_factor(settings(name, warmup, floor), warmup / 2)
    assert before == pytest.approx(0.5 if name != "one-cycle" else 0.52)


def test_a_constant_rate_stays() -> None:
    assert {rate_factor(settings("constant"), t / 9) for t in range(10)} == {1.0}


@pytest.mark.parametrize("name", ["cosine", "one-cycle"])
def test_falling_rates_end_at_the_floor_half_way_at_the_mean(name: str) -> None:
    chosen = settings(name, 0.2, 0.1)
    assert rate_factor(chosen, 1.0) == pytest.approx(0.1)
    assert rate_factor(chosen, 0.6) == pytest.approx(0.55)
    assert rate_factor(chosen, 0.4) == pytest.approx(0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2)


def test_one_cycle_begins_at_a_25th_and_rises_over_three_tenths_unless_told() -> None:
    chosen = settings("one-cycle")
    assert rate_factor(chosen, 0.0) == pytest.approx(1 / 25)
    assert rate_factor(chosen, 0.3) == pytest.approx(1)
