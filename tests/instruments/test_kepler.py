"""Full-frame images of Kepler, made for the tests."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.errors import InputFileError
from filar.instruments import read_exposures
from filar.simulate.bleeding import bleed
from tests.instruments import files
from tests.instruments.test_ceiling import SHAPE, field

SECONDS = 6.0 * 270
CARDS = {"INT_TIME": 6.0, "NUM_FRM": 270, "NREADOUT": 270, "READNOIS": 80.0, "BUNIT": "electrons/s"}


def full_frame(path: Path, images: dict[str, np.ndarray], **changes: object) -> Path:
    primary = fits.PrimaryHDU()
    primary.header["INSTRUME"] = "Kepler Photometer"
    primary.header["TELESCOP"] = "Kepler"
    hdus: list[object] = [primary]
    for name, image in images.items():
        hdu = fits.ImageHDU(image.astype(np.float32), name=name)
        cards = CARDS | {"MJDSTART": 54945.72162632} | files.wcs_cards(3.98) | changes
        hdu.header.update({key: value for key, value in cards.items() if value is not None})
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)
    return path


def test_rates_become_electrons_of_all_frames(tmp_path: Path) -> None:
    rate = field(1000.0)
    rate[:, :12] = 0.0
    rate[:19] = 0.0
    path = full_frame(tmp_path / "ffi.fits", {"MOD.OUT 2.1": rate})
    (exposure,) = read_exposures(path)
    np.testing.assert_allclose(exposure.data[19:, 12:], rate[19:, 12:] * SECONDS, rtol=1e-6)
    assert exposure.label == "ffi[MOD.OUT 2.1]"
    assert (exposure.instrument, exposure.exposure_time) == ("Kepler", SECONDS)
    assert exposure.read_noise == pytest.approx(80 * np.sqrt(270))
    assert exposure.saturation == np.inf
    assert exposure.time is not None
    edge = np.zeros(SHAPE, bool)
    edge[:19] = edge[:, :12] = True
    np.testing.assert_array_equal(exposure.edge, edge)


def test_full_pixels_are_recognised_or_told(tmp_path: Path) -> None:
    rate = bleed(field(500_000.0), 60_000.0)
    path = full_frame(tmp_path / "ffi.fits", {"MOD.OUT 2.1": rate})
    with pytest.warns(UserWarning, match=r"above .* are taken for saturated .*--saturation"):
        (exposure,) = read_exposures(path)
    assert 0.85 * 60_000 < exposure.saturation / SECONDS < 60_000
    assert exposure.saturated.sum() >= (rate >= 60_000).sum() > 10
    (exposure,) = read_exposures(path, saturation=1e6 * SECONDS)
    assert not exposure.saturated.any()


def test_outputs_by_name(tmp_path: Path) -> None:
    path = full_frame(
        tmp_path / "ffi.fits", {f"MOD.OUT 2.{k}": field(1000.0, seed=k) for k in (1, 2)}
    )
    assert [e.chip for e in read_exposures(path)] == ["MOD.OUT 2.1", "MOD.OUT 2.2"]
    assert [e.chip for e in read_exposures(path, chips="2.2")] == ["MOD.OUT 2.2"]
    with pytest.raises(InputFileError, match="none of the chips"):
        read_exposures(path, chips="3.1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"INT_TIME": None}, "no exposure time"),
        ({"READNOIS": None}, "no read noise"),
        ({"BUNIT": None}, "no image in electrons/s"),
    ],
)
def test_incomplete_headers(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = full_frame(tmp_path / "ffi.fits", {"MOD.OUT 2.1": field(1000.0)}, **changes)
    with pytest.raises(InputFileError, match=message):
        read_exposures(path)


def test_exposure_in_days(tmp_path: Path) -> None:
    changes = {"INT_TIME": None, "EXPOSURE": 0.02}
    path = full_frame(tmp_path / "ffi.fits", {"MOD.OUT 2.1": field(1000.0)}, **changes)
    assert read_exposures(path)[0].exposure_time == pytest.approx(1728.0)
