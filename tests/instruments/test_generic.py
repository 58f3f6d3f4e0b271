from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.errors import InputFileError, ParameterError
from filar.instruments import read_exposures
from filar.instruments.options import ReadOptions
from tests.instruments import files


@pytest.mark.parametrize("gain", ["GAIN", "EGAIN", "ATODGAIN", "CCDGAIN"])
@pytest.mark.parametrize("noise", ["RDNOISE", "READNOI", "READNSE"])
def test_common_keywords(tmp_path: Path, gain: str, noise: str) -> None:
    cards = {
        gain: 2.0,
        noise: 4.0,
        "SATURATE": 15.0,
        "EXPTIME": "30",
        "FILTER": "V",
        "DATE-OBS": "2020-01-02T03:04:05",
        "INSTRUME": "Camera",
        "OBJECT": "M 13",
    } | files.wcs_cards(0.6)
    (exposure,) = read_exposures(files.image(tmp_path / "m13.fits", files.pixels(), **cards))
    np.testing.assert_allclose(exposure.data, files.pixels() * 2, rtol=1e-6)
    assert (exposure.gain, exposure.read_noise, exposure.saturation) == (2, 4, 30)
    np.testing.assert_array_equal(exposure.saturated, exposure.data >= 30)
    assert exposure.saturated.any()
    assert (exposure.exposure_time, exposure.filter) == (30, "V")
    assert (exposure.instrument, exposure.chip, exposure.name) == ("Camera", "", "m13")
    assert exposure.time.isot == "2020-01-02T03:04:05.000"
    assert exposure.pixel_scale == pytest.approx(0.6)
    assert exposure.meta["target"] == "M 13"


def test_electrons_per_count_wins_over_the_amplifiers_setting(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(), GAIN=120, EGAIN=0.8, RDNOISE=2.0)
    assert read_exposures(path)[0].gain == 0.8


def test_missing_gain_and_read_noise_are_asked_for(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels())
    with pytest.raises(InputFileError, match=r"a.fits: no gain;.*--gain"):
        read_exposures(path)
    with pytest.raises(InputFileError, match=r"no read noise;.*--read-noise"):
        read_exposures(path, gain=2)
    assert read_exposures(path, gain=2, read_noise=0)[0].read_noise == 0


@pytest.mark.parametrize("value", [0, -3.0, "unknown", True])
def test_senseless_gain_counts_as_missing(tmp_path: Path, value: object) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(), GAIN=value, RDNOISE=1.0)
    with pytest.raises(InputFileError, match="--gain"):
        read_exposures(path)


def test_unknown_stays_unknown(tmp_path: Path) -> None:
    (exposure,) = read_exposures(
        files.image(tmp_path / "a.fits", files.pixels()), gain=1, read_noise=1
    )
    assert exposure.saturation == np.inf
    assert np.isnan([exposure.exposure_time, exposure.pixel_scale, exposure.photflam]).all()
    assert exposure.time is None
    assert exposure.wcs is None
    assert exposure.filter == ""


def test_rates_need_an_exposure_time(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(), BUNIT="electron / s", RDNOISE=1.0)
    with pytest.raises(InputFileError, match="--exptime"):
        read_exposures(path)
    (exposure,) = read_exposures(path, exposure_time=10)
    np.testing.assert_allclose(exposure.data, files.pixels() * 10, rtol=1e-6)
    assert exposure.exposure_time == 10


def test_nan_and_infinity_are_masked(tmp_path: Path) -> None:
    data = files.pixels()
    data[2, 3], data[4, 5] = np.nan, np.inf
    path = files.image(tmp_path / "a.fits", data)
    (exposure,) = read_exposures(path, gain=1, read_noise=1)
    assert np.argwhere(exposure.mask).tolist() == [[2, 3], [4, 5]]
    assert np.isfinite(exposure.data).all()
    assert exposure.data[2, 3] == exposure.data[4, 5] == 0


def test_scaled_integers_and_blank(tmp_path: Path) -> None:
    hdu = fits.PrimaryHDU(np.arange(12, dtype=np.int16).reshape(3, 4))
    hdu.header["BSCALE"], hdu.header["BZERO"], hdu.header["BLANK"] = 2.0, 100.0, 5
    hdu.data = hdu.data * 1
    hdu.writeto(tmp_path / "a.fits")
    (exposure,) = read_exposures(tmp_path / "a.fits", gain=1, read_noise=1)
    assert exposure.data.dtype == np.float32


def test_first_image_or_the_extension_that_is_named(tmp_path: Path) -> None:
    one, two = files.pixels(seed=1), files.pixels(seed=2)
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(one, name="A"), fits.ImageHDU(two, name="B")]
    ).writeto(tmp_path / "a.fits")
    known = {"gain": 1, "read_noise": 1}
    np.testing.assert_array_equal(read_exposures(tmp_path / "a.fits", **known)[0].data, one)
    for hdu in (2, "B", "b"):
        (exposure,) = read_exposures(tmp_path / "a.fits", hdu=hdu, **known)
        np.testing.assert_array_equal(exposure.data, two)
    with pytest.raises(InputFileError, match=r"no extension 7.*0 PRIMARY, 1 A, 2 B"):
        read_exposures(tmp_path / "a.fits", hdu=7, **known)


def test_an_image_has_no_chips(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels())
    with pytest.raises(InputFileError, match="none of the chips"):
        read_exposures(path, gain=1, read_noise=1, chips="PC")


def test_axis_of_length_one_is_no_axis(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels()[np.newaxis])
    assert read_exposures(path, gain=1, read_noise=1)[0].shape == files.SHAPE


@pytest.mark.parametrize("shape", [(50,), (3, 20, 20), (2, 2, 2, 8, 8), (1, 20)])
def test_wrong_shapes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(shape))
    with pytest.raises(InputFileError, match=r"extension 0 has the shape.*two-dimensional"):
        read_exposures(path, gain=1, read_noise=1)


def test_table_alone_is_no_image(tmp_path: Path) -> None:
    fits.HDUList([fits.PrimaryHDU(), files.group_table(2)]).writeto(tmp_path / "a.fits")
    with pytest.raises(InputFileError, match="no image"):
        read_exposures(tmp_path / "a.fits", gain=1, read_noise=1)
    with pytest.raises(InputFileError, match="holds no image"):
        read_exposures(tmp_path / "a.fits", gain=1, read_noise=1, hdu=1)


def test_all_nan_and_all_saturated(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", np.full(files.SHAPE, np.nan, np.float32))
    with pytest.raises(InputFileError, match="every pixel is NaN"):
        read_exposures(path, gain=1, read_noise=1)
    path = files.image(tmp_path / "a.fits", files.pixels())
    with pytest.raises(InputFileError, match="every pixel is masked or saturated"):
        read_exposures(path, gain=1, read_noise=1, saturation=1e-6)


@pytest.mark.parametrize(
    "option",
    [{"gain": 0}, {"gain": np.nan}, {"read_noise": -1}, {"saturation": 0}, {"exposure_time": -5}],
)
def test_senseless_options(tmp_path: Path, option: dict[str, float]) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels())
    with pytest.raises(ParameterError, match=next(iter(option))):
        read_exposures(path, **({"gain": 1, "read_noise": 1} | option))


def test_options_in_one_and_by_name(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(), GAIN=1.0)
    options = ReadOptions(gain=2, read_noise=3)
    assert read_exposures(path, options)[0].gain == 2
    assert read_exposures(path, options, gain=4)[0].gain == 4
    assert read_exposures(path, options, gain=4)[0].read_noise == 3


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"DATE-OBS": "31/12/94", "TIME-OBS": "23:00:00"}, "1994-12-31T23:00:00"),
        ({"DATE-OBS": "1999-02-20", "TIME-OBS": "19:02:53"}, "1999-02-20T19:02:53"),
        ({"MJD-OBS": 52000.0}, "2001-04-01T00:00:00"),
        ({"DATE-OBS": "long ago"}, ""),
    ],
)
def test_forms_of_the_time(tmp_path: Path, cards: dict[str, object], expected: str) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(), **cards)
    time = read_exposures(path, gain=1, read_noise=1)[0].time
    assert ("" if time is None else time.isot[:19]) == expected


@pytest.mark.parametrize(
    ("given", "name"), [("g", "g"), ("R", "R"), ("Rc", "Rc"), ("f606w", "F606W"), ("n/a", "")]
)
def test_short_names_of_filters_keep_their_case(tmp_path: Path, given: str, name: str) -> None:
    cards = {"GAIN": 2.0, "RDNOISE": 4.0, "FILTER": given}
    (exposure,) = read_exposures(files.image(tmp_path / "a.fits", files.pixels(), **cards))
    assert exposure.filter == name
