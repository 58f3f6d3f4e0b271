import numpy as np
import pytest

from filar.clusters.evaluate_detection import (
    Fractions,
    fractions,
    half_found,
    judge_detection,
)
from filar.errors import ParameterError


def drawn(n: int = 6000, seed: int = 0):
    """Clusters found the surer the more visible they are, and probabilities that are honest."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    cluster = rng.random(n) < p
    return p, cluster, np.where(cluster, 2 * p, np.nan)


def test_honest_probabilities_look_honest() -> None:
    p, cluster, snr = drawn()
    found = judge_detection(p, cluster, snr)
    assert found.clusters + found.backgrounds == 6000
    # Of uniform honest probabilities: three quarters told rightly; area 5/6; Brier 1/6; loss 1/2.
    assert found.accuracy == pytest.approx(0.75, abs=0.02)
    assert found.balanced == pytest.approx(0.75, abs=0.02)
    assert found.completeness == pytest.approx(0.75, abs=0.02)
    assert found.precision == pytest.approx(0.75, abs=0.02)
    assert found.false_alarms == pytest.approx(0.25, abs=0.02)
    assert found.auc == pytest.approx(5 / 6, abs=0.02)
    assert found.brier == pytest.approx(1 / 6, abs=0.01)
    assert found.log_loss == pytest.approx(0.5, abs=0.02)
    pull = (found.honest.fraction - found.honest.at) / found.honest.error
    assert (np.abs(pull) < 4).all()
    assert found.half_found == pytest.approx(1, abs=0.15)
    assert found.true_rate[0] == 0
    assert found.true_rate[-1] == 1
    assert len(found.true_rate) <= 300
    assert (np.diff(found.false_rate) >= 0).all()


def test_the_order_is_all_that_the_area_sees() -> None:
    p, cluster, snr = drawn()
    squared = judge_detection(p**3, cluster, snr)
    assert squared.auc == pytest.approx(judge_detection(p, cluster, snr).auc)
    assert squared.log_loss > judge_detection(p, cluster, snr).log_loss
    assert squared.completeness < 0.5


def test_perfect_and_useless() -> None:
    cluster = np.arange(1000) < 400
    snr = np.where(cluster, np.arange(1000) / 400, np.nan)
    perfect = judge_detection(cluster.astype(float), cluster, snr)
    assert (perfect.accuracy, perfect.auc, perfect.brier) == (1, 1, 0)
    assert (perfect.found.fraction == 1).all()
    assert perfect.found.number.sum() == 400
    assert perfect.half_found == perfect.found.at[0] < 0.1
    useless = judge_detection(np.zeros(1000), cluster, snr)
    assert useless.auc == 0.5
    assert np.isnan(useless.precision)
    assert np.isnan(useless.half_found)
    assert useless.completeness == 0


def test_silence_is_left_out() -> None:
    p, cluster, snr = drawn(500)
    silent = np.where(np.arange(500) < 100, np.nan, p)
    rest = judge_detection(p[100:], cluster[100:], snr[100:])
    assert judge_detection(silent, cluster, snr).auc == rest.auc


def test_fractions_with_few_are_not_told() -> None:
    values = np.concatenate([np.full(50, 0.25), np.full(5, 0.75), [np.nan, 2.0]])
    found = fractions(values, np.arange(57) % 2 == 0, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_array_equal(found.number, [50, 5])
    assert found.fraction[0] == 0.5
    assert np.isnan(found.fraction[1])
    np.testing.assert_allclose(found.at, [0.25, 0.75])


def test_half_is_found_between_bins() -> None:
    at = np.array([0.0, 1.0, 2.0])
    some = np.full(3, 20)

    def told(*part: float) -> float:
        return half_found(Fractions(at, np.array(part), np.zeros(3), some))

    assert told(0.2, 0.4, 0.8) == pytest.approx(1.25)
    assert told(0.6, 0.4, 0.8) == pytest.approx(1.25)
    assert told(0.6, 0.7, 0.8) == 0
    assert np.isnan(told(0.6, 0.4, 0.2))
    assert told(0.2, np.nan, 0.8) == pytest.approx(1)


def test_what_is_no_probability_is_refused() -> None:
    cluster = np.arange(10) < 4
    with pytest.raises(ParameterError, match="p_cluster"):
        judge_detection(np.full(10, 1.5), cluster, np.ones(10))
    with pytest.raises(ParameterError, match="some of both"):
        judge_detection(np.full(10, 0.5), np.ones(10, bool), np.ones(10))
