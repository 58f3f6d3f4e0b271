import numpy as np
import pytest

from filar.completeness.data import check_trainable
from filar.completeness.learning_curve import learning_curve, nested_numbers
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError
from tests.completeness.toys import toy_stars


class Nearby:
    """Recovered fraction of training stars of nearly the same magnitude."""

    def __init__(self, stars: ArtificialStars) -> None:
        check_trainable(stars)
        self.edges = np.linspace(20, 29, 19)
        place = np.digitize(stars.mag_in[:, 0], self.edges)
        total = np.bincount(place, minlength=20) + 1.0
        self.fraction = (np.bincount(place, stars.recovered, 20) + 0.5) / total

    def p_recovered(self, stars: ArtificialStars) -> np.ndarray:
        return self.fraction[np.digitize(stars.mag_in[:, 0], self.edges)]


def test_more_stars_judge_better_and_subsets_are_nested() -> None:
    seen: list[ArtificialStars] = []

    def fit(stars: ArtificialStars, seed: int) -> Nearby:
        seen.append(stars)
        return Nearby(stars)

    told: list[float] = []
    curve = learning_curve(
        toy_stars(5000), {"nearby": fit}, (100, 1000, 10_000), seed=3,
        progress=lambda part, _: told.append(part),
    )  # fmt: skip
    assert [point.number for point in curve.of("nearby")] == [100, 1000, 4000]
    assert len(curve.test) == 1000
    few, many, every = seen
    np.testing.assert_array_equal(many.mag_in[:100], few.mag_in)
    np.testing.assert_array_equal(every.mag_in[:1000], many.mag_in)
    held = set(curve.test.mag_in[:, 0])
    assert not held & set(every.mag_in[:, 0])
    losses = [point.scores.log_loss for point in curve.points]
    assert losses[0] > losses[1] > losses[2] - 0.01
    assert told == sorted(told)
    assert told[0] == 0


def test_subsets_from_which_nothing_can_be_learnt_are_told() -> None:
    stars = toy_stars(2000)
    curve = learning_curve(stars, {"nearby": lambda some, seed: Nearby(some)}, (2, 500))
    assert [point.number for point in curve.points] == [500, 1600]
    ((name, number, why),) = curve.failed
    assert (name, number) == ("nearby", 2)
    assert "artificial stars" in why
    lost = stars.select(~stars.recovered)
    with pytest.raises(ParameterError, match="none recovered"):
        learning_curve(lost, {"nearby": lambda some, seed: Nearby(some)}, (500,))
    with pytest.raises(ParameterError, match="recipe"):
        learning_curve(stars, {})


def test_numbers_of_stars() -> None:
    assert nested_numbers(1000, (200, 950, 5000, 200)) == [200, 1000]
    assert nested_numbers(100, (200,)) == [100]
