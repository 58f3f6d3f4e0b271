"""Models of saturated stars: honest, repeatable, silent about what they cannot see."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.history import read_history
from filar.learn.modelfile import load_model, read_card, save_model
from filar.saturation.data import Samples
from filar.saturation.domain import in_domain, learn_domain
from filar.saturation.estimator import LEAST_ERROR, PREDICTED_AT_ONCE, SaturationModel
from filar.saturation.members import planned
from filar.saturation.parts import share_out
from filar.saturation.w24 import disc
from tests.saturation.toys import small_recipe, toy_samples

SAMPLES = toy_samples()
SINGLE, SEVERAL = small_recipe(), small_recipe(network__trainings=3)
RACED = small_recipe(network__trainings=4, network__race=[1, 2])
RECIPES = {"single": SINGLE, "several": SEVERAL, "raced": RACED}


@pytest.fixture(scope="module")
def trained() -> dict[str, SaturationModel]:
    return {name: SaturationModel(recipe).fit(SAMPLES) for name, recipe in RECIPES.items()}


def written(model: SaturationModel, path: Path) -> bytes:
    model.save(path)
    return path.read_bytes()


def test_the_best_of_several_trainings_is_kept(trained: dict[str, SaturationModel]) -> None:
    model = trained["several"]
    assert len(model.losses_) == 3 and len(set(model.losses_)) == 3
    best = int(np.argmin(model.losses_))
    assert min(row["validation_loss"] for row in model.history_) == min(model.losses_)
    assert f"training {best} of 3" in model.card_.notes
    assert model.parts_ is not None
    judged = SAMPLES.select(model.parts_.validation)
    miss = model.predict(judged).log_n - judged.log_n
    assert np.mean(miss**2) == pytest.approx(min(model.losses_), rel=1e-3)


def test_in_a_race_only_the_best_go_on(trained: dict[str, SaturationModel], tmp_path: Path) -> None:
    whole = SaturationModel(small_recipe(network__trainings=4)).fit(SAMPLES, folder=tmp_path / "w")
    raced = SaturationModel(RACED).fit(SAMPLES, folder=tmp_path / "r")
    epochs = [len(read_history(path)) for path in sorted(tmp_path.glob("r/training-*/history.csv"))]
    assert sorted(epochs) == [1, 1, 2, 3]
    assert planned(4, (1, 2), 3) == 4 + 2 + 1 == sum(epochs)
    assert planned(24, (5, 15, 50), 150) == 24 * 5 + 8 * 10 + 3 * 35 + 100
    kept = epochs.index(3)
    assert np.isnan(raced.losses_).sum() == 3
    # the one that went all the way is what it would have been without a race
    assert raced.losses_[kept] == whole.losses_[kept]
    first = [read_history(path)[0]["validation_loss"]
             for path in sorted(tmp_path.glob("w/training-*/history.csv"))]  # fmt: skip
    assert {k for k, n in enumerate(epochs) if n > 1} == set(np.argsort(first)[:2].tolist())
    assert read_history(tmp_path / "r" / "history.csv") == raced.history_


def test_saved_and_loaded_it_gives_the_same(
    trained: dict[str, SaturationModel], tmp_path: Path
) -> None:
    model = trained["several"]
    content = written(model, tmp_path / "m.safetensors")
    loaded = SaturationModel.load(tmp_path / "m.safetensors")
    a, b = model.predict(SAMPLES), loaded.predict(SAMPLES)
    np.testing.assert_array_equal(a.log_n, b.log_n)
    np.testing.assert_array_equal(a.log_n_err, b.log_n_err)
    np.testing.assert_array_equal(a.in_domain, b.in_domain)
    assert a.log_n_err.min() >= LEAST_ERROR
    assert (loaded.card_, loaded.inputs_) == (model.card_, model.inputs_)
    assert written(loaded, tmp_path / "again.safetensors") == content


@pytest.mark.parametrize("name", ["single", "several"])
def test_the_same_seed_and_samples_give_the_same_file(
    name: str, trained: dict[str, SaturationModel], tmp_path: Path
) -> None:
    first = written(trained[name], tmp_path / "m.safetensors")
    again, other = (
        written(SaturationModel(RECIPES[name], seed=seed).fit(SAMPLES), tmp_path / "n.safetensors")
        for seed in (0, 1)
    )
    assert again == first != other


@pytest.mark.parametrize(("name", "epochs"), [("single", 2), ("several", 5)])
def test_killed_and_resumed_it_ends_in_the_same_file(
    name: str, epochs: int, trained: dict[str, SaturationModel], tmp_path: Path
) -> None:
    folder, trainings = tmp_path / "run", 3 if name == "several" else 1
    command = [sys.executable, "-m", "tests.saturation.killed", folder, epochs, trainings]
    killed = subprocess.run([str(one) for one in command], check=False)
    assert killed.returncode == -signal.SIGKILL
    model = SaturationModel(RECIPES[name]).fit(SAMPLES, folder=folder, resume=True)
    assert written(model, tmp_path / "r.safetensors") == written(
        trained[name], tmp_path / "w.safetensors"
    )
    with pytest.raises(ParameterError, match="resume"):
        SaturationModel(RECIPES[name]).fit(toy_samples(seed=9), folder=folder, resume=True)


def test_side_by_side_and_stopped_it_ends_in_the_same_file(
    trained: dict[str, SaturationModel], tmp_path: Path
) -> None:
    def stop(now: Any) -> None:
        if now.epoch == 5:
            raise RuntimeError("stopped")

    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="stopped"):
        SaturationModel(RACED).fit(SAMPLES, folder=folder, checkpoint_seconds=0, progress=stop)
    told: list[int] = []
    model = SaturationModel(RACED).fit(
        SAMPLES, folder=folder, resume=True, workers=2, progress=lambda p: told.append(p.epoch)
    )
    assert told == sorted(told) and told[-1] == 7
    assert written(model, tmp_path / "r.safetensors") == written(
        trained["raced"], tmp_path / "w.safetensors"
    )
    assert not list(folder.glob(".*"))


def test_what_is_learnt() -> None:
    recipe = small_recipe(
        network__width=64, budget__epochs=40, optimiser__lr=1e-3, budget__batch_size=64
    )
    samples = toy_samples(500, 2, seed=3)
    model = SaturationModel(recipe).fit(samples)
    fresh = toy_samples(300, 1, seed=4)
    found = model.predict(fresh)
    miss = found.log_n - fresh.log_n
    assert np.abs(np.median(miss)) < 0.02 and np.median(np.abs(miss)) < 0.03
    assert np.quantile(found.log_n_err, 0.9) < 0.2
    inside = np.abs(miss / found.log_n_err) < 1
    assert inside.mean() == pytest.approx(0.68, abs=0.12)
    figures = model.card_.figures
    assert figures["stamps"] == 200 and figures["stars"] == 100
    assert {"bias", "half68", "half95", "rms", "pull", "bias_saturated"} <= set(figures)
    assert found.in_domain.mean() > 0.95


def test_the_card_says_what_it_is(trained: dict[str, SaturationModel]) -> None:
    card = trained["single"].card_
    assert (card.job, card.size, card.instrument) == ("saturation", 21, "sim-a")
    assert card.filters == ("g",) and {"filar", "torch"} <= set(card.versions)
    assert {"log_n", "mag", "sky", "level", "x", "y", "saturated"} <= set(card.ranges)
    assert "fwhm" not in card.ranges
    low, high = card.ranges["log_n"]
    assert low == pytest.approx(3.4, abs=0.1) and high == pytest.approx(6.6, abs=0.1)


def test_parts_are_of_stars() -> None:
    parts = share_out(SAMPLES, SINGLE, 0)
    stars = [set(SAMPLES.star[rows]) for rows in (parts.train, parts.validation, parts.test)]
    assert [len(one) for one in stars] == [90, 30, 30]
    assert not stars[0] & stars[1] and not stars[0] & stars[2] and not stars[1] & stars[2]
    assert len(parts.train) == 180
    everything = SaturationModel(SINGLE).fit(SAMPLES, test=False)
    assert everything.parts_ is not None and len(everything.parts_.train) == 240
    assert everything.card_.figures["stamps"] == 0


def spoilt(**changes: Any) -> Samples:
    return replace(SAMPLES, **changes)


def damaged(pixels: int, stamps: int) -> Samples:
    stamp = SAMPLES.stamp.copy()
    stamp[:stamps, 10, :pixels] = 1.0
    return spoilt(stamp=stamp, meta={"count": [1.0, 1.0]})


def test_damaged_stamps_are_left_out() -> None:
    assert share_out(damaged(4, 20), SINGLE, 0).rejected["damaged"] == 0
    parts = share_out(damaged(5, 20), SINGLE, 0)
    assert parts.rejected["damaged"] == 20
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    assert len(rows) == 280 and rows.min() >= 20
    assert share_out(damaged(5, 20), small_recipe(stars__damaged=5), 0).rejected["damaged"] == 0


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (SAMPLES.select(slice(0, 198)), r"99 in 198 stamps.*100 or more"),
        (spoilt(log_n=np.full(300, np.nan)), r"0 in 0 stamps \(300 stamps without a known"),
        (damaged(9, 150), r"75 in 150.*150 stamps damaged"),
        (spoilt(stamp=np.full((300, 21, 21), np.nan)), "300 stamps with too few usable"),
        (spoilt(saturated=np.ones((300, 21, 21), bool)), "300 stamps with too few usable"),
        (Samples.build(np.zeros((300, 11, 11))), "11 pixels wide"),
        (SAMPLES.select(slice(0, 0)), "0 in 0 stamps"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused(samples: Samples, named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        SaturationModel(SINGLE).fit(samples)


def test_nothing_is_said_of_stamps_that_tell_nothing(trained: dict[str, SaturationModel]) -> None:
    stamp, saturated = SAMPLES.stamp[:8].copy(), SAMPLES.saturated[:8].copy()
    zero, level = SAMPLES.zero_point[:8].copy(), SAMPLES.level[:8].copy()
    stamp[0] = np.nan
    saturated[1] = True
    stamp[2, :, :8] = np.nan  # the edge of the image runs through the disc
    stamp[3, 0] = np.nan  # beside it
    zero[4], level[5], saturated[6, :, :3] = np.nan, 1e4, True
    odd = replace(
        SAMPLES.select(slice(0, 8)), stamp=stamp, saturated=saturated, zero_point=zero, level=level
    )
    usual = trained["single"].predict(SAMPLES.select(slice(0, 8)))
    found = trained["single"].predict(odd)
    silent = [True] * 3 + [False] * 5
    assert np.isnan(found.log_n).tolist() == np.isnan(found.log_n_err).tolist() == silent
    assert found.in_domain.tolist() == [False] * 3 + [bool(usual.in_domain[3])] + [False] * 3 + [
        bool(usual.in_domain[7])
    ]
    assert disc(21).sum() == 81


def test_the_domain_ends_where_the_training_data_do() -> None:
    ranges = learn_domain(SAMPLES)
    assert in_domain(SAMPLES, SAMPLES.log_n, ranges, ("g",)).all()
    assert in_domain(SAMPLES, SAMPLES.log_n, ranges, ("G",)).all()
    assert not in_domain(SAMPLES, SAMPLES.log_n, ranges, ("V",)).any()
    nameless = spoilt(zero_point=np.full(300, np.nan), filters=("", ""))
    assert in_domain(nameless, SAMPLES.log_n, ranges, ("g",)).all()
    assert not in_domain(nameless, SAMPLES.log_n, ranges, needed=("zero_point",)).any()
    for changes in (
        {"sky": SAMPLES.sky * 2}, {"noise": SAMPLES.noise / 2}, {"x": SAMPLES.x - 1000},
        {"level": np.full(300, np.inf)}, {"zero_point": SAMPLES.zero_point + 1},
        {"saturated": np.ones((300, 21, 21), bool)},
    ):  # fmt: skip
        assert not in_domain(spoilt(**changes), SAMPLES.log_n, ranges).any(), changes
    assert not in_domain(SAMPLES, SAMPLES.log_n + 4, ranges).any()
    assert not in_domain(SAMPLES, np.full(300, np.nan), ranges).any()
    unknown = learn_domain(spoilt(level=np.full(300, np.inf), zero_point=np.full(300, np.nan)))
    assert not {"level", "zero_point"} & set(unknown)
    assert in_domain(SAMPLES, SAMPLES.log_n, unknown).all()


def test_many_stamps_are_predicted_in_pieces(trained: dict[str, SaturationModel]) -> None:
    many = SAMPLES.select(np.arange(PREDICTED_AT_ONCE + 10) % len(SAMPLES))
    found = trained["single"].predict(many)
    assert len(found) == len(many)
    np.testing.assert_allclose(found.log_n[:300], found.log_n[300:600], rtol=1e-6)
    assert len(trained["single"].predict(SAMPLES.select(slice(0, 0)))) == 0


def test_without_validation_the_last_epoch_is_kept_and_there_are_no_errors() -> None:
    recipe = small_recipe(stars__fractions=(0.8, 0.0, 0.2))
    model = SaturationModel(recipe).fit(SAMPLES)
    assert model.errors_ is None
    found = model.predict(SAMPLES)
    assert np.isfinite(found.log_n).all() and np.isnan(found.log_n_err).all()


def test_files_that_do_not_hold_a_model_are_named(
    trained: dict[str, SaturationModel], tmp_path: Path
) -> None:
    model, path = trained["single"], tmp_path / "m.safetensors"
    model.save(path)
    weights, card = load_model(path)
    less = {name: tensor for name, tensor in weights.items() if "net.0" not in name}
    torn = {name: tensor for name, tensor in weights.items() if name != "errors.at"}
    facts = {**card.normalisation, "center": [1.0]}
    wooden = small_recipe(network__name="wood")
    for tensors, other, named in [
        (less, card, "without the tensors"), (torn, card, "error scale"),
        (weights, card.model_copy(update={"normalisation": facts}), "damaged"),
        (weights, card.model_copy(update={"job": "centering"}), "for saturation"),
        (weights, card.model_copy(update={"recipe": wooden}), "damaged"),
    ]:  # fmt: skip
        save_model(path, tensors, other)
        with pytest.raises(InputFileError, match=named):
            SaturationModel.load(path)
    with pytest.raises(InputFileError, match=r"none\.safetensors"):
        SaturationModel.load(tmp_path / "none.safetensors")
    with pytest.raises(OutputFileError):
        model.save(tmp_path / "no" / "m.safetensors")
    with pytest.raises(ParameterError, match="fit or load"):
        SaturationModel(SINGLE).predict(SAMPLES)
    with pytest.raises(ParameterError, match="11 pixels wide"):
        model.predict(Samples.build(np.zeros((2, 11, 11))))
    with pytest.raises(ParameterError, match="workers"):
        SaturationModel(SINGLE).fit(SAMPLES, workers=0)
    assert read_card(path).job == "saturation"
