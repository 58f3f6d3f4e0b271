"""How a set of mock clusters is shared out: to train on, to choose by, to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.clusters.data import IntArray, SetFolder
from filar.errors import ParameterError
from filar.learn.recipe import Recipe

LEAST = 20
"""Clusters to train on, at least."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Which clusters and scenes of a set are used for what: numbers, training first.

    Parameters
    ----------
    clusters, scenes : tuple of three int arrays
        Train, validation, test.
    """

    clusters: tuple[IntArray, IntArray, IntArray]
    scenes: tuple[IntArray, IntArray, IntArray]


def share_out(data: SetFolder, recipe: Recipe, seed: int) -> Parts:
    """Share a set out: the parts have no cluster and no scene in common.

    Parameters
    ----------
    data : SetFolder
        The set.
    recipe : Recipe
        With the fractions.
    seed : int
        Of the order.

    Returns
    -------
    Parts

    Raises
    ------
    ParameterError
        If there are too few clusters or scenes.
    """
    fractions = recipe.mocks.fractions
    rng = np.random.default_rng([seed, 0])
    shared = [_shared(rng.permutation(total), fractions) for total in (len(data), len(data.scenes))]
    if len(shared[0][0]) < LEAST:
        raise ParameterError("mocks", len(data), f"at least {LEAST} clusters to train on")
    for fraction, scenes in zip(fractions, shared[1], strict=True):
        if fraction > 0 and not len(scenes):
            found = f"{len(data.scenes)} for the parts {list(fractions)}"
            raise ParameterError("scenes", found, "at least one for each part; simulate more")
    return Parts(shared[0], shared[1])


def _shared(
    order: NDArray[np.int64], fractions: tuple[float, float, float]
) -> tuple[IntArray, IntArray, IntArray]:
    """Each part that is wanted gets one at least, if there are enough."""
    total = len(order)
    counts = [max(round(part * total), 1 if part else 0) for part in fractions[1:]]
    first = total - sum(counts)
    train, validation, test = np.split(order, [max(first, 0), max(first, 0) + counts[0]])
    return train, validation, test
