"""Whole simulated exposures, and their files."""

import numpy as np
import pytest
from astropy.table import QTable

from filar.errors import OutputFileError, ParameterError
from filar.instruments import read_exposures
from filar.psf.library import default_psf_for
from filar.simulate import (
    Detector,
    Effects,
    StarField,
    draw_stars,
    simulate_exposure,
    truth_table,
    write_simulation,
)

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
