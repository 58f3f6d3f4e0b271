"""Streams of random numbers that depend on names, not on the order in which things are made."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Make the generator of one thing of a survey.

    Parameters
    ----------
    seed : int
        The survey's.
    *names : str or int
        What the numbers are for, for example ``"image", 0, "a"``.

    Returns
    -------
    Generator
        Another stream for other names.
    """
    keys = (zlib.crc32(str(name).encode("utf-8")) for name in names)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(keys)))
