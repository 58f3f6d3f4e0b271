"""Detectors in numbers."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.instruments import wfpc2_edge
from filar.simulate import Detector, wfpc2_detector

SHAPE = (300, 300)


def detector(**changes):
    values = {"gain": 7.12, "read_noise": 5.24, "edge": np.zeros(SHAPE, bool)}
    return Detector(**{**values, **changes})


def test_wfpc2_chips_have_their_own_numbers():
    one = wfpc2_detector("WF3", gain_setting=15)
    assert (one.gain, one.read_noise) == (13.95, 6.99)
    np.testing.assert_array_equal(one.edge, wfpc2_edge("WF3"))
    with pytest.raises(ParameterError):
        wfpc2_detector("WF5")
    with pytest.raises(ParameterError):
        wfpc2_detector("PC", gain_setting=8)


@pytest.mark.parametrize(
    "bad", [{"gain": 0.0}, {"read_noise": -1.0}, {"full_well": 0.0}, {"bias": 5000.0}]
)
def test_senseless_detectors_are_refused(bad):
    with pytest.raises(ParameterError):
        detector(**bad)
