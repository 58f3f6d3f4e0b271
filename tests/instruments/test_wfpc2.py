import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.errors import InputFileError
from filar.instruments import read_exposures, wfpc2_edge
from filar.instruments.wfpc2_facts import (
    CHIPS,
    GAINS,
    MASK_BITS,
    QUALITY_BITS,
    READ_NOISES,
    SATURATED_BIT,
    VEGA_ZEROPOINTS,
    vega_zeropoint,
)
from tests.instruments import files

CUBE = (4, *files.SHAPE)


def test_each_chip_of_a_cube_has_its_own_gain_noise_wcs_and_photometry(tmp_path: Path) -> None:
    data = files.pixels(CUBE)
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", data)
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", np.zeros(CUBE, np.int16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exposures = read_exposures(tmp_path / "u4_c0f.fits")
    assert [exposure.chip for exposure in exposures] == list(CHIPS)
    for number, exposure in enumerate(exposures):
        gain = GAINS[7][exposure.chip]
        np.testing.assert_allclose(exposure.data, data[number] * gain, rtol=1e-6)
        assert exposure.gain == gain
        assert exposure.read_noise == READ_NOISES[7][exposure.chip]
        assert exposure.saturation == pytest.approx((4095 - 295) * gain)
        assert exposure.photflam == pytest.approx((1 + number) * 1e-18)
        ra, dec = exposure.wcs.pixel_to_world_values(10, 20)  # CRPIX counts from 1
        assert float(ra) == pytest.approx(150 + number, abs=1e-9)
        assert float(dec) == pytest.approx(2, abs=1e-9)
        assert exposure.filter == "F555W"
        assert exposure.exposure_time == 100
        assert exposure.time.isot.startswith("1997-06-13T11:30:14")
        assert exposure.name == "u4"
        assert exposure.instrument == "WFPC2"
        assert exposure.meta["quality"] == "u4_c1f.fits"
        assert exposure.meta["programme"] == 6941
        assert not exposure.unusable.any()


def test_data_are_native_float32(tmp_path: Path) -> None:
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    with pytest.warns(UserWarning, match="no quality file"):
        exposure = read_exposures(tmp_path / "u4_c0f.fits")[0]
    assert exposure.data.dtype == np.float32
    assert exposure.data.dtype.isnative


@pytest.mark.parametrize("bit", sorted(QUALITY_BITS))
def test_each_quality_bit_does_what_the_table_says(tmp_path: Path, bit: int) -> None:
    quality = np.zeros(CUBE, np.int16)
    quality[1, 5, 7] = bit
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", quality)
    exposure = read_exposures(tmp_path / "u4_c0f.fits", chips="WF2")[0]
    masks = QUALITY_BITS[bit][1]
    assert exposure.mask.sum() == exposure.mask[5, 7] == masks
    assert exposure.saturated.sum() == exposure.saturated[5, 7] == (bit == SATURATED_BIT)
    assert (exposure.data[5, 7] == 0) == masks


def test_no_bit_both_masks_and_saturates() -> None:
    assert not MASK_BITS & SATURATED_BIT


def test_without_quality_file_the_level_decides_and_a_warning_says_so(tmp_path: Path) -> None:
    data = files.pixels(CUBE)
    data[0, 3, 4] = 4095 - 295
    data[0, 3, 6] = 3000
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", data)
    with pytest.warns(UserWarning, match=r"no quality file u4_c1f.fits"):
        exposure = read_exposures(tmp_path / "u4_c0f.fits")[0]
    assert np.argwhere(exposure.saturated).tolist() == [[3, 4]]
    assert exposure.meta["quality"] == ""


def test_charge_beyond_the_ends_of_a_bleed_trail_counts_as_saturated(tmp_path: Path) -> None:
    quality = np.zeros(CUBE, np.int16)
    quality[0, 10:20, 5] = 8
    quality[0, 10:13, 25] = 8
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", quality)
    saturated = read_exposures(tmp_path / "u4_c0f.fits")[0].saturated
    assert np.flatnonzero(saturated[:, 5]).tolist() == list(range(9, 21))
    assert np.flatnonzero(saturated[:, 25]).tolist() == [10, 11, 12]
    assert saturated.sum() == 15


def test_quality_file_of_another_shape_is_ignored_with_a_warning(tmp_path: Path) -> None:
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", np.zeros((4, 8, 9), np.int16))
    with pytest.warns(UserWarning, match=r"u4_c1f.fits.*shape \(8, 9\).*ignored"):
        exposures = read_exposures(tmp_path / "u4_c0f.fits")
    assert not exposures[0].mask.any()


def test_named_quality_file_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    files.wfpc2_cube(tmp_path / "other.fits", np.zeros((4, 8, 9), np.int16))
    with pytest.raises(InputFileError, match=r"other.fits.*shape"):
        read_exposures(tmp_path / "u4_c0f.fits", quality=tmp_path / "other.fits")


def test_group_table_in_a_file_beside(tmp_path: Path) -> None:
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE), table=False)
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", np.zeros(CUBE, np.int16), table=False)
    fits.HDUList([fits.PrimaryHDU(), files.group_table(4)]).writeto(
        tmp_path / "u4_c0h_grouptable.fits"
    )
    exposures = read_exposures(tmp_path / "u4_c0f.fits")
    assert [round(float(e.wcs.wcs.crval[0])) for e in exposures] == [150, 151, 152, 153]


def test_without_group_table_only_the_first_chip_has_a_wcs(tmp_path: Path) -> None:
    files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE), table=False)
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", np.zeros(CUBE, np.int16), table=False)
    with pytest.warns(UserWarning, match="no group table"):
        exposures = read_exposures(tmp_path / "u4_c0f.fits")
    assert [exposure.wcs is not None for exposure in exposures] == [True, False, False, False]
    assert [exposure.chip for exposure in exposures] == list(CHIPS)
    assert np.isfinite(exposures[0].photflam)
    assert np.isnan(exposures[1].photflam)


def test_science_and_quality_in_one_file(tmp_path: Path) -> None:
    quality = {2: np.zeros(files.SHAPE, np.int16), 4: np.full(files.SHAPE, 0, np.int16)}
    quality[4][2, 3] = 8
    quality[2][2, 3] = 16
    path = files.flt(
        tmp_path / "u4_flt.fits",
        primary=files.WFPC2_CARDS,
        chips={2: files.pixels(), 4: files.pixels()},
        quality=quality,
        keyword="DETECTOR",
        units="COUNTS",
    )
    wf2, wf4 = read_exposures(path)
    assert (wf2.chip, wf4.chip) == ("WF2", "WF4")
    assert np.argwhere(wf2.mask).tolist() == np.argwhere(wf4.saturated).tolist() == [[2, 3]]
    assert not wf2.saturated.any()
    assert wf4.gain == 7.10


def test_atodgain_15_has_its_own_gain_noise_and_zero_point(tmp_path: Path) -> None:
    path = files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    fits.setval(path, "ATODGAIN", value=15.0)
    with pytest.warns(UserWarning):
        exposure = read_exposures(path, chips=["wf3"])[0]
    assert (exposure.gain, exposure.read_noise) == (13.95, 6.99)
    assert exposure.vega_zeropoint == pytest.approx(22.561 - 2.5 * np.log10(2.006))


@pytest.mark.parametrize("value", [None, 3.0])
def test_unknown_gain_setting_asks_for_the_gain(tmp_path: Path, value: float | None) -> None:
    path = files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    with fits.open(path, mode="update") as hdus:
        if value is None:
            del hdus[0].header["ATODGAIN"]
        else:
            hdus[0].header["ATODGAIN"] = value
    with pytest.warns(UserWarning), pytest.raises(InputFileError, match=r"ATODGAIN.*--gain"):
        read_exposures(path)
    with pytest.warns(UserWarning):
        assert read_exposures(path, gain=8)[0].gain == 8


def test_options_take_precedence(tmp_path: Path) -> None:
    path = files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    with pytest.warns(UserWarning):
        exposure = read_exposures(
            path,
            gain=2,
            read_noise=3,
            saturation=25,
            exposure_time=7,
            filter="F814W",
            pixel_scale=0.5,
        )[0]
    assert (exposure.gain, exposure.read_noise, exposure.saturation) == (2, 3, 25)
    assert (exposure.exposure_time, exposure.filter, exposure.pixel_scale) == (7, "F814W", 0.5)
    assert exposure.vega_zeropoint == 21.639
    np.testing.assert_array_equal(exposure.saturated, exposure.data >= 25)


def test_chips_are_chosen_by_name_or_number(tmp_path: Path) -> None:
    path = files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels(CUBE))
    with pytest.warns(UserWarning):
        assert [e.chip for e in read_exposures(path, chips=["PC1", "3"])] == ["PC", "WF3"]
    with pytest.warns(UserWarning), pytest.raises(InputFileError, match="WF5"):
        read_exposures(path, chips=["WF5"])


@pytest.mark.parametrize("shape", [(5, 30, 40), (2, 2, 30, 40), (7,)])
def test_wrong_shapes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = files.image(tmp_path / "u4_c0f.fits", files.pixels(shape), INSTRUME="WFPC2")
    with (
        warnings.catch_warnings(),
        pytest.raises(InputFileError, match=r"shape.*rows, columns"),
    ):
        warnings.simplefilter("ignore")
        read_exposures(path)


def test_one_useless_chip_is_left_out_with_a_warning(tmp_path: Path) -> None:
    data = files.pixels(CUBE)
    data[2] = np.nan
    path = files.wfpc2_cube(tmp_path / "u4_c0f.fits", data)
    files.wfpc2_cube(tmp_path / "u4_c1f.fits", np.zeros(CUBE, np.int16))
    with pytest.warns(UserWarning, match=r"WF3.*every pixel is NaN.*left out"):
        assert [e.chip for e in read_exposures(path)] == ["PC", "WF2", "WF4"]


@pytest.mark.parametrize("chip", CHIPS)
def test_edge_is_the_vignetted_corner_and_the_last_row_and_column(chip: str) -> None:
    edge = wfpc2_edge(chip)
    seen = ~edge
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert seen[rows[0] : 799, columns[0] : 799].all()
    assert seen.sum() == (799 - rows[0]) * (799 - columns[0])
    assert 30 <= columns[0] <= 60
    assert 25 <= rows[0] <= 60


def test_edge_of_binned_and_of_unknown_parts() -> None:
    full, binned = wfpc2_edge("PC"), wfpc2_edge("PC", (400, 400))
    covered = full[:798, :798].reshape(399, 2, 399, 2).any((1, 3))
    assert not (covered & ~binned[:399, :399]).any()
    assert not wfpc2_edge("PC", (200, 200)).any()


def test_zero_points_agree_with_photflam_of_the_real_header() -> None:
    # F555W: VEGAMAG and STMAG agree within some mmag; PHOTFLAM from u40x010hm's header.
    for chip, photflam in zip(CHIPS, (3.483e-18, 3.396e-18, 3.439e-18, 3.507e-18), strict=True):
        st = -2.5 * np.log10(photflam) - 21.1
        assert vega_zeropoint("F555W", chip, 7) == pytest.approx(st, abs=0.003)
    assert np.isnan(vega_zeropoint("F999W", "PC", 7))


@pytest.mark.parametrize("name", VEGA_ZEROPOINTS)
def test_zero_points_of_the_chips_lie_close_together(name: str) -> None:
    assert np.ptp(VEGA_ZEROPOINTS[name]) < 0.2
