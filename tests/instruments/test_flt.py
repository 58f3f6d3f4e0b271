"""ACS and WFC3 share a layout, so they share these tests."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.errors import InputFileError
from filar.instruments import acs, read_exposures, wfc3
from tests.instruments import files

CCD = {
    "EXPTIME": 350.0,
    "EXPSTART": 55000.5,
    "CCDAMP": "ABCD",
    "CCDGAIN": 2.0,
    "READNSEA": 4.0,
    "READNSEB": 4.2,
    "READNSEC": 3.0,
    "READNSED": 3.2,
    "PROPOSID": 10775,
    "ROOTNAME": "j9l9",
}
WFC = CCD | {
    "INSTRUME": "ACS",
    "DETECTOR": "WFC",
    "FILTER1": "CLEAR1L",
    "FILTER2": "F814W",
    "PHOTFLAM": 7e-20,
}
UVIS = CCD | {"INSTRUME": "WFC3", "DETECTOR": "UVIS", "FILTER": "F438W"}
IR = CCD | {"INSTRUME": "WFC3", "DETECTOR": "IR", "FILTER": "F160W", "CCDGAIN": 2.5}


def two_chips(path: Path, cards: dict[str, object], **options: object) -> Path:
    chips = {2: files.pixels(seed=2), 1: files.pixels(seed=1)}
    quality = {chip: np.zeros(files.SHAPE, np.int16) for chip in chips}
    return files.flt(path, primary=cards, chips=chips, **({"quality": quality} | options))


@pytest.mark.parametrize(
    ("cards", "names", "instrument", "filter_name"),
    [
        (WFC, ["WFC2", "WFC1"], "ACS", "F814W"),
        (UVIS, ["UVIS2", "UVIS1"], "WFC3", "F438W"),
    ],
)
def test_two_chips_in_electrons(
    tmp_path: Path,
    cards: dict[str, object],
    names: list[str],
    instrument: str,
    filter_name: str,
) -> None:
    second, first = read_exposures(two_chips(tmp_path / "j9l9_flc.fits", cards))
    assert [second.chip, first.chip] == names
    np.testing.assert_array_equal(first.data, files.pixels(seed=1))
    assert first.read_noise == pytest.approx(4.1)
    assert second.read_noise == pytest.approx(3.1)
    assert first.gain == 1  # its counts are electrons, as those of PHOTFLAM
    assert (first.instrument, first.filter, first.name) == (instrument, filter_name, "j9l9")
    assert first.exposure_time == 350
    assert first.time.mjd == pytest.approx(55000.5)
    assert first.pixel_scale == pytest.approx(0.05)
    ra, dec = first.wcs.pixel_to_world_values(10, 20)
    assert (float(ra), float(dec)) == pytest.approx((150, 2), abs=1e-9)
    assert first.meta["gain_setting"] == 2


def test_rates_are_multiplied_by_the_exposure_time(tmp_path: Path) -> None:
    path = files.flt(
        tmp_path / "i_flt.fits",
        primary=IR,
        chips={1: files.pixels()},
        quality={1: np.zeros(files.SHAPE, np.int16)},
        units="ELECTRONS/S",
    )
    (exposure,) = read_exposures(path)
    np.testing.assert_allclose(exposure.data, files.pixels() * 350, rtol=1e-6)
    assert (exposure.chip, exposure.filter) == ("IR", "F160W")
    assert exposure.read_noise == pytest.approx(3.6)


@pytest.mark.parametrize(
    ("cards", "table", "saturating"),
    [
        (WFC, acs.QUALITY_BITS, {256, 2048}),
        (UVIS, wfc3.UVIS_QUALITY_BITS, {256, 2048}),
        (IR, wfc3.IR_QUALITY_BITS, {256}),
    ],
)
def test_quality_bits(
    tmp_path: Path,
    cards: dict[str, object],
    table: dict[int, tuple[str, bool]],
    saturating: set[int],
) -> None:
    quality = np.zeros(files.SHAPE, np.int16)
    for column, bit in enumerate(table):
        quality[4, column] = bit
    path = files.flt(
        tmp_path / "x_flt.fits", primary=cards, chips={1: files.pixels()}, quality={1: quality}
    )
    (exposure,) = read_exposures(path)
    for column, (bit, (_, masks)) in enumerate(table.items()):
        assert exposure.mask[4, column] == masks, bit
        assert exposure.saturated[4, column] == (bit in saturating), bit
        assert not (masks and bit in saturating)
    assert exposure.mask.sum() == sum(masks for _, masks in table.values())


def test_highest_bit_of_a_16_bit_file_is_no_sign(tmp_path: Path) -> None:
    quality = np.full(files.SHAPE, -32768, np.int16)  # bit 32768 alone
    path = files.flt(
        tmp_path / "x_flt.fits", primary=WFC, chips={1: files.pixels()}, quality={1: quality}
    )
    assert not read_exposures(path)[0].unusable.any()


def test_photon_counting_detector_needs_no_gain_or_noise(tmp_path: Path) -> None:
    cards = {"INSTRUME": "ACS", "DETECTOR": "SBC", "FILTER1": "F150LP", "EXPTIME": 100.0}
    path = files.flt(
        tmp_path / "x_flt.fits",
        primary=cards,
        chips={1: files.pixels()},
        quality={1: np.zeros(files.SHAPE, np.int16)},
        units="COUNTS",
    )
    (exposure,) = read_exposures(path)
    assert (exposure.gain, exposure.read_noise, exposure.chip) == (1, 0, "SBC")
    assert exposure.saturation == np.inf


def test_missing_quality_is_a_warning_and_the_full_well_decides(tmp_path: Path) -> None:
    data = files.pixels()
    data[3, 4] = 1e5
    path = files.flt(tmp_path / "x_flt.fits", primary=WFC, chips={1: data})
    with pytest.warns(UserWarning, match="no DQ extension"):
        (exposure,) = read_exposures(path)
    assert np.argwhere(exposure.saturated).tolist() == [[3, 4]]


def test_quality_extension_without_data_means_all_good(tmp_path: Path) -> None:
    path = files.flt(tmp_path / "x_flt.fits", primary=WFC, chips={1: files.pixels()}, quality={})
    assert not read_exposures(path)[0].unusable.any()


def test_quality_extension_of_another_shape(tmp_path: Path) -> None:
    path = files.flt(
        tmp_path / "x_flt.fits",
        primary=WFC,
        chips={1: files.pixels()},
        quality={1: np.zeros((5, 6), np.int16)},
    )
    with pytest.raises(InputFileError, match=r"DQ extension 1 has the shape \(5, 6\)"):
        read_exposures(path)


def test_missing_read_noise_asks_for_it(tmp_path: Path) -> None:
    cards = {key: value for key, value in WFC.items() if not key.startswith("READNSE")}
    path = two_chips(tmp_path / "x_flt.fits", cards)
    with pytest.raises(InputFileError, match="--read-noise"):
        read_exposures(path)
    assert read_exposures(path, read_noise=5)[0].read_noise == 5


def test_chips_by_name(tmp_path: Path) -> None:
    path = two_chips(tmp_path / "x_flt.fits", WFC)
    assert [e.chip for e in read_exposures(path, chips=["wfc1"])] == ["WFC1"]
    with pytest.raises(InputFileError, match=r"none of the chips asked for \(PC\)"):
        read_exposures(path, chips=["PC"])


def test_unknown_detector(tmp_path: Path) -> None:
    path = two_chips(tmp_path / "x_flt.fits", WFC | {"DETECTOR": "NEW"})
    with pytest.raises(InputFileError, match="DETECTOR = 'NEW'"):
        read_exposures(path)


def test_drizzled_image_of_the_camera_is_read_as_an_image(tmp_path: Path) -> None:
    path = tmp_path / "x_drz.fits"
    files.image(path, files.pixels(), **WFC, BUNIT="ELECTRONS/S")
    exposure = read_exposures(path, read_noise=5)[0]
    np.testing.assert_allclose(exposure.data, files.pixels() * 350, rtol=1e-6)
    assert exposure.read_noise == 5
    assert exposure.filter == "F814W"
    assert fits.getval(path, "INSTRUME") == exposure.instrument
