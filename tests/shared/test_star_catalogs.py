"""Stetson's stars of M 2 on the SDSS frame."""

from pathlib import Path

import numpy as np
import pytest

from filar import detect_stars, read_exposures
from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.saturation.catalogs import CatalogStars, read_star_catalog
from filar.saturation.overlap import check_overlap, project
from filar.saturation.skymatch import match_to_sky
from filar.saturation.zeropoint import fit_zero_point

WINDOW = (slice(700, 1300), slice(200, 900))


@pytest.fixture(scope="module")
def stars(shared: Path) -> CatalogStars:
    return read_star_catalog(shared / "catalogs" / "NGC7089.pho", filter="R")


@pytest.fixture(scope="module")
def frame(shared: Path) -> Exposure:
    (exposure,) = read_exposures(
        shared / "saturated" / "sdss_frame-r-002583-2-0136.fits.bz2", gain=4.7, read_noise=4.0
    )
    images = {
        name: getattr(exposure, name)[WINDOW] for name in ("data", "mask", "saturated", "edge")
    }
    assert exposure.wcs is not None
    return exposure.replace(**images, wcs=exposure.wcs[WINDOW])


def test_all_stars_are_read(stars: CatalogStars) -> None:
    assert len(stars) == 1445
    assert np.isfinite(stars.mag).sum() == 878
    assert np.nanmin(stars.mag) == pytest.approx(11.0, abs=1.5)
    assert stars.dec.min() == pytest.approx(-1.104, abs=1e-3)
    assert not stars.variable.any()


def test_the_frame_shows_them_where_they_should_be(stars: CatalogStars, frame: Exposure) -> None:
    listed = check_overlap(stars, frame.wcs, frame.shape, frame.label)
    assert listed > 50
    found = detect_stars(frame)
    assert frame.wcs is not None
    match = match_to_sky(stars, frame.wcs, found.x, found.y, frame.shape, flux=found.flux)
    assert match.corrected
    assert np.hypot(*match.shift) < 1
    assert match.scatter < 0.15
    inside = np.isfinite(project(stars, frame.wcs, frame.shape)[0]) & np.isfinite(stars.mag)
    assert np.isin(np.flatnonzero(inside & (stars.mag < 17)), match.row).mean() > 0.8
    # fluxes of the detection, single pixels' worth of light, follow the magnitudes
    rows = match.row
    mag = np.where(rows >= 0, stars.mag[rows], np.nan)
    good = (mag > 14.5) & (mag < 18)
    zero = fit_zero_point(
        found.x[good], found.y[good], found.flux[good], None, mag[good], frame.shape
    )
    assert zero.scatter < 0.15


def test_another_field_is_told(stars: CatalogStars, frame: Exposure, shared: Path) -> None:
    chips = read_exposures(shared / "wfpc2" / "u40x010hm_c0f.fits", chips="PC")
    with pytest.raises(InputFileError, match="degrees from its centre"):
        check_overlap(stars, chips[0].wcs, chips[0].shape, chips[0].label)
