"""Physics of the detector."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filar.errors import ParameterError
from filar.instruments import wfpc2_edge
from filar.simulate import Detector, bleed, cosmic_rays, wfpc2_detector
from filar.simulate.detector import COSMIC_RAY_RATE

SHAPE = (300, 300)


def detector(**changes):
    values = {"gain": 7.12, "read_noise": 5.24, "edge": np.zeros(SHAPE, bool)}
    return Detector(**{**values, **changes})


@pytest.mark.parametrize("level", [0.0, 50.0, 2000.0])
def test_noise_is_poisson_plus_read_noise(level):
    data, saturated = detector().expose(np.full(SHAPE, level), seed=1)
    assert not saturated.any()
    assert data.mean() == pytest.approx(level, abs=5 * np.sqrt((level + 28) / data.size))
    assert data.var() == pytest.approx(level + 5.24**2, rel=0.03)


def test_values_are_whole_dn():
    data, _ = detector().expose(np.full(SHAPE, 100.0), seed=1)
    np.testing.assert_allclose(data / 7.12, np.rint(data / 7.12), atol=1e-9)


def test_photon_transfer_gives_the_gain_back():
    one = detector(gain=2.0)
    first, _ = one.expose(np.full(SHAPE, 3000.0), seed=1)
    second, _ = one.expose(np.full(SHAPE, 3000.0), seed=2)
    variance = (first - second).var() / 2 / 2.0**2
    gain = first.mean() / 2.0 / (variance - 5.24**2 / 2.0**2)
    assert gain == pytest.approx(2.0, rel=0.03)


def test_digital_saturation_is_at_the_converters_limit():
    one = detector(bias=320.0)
    assert one.saturation == pytest.approx((4095 - 320) * 7.12)
    expected = np.full(SHAPE, 1000.0)
    expected[10, 10] = one.saturation + 5000
    expected[20, 20] = one.saturation - 2000
    data, saturated = one.expose(expected, seed=1)
    assert data[10, 10] == pytest.approx(one.saturation)
    assert saturated[10, 10]
    assert saturated.sum() == 1
    assert data[20, 20] < one.saturation


def test_bleeding_conserves_charge_and_fills_to_the_well():
    charge = np.full((101, 5), 100.0)
    charge[50, 2] = 1e6
    after = bleed(charge, 90_000.0)
    np.testing.assert_allclose(after.sum(axis=0), charge.sum(axis=0))
    np.testing.assert_array_equal(after[:, [0, 1, 3, 4]], charge[:, [0, 1, 3, 4]])
    assert after.max() <= 90_000
    np.testing.assert_allclose(after[:, 2], after[::-1, 2])
    full = np.flatnonzero(after[:, 2] >= 90_000 - 1e-6)
    assert full.tolist() == list(range(45, 56))


def test_charge_turns_back_at_the_chips_end():
    charge = np.full((40, 1), 10.0)
    charge[1] = 5e5
    after = bleed(charge, 90_000.0)
    assert after.sum() == pytest.approx(charge.sum())
    assert after.max() <= 90_000 + 1e-6


@settings(max_examples=60, deadline=None)
@given(arrays(float, (12, 3), elements=st.floats(0, 3e5)))
def test_bleeding_conserves_any_charge_that_fits(charge):
    after = bleed(charge, 1e5)
    assert after.max() <= 1e5 + 1e-6
    assert after.min() >= 0
    np.testing.assert_allclose(after.sum(axis=0), np.minimum(charge.sum(axis=0), 12e5), rtol=1e-9)


def test_below_full_well_nothing_moves():
    charge = np.random.default_rng(0).uniform(0, 8e4, (20, 20))
    np.testing.assert_array_equal(bleed(charge, 9e4), charge)


def test_cosmic_ray_rate_and_energy():
    counts, total = [], 0.0
    for seed in range(20):
        hits, events = cosmic_rays((800, 800), 100.0, seed=seed)
        counts.append(events)
        total += hits.sum()
        assert hits.min() >= 0
    expected = COSMIC_RAY_RATE * 100 * 640_000
    assert expected == pytest.approx(180)
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.sqrt(expected / 20))
    assert 500 < total / np.sum(counts) < 6000


def test_cosmic_rays_scale_with_time_and_can_be_off():
    assert cosmic_rays((100, 100), 0.0, seed=1)[1] == 0
    assert cosmic_rays((100, 100), 100.0, rate=0.0, seed=1)[0].sum() == 0
    few, many = (cosmic_rays((800, 800), t, seed=1)[1] for t in (100, 1000))
    assert many / few == pytest.approx(10, rel=0.4)


def test_some_cosmic_rays_leave_tracks():
    from scipy import ndimage

    hits, events = cosmic_rays((800, 800), 100.0, seed=3)
    labels, count = ndimage.label(hits > 100, np.ones((3, 3)))
    sizes = ndimage.sum_labels(hits > 100, labels, np.arange(1, count + 1))
    assert abs(count - events) < 0.15 * events
    assert 2 < np.mean(sizes) < 8
    assert sizes.max() >= 8


def test_vignetted_edge_is_noisier():
    edge = np.zeros(SHAPE, bool)
    edge[:, :40] = True
    data, _ = detector(edge=edge).expose(np.full(SHAPE, 200.0), seed=1)
    assert data[:, :5].std() > 3 * data[:, 60:].std()
    assert data[:, 20:40].mean() == pytest.approx(200, rel=0.1)


def test_bad_pixels_hold_noise_alone():
    bad = np.zeros(SHAPE, bool)
    bad[:, 7] = True
    data, _ = detector(bad=bad).expose(np.full(SHAPE, 500.0), seed=1)
    assert abs(data[:, 7].mean()) < 3
    assert data[:, 8].mean() == pytest.approx(500, rel=0.02)


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
