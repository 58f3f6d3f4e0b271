"""Probabilities for catalogues: whether the model suits, and what the catalogue gets."""

from dataclasses import replace

import numpy as np
import pytest

from filar.completeness.estimator import CompletenessModel
from filar.completeness.recovery import add_recovery, check_catalog, different_cuts
from filar.completeness.table import RealStars
from filar.errors import InputFileError, ParameterError
from tests.completeness.toys import BANDS, toy_real, toy_stars, true_probability

NAME = "stars.parquet"


@pytest.fixture(scope="module")
def model() -> CompletenessModel:
    """A model that learns in a moment."""
    return CompletenessModel("logistic").fit(toy_stars(4000))


def test_probabilities_are_near_the_true_ones_and_count_the_lost(model: CompletenessModel) -> None:
    stars = toy_real(2000)
    truth = true_probability(stars.mag, stars.covariates["sky_noise_F555W"])
    seen = stars.select(np.random.default_rng(3).random(len(truth)) < truth)
    table = seen.to_table()
    found = add_recovery(table, seen, model, "m")
    p = np.asarray(table["p_recovered"])
    assert np.abs(p - truth[np.isin(stars.x, seen.x)]).mean() < 0.1
    assert (found.number, found.inside) == (len(seen), int(table["in_domain"].sum()))
    assert found.likely == int((table["in_domain"] & (p >= 0.5)).sum())
    assert found.median == pytest.approx(np.median(p[np.asarray(table["in_domain"])]))
    assert found.stand_for == pytest.approx((truth > 0.5).sum(), rel=0.1)


def test_the_catalogues_own_columns_stay_in_their_order(model: CompletenessModel) -> None:
    stars = toy_real()
    table = replace(stars, covariates={}).to_table()
    own = list(table.colnames)
    add_recovery(table, stars, model, "m.safetensors")
    assert table.colnames == [*own, *stars.covariates, "p_recovered", "in_domain"]
    assert table.meta["covariates"] == list(stars.covariates)
    assert table.meta["completeness"]["model"] == "m.safetensors"
    assert table.meta["completeness"]["cuts"] == {"snr": 5.0, "bands": 2}
    names = list(table.colnames)
    p = np.array(table["p_recovered"])
    add_recovery(table, stars, model)
    assert table.colnames == names
    assert np.array_equal(table["p_recovered"], p)


def test_the_domain_of_positions_is_another_column(model: CompletenessModel) -> None:
    stars = toy_real()
    table = stars.to_table()
    table["in_domain"] = np.zeros(len(stars), bool)
    for _ in range(2):
        found = add_recovery(table, stars, model)
        assert found.in_domain == "p_recovered_in_domain"
        assert table.colnames[-2:] == ["p_recovered", "p_recovered_in_domain"]
        assert not table["in_domain"].any()


def test_a_star_without_magnitudes_has_no_probability(model: CompletenessModel) -> None:
    stars = toy_real()
    stars.mag[0] = np.nan
    table = stars.to_table()
    add_recovery(table, stars, model)
    assert np.isnan(table["p_recovered"]).nonzero()[0].tolist() == [0]
    assert not table["in_domain"][0]
    with pytest.raises(ParameterError, match="one for each star"):
        add_recovery(table[:3], stars, model)


def test_other_cuts_and_magnitudes_are_refused_unless_forced(model: CompletenessModel) -> None:
    stars = toy_real()
    assert check_catalog(stars, model, NAME) == []
    other = replace(stars, meta={"cuts": {"snr": 4.0, "bands": 2}, "mag_system": "ab"})
    with pytest.raises(InputFileError, match=r"snr 4\.0, not 5\.0, and ab magnitudes.*--force"):
        check_catalog(other, model, NAME)
    told = check_catalog(other, model, NAME, force=True)
    assert [line.split(":")[0] for line in told] == [
        "other cuts than the model's",
        "ab magnitudes, the model is for Vega ones",
    ]
    silent = check_catalog(replace(stars, meta={}), model, NAME)
    assert silent == [
        "it does not say how its stars were cut; the model's cuts are bands 2, snr 5.0"
    ]


def test_bands_and_covariates_must_be_there(model: CompletenessModel) -> None:
    stars = toy_real()
    with pytest.raises(InputFileError, match=rf"{NAME}: bands B, V; expected F555W, F814W"):
        check_catalog(replace(stars, bands=("B", "V")), model, NAME)
    lone = {name: stars.covariates[name] for name in ("crowding",)}
    with pytest.raises(InputFileError, match=r"no covariate sky_noise_F555W; .*filar asts"):
        check_catalog(replace(stars, covariates=lone), model, NAME)
    empty = stars.covariates | {"crowding": np.full(len(stars), np.nan)}
    with pytest.raises(InputFileError, match="no star has a known crowding"):
        check_catalog(replace(stars, covariates=empty), model, NAME)
    dark = RealStars(BANDS, np.full((50, 2), np.nan), stars.covariates)
    with pytest.raises(InputFileError, match="no star has a magnitude in F555W"):
        check_catalog(dark, model, NAME)


def test_cuts_are_compared_by_what_they_mean() -> None:
    cuts = {"min_snr": 5, "rejected": ["a", "b"], "bands": 0}
    assert different_cuts(cuts, {"rejected": ["b", "a"], "bands": 0.0, "min_snr": 5.0}) == []
    assert different_cuts({"max_q": 0.2}, cuts) == [
        "max_q 0.2, not none",
        "min_snr none, not 5",
        "rejected none, not a b",
        "bands none, not 0",
    ]
