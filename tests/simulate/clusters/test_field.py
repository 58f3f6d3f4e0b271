"""Whole images with clusters."""

import numpy as np
import pytest
from astropy.io import fits

from filar.catalogfile import read_catalog
from filar.errors import ParameterError
from filar.instruments.bandimage import read_band_image
from filar.simulate.clusters.camera import ClusterCamera, preset_camera
from filar.simulate.clusters.field import EDGE, FieldSettings, write_field
from filar.simulate.clusters.galaxy import DiscSettings
from filar.simulate.clusters.scene import SceneSettings
from filar.simulate.clusters.settings import MockSettings
from tests.simulate.clusters.samples import BANDS, write_isochrones

FAINT = SceneSettings(disc=DiscSettings(surface_brightness=(23.0, 23.0)))
MOCK = MockSettings(
    camera=preset_camera("m83", BANDS), log_mass=(5.0, 5.4), a_v=(0.0, 0.3), log_age=(6.8, 7.2)
)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("field")
    isochrones = write_isochrones(folder / "toy.dat")
    settings = FieldSettings(
        mock=MOCK, scene=FAINT, clusters=6, size=224, isochrones=(str(isochrones),)
    )
    return settings, write_field(settings, folder / "out")


def test_images_are_read_like_hubbles(field):
    settings, paths = field
    assert [path.name for path in paths] == ["F438W.fits", "F814W.fits", "clusters.ecsv"]
    for path, band in zip(paths, settings.mock.camera.bands, strict=False):
        image = read_band_image(path)
        assert image.filter == band.filter
        assert image.zero_point == pytest.approx(band.zero_point, abs=1e-6)
        assert image.exposure_time == band.exposure_time
        assert image.pixel_scale == pytest.approx(0.04, rel=1e-4)
        assert image.instrument == "WFC3"
        assert np.isfinite(image.rate).all()
        assert "simulated" in str(fits.getheader(path)["HISTORY"])


def test_clusters_are_where_the_table_says_and_as_bright(field):
    settings, paths = field
    truth = read_catalog(paths[-1])
    assert len(truth) == 6
    y, x = np.indices((224, 224))
    for path, band in zip(paths, settings.mock.camera.bands, strict=False):
        image = read_band_image(path)
        ra, dec = image.wcs.pixel_to_world_values(truth["x"].value, truth["y"].value)
        np.testing.assert_allclose(ra, truth["ra"].value, atol=1e-9)
        np.testing.assert_allclose(dec, truth["dec"].value, atol=1e-9)
        for row in truth:
            r = np.hypot(x - row["x"].value, y - row["y"].value)
            sky = np.median(image.rate[(r > 20) & (r < 26)])
            found = (image.rate[r < 15] - sky).sum()
            expected = 10 ** (0.4 * (band.zero_point - row[f"mag_{band.filter}"].value))
            assert 0.6 < found / expected < 1.15
            peak = np.argmax(np.where(r < 12, image.rate, -1))
            assert r.ravel()[peak] < 8


def test_the_table_says_how_well_clusters_are_seen(field):
    truth = read_catalog(field[1][-1])
    assert (truth["snr"] > 50).all()
    np.testing.assert_allclose(np.log10(truth["r_h"].value), truth["log_r_h"])
    assert list(truth["id"]) == [1, 2, 3, 4, 5, 6]
    assert truth["x"].value.min() > EDGE
    apart = np.hypot(*(np.subtract.outer(truth[c].value, truth[c].value) for c in ("x", "y")))
    assert apart[~np.eye(6, dtype=bool)].min() > 20
    assert truth.meta["mock"]["a_v"] == [0.0, 0.3]


def test_the_same_seed_gives_the_same_images(field, tmp_path):
    settings, paths = field
    again = write_field(settings, tmp_path)
    for one, other in zip(paths, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_images_without_clusters_can_be_made(tmp_path):
    camera = preset_camera("m83", ["F814W"])
    isochrones = write_isochrones(tmp_path / "toy.dat", ("F814W",))
    settings = FieldSettings(
        mock=MockSettings(camera=camera), clusters=0, size=128, isochrones=(str(isochrones),)
    )
    paths = write_field(settings, tmp_path / "out")
    assert len(read_catalog(paths[-1])) == 0
    assert read_band_image(paths[0]).shape == (128, 128)


@pytest.mark.parametrize(
    "changes, name",
    [({"clusters": 17, "size": 256}, "clusters"), ({"size": 64}, "size"), ({"seed": -1}, "seed")],
)
def test_what_makes_no_sense_is_refused(changes, name):
    with pytest.raises(ParameterError, match=name):
        FieldSettings(mock=MOCK, **changes)


def test_bands_without_a_zero_point_are_refused():
    camera = preset_camera("m83", ["F814W"])
    other = ClusterCamera("x", camera.bands, 0.04, "NICMOS", "UVIS1", 4.5)
    with pytest.raises(ParameterError, match="NICMOS F814W"):
        FieldSettings(mock=MockSettings(camera=other))
