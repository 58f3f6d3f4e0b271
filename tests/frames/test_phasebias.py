from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.frames.frame import Frame
from filar.frames.phasebias import measure_phase_bias, remove_phase_bias
from tests.frames.synthetic import Sky, frame_of, left_out


def again(sky: Sky, frame: Frame) -> Frame:
    """The frame made anew from lists without the bias."""
    return frame_of(remove_phase_bias(frame, measure_phase_bias(frame)), sky.offsets, frame.method)


def harmonic(values: np.ndarray, phase: np.ndarray, order: int = 1) -> float:
    """Amplitude of sin(2 pi k p) in the values."""
    return float(2 * np.mean(values * np.sin(2 * np.pi * order * phase)))


def test_both_harmonics_of_the_bias_are_measured() -> None:
    sky = Sky(stars=600, exposures=40, noise=0.01, bias=0.03, second=0.008)
    frame = sky.frame()
    biases = measure_phase_bias(frame)
    x, y = sky.place(7)
    bias = biases[7]
    assert bias is not None
    for found, place in zip(bias.at(x, y), (x, y), strict=True):
        assert harmonic(found, place) == pytest.approx(0.03, abs=0.002)
        assert harmonic(found, place, 2) == pytest.approx(0.008, abs=0.002)


def test_means_come_closer_to_the_truth() -> None:
    sky = Sky(stars=600, exposures=12, noise=0.002, bias=0.03)
    before = sky.frame()
    after = again(sky, before)

    def error(frame: Frame) -> float:
        return float(np.std(frame.x - sky.x))

    assert error(before) > 0.003
    assert error(after) < 0.4 * error(before)


def test_bias_that_varies_over_the_chip_is_followed() -> None:
    sky = Sky(stars=1500, exposures=30, noise=0.005, bias=0.0)
    lists = []
    for i, stars in enumerate(sky.lists()):
        x, _ = sky.place(i)
        amplitude = 0.03 * (x - 400) / 400
        lists.append(replace(stars, x=stars.x + amplitude * np.sin(2 * np.pi * x)))
    frame = frame_of(lists, sky.offsets, "psf")
    bias = measure_phase_bias(frame)[4]
    assert bias is not None
    at = np.array([100.25, 700.25])
    dx, _ = bias.at(at, np.full(2, 400.0))
    np.testing.assert_allclose(dx, 0.03 * (at - 400) / 400, atol=0.004)


def test_without_bias_little_is_changed() -> None:
    sky = Sky(stars=600, exposures=30, noise=0.01, bias=0.0)
    frame = sky.frame()
    for tie, corrected in zip(
        frame.ties, remove_phase_bias(frame, measure_phase_bias(frame)), strict=True
    ):
        # 12 terms from 600 stars: the noise times sqrt(12 / 600).
        assert np.std(corrected.x - tie.stars.x) < 2 * 0.01 * np.sqrt(12 / 600)


def test_with_few_stars_nothing_is_corrected() -> None:
    frame = Sky(stars=30, exposures=10).frame()
    corrected = remove_phase_bias(frame, measure_phase_bias(frame))
    np.testing.assert_array_equal(corrected[3].x, frame.ties[3].stars.x)


def test_exposures_left_out_stay_as_they_are() -> None:
    frame = left_out(Sky(stars=300, exposures=10).frame(), 4, "no stars")
    biases = measure_phase_bias(frame)
    assert biases[4] is None
    assert remove_phase_bias(frame, biases)[4] is frame.ties[4].stars


def test_a_series_without_terms_is_refused() -> None:
    with pytest.raises(ParameterError, match="harmonics"):
        measure_phase_bias(Sky(stars=50, exposures=5).frame(), harmonics=0)
