"""The real SDSS frame of M 2 with its mask file and table of fields."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from filar.exposure import Exposure
from filar.instruments import read_exposures

pytestmark = pytest.mark.shared

NAME = "sdss_frame-r-002583-2-0136.fits.bz2"


@pytest.fixture(scope="module")
def m2(shared: Path) -> Exposure:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (exposure,) = read_exposures(shared / "saturated" / NAME)
    return exposure


def test_facts(m2: Exposure) -> None:
    assert (m2.label, m2.instrument) == ("sdss_frame-r-002583-2-0136[r2]", "SDSS")
    assert m2.shape == (1489, 2048)
    assert m2.gain == pytest.approx(4.6)
    assert m2.saturation == pytest.approx(50631 * 4.6)
    assert m2.time is not None
    assert m2.time.isot[:19] == "2001-09-20T06:24:09"
    assert m2.meta["quality"] == "sdss_fpM-002583-r2-0136.fit"


def test_noise_is_what_sky_and_detector_make(m2: Exposure) -> None:
    corner = np.s_[40:240, 1700:1900]
    pixels = m2.data[corner][~maximum_filter(m2.unusable, 5)[corner]].astype(float)
    low = pixels[pixels <= np.median(pixels)]  # the fainter half: no stars
    expected = np.sqrt(np.median(pixels) + m2.read_noise**2)
    assert 1.4826 * np.median(np.median(pixels) - low) == pytest.approx(expected, rel=0.06)


def test_mask_lies_on_the_saturated_stars(m2: Exposure) -> None:
    assert m2.saturated.sum() == 6703
    assert m2.data[~m2.saturated].max() < m2.saturation
    # The brightest star bleeds over more than a hundred rows of about five columns.
    assert m2.saturated[1295:1404, 754].all()
    assert not m2.saturated[1290, 745:765].any()
    # Beside the span of a saturated star the light is brightest where the span is.
    rows = m2.data[1295:1404, 747].astype(float)
    assert abs(int(rows.argmax()) + 1295 - 1340) <= 4
    for dy in (-3, 3):
        shifted = np.roll(m2.saturated, dy, axis=0)
        assert np.sort(m2.data[~shifted])[-50] > np.sort(m2.data[~m2.saturated])[-50]


def test_without_its_companions(shared: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(shared / "saturated" / NAME, tmp_path))
    with pytest.warns(UserWarning, match="saturated stars look like fainter ones"):
        (exposure,) = read_exposures(path)
    assert exposure.gain == pytest.approx(4.6)
    assert exposure.saturation == np.inf
    assert not exposure.unusable.any()
