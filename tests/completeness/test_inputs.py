"""What models are given: centred, in order, with what is missing marked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.completeness.inputs import Inputs, star_covariates
from filar.errors import ParameterError
from tests.completeness.toys import toy_real, toy_stars


@pytest.mark.parametrize("kind", ["input", "measured"])
def test_training_stars_are_centred_and_their_masks_say_what_is_known(kind: str) -> None:
    stars = toy_stars(500)
    inputs = Inputs.learn(stars, kind)
    batch = inputs.batch(stars)
    assert {array.dtype for array in batch.values()} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.median(batch["mag"], axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.std(batch["cov"], axis=0), 1, atol=1e-4)
    assert batch["mag_known"].all() and batch["cov_known"].all() and not inputs.gaps
    np.testing.assert_array_equal(batch["found"], np.isfinite(stars.mag_out))
    np.testing.assert_array_equal(batch["recovered"], stars.recovered)
    lost = ~stars.found
    assert not batch["delta"][lost].any()
    shown = batch["mag"] + np.array(inputs.mag_center)
    used = np.where(lost | (kind == "input"), stars.mag_in, stars.mag_out)
    np.testing.assert_allclose(shown, used, atol=1e-4)


def test_sky_noise_is_taken_as_its_logarithm_and_is_unknown_where_it_is_not_positive() -> None:
    stars = toy_stars(60)
    noise = stars.covariates["sky_noise_F555W"].copy()
    noise[:3] = [0.0, -1.0, np.nan]
    stars = replace(stars, covariates={"sky_noise_F555W": noise})
    values = star_covariates(stars, ["sky_noise_F555W"])[:, 0]
    assert np.isnan(values[:3]).all()
    np.testing.assert_allclose(10 ** values[3:], noise[3:])
    inputs = Inputs.learn(stars)
    batch = inputs.batch(stars)
    assert inputs.gaps
    assert batch["cov_known"][:5, 0].tolist() == [0, 0, 0, 1, 1]
    assert not batch["cov"][:3].any()


def test_positions_are_covariates_if_asked_for() -> None:
    stars = toy_stars(60)
    values = star_covariates(stars, ["y", "crowding", "x"])
    expected = np.stack([stars.y, stars.covariates["crowding"], stars.x], axis=1)
    np.testing.assert_array_equal(values, expected)


def test_bands_are_found_by_their_names() -> None:
    stars, inputs = toy_real(), Inputs.learn(toy_stars())
    turned = replace(stars, bands=stars.bands[::-1], mag=stars.mag[:, ::-1])
    np.testing.assert_array_equal(inputs.batch(turned)["mag"], inputs.batch(stars)["mag"])
    other = replace(stars, bands=("F555W", "F606W"))
    with pytest.raises(ParameterError, match=r"F555W, F606W.*F555W, F814W"):
        inputs.batch(other)


@given(
    covariates=st.lists(st.sampled_from(["x", "y", "crowding", "sky_noise_F555W"]), unique=True),
    kind=st.sampled_from(["input", "measured"]),
    gap=st.booleans(),
)
def test_facts_say_all(covariates: list[str], kind: str, gap: bool) -> None:
    stars = toy_stars(60)
    if gap:
        stars.mag_in[0, 0] = np.nan
    inputs = Inputs.learn(stars, kind, covariates)
    assert Inputs.from_facts(inputs.facts()) == inputs


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"covariates": ["x"]}, "do not fit"),
        ({"magnitudes": "true"}, "true"),
        ({"mag_scale": ["a", "b"]}, "facts"),
    ],
)
def test_facts_that_do_not_fit_are_refused(change: dict, named: str) -> None:
    facts = Inputs.learn(toy_stars(60)).facts()
    with pytest.raises(ParameterError, match=named):
        Inputs.from_facts(facts | change)
    with pytest.raises(ParameterError, match="gaps"):
        Inputs.from_facts({k: v for k, v in facts.items() if k != "gaps"})


def test_what_cannot_be_learnt_from_is_named() -> None:
    stars = toy_stars(60)
    unknown = replace(stars, covariates={"crowding": np.full(60, np.nan)})
    with pytest.raises(ParameterError, match=r"crowding.*no value"):
        Inputs.learn(unknown)
    with pytest.raises(ParameterError, match=r"seeing.*sky_noise_F555W, crowding"):
        Inputs.learn(stars, covariates=["seeing"])
    with pytest.raises(ParameterError, match="measured"):
        Inputs.learn(stars, "true")  # type: ignore[arg-type]
    dark = replace(stars, mag_in=np.stack([np.full(60, np.nan), stars.mag_in[:, 1]], axis=1))
    with pytest.raises(ParameterError, match="F555W"):
        Inputs.learn(dark)
