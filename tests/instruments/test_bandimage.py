"""Images of one band: units, zero points, missing data, and what a file must say."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.errors import InputFileError, ParameterError
from filar.instruments.bandimage import BandOptions, read_band_image
from filar.instruments.vega import vega_zero_point
from tests.instruments.bandfiles import PHOT, sky_grid, write_band

RATE = np.random.default_rng(1).normal(0.02, 0.01, (40, 50)).astype(np.float32)


def test_a_drizzled_image_is_read_as_it_is(tmp_path: Path) -> None:
    path = write_band(tmp_path / "m83_f336w_drc.fits", RATE, wcs=sky_grid(RATE.shape))
    image = read_band_image(path)
    np.testing.assert_array_equal(image.rate, RATE)
    assert (image.filter, image.instrument, image.exposure_time) == ("F336W", "WFC3", 1000.0)
    assert image.zero_point == vega_zero_point("WFC3", "F336W", *PHOT["F336W"])
    assert image.pixel_scale == pytest.approx(0.04, rel=1e-6)
    assert image.meta["target"] == "M83"


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("ELECTRONS/S", 1.0),
        ("electron / s", 1.0),
        ("E-/S", 1.0),
        ("electron s-1", 1.0),
        ("ELECTRONS", 1e-3),
        ("COUNTS/S", 1.5),
        ("CPS", 1.5),
        ("DN", 1.5e-3),
    ],
)
def test_units_become_electrons_per_second(tmp_path: Path, unit: str, factor: float) -> None:
    path = write_band(tmp_path / "a.fits", RATE, changed={"BUNIT": unit})
    image = read_band_image(path, BandOptions(gain=1.5))
    np.testing.assert_allclose(image.rate, factor * RATE, rtol=1e-6)
    # A star's magnitude does not depend on how the file counts its light.
    counts_per_electron = 1.0 if factor in (1.0, 1e-3) else 1 / 1.5
    expected = vega_zero_point("WFC3", "F336W", *PHOT["F336W"])
    assert image.zero_point == pytest.approx(expected - 2.5 * np.log10(counts_per_electron))


def test_pixels_without_weight_are_unusable(tmp_path: Path) -> None:
    weight = np.ones(RATE.shape)
    weight[:5], weight[20, 30] = 0, np.nan
    rate = RATE.copy()
    rate[10, 10] = np.inf
    bad = np.isnan(read_band_image(write_band(tmp_path / "a.fits", rate, weight=weight)).rate)
    assert bad[:5].all()
    assert bad[20, 30]
    assert bad[10, 10]
    assert bad.sum() == 5 * RATE.shape[1] + 2


def test_squares_of_zeros_are_no_data_but_single_zeros_are_sky(tmp_path: Path) -> None:
    rate = RATE.copy()
    rate[:, :8], rate[20, 30], rate[10:14, 20:24] = 0, 0, 0
    bad = np.isnan(read_band_image(write_band(tmp_path / "a.fits", rate)).rate)
    assert bad[:, :8].all()
    assert bad.sum() == 8 * len(RATE)


def test_a_cut_out_of_a_mosaic_has_its_filter_in_photmode(tmp_path: Path) -> None:
    hdu = fits.PrimaryHDU(RATE)
    hdu.header.update({"BUNIT": "ELECTRONS/S", "PHOTMODE": "ACS WFC1 F475W MJD#55560.2457"})
    hdu.header.update({"PHOTFLAM": 1.8267533e-19, "PHOTPLAM": 4745.6})
    hdu.writeto(tmp_path / "a.fits")
    with pytest.raises(InputFileError, match="--exptime"):
        read_band_image(tmp_path / "a.fits")
    image = read_band_image(tmp_path / "a.fits", BandOptions(exposure_time=1860.0))
    assert (image.filter, image.instrument) == ("F475W", "ACS")
    assert image.zero_point == pytest.approx(26.16, abs=0.02)  # Sirianni et al. (2005), updated
    assert np.isnan(image.pixel_scale)


@pytest.mark.parametrize(
    ("dropped", "changed", "message"),
    [
        (("FILTER",), {}, "--filter"),
        (("EXPTIME",), {}, "--exptime"),
        (("BUNIT",), {}, "--unit"),
        ((), {"BUNIT": "JY"}, "'JY'"),
        ((), {"BUNIT": "DN"}, "--gain"),
        (("PHOTFLAM",), {}, "--zero-point"),
        ((), {"FILTER": "F999W"}, "F999W"),
        ((), {"INSTRUME": "OTHER"}, "OTHER F336W"),
    ],
)
def test_what_a_header_lacks_is_asked_for(
    tmp_path: Path, dropped: tuple[str, ...], changed: dict[str, str], message: str
) -> None:
    path = write_band(tmp_path / "a.fits", RATE, dropped=dropped, changed=changed)
    with pytest.raises(InputFileError, match=message):
        read_band_image(path)


def test_options_take_the_place_of_the_header(tmp_path: Path) -> None:
    path = write_band(tmp_path / "a.fits", RATE, dropped=("FILTER", "EXPTIME", "BUNIT", "PHOTFLAM"))
    options = BandOptions(
        filter="F999W", exposure_time=10.0, unit="electrons", zero_point=24.0, pixel_scale=0.05
    )
    image = read_band_image(path, options)
    assert (image.filter, image.zero_point, image.pixel_scale) == ("F999W", 24.0, 0.05)
    np.testing.assert_allclose(image.rate, RATE / 10, rtol=1e-6)


def test_files_without_a_usable_image_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        read_band_image(tmp_path / "absent.fits")
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    with pytest.raises(InputFileError, match="no image"):
        read_band_image(tmp_path / "empty.fits")
    with pytest.raises(InputFileError, match="no pixel has data"):
        read_band_image(write_band(tmp_path / "nan.fits", np.full((9, 9), np.nan)))
    with pytest.raises(InputFileError, match="no pixel has data"):
        read_band_image(write_band(tmp_path / "zero.fits", np.zeros((9, 9))))
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(RATE, name="SCI") for _ in range(2))]
    fits.HDUList(hdus).writeto(tmp_path / "flt.fits")
    with pytest.raises(InputFileError, match="2 extensions SCI"):
        read_band_image(tmp_path / "flt.fits")


@pytest.mark.parametrize(
    "given",
    [
        {"exposure_time": -1.0},
        {"gain": 0.0},
        {"pixel_scale": np.inf},
        {"zero_point": np.nan},
        {"unit": "jansky"},
    ],
)
def test_senseless_options_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(given))):
        BandOptions(**given)  # type: ignore[arg-type]
