import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, precision_recall_fscore_support

from filar.completeness.evaluate import log_losses, quantities, scores, subsets, thresholds
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError


def drawn(n: int = 40_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Honest probabilities, most of them near 0 and 1, and outcomes."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(0, 4, n)))
    return p, rng.random(n) < p


def shifted(p: np.ndarray, by: float) -> np.ndarray:
    return 1 / (1 + (1 - p) / p * np.exp(-by))


def test_measures_against_threshold_by_hand() -> None:
    # Of three recovered stars two are told so at a half, and one of two lost ones.
    p = np.array([0.9, 0.5, 0.2, 0.6, 0.1])
    recovered = np.array([True, True, True, False, False])
    found = thresholds(p, recovered, np.array([0.0, 0.5, 0.95]))
    np.testing.assert_allclose(found.accuracy, [3 / 5, 3 / 5, 2 / 5])
    np.testing.assert_allclose(found.completeness, [1, 2 / 3, 0])
    np.testing.assert_allclose(found.precision, [3 / 5, 2 / 3, np.nan])
    np.testing.assert_allclose(found.f_score, [3 / 4, 2 / 3, 0])


def test_measures_are_those_of_scikit_learn() -> None:
    p, recovered = drawn(2000)
    found = thresholds(p, recovered)
    for k in (3, 37, 50, 80):
        told = p >= found.threshold[k]
        precision, completeness, f, _ = precision_recall_fscore_support(
            recovered, told, average="binary"
        )
        assert found.precision[k] == pytest.approx(precision)
        assert found.completeness[k] == pytest.approx(completeness)
        assert found.f_score[k] == pytest.approx(f)
        assert found.accuracy[k] == pytest.approx(np.mean(told == recovered))
    own = scores(p, recovered, draws=10)
    assert own.log_loss == pytest.approx(log_loss(recovered, p))
    assert own.brier == pytest.approx(brier_score_loss(recovered, p))
    assert own.best_accuracy >= own.accuracy == pytest.approx(found.accuracy[50])


def test_honest_probabilities_score_as_chance_has_it() -> None:
    p, recovered = drawn()
    own = scores(p, recovered)
    assert own.calibration_error < own.chance_calibration_error_95
    assert own.calibration_error > 0.4 * own.chance_calibration_error
    assert abs(own.log_loss - own.honest_log_loss) < 3 * own.log_loss_err
    assert abs(own.worst_decile) < 4 * own.worst_decile_err
    assert own.recovered == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("by", [-0.5, 0.5])
def test_a_shift_of_the_logit_is_seen(by: float) -> None:
    p, recovered = drawn()
    own = scores(shifted(p, by), recovered)
    assert own.calibration_error > 3 * own.chance_calibration_error_95
    assert own.log_loss > scores(p, recovered).log_loss
    assert np.sign(own.worst_decile) == np.sign(by)
    assert abs(own.worst_decile) > 5 * own.worst_decile_err
    assert np.sign(own.best_threshold - 0.5) == np.sign(by)


def test_certain_and_wrong_costs_much_but_not_everything() -> None:
    losses = log_losses(np.array([0.0, 1.0, 1.0]), np.array([True, True, False]))
    assert 30 < losses[0] == losses[2] < 40
    assert losses[1] < 1e-15


def test_one_kind_of_outcome_is_scored_too() -> None:
    own = scores(np.array([0.9, 0.8]), np.array([False, False]), draws=5)
    assert own.accuracy == 0
    assert np.isnan(own.completeness)
    assert own.precision == 0


def test_of_equally_good_thresholds_the_one_nearest_a_half_is_told() -> None:
    own = scores(np.array([0.1, 0.2, 0.7]), np.array([False, False, True]), draws=5)
    assert own.best_accuracy == 1
    assert own.best_threshold == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("p", "recovered", "message"),
    [
        ([], [], "no star"),
        ([0.1], [True, False], "shapes"),
        ([0.1, np.nan, 1.2], [True, True, True], "nan in 2 of 3 rows"),
    ],
)
def test_arrays_without_sense_are_refused(p: list, recovered: list, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        scores(np.array(p, float), np.array(recovered, bool))


def test_quantities_are_magnitudes_colour_and_covariates() -> None:
    stars = ArtificialStars(
        bands=("V", "I"),
        mag_in=np.array([[24.0, 23.0], [26.0, 25.5]]),
        mag_out=np.array([[24.1, 22.9], [np.nan, 25.0]]),
        recovered=np.array([True, False]),
        covariates={
            "sky_noise_V": np.array([10.0, 0.0]),
            "crowding": np.array([0.1, 0.2]),
            "size": np.full(2, np.nan),
        },
    )
    put, measured = quantities(stars), quantities(stars, "measured")
    assert list(put) == ["V", "I", "V - I", "log10 sky_noise_V", "crowding"]
    np.testing.assert_allclose(put["V - I"], [1.0, 0.5])
    np.testing.assert_allclose(measured["V - I"], [1.2, 1.0])
    np.testing.assert_allclose(put["log10 sky_noise_V"], [1.0, np.nan])


def test_subsets_are_halves_and_quarters_of_those_with_a_value() -> None:
    values = np.r_[np.arange(100.0), np.nan]
    parts = subsets({"crowding": values, "size": np.ones(101), "none": np.full(101, np.nan)})
    assert {name.split(",")[0] for name in parts} == {"crowding"}
    assert [int(chosen.sum()) for chosen in parts.values()] == [50, 50, 25, 25, 25, 25]
    assert values[parts["crowding, upper half"]].min() == 50
    assert not np.any([chosen[-1] for chosen in parts.values()])
    quarters = [parts[f"crowding, quarter {k}"] for k in (1, 2, 3, 4)]
    assert np.sum(quarters, axis=0)[:-1].tolist() == [1] * 100
