"""Which samples a model is trained on, chosen and judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.learn.recipe import Recipe
from filar.saturation.data import Samples
from filar.saturation.networks import usable
from filar.stamps.split import split_by_star

IntArray = NDArray[np.int64]
LEAST_STARS = 100
"""Stars, below which nothing is learnt."""
DAMAGED = "damaged"
"""Evidence that says how many pixels of a stamp are damaged, where it was measured."""
BELOW = 10.0
"""A pixel of one count is damaged if the sky is so many times its noise above that."""
AT_ONCE = 16_384


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of samples by what they are for.

    Parameters
    ----------
    train, validation, test : (n,) int arrays
        Rows; all of a star's are in one part.
    rejected : dict of str to int
        How many samples are in none, by the reason.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    rejected: dict[str, int]


def damaged_pixels(samples: Samples) -> IntArray:
    """Count pixels that an overflow has set to one count.

    Parameters
    ----------
    samples : Samples
        n stamps, with ``damaged`` among their evidence, or with the electrons of one ``count`` in
        their `meta`.

    Returns
    -------
    (n,) int array
        0 where neither is known.
    """
    if DAMAGED in samples.columns:
        return np.nan_to_num(samples.column(DAMAGED)).astype(np.int64)
    count = samples.of_image("count")
    low = (samples.sky - count) > BELOW * samples.noise
    found = np.zeros(len(samples), np.int64)
    for start in range(0, len(samples), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        one = count[part, None, None]
        near = np.abs(samples.stamp[part] - one) <= 1e-3 * one
        found[part] = near.sum(axis=(1, 2)) * low[part]
    return found


def share_out(
    samples: Samples, recipe: Recipe, seed: int, fractions: tuple[float, float, float] | None = None
) -> Parts:
    """Choose the samples that something can be learnt from, and share them out by stars.

    Parameters
    ----------
    samples : Samples
        All of them.
    recipe : Recipe
        That was checked.
    seed : int
        Of the shares.
    fractions : tuple of three floats, optional
        Train, validation, test; the recipe's by default.

    Returns
    -------
    Parts

    Raises
    ------
    ParameterError
        If they are of fewer than `LEAST_STARS` stars, or of another size than the recipe's.
    """
    wanted = recipe.stars.size
    if samples.size != wanted:
        raise ParameterError("stamp", f"{samples.size} pixels wide", f"{wanted}, as in the recipe")
    labelled = np.isfinite(samples.log_n)
    whole = damaged_pixels(samples) <= recipe.stars.damaged
    seen = usable(samples, recipe)
    good = labelled & whole & seen
    rejected = {
        "without a known magnitude": int((~labelled).sum()),
        "damaged": int((labelled & ~whole).sum()),
        "with too few usable pixels": int((labelled & whole & ~seen).sum()),
    }
    rows = np.flatnonzero(good)
    stars = len(np.unique(samples.star[rows]))
    if stars < LEAST_STARS:
        why = ", ".join(
            f"{number} stamps {reason}" for reason, number in rejected.items() if number
        )
        found = f"{stars} in {len(rows)} stamps" + (f" ({why})" if why else "")
        raise ParameterError("stars", found, f"{LEAST_STARS} or more to learn from")
    part = split_by_star(samples.star[rows], fractions or recipe.stars.fractions, seed)
    train, validation, test = (rows[part == number] for number in range(3))
    return Parts(train, validation, test, rejected)
