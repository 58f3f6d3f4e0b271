"""Dividing stamps into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.stamps.stamps import IntArray

Split = Literal["star", "stamp"]
Seed = int | Sequence[int]
SPLITS = ("star", "stamp")
FRACTIONS = (0.7, 0.1, 0.2)
"""Of training, validation and test, as in C23."""


def split_by_star(
    star: IntArray, fractions: tuple[float, float, float] = FRACTIONS, seed: Seed = 0
) -> NDArray[np.uint8]:
    """Divide stars, so that all stamps of a star are in one part.

    Parameters
    ----------
    star : (n,) int array
        Star of each stamp.
    fractions : (float, float, float)
        Of the stars in the training, validation and test parts.
    seed : int or sequence of int
        The same seed gives the same parts, whatever the order of the stamps.

    Returns
    -------
    (n,) uint8 array
        0, 1 or 2.

    Raises
    ------
    ParameterError
        If the fractions do not add up to 1.
    """
    stars, which = np.unique(np.asarray(star), return_inverse=True)
    return _drawn(len(stars), fractions, seed)[which.ravel()]


def split_by_stamp(
    n: int, fractions: tuple[float, float, float] = FRACTIONS, seed: Seed = 0
) -> NDArray[np.uint8]:
    """Divide stamps as C23 does: the same star is in all parts, and so is its label's error.

    Parameters
    ----------
    n : int
        Number of stamps.
    fractions, seed
        As for `split_by_star`.

    Returns
    -------
    (n,) uint8 array
        0, 1 or 2.

    Raises
    ------
    ParameterError
        If the fractions do not add up to 1.
    """
    return _drawn(n, fractions, seed)


def check_fractions(fractions: tuple[float, float, float]) -> None:
    """Raise ParameterError unless three fractions from 0 to 1 add up to 1."""
    values = np.asarray(fractions, float)
    if values.shape != (3,) or not (values >= 0).all() or not abs(values.sum() - 1) < 1e-6:
        raise ParameterError("fractions", fractions, "three numbers from 0 that add up to 1")


def _drawn(n: int, fractions: tuple[float, float, float], seed: Seed) -> NDArray[np.uint8]:
    """Parts of n things, in numbers as close to the fractions as can be."""
    check_fractions(fractions)
    ends = np.rint(np.cumsum(fractions) * n).astype(np.int64)
    part = np.empty(n, np.uint8)
    order = np.random.default_rng(seed).permutation(n)
    part[order] = np.searchsorted(ends[:2], np.arange(n), side="right")
    return part
