"""Stamps for training: batches from disk, well mixed, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from filar.errors import ParameterError
from filar.stamps.labels import Labels
from filar.stamps.records import Records, from_records, record_type
from filar.stamps.stamps import Stamps
from filar.stamps.store import StampStore

CHUNK = 512
"""Neighbouring records that are read at once."""
POOL = 128
"""Chunks in memory at the same time: from them the batches are drawn."""


@dataclass(frozen=True)
class StampBatches:
    """One pass through a part of a set of stamps; it can be gone through again.

    Parameters
    ----------
    store : StampStore
        The set.
    part : int or None
        0 training, 1 validation, 2 test; None for all of it.
    batch_size : int
        Stamps in a batch; the last may have fewer.
    seed, epoch : int
        The same two give the same batches.
    shuffle : bool
        Whether the stamps come in random order or as they lie in the set.
    """

    store: StampStore
    part: int | None
    batch_size: int
    seed: int = 0
    epoch: int = 0
    shuffle: bool = True

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ParameterError("batch_size", self.batch_size, "1 or more")

    def __len__(self) -> int:
        return -(-self.store.count(self.part) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Stamps, Labels]]:
        groups = self.store.groups
        for pool in self._pools():
            for start in range(0, len(pool), self.batch_size):
                yield from_records(pool[start : start + self.batch_size], groups)

    def _pools(self) -> Iterator[Records]:
        """Records in the order of the batches, in pieces of whole batches but for the last.

        Chunks are drawn from all over the set, and stamps from all chunks of a pool, so that a
        batch holds stamps of a hundred exposures however the set was written.
        """
        rng = np.random.default_rng([self.seed, self.epoch])
        starts = np.arange(0, len(self.store), CHUNK)
        if self.shuffle:
            starts = rng.permutation(starts)
        left = np.empty(0, record_type(self.store.size))
        for first in range(0, len(starts), POOL):
            chunks = [self._chunk(int(start)) for start in starts[first : first + POOL]]
            pool = np.concatenate([left, *chunks])
            if self.shuffle:
                pool = pool[rng.permutation(len(pool))]
            whole = len(pool) - len(pool) % self.batch_size
            left = pool[whole:].copy()
            yield pool[:whole]
        yield left

    def _chunk(self, start: int) -> Records:
        records = self.store.records(start, start + CHUNK)
        return records if self.part is None else records[records["part"] == self.part]


def batches(
    store: StampStore,
    part: int | None,
    batch_size: int,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
) -> StampBatches:
    """Go once through a part of a set of stamps.

    Parameters
    ----------
    store, part, batch_size, seed, epoch, shuffle
        See `StampBatches`.

    Returns
    -------
    StampBatches
        Gives pairs of `Stamps` and `Labels`; its length is the number of batches.

    Raises
    ------
    ParameterError
        If the batches are to hold nothing.
    """
    return StampBatches(store, part, batch_size, seed, epoch, shuffle)
