import numpy as np
import pytest
from scipy.spatial import cKDTree

import filar.psf.fitted
from filar.errors import ParameterError
from filar.flags import Flag
from filar.measure import Settings, measure_exposure
from filar.measure.chip import STEPS
from filar.psf.fitted import PSFFit

from . import samples


@pytest.fixture(scope="module")
def field():
    return samples.exposure()


@pytest.fixture(scope="module")
def measured(field):
    return measure_exposure(field[0], psf="default")


def match(table, x, y):
    distance, index = cKDTree(np.stack([x, y], 1)).query(
        np.stack([table["x_fit"].value, table["y_fit"].value], 1)
    )
    return distance, index


def test_every_star_is_measured_once_and_well(field, measured):
    exposure, x, y = field
    table = measured.catalog
    good = table[table["snr"] > 20]
    distance, index = match(good, x, y)
    assert sorted(index) == list(range(len(x)))
    pull = (good["x_fit"].value - x[index]) / good["x_err"].value
    assert 0.7 < np.std(pull) < 1.3
    assert np.median(distance) < 0.02
    assert len(measured.detections) == len(table)
    assert set(table["exposure"]) == {exposure.name}
    assert set(table["method"]) == {"psf-default"}


def test_facts_go_into_the_meta(measured):
    meta = measured.catalog.meta
    assert meta["parameters"]["threshold"] == 5.0
    assert set(meta["versions"]) == {"filar", "numpy", "scipy", "astropy"}
    facts = meta["exposures"][0]
    assert facts["n_stars"] == len(measured.catalog)
    assert facts["psf"]["name"] == measured.psf.name
    assert facts["box"] % 2 == 1


def test_steps_are_told_and_timed(field):
    steps = []
    measured = measure_exposure(field[0], psf=samples.psf(), on_step=steps.append)
    assert tuple(steps) == STEPS
    assert set(measured.seconds) == {"detect", "psf", "fit"}
    assert set(measured.catalog["method"]) == {"psf-given"}


def test_settings_reach_the_steps(field):
    few = measure_exposure(field[0], Settings(psf=samples.psf(), threshold=150.0, box=7))
    many = measure_exposure(field[0], Settings(psf=samples.psf()), threshold=5.0)
    assert 0 < len(few.catalog) < len(many.catalog)
    assert few.catalog.meta["exposures"][0]["box"] == 7
    assert few.catalog["n_pixels_fit"].max() == 49


@pytest.mark.parametrize("fallback", [False, True])
def test_a_fitted_psf_leaves_its_traces(field, monkeypatch, fallback):
    fit = PSFFit(samples.psf(), 31, fallback, "too few stars" if fallback else "", {"focus": 1.5})
    monkeypatch.setattr(filar.psf.fitted, "fit_psf", lambda exposure, stars, near: fit)
    measured = measure_exposure(field[0])
    assert measured.own_psf is not fallback
    assert measured.messages == (("too few stars",) if fallback else ())
    assert set(measured.catalog["method"]) == {"psf-default" if fallback else "psf-fit"}
    flagged = (measured.catalog["flags"] & int(Flag.DEFAULT_PSF)) != 0
    assert flagged.all() == fallback
    assert flagged.any() == fallback
    psf = measured.catalog.meta["exposures"][0]["psf"]
    assert psf["n_stars"] == 31
    assert psf["parameters"] == {"focus": 1.5}


def test_no_stars_give_an_empty_catalogue_and_a_message():
    exposure, _, _ = samples.exposure()
    empty = exposure.replace(
        data=np.random.default_rng(1).normal(30, 7, exposure.shape).astype(np.float32)
    )
    measured = measure_exposure(empty, psf=samples.psf(), threshold=50.0)
    assert len(measured.catalog) == 0
    assert measured.messages == ("no star above 50 sigma",)


def test_unknown_zero_point_is_told(field):
    measured = measure_exposure(field[0], psf=samples.psf(), mag_system="st")
    assert np.isnan(measured.catalog["mag"].value).all()
    assert "no st magnitudes" in measured.messages[0]


def test_two_passes_measure_blends_better():
    rng = np.random.default_rng(5)
    x, y = samples.positions(5)
    x, y = np.append(x, x + 5.0), np.append(y, y)
    flux = np.full(len(x), 20_000.0)
    from filar.psf.render import render_image

    expected = 30 + render_image(samples.psf(), samples.SHAPE, x, y, flux)
    exposure, _, _ = samples.exposure()
    exposure = exposure.replace(data=rng.poisson(expected).astype(np.float32))
    error = []
    for passes in (1, 2):
        table = measure_exposure(exposure, psf=samples.psf(), passes=passes).catalog
        error.append(np.median(match(table, x, y)[0]))
    assert error[1] < 0.7 * error[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.0),
        ("threshold", float("nan")),
        ("box", 4),
        ("box", 1),
        ("sky", "mean"),
        ("passes", 4),
        ("mag_system", "johnson"),
    ],
)
def test_senseless_settings_are_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=name):
        Settings(**{name: value})
