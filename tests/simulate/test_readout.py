"""The chain from light to calibrated electrons."""

import numpy as np
import pytest

from filar.simulate import Detector, Effects, calibrate_camera, expose, make_camera

SHAPE = (300, 300)
PLAIN = Effects(flat=0, dark=0, hot_pixels=0, bias=0)


def detector(**changes):
    values = {"gain": 7.12, "read_noise": 5.24, "edge": np.zeros(SHAPE, bool)}
    return Detector(**{**values, **changes})


def image(one, light, seed):
    """Electrons after the calibration, and saturated pixels."""
    camera = make_camera(one, effects=PLAIN)
    raw = expose(camera, light, seed=seed)
    return calibrate_camera(camera).apply(raw.dn, 0.0), raw.saturated


@pytest.mark.parametrize("level", [0.0, 50.0, 2000.0])
def test_noise_is_poisson_plus_read_noise(level):
    data, saturated = image(detector(), np.full(SHAPE, level), seed=1)
    assert not saturated.any()
    assert data.mean() == pytest.approx(level, abs=5 * np.sqrt((level + 28) / data.size))
    assert data.var() == pytest.approx(level + 5.24**2, rel=0.03)


def test_values_are_whole_dn():
    data, _ = image(detector(), np.full(SHAPE, 100.0), seed=1)
    np.testing.assert_allclose(data / 7.12, np.rint(data / 7.12), atol=1e-9)


def test_photon_transfer_gives_the_gain_back():
    one = detector(gain=2.0)
    first, _ = image(one, np.full(SHAPE, 3000.0), seed=1)
    second, _ = image(one, np.full(SHAPE, 3000.0), seed=2)
    variance = (first - second).var() / 2 / 2.0**2
    gain = first.mean() / 2.0 / (variance - 5.24**2 / 2.0**2)
    assert gain == pytest.approx(2.0, rel=0.03)


def test_digital_saturation_is_at_the_converters_limit():
    one = detector(bias=320.0)
    assert one.saturation == pytest.approx((4095 - 320) * 7.12)
    expected = np.full(SHAPE, 1000.0)
    expected[10, 10] = one.saturation + 5000
    expected[20, 20] = one.saturation - 2000
    data, saturated = image(one, expected, seed=1)
    assert data[10, 10] == pytest.approx(one.saturation)
    assert saturated[10, 10]
    assert saturated.sum() == 1
    assert data[20, 20] < one.saturation


def test_vignetted_edge_is_noisier():
    edge = np.zeros(SHAPE, bool)
    edge[:, :40] = True
    data, _ = image(detector(edge=edge), np.full(SHAPE, 200.0), seed=1)
    assert data[:, :5].std() > 3 * data[:, 60:].std()
    assert data[:, 20:40].mean() == pytest.approx(200, rel=0.1)


def test_bad_pixels_hold_noise_alone():
    bad = np.zeros(SHAPE, bool)
    bad[:, 7] = True
    data, _ = image(detector(bad=bad), np.full(SHAPE, 500.0), seed=1)
    assert abs(data[:, 7].mean()) < 3
    assert data[:, 8].mean() == pytest.approx(500, rel=0.02)
