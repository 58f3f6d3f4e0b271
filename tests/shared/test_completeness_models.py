"""Our models of real artificial-star tests: few stars suffice, magnitude errors are as measured."""

from pathlib import Path

import numpy as np
import pytest

from filar.completeness.estimator import CompletenessModel
from filar.completeness.evaluate import scores
from filar.completeness.inputs import Inputs
from filar.completeness.readers import read_artificial_stars
from filar.completeness.scatter import TRAINING, MagnitudeErrors
from filar.completeness.table import ArtificialStars

NAME = "9891_NGC1644_F555W-F814W.gst.matchfake"
FULL = 0.2693  # log loss of our model trained on four fifths of the table


@pytest.fixture(scope="module")
def parts(shared: Path) -> tuple[ArtificialStars, ArtificialStars]:
    train, test = read_artificial_stars(shared / "ast" / NAME).split((0.8, 0.2), 0)
    return train, test


def test_three_thousand_stars_come_within_a_few_per_cent_of_all(
    parts: tuple[ArtificialStars, ArtificialStars],
) -> None:
    train, test = parts
    few = train.select(slice(0, 3000))
    ours, boosting, logistic = (
        scores(CompletenessModel(name).fit(few, test=False).p_recovered(test), test.recovered)
        for name in ("filar-completeness", "boosting", "logistic")
    )
    assert ours.log_loss < 1.05 * FULL
    assert ours.log_loss < 0.97 * boosting.log_loss
    assert ours.log_loss < 0.6 * logistic.log_loss
    assert ours.calibration_error < 0.02


def test_drawn_magnitude_errors_have_the_bias_and_scatter_of_the_measured_ones(
    parts: tuple[ArtificialStars, ArtificialStars],
) -> None:
    train, test = parts[0].select(slice(0, 20_000)), parts[1]
    budget = TRAINING.budget.model_copy(update={"epochs": 15})
    settings = TRAINING.model_copy(update={"budget": budget})
    errors = MagnitudeErrors.fit(train, Inputs.learn(train), settings=settings)
    test = test.select(test.recovered)
    drawn = errors.sample(test, np.random.default_rng(1))
    # the table's errors are rounded to 0.01 mag
    real = test.delta + np.random.default_rng(2).uniform(-0.005, 0.005, test.delta.shape)
    for band in range(2):
        order = np.argsort(test.mag_in[:, band])
        for rows in np.array_split(order, 12):
            low, middle, high = np.quantile(real[rows, band], [0.1587, 0.5, 0.8413])
            scatter = (high - low) / 2
            told = np.quantile(drawn[rows, band], [0.1587, 0.5, 0.8413])
            error = scatter * np.sqrt(2 * np.pi / 2 / len(rows))  # of the median of either
            assert told[1] == pytest.approx(middle, abs=5 * error + 0.1 * scatter)
            assert (told[2] - told[0]) / 2 == pytest.approx(scatter, rel=0.15, abs=0.002)
    inside = [
        (real > limit).mean() for limit in errors.quantiles(test, (0.025, 0.1587, 0.8413, 0.975))
    ]
    assert inside == pytest.approx([0.975, 0.8413, 0.1587, 0.025], abs=0.015)
