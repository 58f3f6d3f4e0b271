"""PSFs of bands with their wings."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.optics import band_optics


def test_light_adds_up_and_redder_light_is_wider():
    bands = [band_optics("WFC3", "UVIS1", name, 0.04, pixfrac=1.0) for name in ("F336W", "F814W")]
    for band in bands:
        assert 0.96 < band.kernel.sum() < 1.0
        assert band.kernel.min() > -1e-6
        zero = band.transform(np.zeros(1), np.zeros(1))[0, 0]
        assert zero == pytest.approx(band.kernel.sum(), rel=1e-4)
    assert bands[0].half_light < 1.2 < 1.4 < bands[1].half_light
    assert bands[0].cutoff == pytest.approx(2.4 / 310e-9 * 0.04 * np.pi / 648000, rel=0.03)


def test_the_kernel_s_rim_is_round_and_dark():
    band = band_optics("WFC3", "UVIS1", "F336W", 0.04, pixfrac=1.0)
    offsets = band.grid.offsets()
    radius = np.hypot(offsets[:, None], offsets[None, :])
    assert not band.kernel[radius > band.grid.period / 2].any()


def test_drizzling_widens_and_scales_go_with_pixels():
    native = band_optics("WFC3", "UVIS1", "F438W", 0.0396)
    drizzled = band_optics("WFC3", "UVIS1", "F438W", 0.0396, pixfrac=1.0)
    coarse = band_optics("WFC3", "UVIS1", "F438W", 0.0792, pixfrac=0.5)
    assert native.half_light < drizzled.half_light
    # the same drop and light on pixels twice as large
    fine = band_optics("WFC3", "UVIS1", "F438W", 0.0396, pixfrac=0.5)
    f = np.array([0.0, 0.1, 0.3])
    pixel = np.sinc(f) / np.sinc(f / 2)  # the larger pixel instead of the smaller
    expected = fine.transform(np.zeros(1), f / 2)[0] * pixel
    np.testing.assert_allclose(coarse.transform(np.zeros(1), f)[0], expected, atol=2e-4)


def test_focus_and_jitter_widen():
    best = band_optics("WFC3", "UVIS1", "F438W", 0.04, pixfrac=1.0)
    away = band_optics("WFC3", "UVIS1", "F438W", 0.04, pixfrac=1.0, focus=6.0)
    shaken = band_optics("WFC3", "UVIS1", "F438W", 0.04, pixfrac=1.0, blur=0.02)
    assert min(away.half_light, shaken.half_light) > 1.02 * best.half_light


@pytest.mark.parametrize(
    "arguments, options, name",
    [
        (("WFC3", "UVIS1", "F336W", 0.05), {}, "pixel_scale"),
        (("WFC3", "UVIS1", "F336W", 0.0), {"pixfrac": 1.0}, "pixel_scale"),
        (("WFC3", "UVIS1", "F336W", 0.04), {"pixfrac": 2.0}, "pixfrac"),
        (("WFC3", "UVIS1", "F336W", 0.04), {"pixfrac": 1.0, "blur": -1.0}, "blur"),
        (("WFC3", "UVIS1", "F335W", 0.04), {"pixfrac": 1.0}, "filter"),
        (("LSST", "", "g", 0.2), {"pixfrac": 1.0}, "instrument"),
    ],
)
def test_what_is_not_known_is_refused(arguments, options, name):
    with pytest.raises(ParameterError, match=name):
        band_optics(*arguments, **options)
