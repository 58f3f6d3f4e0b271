"""Batches of samples for the trainer: a network's inputs in memory, mirrored where wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.saturation.data import Samples
from filar.saturation.networks import Inputs

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 8192
"""Samples turned into inputs at the same time."""
GATHERED = 64
"""Batches put together at the same time."""
VALIDATED_AT_ONCE = 16_384

Columns = dict[str, "Tensor"]


def tensors(
    inputs: Inputs, samples: Samples, rows: NDArray[np.int64], *, flips: bool = False
) -> Columns:
    """Samples as a network takes them, with their labels.

    Parameters
    ----------
    inputs : Inputs
        Of the network.
    samples : Samples
        All of them.
    rows : (n,) int array
        Those wanted.
    flips : bool
        Whether each also comes mirrored in x, in y and in both.

    Returns
    -------
    dict of str to (n or 4 n, ...) tensor
        What the inputs make of them, and ``log_n``, ``log_n_err`` (0 where it is not known).
    """
    import torch

    pieces: list[Columns] = []
    for start in range(0, len(rows), AT_ONCE):
        chosen = samples.select(rows[start : start + AT_ONCE])
        label = torch.from_numpy(chosen.log_n.astype(np.float32))
        error = torch.from_numpy(np.nan_to_num(chosen.log_n_err).astype(np.float32))
        for shown in chosen.flips() if flips else (chosen,):
            pieces.append(inputs.batch(shown) | {"log_n": label, "log_n_err": error})
    return {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}


class Epoch:
    """Batches of one pass: rows in an order, cut into pieces.

    Parameters
    ----------
    columns : dict of str to (n, ...) tensor
        All rows.
    rows : (m,) int array
        The order.
    size : int
        Rows of a batch.
    """

    def __init__(self, columns: Columns, rows: NDArray[np.int64], size: int) -> None:
        self._columns, self._rows, self._size = columns, rows, size

    def __len__(self) -> int:
        return -(-len(self._rows) // self._size)

    def __iter__(self) -> Iterator[Columns]:
        import torch

        names, size = list(self._columns), self._size
        # Many batches at once: a gather for each would cost more than it does.
        for start in range(0, len(self._rows), size * GATHERED):
            chosen = torch.from_numpy(self._rows[start : start + size * GATHERED])
            gathered = [column.index_select(0, chosen) for column in self._columns.values()]
            for k in range(0, len(chosen), size):
                piece = (column[k : k + size] for column in gathered)
                yield dict(zip(names, piece, strict=True))


def training_batches(columns: Columns, size: int, seed: int) -> Callable[[int], Epoch]:
    """Batches of each pass, every one in a new order.

    Parameters
    ----------
    columns : dict of str to (n, ...) tensor
        The training rows.
    size : int
        Rows of a batch.
    seed : int
        Of the orders.

    Returns
    -------
    callable
        From the number of a pass to its batches.
    """
    total = len(columns["log_n"])
    return lambda number: Epoch(
        columns, np.random.default_rng([seed, number]).permutation(total), size
    )


def validation_batches(columns: Columns) -> Callable[[], Epoch]:
    """Batches of the validation part, in order.

    Parameters
    ----------
    columns : dict of str to (n, ...) tensor
        Its rows.

    Returns
    -------
    callable
        Gives the batches.
    """
    rows = np.arange(len(columns["log_n"]))
    return lambda: Epoch(columns, rows, VALIDATED_AT_ONCE)
