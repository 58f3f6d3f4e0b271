"""How many artificial stars are enough: models of ever larger subsets (H24, section 7.3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from filar.completeness.evaluate import Predictor, Scores, scores
from filar.completeness.reliability import FloatArray
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.completeness.table import ArtificialStars

Fit = Callable[["ArtificialStars", int], Predictor]
"""From stars and a seed to a trained model."""

HELD_OUT = 0.2
NUMBERS = (200, 500, 1000, 3000, 10_000, 30_000, 100_000, 300_000)
"""Training stars of a learning curve, as far as there are so many; all of them come last."""


@dataclass(frozen=True, eq=False)
class LearningPoint:
    """One model of a learning curve.

    Parameters
    ----------
    name : str
        Of the recipe.
    number : int
        Artificial stars it was trained on.
    scores : Scores
        On the held-out stars, the same for all points.
    p : (n,) array
        Probabilities of the held-out stars.
    seconds : float
        That the training took.
    model : Predictor
        The model.
    """

    name: str
    number: int
    scores: Scores
    p: FloatArray
    seconds: float
    model: Predictor


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Models trained on nested subsets, judged on the same stars.

    Parameters
    ----------
    test : ArtificialStars
        The held-out stars.
    points : tuple of LearningPoint
        By recipe, then by number.
    failed : tuple of (str, int, str)
        Recipe, number and what was wrong with it, where nothing could be trained.
    """

    test: ArtificialStars
    points: tuple[LearningPoint, ...]
    failed: tuple[tuple[str, int, str], ...] = ()

    @property
    def names(self) -> list[str]:
        """Recipes of which there is a point."""
        return list(dict.fromkeys(point.name for point in self.points))

    def of(self, name: str) -> list[LearningPoint]:
        """Points of one recipe."""
        return [point for point in self.points if point.name == name]


def nested_numbers(available: int, numbers: Sequence[int] = NUMBERS) -> list[int]:
    """Sizes of the subsets for so many stars.

    Parameters
    ----------
    available : int
        Training stars.
    numbers : sequence of int
        Sizes that are wanted.

    Returns
    -------
    list of int
        Those that are smaller by a tenth or more, and all stars.
    """
    return [*sorted({int(n) for n in numbers if 0 < n <= 0.9 * available}), available]


def learning_curve(
    stars: ArtificialStars,
    recipes: Mapping[str, Fit],
    numbers: Sequence[int] = NUMBERS,
    *,
    held_out: float = HELD_OUT,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> LearningCurve:
    """Train on nested subsets and judge on the same held-out stars.

    Each subset holds the smaller ones, as H24's do, so that what is gained is gained by more stars.

    Parameters
    ----------
    stars : ArtificialStars
        All of them; they are shared out by chance.
    recipes : mapping of str to callable
        From names to what trains a model, given stars and a seed.
    numbers : sequence of int
        Sizes of the subsets; those that are too large are left out, all stars come last.
    held_out : float
        Part of the stars that is for judging.
    seed : int
        Of the sharing and of each training.
    progress : callable, optional
        Called with the part that is done and a text.

    Returns
    -------
    LearningCurve
        A subset from which nothing can be learnt (for example without lost stars) is in `failed`.

    Raises
    ------
    ParameterError
        If nothing could be trained at all, or the stars cannot be shared out.
    """
    if not recipes:
        raise ParameterError("recipes", "none", "one recipe or more")
    train, test = stars.split((1 - held_out, held_out), seed)
    sizes = nested_numbers(len(train), numbers)
    points: list[LearningPoint] = []
    failed: list[tuple[str, int, str]] = []
    work = sum(sizes) * len(recipes)
    done = 0
    for name, fit in recipes.items():
        for number in sizes:
            if progress is not None:
                progress(done / work, f"{name}, {number} stars")
            subset = train.select(np.arange(number))
            begun = time.perf_counter()
            try:
                model = fit(subset, seed)
            except ParameterError as error:
                failed.append((name, number, str(error)))
            else:
                # A model's own clock leaves out the loading of libraries.
                seconds = float(getattr(model, "seconds_", time.perf_counter() - begun))
                p = model.p_recovered(test)
                own = scores(p, test.recovered)
                points.append(LearningPoint(name, number, own, p, seconds, model))
            done += number
    if not points:
        raise ParameterError("stars", failed[0][2], "stars from which a model can be trained")
    return LearningCurve(test, tuple(points), tuple(failed))
