"""Saturated stars of a measured exposure: samples for a model, and its magnitudes."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from filar.catalog import zero_point
from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.instruments import read_exposures
from filar.measure.chip import Measurement, Settings, measure_exposure
from filar.measure.saturation import (
    BY_MODEL,
    DAMAGED,
    STAMP,
    Judge,
    apply_judge,
    camera_of,
    candidates,
    load_judge,
    placed,
    samples_of,
    stars_of,
    without_damage,
)
from filar.saturation.data import Samples
from filar.saturation.estimator import Predictions, SaturationModel
from filar.saturation.evidence import COLUMNS
from tests.saturation.experttoys import quick_recipe, toys
from tests.saturation.fields import Field, make_field, winged
from tests.survey_samples import tiny_survey

SHAPE = (280, 240)
X = [60.3, 180.6, 120.0, 40.2, 200.0, 90.7, 150.4]
Y = [70.2, 80.4, 200.5, 220.0, 190.3, 140.1, 30.6]
FLUX = [3e6, 6e6, 1e6, 1e5, 6e4, 3e3, 2e3]


def made(x: Any = X, y: Any = Y, flux: Any = FLUX, **facts: Any) -> Field:
    """Three saturated stars, two below saturation and two faint ones."""
    known = {"exposure_time": 10.0, "instrument": "sim-a", "filter": "g", "chip": "1"}
    given = {"shape": SHAPE, "psf": winged(shape=SHAPE), "seed": 2}
    return make_field(x, y, flux, **(given | known | facts))


def measure(field: Field, exposure: Exposure | None = None, **settings: Any) -> Measurement:
    exposure = field.exposure if exposure is None else exposure
    return measure_exposure(exposure, psf=field.psf.core, method="psf", **settings)


@pytest.fixture(scope="module")
def field() -> Field:
    return made()


@pytest.fixture(scope="module")
def measured(field: Field) -> Measurement:
    return measure(field)


def rows_of(field: Field, measured: Measurement) -> np.ndarray:
    """Rows of the catalogue by the field's stars."""
    found = stars_of(measured)
    apart = np.hypot(found.x[:, None] - field.x, found.y[:, None] - field.y)
    assert (apart.min(axis=0) < 1).all()
    return np.asarray(apart.argmin(axis=0))


@dataclass
class Says:
    """A model that says what it is told to."""

    log_n: float = 6.0
    inside: bool = True
    card_: Any = None

    def __post_init__(self) -> None:
        self.card_ = SimpleNamespace(recipe=SimpleNamespace(name="made-up"))

    def predict(self, samples: Samples) -> Predictions:
        n = len(samples)
        value = np.full(n, self.log_n)
        inside = np.full(n, self.inside) & np.isfinite(value)
        return Predictions(value, np.where(np.isfinite(value), 0.01, np.nan), inside)


def judge(log_n: float = 6.0, inside: bool = True) -> Judge:
    return Judge(Says(log_n, inside), "says.safetensors", "0" * 64)  # type: ignore[arg-type]


def test_stars_as_the_fit_left_them(field: Field, measured: Measurement) -> None:
    stars = stars_of(measured)
    rows = rows_of(field, measured)
    assert stars.saturated[rows].tolist() == field.saturated.tolist()
    assert not stars.reliable[stars.saturated].any()
    assert stars.reliable[rows[3:]].all()
    np.testing.assert_allclose(stars.flux[rows[3:]], field.flux[3:], rtol=0.1)
    # saturated stars stay where their pixels are
    np.testing.assert_array_equal(stars.x[stars.saturated],
                                  measured.detections.x[stars.saturated])  # fmt: skip


def test_candidates_are_saturated_or_not_far_below(field: Field, measured: Measurement) -> None:
    stars = stars_of(measured)
    rows = rows_of(field, measured)
    chosen = candidates(measured, stars)
    assert set(rows[:5]) <= set(chosen)
    assert not set(rows[5:]) & set(chosen)
    unknown = measured.exposure.replace(saturation=np.inf)
    again = candidates(replace(measured, exposure=unknown), stars)
    assert again.tolist() == chosen.tolist()


def test_samples_are_stamps_of_the_image(field: Field, measured: Measurement) -> None:
    stars = stars_of(measured)
    chosen = candidates(measured, stars)
    samples = samples_of(measured, stars, chosen)
    assert samples.star.tolist() == chosen.tolist()
    assert samples.stamp.shape == (len(chosen), STAMP, STAMP)
    assert samples.columns == (*COLUMNS, DAMAGED)
    assert (samples.images, samples.cameras, samples.filters) == (
        (field.exposure.label,), ("sim-a 1",), ("g",),
    )  # fmt: skip
    assert samples.meta["count"] == [1.0] and samples.meta["mjd"] == [None]
    assert samples.meta["fwhm"][0] == pytest.approx(2.9, abs=0.1)
    half = STAMP // 2
    for stamp, full, x, y in zip(samples.stamp, samples.saturated, samples.x, samples.y,
                                 strict=True):  # fmt: skip
        r, c = int(np.rint(y)), int(np.rint(x))
        at = slice(r - half, r + half + 1), slice(c - half, c + half + 1)
        np.testing.assert_array_equal(stamp, field.exposure.data[at])
        np.testing.assert_array_equal(full, field.exposure.saturated[at])
    np.testing.assert_array_equal(samples.level, np.float32(field.exposure.saturation))
    assert not samples.column(DAMAGED).any()


def test_masked_pixels_and_those_off_the_image_are_nan() -> None:
    field = made(x=[60.3, 4.2, *X[2:]])
    mask = field.exposure.mask.copy()
    mask[75, 65] = True
    measured = measure(field, field.exposure.replace(mask=mask))
    stars = stars_of(measured)
    rows = rows_of(field, measured)[:2]
    stamps = samples_of(measured, stars, rows).stamp
    lost = np.argwhere(np.isnan(stamps[0])).tolist()
    assert len(lost) == 1
    assert np.isnan(stamps[1][:, :6]).all() and np.isfinite(stamps[1][:, 6:]).all()


def test_the_middle_of_the_exposure_is_its_time() -> None:
    from astropy.time import Time

    field = made(time=Time("2020-01-01T00:00:00", scale="utc"), exposure_time=172.8)
    measured = measure(field)
    stars = stars_of(measured)
    samples = samples_of(measured, stars, candidates(measured, stars))
    start = Time("2020-01-01T00:00:00", scale="utc").mjd
    assert samples.meta["mjd"] == [pytest.approx(start + 0.001)]


def test_an_undamaged_exposure_stays_itself(field: Field) -> None:
    assert without_damage(field.exposure) is field.exposure


def test_damaged_pixels_are_masked_and_counted() -> None:
    """Those in a saturated star as well: they hold no charge."""
    field = made()
    data, saturated = field.exposure.data.copy(), field.exposure.saturated.copy()
    data[66:72, 60] = 1.0
    assert saturated[66:72, 60].all()
    saturated[66:69, 60] = False
    exposure = without_damage(field.exposure.replace(data=data, saturated=saturated))
    assert exposure.mask[66:72, 60].all() and not exposure.saturated[66:72, 60].any()
    assert exposure.mask.sum() == exposure.meta[DAMAGED].sum() == 6
    assert not exposure.data[66:72, 60].any()
    measured = measure(field, exposure)
    stars = stars_of(measured)
    samples = samples_of(measured, stars, candidates(measured, stars))
    near = np.hypot(samples.x - 60.3, samples.y - 70.2) < 4
    assert (samples.column(DAMAGED)[near] == 6).all() and near.any()
    assert not samples.column(DAMAGED)[~near].any()
    assert np.isnan(samples.stamp[near]).sum(axis=(1, 2)).tolist() == [6] * near.sum()


def test_saturated_stars_get_the_models_magnitudes(field: Field, measured: Measurement) -> None:
    told = apply_judge(measured, judge(6.25))
    before, after = measured.catalog, told.catalog
    stars = stars_of(measured).saturated
    expected = zero_point(field.exposure, "instrumental") - 2.5 * 6.25
    np.testing.assert_allclose(after["mag"][stars].value, expected)
    np.testing.assert_allclose(after["mag_err"][stars].value, 0.025)
    assert (after["flags"][stars] & int(Flag.BY_MODEL)).all()
    wrong = int(Flag.NO_MAGNITUDE | Flag.OUTSIDE_DOMAIN)
    assert not (after["flags"] & wrong).any()
    # nothing else changes, nor does the measurement that was given
    for name in before.colnames:
        kept = slice(None) if name not in ("mag", "mag_err", "flags") else ~stars
        np.testing.assert_array_equal(before[name][kept], after[name][kept])
    assert not (before["flags"] & int(Flag.BY_MODEL)).any()
    assert BY_MODEL not in before.meta["exposures"][0]
    facts = after.meta["exposures"][0][BY_MODEL]
    assert facts == {"model": "says.safetensors", "digest": "0" * 64, "recipe": "made-up",
                     "n_stars": 3, "n_outside": 0}  # fmt: skip
    assert told.seconds[BY_MODEL] >= 0


def test_what_the_model_does_not_know_is_told(measured: Measurement) -> None:
    stars = stars_of(measured).saturated
    outside = apply_judge(measured, judge(6.0, inside=False)).catalog
    assert (outside["flags"][stars] & int(Flag.OUTSIDE_DOMAIN)).all()
    assert np.isfinite(outside["mag"][stars].value).all()
    assert outside.meta["exposures"][0][BY_MODEL]["n_outside"] == 3
    silent = apply_judge(measured, judge(np.nan)).catalog
    assert np.isnan(silent["mag"][stars].value).all()
    assert np.isnan(silent["mag_err"][stars].value).all()
    assert (silent["flags"][stars] & int(Flag.NO_MAGNITUDE)).all()
    assert not (silent["flags"] & int(Flag.BY_MODEL | Flag.OUTSIDE_DOMAIN)).any()
    assert np.isfinite(silent["mag"][~stars].value).all()
    assert silent.meta["exposures"][0][BY_MODEL]["n_stars"] == 0


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """filar's own recipe, trained on made-up evidence for seconds."""
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    SaturationModel(quick_recipe(budget__epochs=8)).fit(toys(110)).save(path)
    return path


def test_a_trained_model_measures(field: Field, model_file: Path) -> None:
    measured = measure(field, saturated=model_file)
    assert measured.settings.facts()["saturated"] == "m.safetensors"
    table = measured.catalog
    rows = rows_of(field, measured)
    truth = zero_point(field.exposure, "instrumental") - 2.5 * np.log10(field.flux)
    np.testing.assert_allclose(table["mag"][rows[:3]].value, truth[:3], atol=0.25)
    assert (np.asarray(table["flags"][rows[:3]]) & int(Flag.BY_MODEL)).all()
    facts = table.meta["exposures"][0][BY_MODEL]
    assert (facts["model"], facts["recipe"]) == ("m.safetensors", "quick")
    assert len(facts["digest"]) == 64


@pytest.mark.parametrize("case", ["no saturated", "no stars", "all saturated", "interpolated"])
def test_odd_images_with_a_trained_model(model_file: Path, case: str) -> None:
    """RuntimeWarnings are errors in the tests."""
    field = made()
    if case == "no saturated":
        field = made(X[3:], Y[3:], FLUX[3:])
    elif case == "no stars":
        field = made([], [], [])
    elif case == "interpolated":
        field = made(meta={"saturated_values": "interpolated"})
    exposure = field.exposure
    if case == "all saturated":
        exposure = exposure.replace(saturated=np.ones(SHAPE, bool))
    table = measure(field, exposure, saturated=model_file).catalog
    saturated = (np.asarray(table["flags"]) & int(Flag.SATURATED)) != 0
    told = (np.asarray(table["flags"]) & int(Flag.BY_MODEL | Flag.NO_MAGNITUDE)) != 0
    assert not (told & ~saturated).any()
    assert table.meta["exposures"][0][BY_MODEL]["n_stars"] == (3 if case == "interpolated" else 0)


def test_models_are_loaded_once(model_file: Path) -> None:
    first = load_judge(model_file)
    assert load_judge(str(model_file)) is first
    assert first.facts()["model"] == "m.safetensors"


def test_no_model_is_no_model(tmp_path: Path, model_file: Path) -> None:
    with pytest.raises(InputFileError, match="no such model file"):
        load_judge(tmp_path / "none.safetensors")
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(model_file.read_bytes()[:1000])
    with pytest.raises(InputFileError):
        load_judge(torn)


def test_cameras_are_instrument_and_chip(field: Field) -> None:
    assert camera_of(field.exposure) == "sim-a 1"
    assert camera_of(field.exposure.replace(chip="")) == "sim-a"
    assert camera_of(field.exposure.replace(chip="", instrument="")) == ""


def test_positions_of_a_list_are_taken_for_saturated_stars(tmp_path: Path) -> None:
    survey = tiny_survey(tmp_path / "s", targets=40)
    (exposure,) = read_exposures(survey.files[0])
    measured = measure_exposure(exposure, method="psf")
    stars = stars_of(measured)
    moved = placed(exposure, stars, survey.stars)
    changed = (moved.x != stars.x) | (moved.y != stars.y)
    assert changed.any()
    assert not (changed & ~stars.saturated).any()
    apart = np.hypot(moved.x - stars.x, moved.y - stars.y)
    assert apart.max() < 3.5


def test_positions_need_a_model() -> None:
    with pytest.raises(ParameterError, match="saturated"):
        Settings(positions="gaia.ecsv")
