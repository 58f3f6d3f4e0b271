"""Batches for the trainer: cutouts composed as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from filar.clusters.compose import Composer
from filar.clusters.cutouts import Cutouts
from filar.clusters.data import Truth
from filar.clusters.inputs import Images, Inputs

if TYPE_CHECKING:
    from torch import Tensor

TURNS = 8
"""Ways to lay a square: turned by quarters, mirrored or not."""

Batch = dict[str, "Tensor"]


def turned(images: Images, way: int) -> Images:
    """Images laid in one of the eight ways.

    Parameters
    ----------
    images : (..., size, size) array
        Any.
    way : int
        From 0 (as they are) to 7.

    Returns
    -------
    array
        A view.
    """
    if way >= TURNS // 2:
        images = images[..., ::-1]
    return np.rot90(images, way % (TURNS // 2), axes=(-2, -1))


def tensors(inputs: Inputs, cutouts: Cutouts, truth: Truth) -> Batch:
    """Cutouts and truth as a network's loss takes them.

    Parameters
    ----------
    inputs : Inputs
        Of the network.
    cutouts : Cutouts
        n of them.
    truth : Truth
        Of each.

    Returns
    -------
    dict of str to (n, ...) tensor
        ``image``, ``features``, ``values``, ``cluster``, ``log_snr``.
    """
    import torch

    return inputs.batch(cutouts) | {
        "values": torch.from_numpy(truth.values.astype(np.float32)),
        "cluster": torch.from_numpy(truth.cluster.astype(np.float32)),
        "log_snr": torch.from_numpy(truth.log_snr.astype(np.float32)),
    }


class Epoch:
    """Batches of one pass: every cluster once, each in front of something else than before.

    Parameters
    ----------
    composer : Composer
        Of the clusters and scenes to train on.
    inputs : Inputs
        Of the network.
    size : int
        Rows of a batch.
    turns : bool
        Whether cutouts are mirrored and turned.
    seed : list of int
        Of the order and of all that is drawn.
    """

    def __init__(
        self, composer: Composer, inputs: Inputs, size: int, turns: bool, seed: list[int]
    ) -> None:
        self._composer, self._inputs, self._size = composer, inputs, size
        self._turns, self._seed = turns, seed

    def __len__(self) -> int:
        return -(-len(self._composer.rows) // self._size)

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self._seed)
        order = rng.permutation(self._composer.rows)
        for start in range(0, len(order), self._size):
            cutouts, truth = self._composer.compose(order[start : start + self._size], rng)
            if self._turns:
                for way in range(1, TURNS):
                    rows = slice(way, None, TURNS)
                    cutouts.flux[rows] = turned(cutouts.flux[rows].copy(), way)
            yield tensors(self._inputs, cutouts, truth)


def training_batches(
    composer: Composer, inputs: Inputs, size: int, turns: bool, seed: int
) -> Callable[[int], Epoch]:
    """Batches of each pass, for `filar.learn.train.train`; parameters as of `Epoch`."""
    return lambda number: Epoch(composer, inputs, size, turns, [seed, number])


def validation_batches(
    composer: Composer, inputs: Inputs, size: int, seed: int
) -> Callable[[], list[Batch]]:
    """Batches that are composed once and kept; parameters as of `Epoch`."""
    kept = list(Epoch(composer, inputs, size, False, [seed]))
    return lambda: kept
