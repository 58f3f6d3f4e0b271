from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.time import Time
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from filar import catalog
from filar.errors import ParameterError
from filar.flags import Flag

from .catalog_samples import make_exposure, make_stars


def test_columns_have_the_registry_s_order_units_types_and_descriptions():
    table = catalog.build_catalog(make_exposure(), *make_stars())
    assert table.colnames == [c.name for c in catalog.COLUMNS]
    for column in catalog.COLUMNS:
        info = table[column.name].info
        assert str(info.unit or "") == (u.Unit(column.unit).to_string() if column.unit else "")
        assert info.dtype.kind == "U" if column.dtype == "str" else info.dtype == column.dtype
        assert info.description
    assert table["x_fit"].unit == u.pix
    assert table["flux_fit"].unit == u.electron


def test_values_and_derived_columns():
    found, fitted = make_stars(5)
    table = catalog.build_catalog(make_exposure(), found, fitted, method="psf-fit")
    assert list(table["id"]) == [1, 2, 3, 4, 5]
    assert set(table["method"]) == {"psf-fit"}
    np.testing.assert_allclose(table["mag"].value, -2.5 * np.log10(fitted.flux))
    np.testing.assert_allclose(table["mag_err"].value, 1.0857362 / np.sqrt(fitted.flux), rtol=1e-6)
    np.testing.assert_allclose(table["snr"], np.sqrt(fitted.flux))
    assert np.isnan(table["ra"]).all()
    assert table.meta["exposures"][0]["n_stars"] == 5


def test_flags_of_all_steps_are_joined_and_a_negative_flux_has_no_magnitude():
    found, fitted = make_stars(3)
    fitted = replace(fitted, flags=np.array([Flag.SATURATED, 0, 0], np.int32))
    found.flags[0] = Flag.NEIGHBOUR
    fitted.flux[1] = -5.0
    fitted.flux[2] = np.nan
    extra = np.array([0, 0, Flag.EXTENDED], np.int32)
    table = catalog.build_catalog(make_exposure(), found, fitted, flags=extra)
    assert list(table["flags"]) == [
        Flag.NEIGHBOUR | Flag.SATURATED,
        Flag.NON_POSITIVE,
        Flag.EXTENDED,
    ]
    assert np.isnan(table["mag"][1:]).all()
    assert np.isnan(table["mag_err"][1:]).all()


def test_no_stars_give_an_empty_table():
    table = catalog.build_catalog(make_exposure(), *make_stars(0))
    assert len(table) == 0
    assert table["x_fit"].unit == u.pix


def test_zero_points_of_wfpc2_f555w():
    # One DN per second: 22.545 VEGAMAG (HST Data Handbook for WFPC2, PC, gain 7); a Vega-like
    # star has nearly equal ST, AB and Vega magnitudes near the V band.
    exposure = make_exposure()
    rate = 2.5 * np.log10(7.0 * 100.0)
    assert catalog.zero_point(exposure, "vega") == pytest.approx(22.545 + rate)
    assert catalog.zero_point(exposure, "st") == pytest.approx(22.545 + rate, abs=0.05)
    assert catalog.zero_point(exposure, "ab") == pytest.approx(22.545 + rate, abs=0.05)
    assert catalog.zero_point(exposure) == 0


def test_ab_magnitude_of_a_flat_spectrum():
    # f_nu = 3631 Jy at the pivot wavelength is 0 ABMAG by definition.
    exposure = make_exposure()
    f_nu = 3631e-23
    f_lambda = f_nu * 2.99792458e18 / exposure.photplam**2
    electrons = f_lambda / exposure.photflam * exposure.gain * exposure.exposure_time
    mag, _ = catalog.magnitudes(
        np.array([electrons]), np.array([1.0]), catalog.zero_point(exposure, "ab")
    )
    assert mag[0] == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("missing", ["photflam", "photplam", "exposure_time"])
def test_unknown_calibration_gives_nan(missing):
    exposure = make_exposure(**{missing: np.nan})
    assert np.isnan(catalog.zero_point(exposure, "ab"))
    mag, mag_err = catalog.magnitudes(np.array([10.0]), np.array([1.0]), np.nan)
    assert np.isnan(mag).all()
    assert np.isnan(mag_err).all()


def test_unknown_system_is_refused():
    with pytest.raises(ParameterError, match="instrumental, vega, st, ab"):
        catalog.zero_point(make_exposure(), "johnson")


def test_sky_positions_count_pixels_from_zero():
    wcs = WCS(naxis=2)
    wcs.wcs.crpix = [1, 1]
    wcs.wcs.crval = [200.0, -47.0]
    wcs.wcs.cdelt = [-1e-4, 1e-4]
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    ra, dec = catalog.sky_positions(
        make_exposure(wcs=wcs), np.array([0.0, np.nan, 10.0]), np.array([0.0, 1.0, 0.0])
    )
    assert (ra[0], dec[0]) == pytest.approx((200.0, -47.0))
    assert np.isnan(ra[1])
    assert np.isnan(dec[1])
    assert ra[2] < 200


@given(st.floats(1e-3, 1e9), st.floats(-30, 30))
def test_magnitudes_invert(flux, zero):
    mag, _ = catalog.magnitudes(np.array([flux]), np.array([1.0]), zero)
    assert 10 ** (-0.4 * (mag[0] - zero)) == pytest.approx(flux, rel=1e-9)


def test_the_registry_documents_every_column():
    text = catalog.columns_table()
    assert all(f"`{c.name}`" in text and c.description in text for c in catalog.COLUMNS)


def test_middle_of_an_exposure_in_its_facts():
    start = Time("2020-01-01T00:00:00", scale="utc")
    facts = catalog.exposure_facts(make_exposure(time=start, exposure_time=90.0))
    assert facts["mid_time"] == "2020-01-01T00:00:45.000"
    facts = catalog.exposure_facts(make_exposure(time=start, exposure_time=np.nan))
    assert facts["mid_time"] == "2020-01-01T00:00:00.000"
    assert catalog.exposure_facts(make_exposure())["mid_time"] == ""
