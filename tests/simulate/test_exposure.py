"""Whole simulated exposures, and their files."""

import numpy as np
import pytest
from astropy.table import QTable

from filar.errors import OutputFileError, ParameterError
from filar.instruments import read_exposures
from filar.psf.library import default_psf_for
from filar.psf.render import render_image
from filar.simulate import (
    COSMIC_RAY_RATE,
    Detector,
    Effects,
    Frames,
    StarField,
    draw_stars,
    make_calibration,
    simulate_exposure,
    truth_table,
    write_simulation,
)
from filar.simulate.calibration import HOT_CHARGE
from filar.simulate.darks import DARK_RATE, HOT_FRACTION, HOT_LIMIT

SHAPE = (120, 140)


@pytest.fixture(scope="module")
def psf():
    return default_psf_for("WFPC2", "PC", "F555W", shape=SHAPE)


def quiet(**changes):
    """A detector without noise that matters."""
    values = {"gain": 1e-3, "read_noise": 0.0, "edge": np.zeros(SHAPE, bool)}
    return Detector(**{**values, "digital_limit": 1e12, "full_well": 1e12, **changes})


def one(x, y, flux):
    return StarField(*(np.atleast_1d(np.asarray(v, float)) for v in (x, y, flux)))


def test_star_flux_sums_up(psf):
    stars = one([60.3], [50.7], [4e6])
    exposure = simulate_exposure(psf, stars, sky=0, cosmic_ray_rate=0, detector=quiet(), seed=1)
    # The rest lies outside of the box that a star is drawn in.
    assert 0.92 < exposure.data.sum() / 4e6 < 1.001
    weak = simulate_exposure(psf, one([60.3], [50.7], [4e5]), sky=0, cosmic_ray_rate=0,
                             detector=quiet(), seed=1)  # fmt: skip
    assert exposure.data.sum() / weak.data.sum() == pytest.approx(10, rel=0.01)


def test_star_on_an_integer_peaks_in_that_pixel(psf):
    exposure = simulate_exposure(
        psf, one([60], [50], [1e8]), sky=0, cosmic_ray_rate=0, detector=quiet(), seed=1
    )
    data = exposure.data.astype(float)
    assert np.unravel_index(data.argmax(), SHAPE) == (50, 60)
    core = data[48:53, 58:63] / data.sum()
    # The pupil is not point-symmetric (pads), so the image is so only nearly.
    assert np.abs(core - core[::-1, ::-1]).max() < 0.01


def test_half_pixel_positions_share_the_light(psf):
    exposure = simulate_exposure(
        psf, one([60.5], [50], [1e8]), sky=0, cosmic_ray_rate=0, detector=quiet(), seed=1
    )
    left, right = exposure.data[50, 60], exposure.data[50, 61]
    assert left == pytest.approx(right, rel=0.12)
    assert left > 3 * exposure.data[50, 62]


def test_sky_noise_and_masks():
    psf = default_psf_for("WFPC2", "PC", "F555W")
    exposure = simulate_exposure(psf, draw_stars(0, seed=0), sky=30, cosmic_ray_rate=0, seed=3)
    open_sky = exposure.data[~exposure.mask]
    assert open_sky.mean() == pytest.approx(30, abs=0.1)
    assert open_sky.var() == pytest.approx(30 + exposure.read_noise**2, rel=0.02)
    assert exposure.mask[exposure.edge].all()
    assert np.all(exposure.data[exposure.edge] == 0)
    assert exposure.wcs is not None
    assert exposure.wcs.proj_plane_pixel_scales()[0].to_value("arcsec") == pytest.approx(0.0455)


def test_diffuse_light_is_where_it_was_put():
    shape = (100, 200)
    psf = default_psf_for("WFPC2", "PC", "F555W", shape=shape)
    light = np.where(np.arange(200) < 100, 20.0, 400.0) * np.ones((100, 1))
    detector = Detector(1e-3, 3.0, np.zeros(shape, bool), digital_limit=1e9, full_well=1e9)
    effects = Effects.parse("none,sky,photon_noise,read_noise")
    options = {"detector": detector, "effects": effects, "seed": 1}
    data = simulate_exposure(psf, draw_stars(0, seed=0), sky=light, **options).data
    for half, level in ((data[:, :100], 20.0), (data[:, 100:], 400.0)):
        assert half.mean() == pytest.approx(level, abs=4 * np.sqrt((level + 9) / half.size))
        assert half.var() == pytest.approx(level + 9.0, rel=0.06)
    even = simulate_exposure(psf, draw_stars(0, seed=0), sky=20.0, **options)
    image = simulate_exposure(psf, draw_stars(0, seed=0), sky=np.full(shape, 20.0), **options)
    np.testing.assert_array_equal(image.data, even.data)


def test_narrow_rows_get_less_of_the_diffuse_light_and_the_flat_field_knows(psf):
    ramp = np.linspace(100.0, 200.0, SHAPE[0])[:, None] * np.ones(SHAPE)
    options = {"detector": quiet(), "effects": Effects.parse("none,sky,rows"), "seed": 1}
    exposure = simulate_exposure(psf, draw_stars(0, seed=0), sky=ramp, **options)
    # The ideal flat field has the narrow rows in it and takes them out again.
    ratio = exposure.data / ramp
    np.testing.assert_allclose(ratio / ratio.mean(), 1.0, rtol=1e-4)


@pytest.mark.parametrize("wrong", [np.ones((3, 3)), np.full(SHAPE, -1.0), np.full(SHAPE, np.nan)])
def test_a_senseless_image_of_the_sky_is_refused(psf, wrong):
    with pytest.raises(ParameterError, match="sky"):
        simulate_exposure(psf, draw_stars(0, seed=0), sky=wrong, detector=quiet())


def test_same_seed_same_pixels(psf):
    stars = draw_stars(30, SHAPE, seed=1)
    detector = Detector(7.12, 5.24, np.zeros(SHAPE, bool))
    a, b, c = (
        simulate_exposure(psf, stars, detector=detector, exposure_time=2000, seed=s)
        for s in (4, 4, 5)
    )
    np.testing.assert_array_equal(a.data, b.data)
    assert not np.array_equal(a.data, c.data)
    assert a.meta["cosmic_ray_events"] > 0


def test_bright_star_saturates_and_bleeds_along_the_column(psf):
    detector = Detector(7.12, 5.24, np.zeros(SHAPE, bool))
    exposure = simulate_exposure(
        psf,
        one([70], [60], [1.2e7]),
        detector=detector,
        effects=Effects.parse("none,photon_noise,read_noise,bleeding,saturation,digitisation"),
        seed=1,
    )
    rows, columns = np.nonzero(exposure.saturated)
    assert np.ptp(rows) > 1.5 * np.ptp(columns)
    assert abs(rows.mean() - 60) < 1.5
    assert exposure.data.max() <= exposure.saturation + 1e-3


def test_division_by_the_flat_field_moves_the_saturation_level(psf):
    detector = Detector(7.12, 5.24, np.zeros(SHAPE, bool))
    calibration = make_calibration(detector=detector, effects=Effects(bias=0, dark=0, hot_pixels=0))
    exposure = simulate_exposure(psf, one([70], [60], [1.2e7]), calibration=calibration, seed=1)
    level = exposure.saturation / calibration.flat
    np.testing.assert_allclose(
        exposure.data[exposure.saturated], level[exposure.saturated], rtol=1e-5
    )
    assert (exposure.data[~exposure.saturated] < level[~exposure.saturated]).all()


def test_a_pair_of_flats_and_of_biases_gives_gain_and_read_noise_back():
    """As a user would, from calibrated exposures of an even sky."""
    psf = default_psf_for("WFPC2", "WF3", "F555W")
    options = {"chip": "WF3", "cosmic_ray_rate": 0.0}
    options["calibration"] = make_calibration("WF3", frames=Frames(), seed=1)
    nothing = draw_stars(0, seed=0)
    pairs = {
        sky: [simulate_exposure(psf, nothing, sky=sky, seed=s, **options) for s in (1, 2)]
        for sky in (0.0, 10_000.0)
    }
    numbers = {}
    for sky, (first, second) in pairs.items():
        good = ~first.unusable
        a, b = (one.data[good] / np.float32(one.gain) for one in (first, second))
        numbers[sky] = (0.5 * (a + b).mean(dtype=float), (a - b).var(dtype=float) / 2)
    gain = (numbers[1e4][0] - numbers[0.0][0]) / (numbers[1e4][1] - numbers[0.0][1])
    assert gain == pytest.approx(first.gain, rel=0.01)
    assert np.sqrt(numbers[0.0][1]) * gain == pytest.approx(first.read_noise, rel=0.02)


def test_cosmic_rays_are_counted_back():
    psf = default_psf_for("WFPC2", "WF3", "F555W")
    options = {"chip": "WF3", "sky": 5.0, "exposure_time": 1000.0}
    nothing = draw_stars(0, seed=0)
    hit, clean = (
        simulate_exposure(psf, nothing, effects=Effects.parse(text), seed=1, **options)
        for text in ("default", "-cosmic_rays")
    )
    from scipy import ndimage

    bright = (hit.data - clean.data > 60) & ~hit.mask
    labels, found = ndimage.label(bright, np.ones((3, 3)))
    expected = COSMIC_RAY_RATE * 1000.0 * (~hit.mask).sum()
    # tracks that touch count once: about one in ten at this density
    assert 0.85 * expected < found < 1.05 * expected
    assert hit.meta["cosmic_ray_events"] == pytest.approx(COSMIC_RAY_RATE * 1000 * 640_000, rel=0.1)
    assert clean.meta["cosmic_ray_events"] == 0
    assert hit.data[(labels == 0) & ~hit.mask].mean() < 10


@pytest.mark.parametrize("name", Effects.names())
def test_an_effect_that_is_off_leaves_the_image_as_it_was(psf, name):
    """Without any effect the image is the drawn one; each effect changes it."""
    detector = Detector(7.12, 5.24, np.arange(SHAPE[0])[:, None] * np.ones(SHAPE) < 10)
    stars = one([30, 70.3], [40, 60.2], [2e4, 1e6])
    options = {"detector": detector, "exposure_time": 1000.0, "sky": 20.0, "seed": 1}
    plain = simulate_exposure(psf, stars, effects=Effects.none(), **options)
    drawn = render_image(psf, SHAPE, stars.x, stars.y, stars.flux)
    np.testing.assert_allclose(plain.data[10:], drawn[10:], rtol=1e-5, atol=1e-3)
    assert plain.saturation == np.inf
    # what the ideal calibration takes out again shows in its frames
    effects = Effects.parse(f"none,{name}")
    changed = simulate_exposure(psf, stars, effects=effects, **options)
    calibration = make_calibration(detector=detector, effects=effects)
    ideal = calibration.flat.std() + calibration.dark.std() + calibration.bias.std()
    assert ideal > 0 or not np.array_equal(changed.data, plain.data)
    assert changed.meta["effects"] == f"none,{name}"


def test_effects_must_agree_with_the_calibration(psf):
    detector = Detector(7.12, 5.24, np.zeros(SHAPE, bool))
    calibration = make_calibration(detector=detector, effects=Effects(bias=0.0))
    stars = draw_stars(3, SHAPE, seed=1)
    kept = simulate_exposure(psf, stars, calibration=calibration, seed=1)
    assert kept.meta["effects"] == "default,-bias"
    more = simulate_exposure(
        psf, stars, calibration=calibration, effects=Effects(bias=0.0, cti=1.0), seed=1
    )
    assert not np.array_equal(kept.data, more.data)
    with pytest.raises(ParameterError, match="bias"):
        simulate_exposure(psf, stars, calibration=calibration, effects=Effects(), seed=1)
    with pytest.raises(ParameterError, match="detector"):
        simulate_exposure(
            psf, stars, calibration=calibration, seed=1,
            detector=Detector(7.12, 5.24, np.zeros(SHAPE, bool)),
        )  # fmt: skip


def test_hot_pixels_are_masked_and_hold_nothing():
    psf = default_psf_for("WFPC2", "PC", "F555W")
    long = simulate_exposure(psf, draw_stars(0, seed=0), exposure_time=1000.0, seed=1)
    hot = long.mask & ~long.edge
    expected = HOT_FRACTION * ((HOT_CHARGE / 1000 - DARK_RATE) / HOT_LIMIT) ** -1.2
    assert hot.sum() == pytest.approx(expected * (~long.edge).sum(), rel=0.1)
    np.testing.assert_array_equal(long.data[hot], 0.0)
    cool = simulate_exposure(
        psf, draw_stars(0, seed=0), exposure_time=1000.0, effects=Effects(hot_pixels=0.0), seed=1
    )
    np.testing.assert_array_equal(cool.mask, cool.edge)


@pytest.mark.parametrize("bad", [{"sky": -1}, {"exposure_time": 0}, {"cosmic_ray_rate": -1}])
def test_senseless_parameters_are_refused(psf, bad):
    with pytest.raises(ParameterError):
        simulate_exposure(psf, draw_stars(0, seed=0), **bad)


def test_files_hold_what_was_simulated(tmp_path):
    stars = draw_stars(200, seed=2)
    psf = default_psf_for("WFPC2", "PC", "F555W")
    exposure = simulate_exposure(psf, stars, name="made", seed=3)
    truth = truth_table({"PC": stars}, {"seed": 3, "limits": (1.0, 2.0)})
    science, quality, table = write_simulation([exposure], truth, tmp_path / "new", "made")
    assert science.name == "made_c0m.fits"
    assert quality.name == "made_c1m.fits"
    (back,) = read_exposures(science)
    assert (back.chip, back.filter, back.name) == ("PC", "F555W", "made")
    np.testing.assert_allclose(back.data, exposure.data, rtol=1e-5, atol=1e-3)
    assert back.saturation == pytest.approx(exposure.saturation)
    assert np.all(back.saturated[exposure.saturated])
    read = QTable.read(table)
    assert read.colnames == ["chip", "id", "x", "y", "flux"]
    assert str(read["x"].unit) == "pix"
    assert str(read["flux"].unit) == "electron"
    np.testing.assert_array_equal(read["x"].value, stars.x)
    assert read.meta["seed"] == 3
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "made_c0m.fits", "made_c1m.fits", "made_truth.ecsv",
    ]  # fmt: skip


def test_unwritable_folder_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    stars = draw_stars(0, seed=0)
    psf = default_psf_for("WFPC2", "PC", "F555W")
    exposure = simulate_exposure(psf, stars, seed=1)
    with pytest.raises(OutputFileError):
        write_simulation([exposure], truth_table({"PC": stars}), tmp_path / "file" / "x", "a")
    with pytest.raises(ParameterError):
        write_simulation([exposure], truth_table({"PC": stars}), tmp_path, "a/b")
