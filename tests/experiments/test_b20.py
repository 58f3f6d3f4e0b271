"""B20 on mock clusters, with blobs in their place."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from experiments.b20 import __main__ as experiment
from experiments.b20 import models, plan, sets
from experiments.b20.plan import BOOSTING, NARROW, OURS, PAPERS, SIZES, recipe_of
from experiments.trials.folder import read_json
from filar.clusters.boosting import Boosting
from filar.clusters.data import SetFolder
from filar.errors import OutputFileError
from tests.clusters.samples import write_set


def test_recipes_keep_nothing_to_test_on_and_one_is_narrow():
    for name in (OURS, NARROW, PAPERS):
        recipe = recipe_of(name, SIZES["full"])
        assert recipe.mocks.fractions == plan.TRAINED and recipe.job == "clusters"
    narrow, whole = (recipe_of(name, SIZES["default"]) for name in (NARROW, PAPERS))
    assert narrow.network.options["channels"] * 4 == whole.network.options["channels"]
    assert narrow.network.options["blocks"] == whole.network.options["blocks"]
    assert recipe_of(OURS, SIZES["quick"], half=True).network.options["half"] is True
    assert recipe_of(NARROW, SIZES["quick"], half=True) == recipe_of(NARROW, SIZES["quick"])
    assert narrow.budget.epochs < whole.budget.epochs
    assert recipe_of(NARROW, SIZES["quick"]).budget.epochs < narrow.budget.epochs
    assert recipe_of(OURS, SIZES["quick"]).ema.momentum == 0 < narrow.ema.momentum


def test_other_clusters_judge(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(sets, "SetFolder", lambda folder: folder)

    class Done:
        made = 1

    monkeypatch.setattr(sets, "write_set", lambda own, folder, workers: written.append(own) or Done)
    said = []
    train, test = sets.sets_of(SIZES["default"], tmp_path, 3, ["i.dat"], 2, said.append)
    assert (train, test) == (tmp_path / "train", tmp_path / "test")
    assert written[0].seed == 3 != written[1].seed
    assert [own.clusters for own in written] == [48_000, 6_000]
    assert all(own.isochrones == ("i.dat",) for own in written)
    assert written[0].camera.filters == ("F336W", "F438W", "F814W")
    assert written[0].camera == written[1].camera and written[0].mock == written[1].mock
    assert len(said) == 2


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blobs")
    return tuple(
        SetFolder(write_set(folder / name, n, scenes=4, seed=seed))
        for name, n, seed in (("train", 160, 0), ("test", 90, 1))
    )


def test_answers_of_trees_are_kept(tmp_path, blobs, monkeypatch):
    train, test = blobs
    recipe = recipe_of(OURS, SIZES["quick"])
    cutouts, truth = models.composed_test(test, recipe, 1)
    assert len(cutouts) == 90 and 10 < (~truth.cluster).sum() < 60
    monkeypatch.setattr(models, "Boosting", partial(Boosting, iterations=5))
    found = models.boosted(train, recipe, cutouts, tmp_path, 1, 1, str)

    def never(*given, **options):
        raise AssertionError

    monkeypatch.setattr(models, "Boosting", never)
    again = models.boosted(train, recipe, cutouts, tmp_path, 1, 1, str)
    for name in ("value", "p_cluster", "log_snr"):
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert sorted(again.intervals) == [0.68, 0.95]
    for level in again.intervals:
        np.testing.assert_array_equal(again.intervals[level], found.intervals[level])
    with pytest.raises(AssertionError):  # other cutouts are asked about
        models.boosted(train, recipe, cutouts.select(slice(1, None)), tmp_path, 1, 1, str)
    other, same = (models.composed_test(test, recipe, seed)[0] for seed in (2, 1))
    np.testing.assert_array_equal(same.flux, cutouts.flux)
    assert (other.flux != cutouts.flux).any()


def test_the_whole_of_it(tmp_path, blobs, monkeypatch, capsys):
    tiny = replace(SIZES["quick"], epochs={OURS: 1, NARROW: 1})
    monkeypatch.setitem(SIZES, "quick", tiny)
    monkeypatch.setattr(experiment, "sets_of", lambda *given: blobs)
    monkeypatch.setattr(experiment, "DRAWS", 50)
    monkeypatch.setattr(models, "Boosting", partial(Boosting, iterations=5))
    monkeypatch.setattr(experiment, "write_clusters_report", lambda path, facts: path.touch())
    words = ["-o", str(tmp_path / "b20"), "--quick"]
    experiment.main(words)
    text = (tmp_path / "b20" / "table.md").read_text()
    assert text in capsys.readouterr().out
    for one in (OURS, NARROW, BOOSTING, "log_age (dex)", "area below the ROC", "needs a GPU"):
        assert one in text
    numbers = read_json(tmp_path / "b20" / "table.json")
    assert set(numbers["training_seconds"]) == {OURS, NARROW, BOOSTING}
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert {path.stem for path in kept} >= {OURS, NARROW}
    experiment.main(words)  # nothing is trained again
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    with pytest.raises(OutputFileError, match="seed = 1, not 2"):
        experiment.main([*words, "--seed", "2"])
