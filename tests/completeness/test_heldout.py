import numpy as np
import pytest

from filar.completeness.data import parts
from filar.completeness.estimator import CompletenessModel
from filar.completeness.heldout import judged_rows, unseen
from filar.errors import ParameterError
from tests.completeness.toys import toy_stars


@pytest.fixture(scope="module")
def stars():
    return toy_stars(2000)


def trained(stars, seed: int = 0, test: bool = True) -> CompletenessModel:
    return CompletenessModel("logistic", seed=seed).fit(stars, test=test)


def test_a_model_is_judged_by_its_own_test_part(stars, tmp_path) -> None:
    model = trained(stars, seed=4)
    model.save(tmp_path / "m.safetensors")
    rows = unseen(CompletenessModel.load(tmp_path / "m.safetensors"), stars)
    assert rows is not None
    test = parts(stars, model.recipe_.table.fractions, 4)[2]
    assert test is not None
    np.testing.assert_array_equal(np.sort(stars.mag_in[rows, 0]), np.sort(test.mag_in[:, 0]))
    # The figures on the card are of the same stars.
    judged = stars.select(rows)
    told = np.mean((model.p_recovered(judged) >= 0.5) == judged.recovered)
    assert told == pytest.approx(model.card_.figures["accuracy"])
    chosen, rule = judged_rows({"mine": model}, stars)
    np.testing.assert_array_equal(chosen, rows)
    assert "mine was trained on" in rule
    assert "test part" in rule


def test_a_foreign_table_is_judged_whole(stars) -> None:
    other = toy_stars(2000, seed=9)
    model = trained(other)
    assert unseen(model, stars) is None
    rows, rule = judged_rows({"other": model}, stars)
    assert rows.all()
    assert "all stars" in rule
    # One star less is another table.
    assert unseen(model, other.select(slice(1, None))) is None


def test_several_models_are_judged_by_what_none_has_seen(stars) -> None:
    models = {"a": trained(stars, 0), "b": trained(stars, 1)}
    rows, rule = judged_rows(models, stars)
    both = unseen(models["a"], stars) & unseen(models["b"], stars)
    np.testing.assert_array_equal(rows, both)
    assert 40 < rows.sum() < 150
    assert "in common" in rule
    few = toy_stars(600)
    with pytest.raises(ParameterError, match="to judge them by"):
        judged_rows({str(seed): trained(few, seed) for seed in range(3)}, few)


def test_a_model_of_all_stars_cannot_be_judged_by_them(stars) -> None:
    with pytest.raises(ParameterError, match="trained on all stars"):
        unseen(trained(stars, test=False), stars)
