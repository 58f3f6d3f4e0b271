"""The real cutout of one of Kepler's full-frame images."""

from pathlib import Path

import numpy as np
import pytest

from filar.errors import InputFileError
from filar.instruments import read_exposures
from filar.instruments.ceiling import find_ceiling

pytestmark = pytest.mark.shared


def test_cutout(shared: Path) -> None:
    with pytest.warns(UserWarning, match="are taken for saturated"):
        (exposure,) = read_exposures(shared / "saturated" / "kplr-ffi_ch01_test.fits")
    assert exposure.chip == "MOD.OUT 2.1"
    assert exposure.exposure_time == pytest.approx(1625.35, abs=0.01)
    assert exposure.time is not None
    assert exposure.time.isot[:16] == "2009-04-24T17:19"
    # One star with two columns of full pixels, near x = 181, y = 51.
    rows, columns = np.nonzero(exposure.saturated)
    assert set(columns) <= {181, 182}
    assert set(rows) <= set(range(48, 56))
    assert exposure.edge[:19].all()
    assert exposure.edge[:, :11].all()
    assert not exposure.edge[25:, 20:].any()
    assert 1.5e5 < exposure.saturation / exposure.exposure_time < 2.0e5


def test_target_pixels_are_no_image(shared: Path) -> None:
    with pytest.raises(InputFileError, match="no image in electrons/s"):
        read_exposures(shared / "undersampled" / "kepler_tpf_kic6804648_q10_1000cad.fits")


def test_levels_of_wfpc2_without_its_quality_file(shared: Path) -> None:
    for exposure in read_exposures(shared / "wfpc2" / "u40x010hm_c0f.fits"):
        level = find_ceiling(exposure.data, exposure.mask)
        assert level is not None
        assert 0.9 < level / exposure.saturation < 1.0


def test_images_without_full_pixels(shared: Path) -> None:
    for name in ("dolphot/img1.fits", "undersampled/spitzer_example_image.fits"):
        from astropy.io import fits

        assert find_ceiling(fits.getdata(shared / name)) is None
