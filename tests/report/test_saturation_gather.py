from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.report.saturation_gather import (
    Material,
    gather_from_models,
    held_out,
    judged_samples,
)
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel
from filar.saturation.parts import share_out
from tests.saturation.toys import small_recipe, toy_samples


def samples(**changes) -> Samples:
    made = toy_samples(stars=160, images=3, **changes)
    evidence = np.stack([made.log_n + 0.004, np.full(len(made), 0.004)], axis=1)
    return replace(made, evidence=evidence, columns=("psf", "psf_err"))


@pytest.fixture(scope="module")
def model() -> SaturationModel:
    return SaturationModel(small_recipe()).fit(samples())


def test_the_test_part_judges_a_model_of_the_same_data(model: SaturationModel) -> None:
    own = samples()
    told: list[float] = []
    facts = gather_from_models(
        Material("toys", own, {"m": model}), lambda done, text: told.append(done)
    )
    test = share_out(own, model.recipe_, model.seed).test
    assert sorted(facts.judged.star.tolist()) == sorted(own.star[test].tolist())
    assert "held out when m was trained" in facts.rule
    assert [one.name for one in facts.methods] == ["m", "psf"]
    assert told[-1] == 1.0
    # 0.004 dex brighter is 0.01 mag brighter, with an error of 0.01 mag and 0.005 of the label.
    assert facts.methods[1].whole.bias == pytest.approx(-0.01, abs=1e-4)
    assert facts.methods[0].whole.bias == pytest.approx(model.card_.figures["bias"])
    assert facts.models["m"].in_domain > 0.5
    assert facts.remarks == ()


def test_all_labelled_stamps_of_other_data_judge(model: SaturationModel) -> None:
    other = samples(seed=3, cameras=("sim-b",) * 3, filters=("V",) * 3)
    other.log_n[:5] = np.nan
    facts = gather_from_models(Material("toys", other, {"m": model}))
    assert len(facts.judged) == len(other) - 5
    assert "none of the models was trained on this data" in facts.rule
    text = " ".join(facts.remarks)
    assert "m was not trained on the cameras sim-b." in text
    assert "m was not trained on the filters V." in text
    alone = gather_from_models(Material("toys", other))
    assert [one.name for one in alone.methods] == ["psf"]
    assert alone.verdicts == {}


def test_a_model_that_judges_itself_is_told(model: SaturationModel) -> None:
    own = samples()
    everything = SaturationModel(small_recipe(budget__epochs=1)).fit(own, test=False)
    rows, rule, remarks = held_out(own, {"all": everything})
    assert len(rows) == len(own)
    assert "judges itself" in remarks[0]
    assert "none of the models" not in rule
    first, second = (share_out(own, model.recipe_, seed).test for seed in (0, 1))
    other = SaturationModel(small_recipe(budget__epochs=1), seed=1).fit(own)
    both, rule, _ = held_out(own, {"m": model, "other": other})
    assert set(both) == set(first) & set(second)
    assert "m and other" in rule
    unlabelled = replace(own, log_n=np.full(len(own), np.nan))
    with pytest.raises(ParameterError, match="labels"):
        held_out(unlabelled, {})


def test_light_curves_need_times() -> None:
    own = samples()
    judged, remarks = judged_samples(own)
    assert judged.epoch.tolist() == [0, 1, 2]
    assert remarks == []
    bare = replace(own, meta={"mjd": [None, None, None]})
    judged, remarks = judged_samples(bare)
    assert len(judged.epoch) == 0
    assert "times are not known" in remarks[0]
    some = replace(own, meta={"mjd": [1.0, None, 1.001]})
    judged, remarks = judged_samples(some)
    assert judged.epoch.tolist() == [0, -1, 0]
    assert "Which stars vary" in remarks[0]
    known = replace(own, meta={"mjd": [1.0, 2.0, 3.0], "variable": [8, 9]})
    assert np.unique(judged_samples(known)[0].star[judged_samples(known)[0].variable]).tolist() == [
        8,
        9,
    ]
