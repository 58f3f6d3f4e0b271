"""Images and lists of real clusters: AP 142 in M 31, LEGUS's and M 83's catalogues."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from filar.clusters.apertures import aperture_fluxes
from filar.clusters.cutouts import mag_of
from filar.clusters.cutting import cut
from filar.clusters.images import ClusterImages, read_images
from filar.clusters.positions import place, read_positions
from filar.instruments.bandimage import BandOptions


@pytest.fixture(scope="module")
def image(shared: Path) -> ClusterImages:
    # The piece of PHAT's mosaic has no exposure time: that of the survey in this filter.
    options = [BandOptions(exposure_time=1860.0)]
    return read_images([shared / "clusters" / "ap142_F475W.fits"], ["F475W"], options)


def test_the_image_has_magnitudes_and_places_of_the_published_stars(
    shared: Path, image: ClusterImages
) -> None:
    path = shared / "clusters" / "ap142_sky.fits"
    mags = np.asarray(Table.read(path)["F475W_VEGA"])
    bright = np.argsort(mags)[:60]
    x, y = place(read_positions(path), image)[bright].T
    cutouts = cut(image, x, y, 33)
    whole = cutouts.flags == 0
    assert whole.sum() > 40
    assert image.pixel_scale == pytest.approx(0.05, rel=1e-3)
    light = aperture_fluxes(cutouts.flux, (3.0,))[whole, 0, 0]
    # 0.15 arcsec hold about 78 per cent of the light in F475W (ACS handbook): 0.27 mag.
    assert np.median(mag_of(light) - mags[bright][whole]) == pytest.approx(0.27, abs=0.08)


def test_the_cluster_s_own_stars_surround_the_middle(shared: Path, image: ClusterImages) -> None:
    found = place(read_positions(shared / "clusters" / "ap142_phot.fits"), image)
    np.testing.assert_allclose(np.median(found, axis=0), 150, atol=5)


@pytest.mark.parametrize(
    ("name", "number", "ra", "dec"),
    [
        ("legus_hlsp_ngc628c.tab", 3080, 24.17, 15.78),
        ("hlsp_wfc3ers_hst_wfc3_m83_cat_cluster_auto_v1.txt", 658, 204.25, -29.86),
    ],
)
def test_published_catalogues_are_lists(
    shared: Path, name: str, number: int, ra: float, dec: float
) -> None:
    found = read_positions(shared / "clusters" / name)
    assert len(found) >= number
    assert np.median(found.ra) == pytest.approx(ra, abs=0.05)
    assert np.median(found.dec) == pytest.approx(dec, abs=0.05)
    assert np.isfinite(found.x).all()
