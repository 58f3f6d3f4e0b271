"""Batches of a table for the trainer: all of it in memory, of each epoch the part it is to see."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from filar.completeness.inputs import Inputs
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError
from filar.learn.recipe import Recipe
from filar.learn.schedule import stage
from filar.learn.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

LEAST_STARS = 50
"""Artificial stars, below which nothing can be learnt."""
VALIDATED_AT_ONCE = 16_384


def check_trainable(stars: ArtificialStars) -> None:
    """See that something can be learnt from artificial stars.

    Parameters
    ----------
    stars : ArtificialStars
        All of them, or those to train on.

    Raises
    ------
    ParameterError
        If they are too few, or all of them or none were recovered.
    """
    number, recovered = len(stars), int(stars.recovered.sum())
    if number < LEAST_STARS:
        raise ParameterError("artificial stars", number, f"{LEAST_STARS} or more to learn from")
    if not recovered:
        allowed = "some that are recovered: check the cuts, or put in brighter stars"
        raise ParameterError("artificial stars", f"{number}, none recovered", allowed)
    if recovered == number:
        allowed = "some that are lost too: put in fainter stars"
        raise ParameterError("artificial stars", f"{number}, none lost", allowed)


def parts(
    stars: ArtificialStars, fractions: tuple[float, float, float], seed: int
) -> tuple[ArtificialStars, ArtificialStars | None, ArtificialStars | None]:
    """Share stars out.

    Parameters
    ----------
    stars : ArtificialStars
        All of them.
    fractions : tuple of three floats
        Train, validation, test; a part of 0 is None.
    seed : int
        Of the shares. Stars to train on come in random order.

    Returns
    -------
    train, validation, test : ArtificialStars or None
    """
    shares = iter(stars.split([fraction for fraction in fractions if fraction > 0], seed))
    train, validation, test = (next(shares) if fraction > 0 else None for fraction in fractions)
    assert train is not None
    return train, validation, test


def digest(stars: ArtificialStars) -> str:
    """Name a set of stars by its content.

    Parameters
    ----------
    stars : ArtificialStars
        The stars.

    Returns
    -------
    str
        SHA-256 of bands, magnitudes, outcomes, positions and covariates.
    """
    found = hashlib.sha256(repr((stars.bands, sorted(stars.covariates))).encode())
    columns = [stars.mag_in, stars.mag_out, stars.recovered, stars.x, stars.y]
    for column in columns + [stars.covariates[name] for name in sorted(stars.covariates)]:
        found.update(np.ascontiguousarray(column).tobytes())
    return found.hexdigest()


def tensors(inputs: Inputs, stars: ArtificialStars | RealStars) -> dict[str, Tensor]:
    """Stars as a network takes them.

    Parameters
    ----------
    inputs : Inputs
        Of the model.
    stars : ArtificialStars or RealStars
        n stars.

    Returns
    -------
    dict of str to tensor
    """
    import torch

    return {name: torch.from_numpy(array) for name, array in inputs.batch(stars).items()}


class _Epoch:
    """Batches of one pass: rows in a new order, cut into pieces."""

    def __init__(self, columns: dict[str, Tensor], rows: np.ndarray, size: int) -> None:
        self._columns, self._rows, self._size = columns, rows, size

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        import torch

        chosen = torch.from_numpy(self._rows)
        names = list(self._columns)
        ordered = [column.index_select(0, chosen) for column in self._columns.values()]
        pieces = [torch.split(column, self._size) for column in ordered]
        for piece in zip(*pieces, strict=True):
            yield dict(zip(names, piece, strict=True))


def training_batches(
    columns: dict[str, Tensor], recipe: Recipe | TrainingSettings, seed: int
) -> Callable[[int], _Epoch]:
    """Batches of each epoch, as the recipe's schedule has it.

    Parameters
    ----------
    columns : dict of str to (n, ...) tensor
        The training stars in random order, of which a stepped training takes the first.
    recipe : Recipe or TrainingSettings
        Its batches, and its phases if it has any.
    seed : int
        Of the order in each epoch.

    Returns
    -------
    callable
        From the number of a pass to its batches.
    """
    total = len(next(iter(columns.values())))
    size = recipe.budget.batch_rows(total)

    def epoch(number: int) -> _Epoch:
        part = stage(recipe.optimiser, number)[0]
        rows = max(round(part * total), min(total, LEAST_STARS))
        order = np.random.default_rng([seed, number]).permutation(rows)
        return _Epoch(columns, order, size)

    return epoch


def validation_batches(columns: dict[str, Tensor]) -> Callable[[], _Epoch]:
    """Batches of the validation part, in order.

    Parameters
    ----------
    columns : dict of str to (n, ...) tensor
        Its stars.

    Returns
    -------
    callable
        Gives the batches.
    """
    rows = np.arange(len(next(iter(columns.values()))))
    return lambda: _Epoch(columns, rows, VALIDATED_AT_ONCE)
