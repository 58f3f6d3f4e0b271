"""Batches for the trainer: passes through the data cut into epochs, shared out among processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from itertools import islice
from typing import Any

Batches = Callable[[int], Iterable[Any]]


class Feed:
    """The batches of one epoch after the other, for Lightning.

    Parameters
    ----------
    source : callable
        Gives the batches of a pass through the data; its number, all the randomness, is unique.
    epochs : int
        Epochs at most, which keeps the numbers of passes apart.
    steps : int
        Steps of an epoch; 0: one pass.
    """

    def __init__(self, source: Batches, epochs: int, steps: int) -> None:
        self._source, self._epochs, self._wanted = source, epochs, steps
        self.epoch, self.rank, self.world = 0, 0, 1
        self.steps: int | None = steps or None

    def __iter__(self) -> Iterator[Any]:
        """Every `world`-th batch of the epoch, so that all processes make the same steps."""
        everything: Iterator[Any] = self._passes() if self._wanted else iter(self._first())
        while True:
            share = list(islice(everything, self.world))
            if len(share) < self.world:
                return
            yield share[self.rank]

    def _first(self) -> Iterable[Any]:
        batches = self._source(self.epoch)
        if isinstance(batches, Sized):
            self.steps = max(1, len(batches) // self.world)
        return batches

    def _passes(self) -> Iterator[Any]:
        left, number = self._wanted * self.world, self.epoch
        while left:
            before = left
            for batch in islice(self._source(number), left):
                left -= 1
                yield batch
            if left == before:
                return
            number += self._epochs


def rows_of(batch: Any) -> int:
    """Rows of a batch: the length of the first tensor in it.

    Parameters
    ----------
    batch : tensor, or tuple, list or dict of such
        The batch.

    Returns
    -------
    int
        1 if there is none.
    """
    if hasattr(batch, "shape"):
        return int(batch.shape[0]) if len(batch.shape) else 1
    parts = batch.values() if isinstance(batch, dict) else batch
    return rows_of(next(iter(parts))) if isinstance(parts, Iterable) else 1
