"""Calibration frames and calibrating with them."""

import pickle

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate import (
    Detector,
    Effects,
    Frames,
    calibrate_camera,
    expose,
    make_calibration,
    make_camera,
)

SHAPE = (400, 400)
FRAMES = Frames(biases=50, darks=20, flats=20)


def detector(**changes):
    values = {"gain": 7.12, "read_noise": 5.24, "edge": np.zeros(SHAPE, bool)}
    return Detector(**{**values, **changes})


@pytest.fixture(scope="module")
def camera():
    return make_camera(detector(), seed=3)


@pytest.fixture(scope="module")
def calibration(camera):
    return calibrate_camera(camera, frames=FRAMES, seed=4)


def test_bias_is_undone_within_its_noise(camera, calibration):
    assert camera.bias.std() > 0.4
    error = (calibration.bias - camera.bias) * 7.12
    assert error.std() == pytest.approx(5.24 / np.sqrt(FRAMES.biases), rel=0.02)
    assert abs(error.mean()) < 5 * error.std() / 400
    zero = calibration.apply(expose(camera, np.zeros(SHAPE), seed=1).dn, 0.0)
    assert zero.std() == pytest.approx(5.24 * np.sqrt(1 + 1 / FRAMES.biases), rel=0.02)
    assert np.abs(zero.mean(axis=0)).max() < 5 * 5.24 / np.sqrt(400)


def test_dark_is_undone_within_its_noise(camera, calibration):
    time = 1000.0
    raw = expose(camera, np.zeros(SHAPE), exposure_time=time, seed=1)
    good = ~calibration.hot(time)
    assert 1e-4 < 1 - good.mean() < 5e-3
    left = calibration.apply(raw.dn, time)
    expected = (
        5.24**2 * (1 + 1 / FRAMES.biases)
        + time * camera.dark
        + (time / FRAMES.dark_time) ** 2 * 5.24**2 * (1 / FRAMES.darks + 1 / FRAMES.biases)
        + time**2 * camera.dark / FRAMES.dark_time / FRAMES.darks
    )
    pulls = (left / np.sqrt(expected))[good]
    assert pulls.mean() == pytest.approx(0.0, abs=0.02)
    assert pulls.std() == pytest.approx(1.0, abs=0.02)
    without = (raw.dn - calibration.bias) * 7.12 / calibration.flat
    assert without[good].mean() > 4


def test_flat_is_undone_within_its_noise(camera, calibration):
    assert calibration.flat.mean() == pytest.approx(1.0, abs=1e-6)
    ratio = calibration.flat / camera.response
    level = FRAMES.flat_level * FRAMES.flats
    assert ratio.std() == pytest.approx(1 / np.sqrt(level), rel=0.1)
    even = calibration.apply(expose(camera, np.full(SHAPE, 20_000.0), seed=1).dn, 0.0)
    photon_noise = np.sqrt(20_000 + 5.24**2)
    assert even.std() == pytest.approx(np.hypot(photon_noise, 20_000 / np.sqrt(level)), rel=0.02)
    corners = [even[a, b].mean() for a in (slice(40), slice(-40, None)) for b in (slice(40),)]
    assert np.ptp(corners) < 6 * photon_noise / 40
    assert camera.response.std() > 0.02


def test_pixels_keep_the_noise_that_the_gain_and_read_noise_promise(camera, calibration):
    """What is measured later takes electrons plus the read noise squared for the variance."""
    for level in (20.0, 500.0, 15_000.0):
        frames = [
            calibration.apply(expose(camera, np.full(SHAPE, level), seed=s).dn, 0.0) for s in (1, 2)
        ]
        variance = (frames[0] - frames[1]).var() / 2
        assert variance == pytest.approx(level + 5.24**2, rel=0.02)
        assert frames[0].mean() == pytest.approx(level, abs=0.05 + 0.001 * level)


def test_averages_are_those_of_frames_taken_one_by_one(camera):
    lamp = 5000.0 * np.ones(SHAPE)
    frames = np.mean([expose(camera, lamp, seed=s).dn for s in range(12)], axis=0)
    twelve = calibrate_camera(
        camera, frames=Frames(biases=10**6, flats=12, flat_level=5000.0), seed=1
    )
    by_hand = (frames - camera.bias) * 7.12
    by_hand /= by_hand.mean()
    one, other = ((flat / camera.response).std() for flat in (by_hand, twelve.flat))
    assert one == pytest.approx(other, rel=0.02)


def test_ideal_calibration_has_no_noise(camera):
    ideal = calibrate_camera(camera)
    np.testing.assert_array_equal(ideal.bias, camera.bias)
    np.testing.assert_array_equal(ideal.dark, camera.dark)
    np.testing.assert_allclose(ideal.flat, camera.response, rtol=1e-6)


def test_the_same_seed_makes_the_same_camera_and_chips_differ():
    one, two, other, chip = (
        make_calibration(name, detector=detector(), frames=FRAMES, seed=seed)
        for name, seed in (("PC", 1), ("PC", 1), ("PC", 2), ("WF2", 1))
    )
    for name in ("bias", "dark", "flat"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name))
        assert not np.array_equal(getattr(one, name), getattr(chip, name))


def test_the_frames_noise_leaves_the_camera_alone():
    few, ideal = (make_calibration("PC", frames=frames, seed=1) for frames in (FRAMES, None))
    np.testing.assert_array_equal(few.camera.response, ideal.camera.response)
    assert not np.array_equal(few.flat, ideal.flat)


def test_switched_off_properties_are_even():
    effects = Effects.parse("all,-flat,-vignetting,-rows,-dark,-hot_pixels,-bias")
    plain = make_calibration("WF4", effects=effects)
    np.testing.assert_array_equal(plain.camera.response, 1.0)
    np.testing.assert_array_equal(plain.flat, 1.0)
    np.testing.assert_array_equal(plain.dark, 0.0)
    np.testing.assert_array_equal(plain.bias, plain.camera.detector.bias)


def test_one_switch_leaves_the_other_properties_alone():
    everything = make_calibration("WF4", effects=Effects())
    less = make_calibration("WF4", effects=Effects(flat=0.0))
    np.testing.assert_array_equal(everything.dark, less.dark)
    np.testing.assert_array_equal(everything.bias, less.bias)


def test_the_border_is_dark_and_bad_pixels_are_blind():
    bad = np.zeros(SHAPE, bool)
    bad[:, 7] = True
    edge = np.zeros(SHAPE, bool)
    edge[:40] = True
    one = make_calibration(detector=detector(bad=bad, edge=edge), frames=FRAMES, seed=1)
    assert one.camera.response[~edge & ~bad].mean() == pytest.approx(1.0, abs=1e-5)
    assert one.camera.response[5].max() < 0.3
    np.testing.assert_array_equal(one.camera.response[:, 7], 0.0)
    np.testing.assert_array_equal(one.flat[:, 7], 1.0)


def test_calibrations_can_be_sent_to_workers(calibration):
    copy = pickle.loads(pickle.dumps(calibration))
    np.testing.assert_array_equal(copy.flat, calibration.flat)
    assert copy.camera.effects == calibration.camera.effects
    assert copy.camera.detector.gain == calibration.camera.detector.gain


@pytest.mark.parametrize("wrong", [{"biases": 0}, {"dark_time": 0.0}, {"flat_level": -1.0}])
def test_senseless_frames_are_refused(wrong):
    with pytest.raises(ParameterError):
        Frames(**wrong)


def test_unknown_chips_are_refused():
    with pytest.raises(ParameterError):
        make_calibration("WF5")
