"""Variable stars."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.survey.variables import KINDS, light_curve, magnitudes

PHASE = np.linspace(0.0, 1.0, 5000, endpoint=False)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_have_amplitude_one_and_mean_zero(kind):
    values = light_curve(kind, PHASE)
    assert np.ptp(values) == pytest.approx(1.0, abs=1e-4)
    assert values.mean() == pytest.approx(0.0, abs=1e-4)
    assert np.abs(np.diff(values)).max() < 0.02  # no jumps
    np.testing.assert_allclose(light_curve(kind, PHASE + 37.0), values, atol=1e-9)
    np.testing.assert_allclose(light_curve(kind, PHASE - 5.0), values, atol=1e-9)


def rise(kind):
    """Part of the period in which the star brightens."""
    return np.mean(np.diff(light_curve(kind, PHASE)) < 0)


def test_shapes_are_those_of_their_kinds():
    assert len(KINDS) == 7
    assert rise("rrab") < rise("cepheid") < rise("mira") < 0.5
    algol = light_curve("algol", PHASE)
    assert np.mean(algol < algol.min() + 0.02) > 0.6  # mostly out of eclipse
    assert algol[0] == algol.max()
    contact = light_curve("contact", PHASE)
    assert np.mean(contact < contact.min() + 0.02) < 0.2
    first, second = contact[0], contact[2500]
    assert 0.5 < second - contact.min() < first - contact.min()
    wave = light_curve("semiregular", PHASE)
    np.testing.assert_allclose(wave, 0.5 * np.cos(2 * np.pi * PHASE), atol=1e-4)


def test_magnitudes_of_many_stars():
    kinds = np.array(["constant", "semiregular", "algol"])
    mean = np.array([8.0, 9.0, 10.0])
    period, start = np.array([np.nan, 40.0, 2.0]), np.array([np.nan, 100.0, 100.0])
    amplitude = np.array([0.0, 0.6, 1.0])
    bright = magnitudes(kinds, mean, period, start, amplitude, 120.0)
    assert bright[0] == 8.0
    assert bright[1] == pytest.approx(8.7, abs=1e-3)
    assert bright[2] == pytest.approx(10.0 + light_curve("algol", np.zeros(1))[0])


def test_an_unknown_kind_is_refused():
    with pytest.raises(ParameterError, match="nova"):
        light_curve("nova", PHASE)
