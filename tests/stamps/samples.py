"""Stamps of made-up content, each row recognisable."""

import numpy as np

from filar.psf.model import FieldGrid
from filar.psf.samples import PSFSamples
from filar.stamps.labels import Labels
from filar.stamps.stamps import Group, Stamps


def psf(seed: int = 1, side: int = 5) -> PSFSamples:
    nodes = FieldGrid.chebyshev((800, 800), 2)
    values = np.random.default_rng(seed).uniform(0, 1, (4, side, side)).astype(np.float32)
    return PSFSamples(values, nodes, (side - 1) / 2 * 0.2, 0.2)


def group(name: str = "e1", **values) -> Group:
    return Group(name, "PC", "F555W", "WFPC2", (800, 800), **({"psf": psf()} | values))


def stamps(n: int, size: int = 6, first: int = 0, groups=None) -> Stamps:
    groups = groups or (group(),)
    number = np.arange(first, first + n)
    scalar = number.astype(np.float32)
    pixels = np.broadcast_to(scalar[:, None, None], (n, size, size)) + np.eye(size, dtype="f4")
    return Stamps(
        pixels=pixels, bad=pixels % 7 == 0, corner_x=number.astype("i4"),
        corner_y=-number.astype("i4"), x_start=number + 2.25, y_start=number / 3, flux=scalar,
        sky=scalar + 1, read_noise=scalar + 2, mag=scalar + 3,
        group=(number % len(groups)).astype("i4"), groups=tuple(groups),
    )  # fmt: skip


def labels(n: int, first: int = 0, **values) -> Labels:
    number = np.arange(first, first + n)
    known = {"star": number, "row": number, "x_err": number * 1e-3, "part": number % 3}
    return Labels.build(number / 7, number / 5, **(known | values))
