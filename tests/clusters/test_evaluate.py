import numpy as np
import pytest

from filar.clusters.data import Truth
from filar.clusters.evaluate import QUANTITIES, VISIBILITY, Estimates, evaluate
from filar.clusters.evaluate_criteria import (
    Targets,
    judge,
    judge_against,
    judge_bias,
    judge_coverage,
    judge_rms,
)
from filar.clusters.evaluate_scatter import LEAST, even_edges, quarter_edges
from filar.clusters.posterior import PARAMETERS
from filar.errors import ParameterError
from tests.clusters.evaluatetoys import NOISE, SPREAD, toy_estimates, toy_posterior, toy_truth

LOOSE = Targets(rms=(9, 9, 9, 9))


@pytest.fixture(scope="module")
def truth() -> Truth:
    return toy_truth(2000, 1500)


@pytest.fixture(scope="module")
def judged(truth):
    answers = {
        "exact": toy_posterior(truth),
        "narrow": toy_posterior(truth, width=0.5),
        "moved": toy_posterior(truth, shift=1.0),
        "values": toy_estimates(truth),
    }
    return {one.name: one for one in evaluate(truth, answers)}


def test_misses_of_exact_posteriors_are_as_large_as_they_must_be(judged) -> None:
    whole = judged["exact"].whole
    assert whole.number == 2000
    # Mass and size are seen alone: the posterior's variance is known.
    expected = (SPREAD**-2.0 + NOISE**-2.0) ** -0.5
    np.testing.assert_allclose(whole.rms[2:], expected[2:], rtol=0.06)
    np.testing.assert_allclose(whole.half68[2:], expected[2:], rtol=0.08)
    assert (np.abs(whole.bias) < 4 * whole.bias_err).all()
    np.testing.assert_allclose(whole.rms_err, whole.rms / np.sqrt(2 * 2000), rtol=0.2)
    np.testing.assert_allclose(whole.pull, 1, atol=0.06)
    np.testing.assert_allclose(whole.inside68, 0.6827, atol=0.04)
    np.testing.assert_allclose(whole.inside95, 0.95, atol=0.02)


def test_what_is_wrong_shows(judged) -> None:
    narrow, moved = judged["narrow"].whole, judged["moved"].whole
    np.testing.assert_allclose(narrow.pull, 2, atol=0.15)
    np.testing.assert_allclose(narrow.inside68, 0.383, atol=0.04)
    np.testing.assert_allclose(moved.bias, NOISE, atol=0.05)
    assert (moved.rms > judged["exact"].whole.rms).all()


def test_values_with_intervals_are_judged_without_ranks(judged) -> None:
    one = judged["values"]
    np.testing.assert_allclose(one.whole.rms, 1.5 * NOISE, rtol=0.06)
    np.testing.assert_allclose(one.whole.inside68, 0.68, atol=0.04)
    np.testing.assert_allclose(one.whole.inside95, 0.95, atol=0.02)
    assert np.isnan(one.ranks).all()
    assert not one.has_posterior
    assert one.detection is None
    assert np.isnan(one.snr_miss).all()
    assert VISIBILITY not in one.told_quarters
    assert [v.met for v in judge(one)][2] is None


def test_quarters_chosen_by_the_truth_are_pulled_to_the_middle_and_others_are_not(judged) -> None:
    one = judged["exact"]
    assert set(one.quarters) == set(one.told_quarters) == set(QUANTITIES)
    for parts in one.quarters.values():
        assert [part.number for part in parts] == [500] * 4
    young, old = (one.quarters["log_age"][k] for k in (0, 3))
    assert young.bias[0] > 10 * young.bias_err[0]
    assert old.bias[0] < -10 * old.bias_err[0]
    assert young.inside68[0] < 0.6
    for part in one.told_quarters["log_age"]:
        assert (np.abs(part.bias) < 4 * part.bias_err).all()
        np.testing.assert_allclose(part.inside68, 0.6827, atol=0.08)


def test_criteria_tell_the_honest_from_the_others(judged) -> None:
    verdicts = {name: judge(one, judged["values"], LOOSE) for name, one in judged.items()}
    assert [v.met for v in verdicts["exact"]] == [True] * 8, verdicts["exact"]
    wide, far, ranks, rms, bias, *_ = verdicts["narrow"]
    assert (wide.met, far.met, ranks.met, rms.met, bias.met) == (False, False, False, True, True)
    assert any("log_age" in text for text in wide.missed)
    assert verdicts["moved"][2].met is False
    assert len(verdicts["values"]) == 7
    worse = judge_against(judged["values"], judged["exact"], PARAMETERS)
    assert worse.met is False
    assert len(worse.missed) == 4
    assert len(judge_against(judged["values"], judged["exact"], ("a_v",)).missed) == 1
    assert worse.word == "missed"
    assert worse.figures()["met"] is False


def test_rms_and_bias_are_held_against_limits(judged) -> None:
    exact = judged["exact"]
    limits = exact.whole.rms * np.array([0.5, 2, 2, 2])
    verdict = judge_rms(exact, limits)
    assert verdict.met is False
    assert len(verdict.missed) == 1
    assert verdict.missed[0].startswith("log_age")
    worst = np.array([max(abs(part.bias[k]) for part in exact.quarters[name])
                      for k, name in enumerate(PARAMETERS)])  # fmt: skip
    assert judge_bias(exact, worst * 1.01).met is True
    # both ends of a range are pulled to the middle alike
    missed = judge_bias(exact, worst * np.array([0.5, 2, 2, 2])).missed
    assert missed
    assert all(text.strip("(").startswith("log_age") for text in missed)


def test_a_miss_that_chance_explains_is_in_brackets(truth) -> None:
    few = truth.select(np.r_[0:120])
    one = evaluate(few, {"exact": toy_posterior(few)})[0]
    verdict = judge_coverage(one, 0, (0.68, 0.685))
    assert verdict.met is False
    assert all(text.startswith("(") for text in verdict.missed)


def test_intervals_are_found_by_their_probability(truth) -> None:
    value = truth.values
    ends = (value - 1, value + 1)
    one = evaluate(truth, {"a": Estimates(value, {0.5: ends})})[0]
    assert np.isnan(one.whole.inside68).all()
    assert judge_coverage(one, 0, (0.6, 0.8)).met is None
    one = evaluate(truth, {"a": Estimates(value, {0.6827: ends})})[0]
    assert (one.whole.inside68 == 1).all()
    assert np.isnan(one.whole.inside95).all()
    assert (one.whole.rms == 0).all()


def test_a_method_may_give_some_parameters_only(truth) -> None:
    value = np.where(np.arange(4) < 2, truth.values, np.nan)
    one = evaluate(truth, {"half": Estimates(value)})[0]
    assert np.isfinite(one.whole.rms[:2]).all()
    assert np.isnan(one.whole.rms[2:]).all()
    assert set(one.told_quarters) == set(PARAMETERS[:2])
    exact = evaluate(truth, {"exact": toy_posterior(truth)})[0]
    assert judge_against(exact, one, PARAMETERS).met is None


def test_parts_with_few_clusters_are_not_judged() -> None:
    truth = toy_truth(4 * LEAST - 4)
    one = evaluate(truth, {"exact": toy_posterior(truth)})[0]
    assert all(np.isnan(part.rms).all() for part in one.quarters["a_v"])
    assert not one.quarters["a_v"][0].enough
    assert np.isfinite(one.whole.rms).all()
    assert judge_bias(one, (1, 1, 1, 1)).met is None


def test_edges() -> None:
    assert len(quarter_edges(np.arange(100.0))) == 5
    assert len(quarter_edges(np.ones(5))) == 0
    assert len(quarter_edges(np.full(5, np.nan))) == 0
    assert len(even_edges(np.ones(5), 4)) == 0
    np.testing.assert_allclose(even_edges(np.linspace(0, 1, 1001), 2), [0.005, 0.5, 0.995])


def test_what_cannot_be_judged_is_told(truth) -> None:
    with pytest.raises(ParameterError, match="one method"):
        evaluate(truth, {})
    with pytest.raises(ParameterError, match="3500"):
        evaluate(truth, {"short": toy_posterior(truth.select(np.arange(10)))})
    nothing = truth.select(~truth.cluster)
    with pytest.raises(ParameterError, match="no cluster"):
        evaluate(nothing, {"exact": toy_posterior(nothing)})
    with pytest.raises(ParameterError, match="value"):
        Estimates(np.zeros((5, 3)))
    with pytest.raises(ParameterError, match="intervals"):
        Estimates(np.zeros((5, 4)), {0.68: (np.zeros((5, 4)), np.zeros((4, 4)))})
    with pytest.raises(ParameterError, match="p_cluster"):
        Estimates(np.zeros((5, 4)), p_cluster=np.zeros(4))
