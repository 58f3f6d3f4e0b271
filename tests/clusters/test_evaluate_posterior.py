import numpy as np
import pytest

from filar.clusters import evaluate_posterior as ep
from filar.errors import ParameterError
from tests.clusters.evaluatetoys import TIED, toy_posterior, toy_truth

RNG_SEED = 5


def toy_ranks(**options):
    truth = toy_truth(2000)
    samples = toy_posterior(truth, **options).samples
    rng = np.random.default_rng(RNG_SEED)
    return ep.ranks(samples, truth.values, rng), ep.joint_ranks(samples, truth.values, rng)


def test_exact_posteriors_pass_all_tests() -> None:
    rank, joint = toy_ranks()
    for one in (*rank.T, joint):
        found = ep.uniformity(one)
        assert found.p > 0.01
        assert found.deviation < 0.04
        assert found.counts.sum() == found.number == 2000
    curve = ep.coverage(rank)
    assert curve.shape == (len(ep.LEVELS), 4)
    error = ep.coverage_error(ep.LEVELS, 2000)
    assert (np.abs(curve - ep.LEVELS[:, None]) < 4 * error[:, None]).all()


@pytest.mark.parametrize(("width", "inside68"), [(0.5, 0.383), (0.8, 0.576), (2.0, 0.954)])
def test_wrong_widths_fail_by_as_much_as_they_must(width: float, inside68: float) -> None:
    rank, _ = toy_ranks(width=width)
    assert all(ep.uniformity(one).p < 1e-6 for one in rank.T)
    np.testing.assert_allclose(ep.coverage(rank, 0.6827)[0], inside68, atol=0.04)


def test_a_shift_shows_in_the_ranks() -> None:
    rank, _ = toy_ranks(shift=0.3)
    assert all(ep.uniformity(one).p < 1e-6 for one in rank.T)
    assert (np.nanmean(rank, 0) < 0.45).all()


def test_a_wrong_correlation_shows_in_joint_ranks_alone() -> None:
    rank, joint = toy_ranks(tied=-TIED)
    assert all(ep.uniformity(one).p > 0.001 for one in rank.T)
    assert ep.uniformity(joint).p < 1e-4


def test_ranks_of_few_and_equal_draws_are_uniform() -> None:
    rng = np.random.default_rng(0)
    # Posteriors of three classes, all draws of a class equal: the truth is one of them too.
    values = rng.integers(0, 3, (4000, 1)).astype(float)
    samples = rng.integers(0, 3, (4000, 7, 1)).astype(np.float32)
    assert ep.uniformity(ep.ranks(samples, values, rng)[:, 0]).p > 0.01


def test_ranks_tell_where_the_truth_lies() -> None:
    samples = np.arange(99, dtype=np.float32)[None, :, None]
    rng = np.random.default_rng(0)
    for value, rank in ((-1.0, 0.0), (48.5, 0.49), (200.0, 0.99)):
        found = float(ep.ranks(samples, np.array([[value]]), rng)[0, 0])
        assert rank <= found <= rank + 0.01


def test_what_is_not_known_is_left_out() -> None:
    truth = toy_truth(50, 10)
    predicted = toy_posterior(truth)
    rng = np.random.default_rng(0)
    rank = ep.ranks(predicted.samples, truth.values, rng)
    joint = ep.joint_ranks(predicted.samples, truth.values, rng)
    assert np.isnan(rank[50:]).all()
    assert np.isnan(joint[50:]).all()
    assert np.isfinite(rank[:50]).all()
    assert np.isfinite(joint[:50]).all()
    assert ep.uniformity(rank[:, 0]).number == 50
    nothing = ep.uniformity(rank[50:, 0])
    assert nothing.number == 0
    assert np.isnan(nothing.p)
    assert np.isnan(ep.coverage(rank[50:])).all()
    assert np.isnan(ep.joint_ranks(predicted.samples[:1], truth.values[:1], rng)).all()


def test_batches_do_not_change_anything(monkeypatch) -> None:
    truth = toy_truth(60)
    samples = toy_posterior(truth, draws=20).samples
    plain = [ep.widths(samples), ep.correlations(samples, 0, 1), ep.bimodality(samples, 2)]
    np.testing.assert_allclose(plain[0], samples.std(axis=1), rtol=1e-4)
    whole = [f(samples, truth.values, np.random.default_rng(1)) for f in (ep.ranks, ep.joint_ranks)]
    monkeypatch.setattr(ep, "_BATCH", 20 * 4 * 7)
    split = [f(samples, truth.values, np.random.default_rng(1)) for f in (ep.ranks, ep.joint_ranks)]
    whole += plain
    split += [ep.widths(samples), ep.correlations(samples, 0, 1), ep.bimodality(samples, 2)]
    for a, b in zip(whole, split, strict=True):
        np.testing.assert_array_equal(a, b)


def test_correlation_and_two_hills() -> None:
    rng = np.random.default_rng(0)
    samples = toy_posterior(toy_truth(40), draws=4000).samples
    assert np.median(ep.correlations(samples, 0, 1)) == pytest.approx(
        np.corrcoef(samples[0, :, 0], samples[0, :, 1])[0, 1], abs=0.03
    )
    assert np.abs(np.median(ep.correlations(samples, 0, 3))) < 0.02
    hill = rng.normal(size=(3, 20000))
    flat = rng.random((3, 20000))
    two = np.sign(flat - 0.5) + 0.01 * hill
    for draws, expected in ((hill, 1 / 3), (flat, 5 / 9), (two, 1.0)):
        np.testing.assert_allclose(ep.bimodality(draws[:, :, None], 0), expected, atol=0.03)
    assert np.isnan(ep.bimodality(np.ones((1, 5, 2)), 1)).all()


def test_shapes_that_do_not_fit_are_told() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ParameterError, match="samples"):
        ep.ranks(np.zeros((3, 10, 4)), np.zeros((3, 3)), rng)
    with pytest.raises(ParameterError, match="one draw"):
        ep.joint_ranks(np.zeros((3, 0, 4)), np.zeros((3, 4)), rng)
    with pytest.raises(ParameterError, match="bins"):
        ep.uniformity(np.zeros(3), 1)
