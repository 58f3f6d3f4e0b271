"""The parts of the experiment on real saturated stars that need no real image."""

from pathlib import Path

import numpy as np
import pytest

from experiments.saturated_real import injection, m2, scaled
from experiments.saturated_real.text import kepler_text, m2_text, omega_text
from filar.exposure import Exposure
from filar.instruments import read_exposures
from filar.psf.library import field_psf
from filar.psf.moffat import MoffatFamily
from filar.psf.wings import WingedPSF
from filar.saturation.chain import Stars
from filar.saturation.scene import Scene
from tests.instruments import files

SHAPE = (160, 200)
SKY, LEVEL, GAIN = 700.0, 230_000.0, 4.6


def make_scene(stars: int = 40, seed: int = 0) -> Scene:
    """A small frame with the camera's facts."""
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    rng = np.random.default_rng(seed)
    psf = field_psf(MoffatFamily(2.5), SHAPE, np.array([np.log(2.5), 0.0, 0.0, 0.35]))
    winged = WingedPSF.unmeasured(psf)
    x, y = rng.uniform(20, 180, stars), rng.uniform(20, 140, stars)
    flux = 10 ** rng.uniform(4.5, 6.0, stars)
    header = Header(files.wcs_cards(0.396))
    nothing = np.zeros(SHAPE, bool)
    exposure = Exposure(
        np.zeros(SHAPE, np.float32), nothing, nothing, nothing, GAIN, GAIN, LEVEL, 54.0, "SDSS",
        "r2", "r", "frame", wcs=WCS(header), meta={"ab_zeropoint": 29.8},
    )  # fmt: skip
    sky = np.full(SHAPE, SKY)
    scene = Scene(exposure, sky, np.sqrt(sky), winged, x, y, flux)
    data = rng.poisson(scene.light + SKY).astype(np.float32)
    return scene.changed(exposure=exposure.replace(data=data))


def test_injected_stars_saturate_and_lose_their_charge() -> None:
    scene = make_scene()
    shape = np.zeros((17, 17))
    places = injection.crowded(scene, 0.0)
    made = injection.inject(scene, shape, 30, 3, places)
    again = injection.inject(scene, shape, 30, 3, places)
    np.testing.assert_array_equal(made.exposure.data, again.exposure.data)
    peak = made.flux * scene.peak
    saturated = made.exposure.saturated
    at = np.rint(made.y).astype(int), np.rint(made.x).astype(int)
    assert saturated[at][peak > 1.6 * LEVEL].all()
    assert made.exposure.data.max() < LEVEL
    assert not (made.exposure.mask & saturated).any()
    faint = peak < 0.3 * LEVEL
    assert faint.any()
    assert (made.exposure.data[at] - scene.exposure.data[at])[faint & ~saturated[at]].min() > 0


def test_saturated_pixels_are_interpolated_along_rows() -> None:
    image = np.tile(np.arange(10.0), (4, 1))
    image[1, 3:6] = 99.0
    image[2, :2] = 99.0
    full = image > 50
    full[3] = True
    result = injection.interpolated(image, full)
    np.testing.assert_allclose(result[1], np.arange(10.0))
    np.testing.assert_allclose(result[2], [2, 2, *range(2, 10)])
    np.testing.assert_allclose(result[3], image[3])


def test_frames_and_catalogue(tmp_path: Path) -> None:
    from astropy.table import Table

    scene = make_scene()
    paths, catalog = injection.write_frames(scene, np.zeros((17, 17)), tmp_path, 2, 12, 5)
    table = Table.read(catalog)
    assert [p.name for p in paths] == ["frame-r-002583-2-0001.fits", "frame-r-002583-2-0002.fits"]
    assert len(table) == 24
    (exposure,) = read_exposures(paths[1])
    assert exposure.saturated.any()
    assert exposure.saturation == pytest.approx(LEVEL)
    own = table[table["frame"] == 2]
    assert exposure.wcs is not None
    x, y = exposure.wcs.all_world2pix(own["ra"], own["dec"], 0)
    np.testing.assert_allclose(np.c_[x, y], np.c_[own["x"], own["y"]], atol=1e-3)


def test_scaled_stars_keep_their_charge() -> None:
    scene = make_scene(seed=2)
    flags = np.zeros(len(scene.x), bool)
    stars = Stars(scene.x, scene.y, scene.flux, np.sqrt(scene.flux), flags, ~flags)
    sources = scaled.real_stars(scene, stars)
    assert len(sources.stamps) > 2
    level = 40_000.0
    quiet = make_scene(0)
    exposure = quiet.exposure.replace(saturation=level)
    made, x, y, flux = scaled.scaled_exposure(exposure, scene, sources, level / 0.9, 3, 1)
    assert made.saturated.any()
    added = float((made.data - exposure.data).sum())
    expected = float(np.sum(flux * np.median(sources.stamps.sum(axis=(1, 2)))))
    assert added == pytest.approx(expected, rel=0.02)
    assert made.data.max() <= level / 0.9 * 1.15
    assert np.all((x > scaled.EDGE - 1) & (y > scaled.EDGE - 1))


def test_figures_of_methods() -> None:
    names = np.array(["a", "b", "c"])
    nowhere = np.zeros(3)
    known = m2.Known(
        names, nowhere, nowhere, np.array([12.5, 13.2, 13.8]), np.full(3, 0.6), np.arange(3)
    )
    error = {"ours": np.array([0.1, -0.1, np.nan])}
    judged = m2.Judged(known, error, {"ours": np.full(3, 0.1)}, np.ones(3, bool))
    found = m2.figures(judged)["ours"]
    assert [row["measured"] for row in found] == [1, 1, 2]
    assert found[2]["rms"] == pytest.approx(0.1)
    text = m2_text({
        "bins": {"ours": found, "ours" + m2.AT_PLACES: found}, "zero_point": 29.7, "slope": 0.25,
        "scatter": 0.02, "unsaturated": 100, "training": 500,
    })  # fmt: skip
    assert "1 of 1 trainings with the stars where they are found; 1 of 1" in text
    assert m2.rows(judged)[1]["R"] == 13.2


def test_texts() -> None:
    rate = dict.fromkeys(("trail", "aperture", "wings", "ours"), 100.0)
    rate |= {f"{name}_error": 0.01 for name in rate} | {"expected": 98.0, "level": 5.0}
    rate |= {"saturated_pixels": 5, "trail_sum": 98.0, "fit_over_aperture": 1.0}
    rate |= {"fit_over_aperture_error": 0.1, "training": 10}
    assert "Within 5%: yes" in kepler_text(rate)
    assert "Within 5%: no" in kepler_text(rate | {"expected": 80.0})
    one = {"stars": 3, "median": 0.1, "robust": 0.1}
    relation: dict[str, object] = {"unsaturated": 9, "error": 0.01, "scatter": 0.1}
    relation |= dict.fromkeys(("wings", "trail", "ours"), one)
    pair = one | {"pull": 1.0, "within 2 errors": 0.9}
    text = omega_text({
        "saturated": 3, "training": 9, "wings - trail": pair, "relation": relation,
    })  # fmt: skip
    assert "| wings - trail | 3 | +0.100 | 0.100 | 1.00 | 90% |" in text
