"""Models of completeness: honest, repeatable, kept in one file, clear about what they cannot do."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filar.completeness.estimator import PREDICTED_AT_ONCE, CompletenessModel
from filar.completeness.evaluate import scores
from filar.completeness.table import ArtificialStars
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.modelfile import load_model, read_card, save_model
from filar.learn.recipe import Recipe, load_recipe, override
from tests.completeness.toys import (
    small_recipe,
    stepped_recipe,
    toy_real,
    toy_stars,
    true_probability,
)

STARS = toy_stars(600)
KINDS = {
    "logistic": load_recipe("logistic"),
    "boosting": load_recipe("boosting"),
    "network": small_recipe(),
    "stepped": stepped_recipe(),
}


@pytest.fixture(scope="module")
def trained() -> dict[str, CompletenessModel]:
    return {name: CompletenessModel(recipe).fit(STARS) for name, recipe in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_all_have_the_same_manners(name: str, trained: dict[str, CompletenessModel]) -> None:
    model, real = trained[name], toy_real()
    both = model.predict_proba(real)
    assert both.shape == (len(real), 2) and both.dtype == np.float64
    np.testing.assert_allclose(both.sum(axis=1), 1)
    np.testing.assert_array_equal(both[:, 1], model.p_recovered(real))
    assert ((both >= 0) & (both <= 1)).all()
    assert model.in_domain(real).dtype == bool
    assert model.errors_ is None and np.isfinite(model.seconds_)
    assert len(model.history_) == (0 if name in ("logistic", "boosting") else
                                   model.recipe_.budget.epochs)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in KINDS if name != "boosting"])
def test_saved_and_loaded_it_gives_the_same(
    name: str, trained: dict[str, CompletenessModel], tmp_path: Path
) -> None:
    model, path = trained[name], tmp_path / "m.safetensors"
    model.save(path)
    loaded = CompletenessModel.load(path)
    for stars in (STARS, toy_real()):
        np.testing.assert_array_equal(loaded.p_recovered(stars), model.p_recovered(stars))
        np.testing.assert_array_equal(loaded.in_domain(stars), model.in_domain(stars))
    assert (loaded.card_, loaded.inputs_) == (model.card_, model.inputs_)
    again = tmp_path / "again.safetensors"
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_trees_are_not_written(trained: dict[str, CompletenessModel], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"boosting.*filar-completeness"):
        trained["boosting"].save(tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["logistic", "network", "stepped"])
def test_the_same_seed_and_stars_give_the_same_file(
    name: str, trained: dict[str, CompletenessModel], tmp_path: Path
) -> None:
    files = [tmp_path / f"{k}.safetensors" for k in range(3)]
    trained[name].save(files[0])
    for path, seed in zip(files[1:], (0, 1), strict=True):
        CompletenessModel(KINDS[name], seed=seed).fit(STARS).save(path)
    same, other = (files[0].read_bytes() == path.read_bytes() for path in files[1:])
    assert same and not other


@pytest.mark.parametrize("name", ["network", "stepped"])
@pytest.mark.parametrize("after", [1, 4])
def test_stopped_and_resumed_it_ends_in_the_same_file(
    name: str, after: int, trained: dict[str, CompletenessModel], tmp_path: Path
) -> None:
    after = min(after, KINDS[name].budget.epochs - 1)

    def stop(now: Any) -> None:
        if now.epoch == after and now.step == 0:
            raise RuntimeError("stopped")

    model = CompletenessModel(KINDS[name])
    with pytest.raises(RuntimeError, match="stopped"):
        model.fit(STARS, folder=tmp_path / "run", checkpoint_seconds=0, progress=stop)
    model.fit(STARS, folder=tmp_path / "run", resume=True)
    whole, resumed = tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    trained[name].save(whole)
    model.save(resumed)
    assert resumed.read_bytes() == whole.read_bytes()
    assert len(model.history_) == KINDS[name].budget.epochs
    with pytest.raises(ParameterError, match="resume"):
        CompletenessModel(KINDS[name]).fit(toy_stars(600, 9), folder=tmp_path / "run", resume=True)


def test_killed_and_resumed_a_stepped_training_ends_in_the_same_file(
    trained: dict[str, CompletenessModel], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.completeness.killed", str(tmp_path / "run"), "3"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    model = CompletenessModel(KINDS["stepped"])
    model.fit(STARS, folder=tmp_path / "run", resume=True)
    whole, resumed = tmp_path / "whole.safetensors", tmp_path / "resumed.safetensors"
    trained["stepped"].save(whole)
    model.save(resumed)
    assert resumed.read_bytes() == whole.read_bytes()


def test_a_known_probability_is_learnt() -> None:
    changes = {"network__layers": [32, 32], "budget__epochs": 12, "optimiser__lr": 5e-3}
    recipe = small_recipe(**changes, optimiser__schedule="one-cycle", ema__momentum=0.95)
    model = CompletenessModel(recipe).fit(toy_stars(5000, 3))
    fresh = toy_stars(5000, 4)
    found = scores(model.p_recovered(fresh), fresh.recovered)
    assert found.calibration_error < found.chance_calibration_error_95 + 0.005
    assert found.log_loss < found.honest_log_loss + 4 * found.log_loss_err
    truth = true_probability(fresh.mag_in, fresh.covariates["sky_noise_F555W"])
    assert np.abs(model.p_recovered(fresh) - truth).mean() < 0.025
    # fainter is less probable, all else equal
    same = {name: np.full(5000, np.median(v)) for name, v in fresh.covariates.items()}
    mag = np.median(fresh.mag_in, axis=0) + np.linspace(-2, 2, 5000)[:, None]
    ladder = replace(fresh, mag_in=mag, covariates=same)
    assert np.diff(model.p_recovered(ladder)).max() < 1e-3


def test_the_card_says_what_it_is(trained: dict[str, CompletenessModel]) -> None:
    card = trained["network"].card_
    assert (card.job, card.bands, card.magnitudes) == ("completeness", STARS.bands, "input")
    assert (card.mag_system, card.cuts) == ("Vega", {"snr": 5.0, "bands": 2})
    assert card.figures["number"] == 120
    assert {"log_loss", "brier", "accuracy", "calibration_error"} <= set(card.figures)
    assert {"mag F555W", "color F555W - F814W", "crowding", "sky_noise_F555W"} <= set(card.ranges)


def test_the_constructor_changes_the_recipe(tmp_path: Path) -> None:
    model = CompletenessModel(small_recipe(), magnitudes="measured", covariates=["crowding", "y"])
    model.fit(STARS, test=False)
    path = tmp_path / "m.safetensors"
    model.save(path)
    card = read_card(path)
    assert (card.magnitudes, card.recipe.table.magnitudes) == ("measured", "measured")
    assert CompletenessModel.load(path).inputs_.covariates == ("crowding", "y")
    assert card.figures == {}
    other = CompletenessModel(small_recipe(), covariates=[]).fit(STARS)
    assert other.inputs_.covariates == () and other.card_.magnitudes == "input"


def test_without_a_test_part_all_stars_are_trained_on() -> None:
    fitted = CompletenessModel("logistic").fit(STARS, test=False)
    kept_back = CompletenessModel("logistic").fit(STARS)
    assert fitted.inputs_ != kept_back.inputs_
    order = np.random.default_rng(0).permutation(len(STARS))
    middle = np.median(STARS.mag_in[order[:480]], axis=0)
    np.testing.assert_allclose(kept_back.inputs_.mag_center, middle)
    np.testing.assert_allclose(fitted.inputs_.mag_center, np.median(STARS.mag_in, axis=0))


def test_with_validation_the_best_epoch_is_kept() -> None:
    recipe = small_recipe(table__fractions=(0.6, 0.2, 0.2), budget__epochs=4, optimiser__lr=0.3)
    model = CompletenessModel(recipe).fit(STARS)
    losses = [row["validation_loss"] for row in model.history_]
    assert np.isfinite(losses).all() and len(losses) == 4


@pytest.mark.parametrize("name", ["logistic", "boosting", "network"])
def test_missing_numbers_give_a_probability_outside_of_the_domain(
    name: str, trained: dict[str, CompletenessModel]
) -> None:
    real = toy_real(4)
    real.mag[0, 1] = np.nan
    real.mag[1] = np.nan
    real.covariates["crowding"][2] = np.nan
    p = trained[name].p_recovered(real)
    assert ((p >= 0) & (p <= 1)).all()
    assert trained[name].in_domain(real).tolist() == [False, False, False, True]


def test_gaps_in_the_training_stars_are_learnt_from() -> None:
    stars = toy_stars(600)
    stars.covariates["crowding"][::3] = np.nan
    for recipe in KINDS.values():
        model = CompletenessModel(recipe).fit(stars)
        assert np.isfinite(model.p_recovered(stars)).all()
        assert model.inputs_.gaps


def test_large_tables_are_predicted_in_pieces(trained: dict[str, CompletenessModel]) -> None:
    stars = STARS.select(np.arange(PREDICTED_AT_ONCE + 10) % len(STARS))
    p = trained["logistic"].p_recovered(stars)
    np.testing.assert_array_equal(p[:600], p[600:1200])
    assert len(p) == len(stars)


def bad(what: str) -> ArtificialStars:
    """Artificial stars that nothing can be learnt from."""
    stars = toy_stars(200)
    if what == "few":
        return stars.select(slice(0, 20))
    if what == "none recovered":
        return replace(stars, recovered=np.zeros(200, bool))
    if what == "none lost":
        return replace(stars, mag_out=stars.mag_in, recovered=np.ones(200, bool))
    return replace(stars, covariates={"crowding": np.full(200, np.nan)})


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("few", "20.*50 or more"),
        ("none recovered", "none recovered.*brighter"),
        ("none lost", "none lost.*fainter"),
        ("unknown", "crowding.*no value"),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_what_nothing_can_be_learnt_from_is_refused(name: str, what: str, named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        CompletenessModel(KINDS[name]).fit(bad(what))


def test_wrong_covariates_and_recipes_are_named() -> None:
    with pytest.raises(ParameterError, match=r"seeing.*sky_noise_F555W, crowding"):
        CompletenessModel(small_recipe(), covariates=["seeing"]).fit(STARS)
    with pytest.raises(ParameterError, match="magnitudes"):
        CompletenessModel(small_recipe(), magnitudes="true").fit(STARS)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="centering"):
        CompletenessModel("c23-v1").fit(STARS)
    for changes, named in [
        ({"network.name": "forest"}, "forest.*mlp"),
        ({"network.depth": 3}, "depth"),
        ({"network.layers": []}, "layers"),
        ({"loss.name": "mae"}, "log"),
        ({"data.size": 8}, "rasters"),
    ]:
        with pytest.raises(ParameterError, match=named):
            CompletenessModel(override(small_recipe(), changes)).fit(STARS)
    baseline = small_recipe().model_dump() | {"network": {"name": "logistic", "depth": 3}}
    with pytest.raises(ParameterError, match="depth"):
        CompletenessModel(Recipe.model_validate(baseline)).fit(STARS)


def test_stars_that_do_not_suit_are_refused(trained: dict[str, CompletenessModel]) -> None:
    model, real = trained["network"], toy_real()
    with pytest.raises(ParameterError, match=r"F606W, F814W.*F555W, F814W"):
        model.predict_proba(replace(real, bands=("F606W", "F814W")))
    with pytest.raises(ParameterError, match="crowding"):
        model.in_domain(replace(real, covariates={"sky_noise_F555W": np.ones(len(real))}))
    with pytest.raises(ParameterError, match="fit or load"):
        CompletenessModel("logistic").p_recovered(real)


def test_files_that_do_not_hold_a_model_are_named(
    trained: dict[str, CompletenessModel], tmp_path: Path
) -> None:
    model, path = trained["network"], tmp_path / "m.safetensors"
    weights = model.model_.tensors()
    less = {name: tensor for name, tensor in weights.items() if "0" not in name}
    facts = {**model.card_.normalisation, "cov_scale": [1.0]}
    for tensors, card, named in [
        (less, model.card_, "without the tensors"),
        (weights, model.card_.model_copy(update={"normalisation": facts}), "do not fit"),
        (weights, model.card_.model_copy(update={"recipe": KINDS["logistic"]}), "damaged"),
        (weights, model.card_.model_copy(update={"job": "centering"}), "for completeness"),
    ]:
        save_model(path, tensors, card)
        with pytest.raises(InputFileError, match=named):
            CompletenessModel.load(path)
    with pytest.raises(InputFileError, match=r"none\.safetensors"):
        CompletenessModel.load(tmp_path / "none.safetensors")
    with pytest.raises(OutputFileError):
        model.save(tmp_path / "no" / "m.safetensors")


@pytest.mark.parametrize("kind", ["input", "measured"])
def test_magnitudes_errors_are_kept_in_the_same_file(kind: Any, tmp_path: Path) -> None:
    stars, path = toy_stars(400), tmp_path / "m.safetensors"
    model = CompletenessModel(small_recipe(), magnitudes=kind, errors=True).fit(stars)
    assert model.errors_ is not None and model.errors_.inputs.magnitudes == "input"
    model.save(path)
    loaded = CompletenessModel.load(path)
    assert loaded.errors_ is not None and loaded.errors_.inputs == model.errors_.inputs
    np.testing.assert_array_equal(
        loaded.errors_.bias_scatter(stars), model.errors_.bias_scatter(stars)
    )
    again = tmp_path / "again.safetensors"
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()
    scatter = model.errors_.bias_scatter(stars)[1]
    assert np.median(scatter) == pytest.approx(0.05, rel=0.3)
    broken = {name: t for name, t in load_model(path)[0].items() if name != last(model)}
    save_model(path, broken, model.card_)
    with pytest.raises(InputFileError, match="magnitudes' errors"):
        CompletenessModel.load(path)


def last(model: CompletenessModel) -> str:
    """A tensor of the errors' network."""
    assert model.errors_ is not None
    return sorted(model.errors_.tensors("errors."))[-1]


def test_too_few_recovered_stars_leave_the_errors_out() -> None:
    model = CompletenessModel("logistic", errors=True).fit(toy_stars(120))
    assert model.errors_ is None
    assert "too few" in model.card_.notes
