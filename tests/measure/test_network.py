from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.wcs import WCS

import filar.measure.network as network_module
from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.measure import Settings, measure_exposure
from filar.measure.network import Network, apply_network, choose_network
from filar.psf.fitted import PSFFit
from filar.stamps.stamps import Stamps

from . import samples

SHIFT = 0.125


def card(**changes: object) -> SimpleNamespace:
    """The part of a model's card that is looked at."""
    data = SimpleNamespace(subtract_neighbours=True)
    facts = {"recipe": SimpleNamespace(name="fake", data=data), "instrument": ""}
    return SimpleNamespace(**(facts | {"size": 6, "chips": (), "filters": ()} | changes))


@dataclass
class Centroid:
    """A 'network' that takes the middle of the light, shifted; it knows stars brighter than -9."""

    card_: SimpleNamespace = field(default_factory=card)

    def predict(self, stamps: Stamps) -> SimpleNamespace:
        light = np.where(stamps.bad, 0, stamps.pixels - stamps.sky[:, None, None])
        total, span = light.sum(axis=(1, 2)), np.arange(stamps.size)
        x = stamps.corner_x + (light * span).sum(axis=(1, 2)) / total + SHIFT
        y = stamps.corner_y + (light * span[:, None]).sum(axis=(1, 2)) / total - SHIFT
        error = np.full(len(x), 0.0625)
        return SimpleNamespace(x=x, y=y, x_err=error, y_err=error, in_domain=stamps.mag < -9.5)


def model(packaged: bool = False, **changes: object) -> Network:
    return Network(Centroid(card(**changes)), "fake.safetensors", "0" * 64, packaged)


@pytest.fixture(scope="module")
def wcs() -> WCS:
    made = WCS(naxis=2)
    made.wcs.crpix, made.wcs.crval = [1, 1], [200.0, 0.0]
    made.wcs.cdelt, made.wcs.ctype = [-1e-5, 1e-5], ["RA---TAN", "DEC--TAN"]
    return made


@pytest.fixture(scope="module")
def field_of_stars(wcs: WCS) -> tuple[Exposure, np.ndarray, np.ndarray]:
    exposure, x, y = samples.exposure(wcs=wcs)
    saturated = np.zeros(exposure.shape, bool)
    row, column = int(np.rint(y[0])), int(np.rint(x[0]))
    saturated[row, column] = True
    return exposure.replace(saturated=saturated), x, y


@pytest.fixture(scope="module")
def classic(field_of_stars):
    return measure_exposure(field_of_stars[0], psf=samples.psf(), method="psf")


def test_the_classic_fit_is_in_no_domain(classic) -> None:
    assert not np.any(classic.catalog["in_domain"])
    assert "network" not in classic.catalog.meta["exposures"][0]


def test_network_replaces_places_and_errors_and_keeps_the_light(classic) -> None:
    before, after = classic.catalog, apply_network(classic, model(), "network").catalog
    by = np.asarray(after["method"]) == "network"
    assert by.mean() > 0.9
    shift = (
        (after["x_fit"] - before["x_fit"]).value[by],
        (after["y_fit"] - before["y_fit"]).value[by],
    )
    assert np.median(shift[0]) == pytest.approx(SHIFT, abs=0.03)
    assert np.median(shift[1]) == pytest.approx(-SHIFT, abs=0.03)
    assert set(after["x_err"].value[by]) == {0.0625}
    for name in ("flux_fit", "flux_err", "local_bkg", "qfit", "mag", "x_init"):
        np.testing.assert_array_equal(np.asarray(after[name]), np.asarray(before[name]))
    assert set(np.asarray(before["method"])) == {"psf-given"}


def test_celestial_places_follow(classic, wcs: WCS) -> None:
    after = apply_network(classic, model(), "network").catalog
    ra, dec = wcs.all_pix2world(after["x_fit"].value, after["y_fit"].value, 0)
    np.testing.assert_allclose(after["ra"].value, ra, rtol=0, atol=1e-12)
    np.testing.assert_allclose(after["dec"].value, dec, rtol=0, atol=1e-12)


def test_network_flags_what_it_does_not_know(classic) -> None:
    after = apply_network(classic, model(), "network").catalog
    by = np.asarray(after["method"]) == "network"
    bright = (after["mag"].value < -9.5) & ((after["flags"] & int(Flag.SATURATED)) == 0)
    flagged = (np.asarray(after["flags"]) & int(Flag.OUTSIDE_DOMAIN)) != 0
    assert 0 < flagged[by].sum() < by.sum()
    np.testing.assert_array_equal(flagged, by & ~bright)
    np.testing.assert_array_equal(np.asarray(after["in_domain"]), by & bright)


def test_auto_takes_the_network_only_where_it_was_trained(classic) -> None:
    before, measured = classic.catalog, apply_network(classic, model(), "auto")
    after = measured.catalog
    by = np.asarray(after["method"]) == "network"
    good = (after["mag"].value < -9.5) & ((np.asarray(after["flags"]) & int(Flag.SATURATED)) == 0)
    np.testing.assert_array_equal(by, good)
    assert 0 < by.sum() < len(by)
    np.testing.assert_array_equal(np.asarray(after["in_domain"]), by)
    np.testing.assert_array_equal(np.asarray(after["flags"]), np.asarray(before["flags"]))
    np.testing.assert_array_equal(after["x_fit"].value[~by], before["x_fit"].value[~by])
    assert set(np.asarray(after["method"])[~by]) == {"psf-given"}
    facts = after.meta["exposures"][0]["network"]
    assert facts["n_stars"] == by.sum()
    assert (facts["model"], facts["digest"], facts["recipe"]) == (
        "fake.safetensors",
        "0" * 64,
        "fake",
    )


def test_stars_of_bad_pixels_keep_the_fit_s_place(field_of_stars) -> None:
    exposure, x, y = field_of_stars
    mask = exposure.mask.copy()
    row, column = int(np.rint(y[5])), int(np.rint(x[5]))
    mask[row - 4 : row, column - 4 : column + 5] = True
    mask[row + 2 : row + 5, column - 4 : column + 5] = True
    data = np.where(mask, np.nan, exposure.data).astype(np.float32)
    measured = measure_exposure(
        exposure.replace(mask=mask, data=data), psf=samples.psf(), method="psf"
    )
    table = apply_network(measured, model(), "network").catalog
    nearest = np.argmin(np.hypot(table["x_fit"].value - x[5], table["y_fit"].value - y[5]))
    assert table["method"][nearest] == "psf-given"
    assert table["flags"][nearest] & Flag.MASKED
    assert (np.asarray(table["method"]) == "network").sum() > 60


@pytest.mark.parametrize("fallback", [False, True])
def test_auto_stays_classic_where_the_psf_is_not_the_exposure_s(classic, fallback: bool) -> None:
    fit = PSFFit(samples.psf(), 31, fallback, "too few stars", {})
    measured = replace(classic, psf_fit=fit)
    for given in (model(), model(packaged=True)):
        after = apply_network(measured, given, "auto").catalog
        assert (np.asarray(after["method"]) == "network").any() != fallback
    after = apply_network(classic, model(packaged=True), "auto").catalog
    assert not (np.asarray(after["method"]) == "network").any()


def test_a_chip_without_stars(classic) -> None:
    empty = replace(classic, catalog=classic.catalog[:0])
    assert len(apply_network(empty, model(), "network").catalog) == 0


def test_the_model_given_must_be_of_the_chip(tmp_path: Path, monkeypatch) -> None:
    other = model(instrument="WFPC2", chips=("PC", "WF3"), filters=("F555W",))
    monkeypatch.setattr(network_module, "load_network", lambda path, packaged=False: other)
    exposure, _, _ = samples.exposure(instrument="WFPC2", chip="PC", filter="F555W")
    assert choose_network(exposure, "auto", tmp_path / "m") is other
    for changes in ({"chip": "WF2"}, {"filter": "F814W"}, {"instrument": "ACS"}):
        for method in ("auto", "network"):
            with pytest.raises(InputFileError, match="a model for") as caught:
                choose_network(exposure.replace(**changes), method, tmp_path / "m")
            assert next(iter(changes.values())) in str(caught.value)


def test_of_several_models_that_of_the_chip_is_taken(tmp_path: Path, monkeypatch) -> None:
    models = {
        chip: model(instrument="WFPC2", chips=(chip,), filters=("F555W",)) for chip in ("PC", "WF3")
    }
    monkeypatch.setattr(network_module, "load_network", lambda path: models[path.name])
    exposure, _, _ = samples.exposure(instrument="WFPC2", chip="WF3", filter="F555W")
    paths = tmp_path / "PC", tmp_path / "WF3"
    assert choose_network(exposure, "auto", paths) is models["WF3"]
    with pytest.raises(InputFileError, match="PC"):
        choose_network(exposure.replace(chip="WF2"), "auto", paths)
    assert Settings(model=paths).facts()["model"] == "PC, WF3"


def test_without_a_model_of_filar_s_own(monkeypatch) -> None:
    monkeypatch.setattr(network_module, "_packaged", lambda exposure: None)
    exposure, _, _ = samples.exposure()
    assert choose_network(exposure, "auto", None) is None
    assert choose_network(exposure, "psf", None) is None
    with pytest.raises(InputFileError, match="--model"):
        choose_network(exposure, "network", None)


def test_no_such_model_file(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such model file"):
        network_module.load_network(tmp_path / "none.safetensors")


def test_settings() -> None:
    assert Settings(method="network", model="a/b.safetensors").facts()["model"] == "b.safetensors"
    with pytest.raises(ParameterError, match="method"):
        Settings(method="guess")
    with pytest.raises(ParameterError, match="model"):
        Settings(method="psf", model="a")
