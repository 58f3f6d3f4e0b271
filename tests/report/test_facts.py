import numpy as np
import pytest

from filar.flags import Flag
from filar.measure import Settings, measure_exposure
from filar.report import facts
from tests.measure import samples


@pytest.fixture(scope="module")
def measured():
    return measure_exposure(samples.exposure()[0], Settings(psf=samples.psf()))


def test_phases_of_the_chosen_stars_only():
    x = np.array([0.0, 0.1, 5.3])
    chosen = np.array([True, True, False])
    entry = facts.phases_of("any", x, x, np.array([0.1, 0.3, 9.0]), chosen)
    assert entry.n_stars == 2
    assert entry.x.sum() == entry.y.sum() == 2
    assert entry.median_q == pytest.approx(0.2)
    none = facts.phases_of("any", x, x, x, np.zeros(3, bool))
    assert np.isnan(none.median_q)


def test_the_default_psf_stands_beside_any_other(measured):
    given, default = facts.all_phases(measured)
    assert given.n_stars == default.n_stars > 60
    assert default.title == "default PSF"
    assert len(facts.all_phases(measure_exposure(measured.exposure, psf="default"))) == 1


def test_no_default_psf_or_no_star_gives_no_comparison(measured):
    exposure = measured.exposure.replace(instrument="WFPC2", chip="PC", filter="F999X")
    other = measure_exposure(exposure, psf=samples.psf())
    assert facts.default_fits(other, np.ones(len(other.catalog), bool)) is None
    assert facts.default_fits(measured, np.zeros(len(measured.catalog), bool)) is None


def test_the_bound_lies_below_the_errors(measured):
    curve = facts.bound_curve(measured)
    assert (np.diff(curve.mag) < 0).all()
    assert (np.diff(curve.error) < 0).all()
    table = measured.catalog[measured.catalog["snr"] > 20]
    expected = np.interp(-table["mag"].value, -curve.mag, curve.error)
    ratio = table["x_err"].value / expected
    assert 0.9 < np.median(ratio) < 1.25


def test_rows_leave_out_what_is_not_known(measured):
    rows = dict(facts.chip_rows(measured))
    assert rows["stars"] == str(len(measured.catalog))
    assert rows["read noise"] == "5.00 e-"
    assert "exposure time" not in rows
    assert "data" not in rows


def test_flags_are_counted():
    rows = facts.flag_rows(np.array([0, 0, Flag.SATURATED, Flag.SATURATED | Flag.EDGE]))
    assert rows[0][:2] == ("(none)", 2)
    counts = {name: number for name, number, _ in rows}
    assert counts["saturated"] == 2
    assert counts["edge"] == 1
    assert len(rows) == len(Flag) + 1
