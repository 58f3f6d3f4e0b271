"""Magnitudes as asked for, cuts that mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.asts.cuts import Cuts
from filar.asts.settings import ASTSettings, draw_magnitudes
from filar.errors import ParameterError
from filar.flags import Flag


@given(low=st.floats(-20, 30), span=st.floats(0.1, 8), beta=st.floats(0.05, 2))
def test_exponential_magnitudes_stay_within_limits(low: float, span: float, beta: float) -> None:
    rng = np.random.default_rng(1)
    mag = draw_magnitudes(500, (low, low + span), "exponential", beta, rng)
    assert (mag >= low).all() and (mag <= low + span + 1e-9).all()


def test_numbers_rise_as_the_slope_says() -> None:
    rng = np.random.default_rng(2)
    mag = draw_magnitudes(200_000, (20, 28), "exponential", 0.3, rng)
    count, _ = np.histogram(mag, np.arange(22, 28.01, 1.0))
    slope = np.polyfit(np.arange(6), np.log10(count), 1)[0]
    assert slope == pytest.approx(0.3, abs=0.01)
    flat = draw_magnitudes(100_000, (20, 28), "flat", 0.3, rng)
    assert np.std(np.histogram(flat, 8)[0]) < 500


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0}, {"mag": (28.0, 20.0)}, {"mag": (np.nan, 20.0)}, {"colors": ((3.0, -1.0),)},
        {"function": "steep"}, {"beta": 0.0}, {"match": 0.0}, {"seed": -1},
        {"claims": "nearest"},
    ],
)  # fmt: skip
def test_senseless_settings_are_refused(changes: dict) -> None:
    with pytest.raises(ParameterError):
        ASTSettings(**changes)


def measured(n: int = 1, **changes) -> dict:
    values = {"snr": 50.0, "qfit": 0.05, "chi2": 1.0, "sharpness": 1.0, "flags": 0} | changes
    return {name: np.full(n, value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("cuts", "changes"),
    [
        (Cuts(min_snr=5), {"snr": 4.9}),
        (Cuts(), {"snr": np.nan}),
        (Cuts(max_q=0.3), {"qfit": 0.4}),
        (Cuts(max_q=0.3), {"qfit": np.nan}),
        (Cuts(max_chi2=3), {"chi2": 4.0}),
        (Cuts(min_sharp=0.5), {"sharpness": 0.4}),
        (Cuts(), {"flags": int(Flag.COSMIC_RAY)}),
        (Cuts(rejected=("saturated",)), {"flags": int(Flag.SATURATED | Flag.NEIGHBOUR)}),
    ],
)
def test_each_cut_loses_a_star(cuts: Cuts, changes: dict) -> None:
    assert cuts.passes(**measured()).all()
    assert not cuts.passes(**measured(**changes)).any()


def test_saturated_stars_have_no_sharpness_and_pass() -> None:
    assert Cuts(min_sharp=0.5, max_sharp=2).passes(**measured(sharpness=np.nan)).all()


def test_bands_that_must_pass() -> None:
    passed = np.array([[True, True], [True, False], [False, False]])
    assert Cuts().recovered(passed).tolist() == [True, False, False]
    assert Cuts(bands=1).recovered(passed).tolist() == [True, True, False]


def test_limits_that_are_not_set_are_not_among_the_facts() -> None:
    assert "max_q" not in Cuts().facts()
    assert Cuts(max_q=0.4).facts()["max_q"] == 0.4


@pytest.mark.parametrize(
    "changes",
    [{"min_snr": -1}, {"max_q": 0}, {"min_sharp": 2, "max_sharp": 1}, {"rejected": ("ugly",)}],
)
def test_senseless_cuts_are_refused(changes: dict) -> None:
    with pytest.raises(ParameterError):
        Cuts(**changes)
