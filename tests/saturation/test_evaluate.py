import numpy as np
import pytest

from filar.errors import ParameterError
from filar.saturation.evaluate import DEVIATIONS, Answer, evaluate, parts_of
from tests.saturation.judgedtoys import toy_answer, toy_judged


@pytest.fixture(scope="module")
def judged():
    return toy_judged(900)


def test_methods_are_judged_by_magnitude_part_and_error(judged) -> None:
    answers = {
        "good": toy_answer(judged),
        "biased": toy_answer(judged, bias=0.05, factor=0.5),
        "silent": toy_answer(judged, told=0.4),
    }
    good, biased, silent = evaluate(judged, answers, draws=50)
    assert good.name == "good"
    assert sum(one.stamps for one in good.fine) == sum(one.stamps for one in good.coarse)
    assert all(abs(one.bias) < 5 * one.bias_err for one in good.fine if one.enough)
    assert all(abs(one.pull - 1) < 0.25 for one in good.coarse if one.enough)
    assert biased.whole.bias == pytest.approx(0.05, abs=0.002)
    assert biased.whole.half68 == pytest.approx(0.02, rel=0.05)
    assert biased.whole.pull == pytest.approx(2, rel=0.06)
    assert silent.whole.told == pytest.approx(0.4, abs=0.03)
    assert set(good.parts) == {"saturated", "unsaturated", "camera cam0", "camera cam1"}
    saturated = good.parts["saturated"]
    assert saturated.stamps + good.parts["unsaturated"].stamps == len(judged)
    assert good.inside[3] == pytest.approx(0.683, abs=0.02)
    assert DEVIATIONS[3] == 1.0


def test_bins_of_the_predicted_error_hold_all_stamps(judged) -> None:
    rng = np.random.default_rng(5)
    sigma = rng.uniform(0.01, 0.2, len(judged))
    answer = Answer(judged.log_n + rng.normal(0, sigma) / 2.5, sigma / 2.5)
    (found,) = evaluate(judged, {"a": answer}, draws=20)
    assert sum(one.stamps for one in found.by_error) == len(judged)
    for one in found.by_error:
        assert one.low < one.half68 / 0.9945 * 1.1
        assert one.high > one.half68 / 0.9945 / 1.1
    (same,) = evaluate(judged, {"a": toy_answer(judged)}, draws=20)
    assert [one.stamps for one in same.by_error] == [len(judged)]
    (none,) = evaluate(judged, {"a": Answer(judged.log_n, judged.log_n * np.nan)}, draws=20)
    assert list(none.by_error) == []
    assert np.isnan(none.inside).all()


def test_what_makes_no_sense_is_refused(judged) -> None:
    with pytest.raises(ParameterError, match="one method"):
        evaluate(judged, {})
    with pytest.raises(ParameterError, match="answers"):
        evaluate(judged, {"a": Answer(np.zeros(3), np.zeros(3))})
    none = judged.select(np.zeros(len(judged), bool))
    with pytest.raises(ParameterError, match="no stamp"):
        evaluate(none, {"a": Answer(none.log_n, none.log_n)})
    bright = judged.select(judged.saturated & (judged.image < 3))
    assert set(parts_of(bright)) == {"saturated", "camera cam0"}
