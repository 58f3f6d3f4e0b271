"""The chain from light to calibrated electrons."""

import numpy as np
import pytest

from filar.errors import ParameterError
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


def raw_pair(camera, level):
    """Mean of two raw frames and the variance of one, from their difference."""
    one, two = (expose(camera, np.full(SHAPE, level), seed=seed).dn for seed in (1, 2))
    return 0.5 * (one + two).mean(), (one - two).var() / 2


@pytest.mark.parametrize("gain", [2.0, 7.12, 13.99])
def test_photon_transfer_curve_gives_gain_and_read_noise(gain):
    """Variance against mean of raw frames in DN: slope 1 / gain, intercept the read noise."""
    camera = make_camera(detector(gain=gain, read_noise=7.0), effects=Effects(dark=0), seed=3)
    zero, noise = raw_pair(camera, 0.0)
    assert zero == pytest.approx(320, abs=0.1)
    assert np.sqrt(noise) * gain == pytest.approx(7.0, rel=0.01)
    for level in (500.0, 2000.0, 5000.0):
        mean, variance = raw_pair(camera, level)
        found = (mean - zero) / (variance - noise)
        # the flat field does not matter: both frames have it
        assert found == pytest.approx(gain, rel=0.02)


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


def test_full_well_and_converter_have_limits_of_their_own():
    light = np.zeros(SHAPE)
    light[150, 100:200] = 5e5
    effects = Effects.parse("none,bleeding")
    one = detector(full_well=60_000.0)
    raw = expose(make_camera(one, effects=effects), light, seed=1)
    electrons = (raw.dn - one.bias) * one.gain
    assert electrons.max() == pytest.approx(60_000)
    assert electrons.sum() == pytest.approx(light.sum(), rel=1e-6)
    np.testing.assert_array_equal(raw.saturated, electrons > 60_000 - 1)
    both = expose(make_camera(one, effects=Effects.parse("none,bleeding,saturation")), light)
    assert both.dn.max() == 4095
    assert both.dn[154, 150] == 4095
    assert both.dn[159, 150] == 320
    alone = expose(make_camera(one, effects=Effects.parse("none,saturation")), light)
    np.testing.assert_array_equal(alone.saturated, light > 0)


def test_without_effects_light_passes_untouched():
    light = np.random.default_rng(0).uniform(0, 2e5, SHAPE)
    camera = make_camera(detector(), effects=Effects.none(), seed=1)
    raw = expose(camera, light, exposure_time=1000.0, seed=1)
    electrons = calibrate_camera(camera).apply(raw.dn, 1000.0)
    np.testing.assert_allclose(electrons, light, rtol=1e-12, atol=1e-6)
    assert not raw.saturated.any()


# What each effect alone does to an even illumination with one saturated star.
ALONE = {
    "flat": lambda light, dn: (dn / light).std() > 0.02,
    "vignetting": lambda light, dn: dn[:40].mean() < 0.8 * dn[60:].mean(),
    "dark": lambda light, dn: 3 < (dn - light).mean() < 7,
    "hot_pixels": lambda light, dn: 0.002 < (dn - light > 15).mean() < 0.01,
    "photon_noise": lambda light, dn: abs((dn - light).var() / light.mean() - 1) < 0.05,
    "bleeding": lambda light, dn: abs(dn.sum() / light.sum() - 1) < 1e-9 and dn.max() < 9.1e4,
    "cti": lambda light, dn: abs(dn.sum() / light.sum() - 1) < 1e-9 and dn[201, 150] > 110,
    "bias": lambda light, dn: 2 < (dn - light).std() < 5 and abs((dn - light).mean()) < 1,
    "read_noise": lambda light, dn: abs((dn - light).std() / 5.24 - 1) < 0.02,
    "saturation": lambda light, dn: dn.max() == (4095 - 320) * 7.12,
    "digitisation": lambda light, dn: np.abs(dn / 7.12 - np.rint(dn / 7.12)).max() < 1e-4,
}


@pytest.mark.parametrize("name", ALONE)
def test_each_effect_alone_is_there_and_off_it_is_not(name):
    light = np.full(SHAPE, 100.0)
    light[200, 150] = 2e5
    edge = np.zeros(SHAPE, bool)
    edge[:50] = True
    one = detector(edge=edge if name == "vignetting" else np.zeros(SHAPE, bool))
    for effects in (Effects.parse(f"none,{name}"), Effects.none()):
        camera = make_camera(one, effects=effects, seed=5)
        raw = expose(camera, light, exposure_time=1000.0, seed=1)
        electrons = (raw.dn - one.bias) * one.gain
        assert ALONE[name](light, electrons) == (effects != Effects.none())


def test_noise_of_one_kind_does_not_change_with_another_switched_off():
    light = np.full(SHAPE, 100.0)
    images = {}
    for text in ("photon_noise,read_noise", "photon_noise", "read_noise"):
        camera = make_camera(detector(), effects=Effects.parse("none," + text))
        images[text] = expose(camera, light, seed=1).dn - 320 - 100 / 7.12
    together = images["photon_noise"] + images["read_noise"]
    np.testing.assert_allclose(images["photon_noise,read_noise"], together, atol=1e-9)


def test_the_same_seed_gives_the_same_numbers():
    camera = make_camera(detector(), effects=Effects.all(), seed=1)
    one, two, other = (expose(camera, np.full(SHAPE, 50.0), seed=s).dn for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_senseless_exposures_are_refused():
    camera = make_camera(detector(), seed=1)
    with pytest.raises(ParameterError):
        expose(camera, np.zeros((3, 3)))
    with pytest.raises(ParameterError):
        expose(camera, np.zeros(SHAPE), exposure_time=-1.0)
