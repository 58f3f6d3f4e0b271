"""Learning rates: begin, end and shape."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.learn.schedule import rate_factor, stage
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


def stepped() -> OptimiserSettings:
    phases = [
        {"part": 0.05, "rates": [1e-2, 1e-4], "steps": 3, "epochs": 2},
        {"rates": [1e-3, 1e-3], "epochs": 4},
    ]
    return OptimiserSettings.model_validate(
        {"name": "adam", "lr": 1e-2, "schedule": "stepped", "phases": phases}
    )


def test_steps_have_rates_evenly_spaced_in_the_logarithm() -> None:
    expected = [(0.05, rate) for rate in (1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4)] + [(1.0, 1e-3)] * 4
    assert [stage(stepped(), epoch)[0] for epoch in range(10)] == [part for part, _ in expected]
    rates = [stage(stepped(), epoch)[1] for epoch in range(10)]
    assert rates == pytest.approx([rate for _, rate in expected])
    assert stage(stepped(), 99) == stage(stepped(), 9)
    assert stage(settings("cosine"), 3) == (1.0, settings("cosine").lr)


@given(epochs=st.integers(1, 400), steps=st.integers(1, 20), data=st.data())
def test_a_rate_changes_exactly_where_its_epoch_begins(
    epochs: int, steps: int, data: st.DataObject
) -> None:
    phase = {"rates": [1.0, 1e-3], "steps": steps, "epochs": epochs}
    chosen = OptimiserSettings.model_validate(
        {"name": "adam", "lr": 1.0, "schedule": "stepped", "phases": [phase]}
    )
    epoch = data.draw(st.integers(0, epochs * steps - 1))
    for part in (0.0, 0.5, 0.999):
        factor = rate_factor(chosen, (epoch + part) / (epochs * steps))
        assert factor == stage(chosen, epoch)[1]
