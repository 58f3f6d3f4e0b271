"""Cameras of mock clusters."""

import json

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from filar.errors import ParameterError
from filar.simulate.clusters.camera import (
    PRESETS,
    BandCamera,
    ClusterCamera,
    camera_from,
    hst_band,
    preset_camera,
)


def test_presets():
    camera = preset_camera("m83")
    assert camera.filters == ("F336W", "F438W", "F814W")
    assert camera.distance_modulus == pytest.approx(28.27, abs=0.01)
    assert preset_camera("m83", ["F555W"]).filters == ("F555W",)
    one = preset_camera("m31-f475w")
    assert one.filters == ("F475W",)
    assert one.pixel_scale == 0.05
    # skies of WFC3's handbook, electrons per second and pixel of 0.04 arcsec
    assert (camera.skies < 0.03).all()
    assert (np.diff(camera.skies) > 0).all()


def test_any_band_that_is_known_can_be_had():
    camera = preset_camera("wfc3", ["F275W", "F606W", "F814W"])
    assert camera.filters == ("F275W", "F606W", "F814W")
    assert camera.instrument == "WFC3"
    assert preset_camera("acs").filters == ("F435W", "F555W", "F814W")
    for name in ("wfc3", "acs"):
        whole = PRESETS[name]()
        assert (whole.skies > 0.001).all()
        assert (whole.skies < 0.15).all()
        assert all(0.01 < band.blur < 0.03 for band in whole.bands)
    with pytest.raises(ParameterError, match="F999W"):
        hst_band("WFC3", "F999W", 100.0, 1, 0.04)
    with pytest.raises(ParameterError, match="none"):
        hst_band("NICMOS", "F160W", 100.0, 1, 0.04)


@pytest.mark.parametrize(
    "name, band, width",
    [("m83", 0, 2.25), ("m83", 1, 2.21), ("m83", 2, 2.19), ("m31-f475w", 0, 2.16)],
)
def test_stars_are_as_wide_as_the_telescope_s(name, band, width):
    optics = preset_camera(name).optics(band)
    offsets = optics.grid.offsets()
    across = CubicSpline(np.fft.fftshift(offsets), np.fft.fftshift(optics.kernel[0]))
    half = brentq(lambda x: across(x) - across(0.0) / 2, 0.0, 2.0)
    assert 2 * half == pytest.approx(width, abs=0.04)


def test_magnitudes_and_rates():
    camera = preset_camera("m83")
    mags = np.array([[20.0, 21.0, 22.0]])
    np.testing.assert_allclose(camera.mags(camera.rate(mags)), mags)
    np.testing.assert_allclose(camera.rate(camera.zero_points), 1.0)
    absolute = camera.rate(np.full(3, camera.distance_modulus))
    np.testing.assert_allclose(camera.rate_of_unit, absolute)
    assert np.isinf(camera.mags(np.zeros(3))).all()
    gain = camera.rate(np.full(3, 25.0)) * camera.exposure_times
    np.testing.assert_allclose([band.gain for band in camera.bands], gain)


def test_cameras_come_back_from_their_plain_values():
    camera = preset_camera("m83")
    assert camera_from(json.loads(json.dumps(camera.plain()))) == camera
    with pytest.raises(ParameterError, match="camera"):
        camera_from({"name": "m83"})
    with pytest.raises(ParameterError, match="camera"):
        camera_from({**camera.plain(), "colour": 1})


BAND = BandCamera("F336W", 23.5, 1000.0, 0.002, 5.0)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: preset_camera("m84"), "m83"),
        (lambda: preset_camera("m83", ["F606W"]), "F606W"),
        (lambda: BandCamera("", 23.0, 1.0, 0.0, 0.0), "filter"),
        (lambda: BandCamera("F336W", np.nan, 1.0, 0.0, 0.0), "zero_point"),
        (lambda: BandCamera("F336W", 23.0, 0.0, 0.0, 0.0), "exposure_time"),
        (lambda: BandCamera("F336W", 23.0, 1.0, -1.0, 0.0), "sky"),
        (lambda: ClusterCamera("a", (), 0.04, "WFC3", "UVIS1", 1.0), "bands"),
        (lambda: ClusterCamera("a", (BAND, BAND), 0.04, "WFC3", "UVIS1", 1.0), "bands"),
        (lambda: ClusterCamera("a", (BAND,), 0.0, "WFC3", "UVIS1", 1.0), "pixel_scale"),
        (lambda: ClusterCamera("a", (BAND,), 0.04, "WFC3", "UVIS1", -1.0), "distance_mpc"),
    ],
)
def test_cameras_without_meaning_are_refused(make, name):
    with pytest.raises(ParameterError, match=name):
        make()
