"""Where in an image clusters may be, for the search.

Windows within a larger image are not padded by darkness as cutouts are. The network so sees more
clusters in the map than in cutouts of the same places, and misses none: the map finds candidates,
their cutouts decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from filar.clusters.apertures import border
from filar.clusters.inputs import Images, Inputs
from filar.errors import ParameterError

if TYPE_CHECKING:
    from torch import nn

FloatArray = NDArray[np.float64]
STEP = 4
"""Pixels between places."""
SKY_STEP = 16
"""Pixels between places where the sky is measured, as at the border of a cutout there."""
STRIP = 1024
"""Rows that are looked at together at most; bounds the memory."""


@dataclass(frozen=True, eq=False)
class PMap:
    """Probabilities on a grid of places.

    Parameters
    ----------
    p : (my, mx) float32 array
        Probability that a cluster is there.
    x0, y0 : float
        Pixel coordinates of the first place.
    step : int
        Pixels between places.
    """

    p: NDArray[np.float32]
    x0: float
    y0: float
    step: int


def sky_map(flux: Images, size: int) -> Images:
    """Sky of an image, at each place as a cutout around it would have it.

    Parameters
    ----------
    flux : (bands, ny, nx) float32 array
        An image, no side smaller than `size`.
    size : int
        Pixels on a cutout's side.

    Returns
    -------
    (bands, ny, nx) float32 array
        Linear between places `SKY_STEP` apart, constant outside.
    """
    starts = [
        np.unique([*range(0, extent - size, SKY_STEP), extent - size]) for extent in flux.shape[1:]
    ]
    windows = sliding_window_view(flux, (size, size), axis=(1, 2))
    mask, nodes = border(size), np.empty((len(flux), *map(len, starts)), np.float32)
    for row, y in enumerate(starts[0]):
        pixels = windows[:, y, starts[1]][:, :, mask]
        nodes[:, row] = np.median(pixels, axis=2)
    for axis, places in ((1, starts[0]), (2, starts[1])):
        weights = np.stack([
            np.interp(np.arange(flux.shape[axis]), places + (size - 1) / 2, unit)
            for unit in np.eye(len(places))
        ]).astype(np.float32)  # fmt: skip
        nodes = np.moveaxis(np.tensordot(nodes, weights, (axis, 0)), -1, axis)
    return nodes


def probability_map(
    inputs: Inputs,
    network: nn.Module,
    flux: Images,
    *,
    step: int = STEP,
    progress: Callable[[float], None] | None = None,
) -> PMap:
    """Look for clusters in the whole of an image.

    Convolutions are computed for the whole image, not for each place; so that places can be closer
    than the trunk's last map has them, the image is shifted. The values are too high where nothing
    is, see above.

    Parameters
    ----------
    inputs : Inputs
        Of the network.
    network : torch.nn.Module
        With ``p_map`` and ``step``, or otherwise with ``predict``, which is slower.
    flux : (bands, ny, nx) float32 array
        The image, in the unit of cutouts, without NaN.
    step : int
        Pixels between places.
    progress : callable, optional
        Told which part is done.

    Returns
    -------
    PMap

    Raises
    ------
    ParameterError
        If the image has other bands, or is smaller than a cutout.
    """
    size = inputs.size
    if flux.ndim != 3 or len(flux) != len(inputs.bands) or min(flux.shape[1:]) < size:
        allowed = f"{len(inputs.bands)} bands of {size} x {size} pixels or more"
        raise ParameterError("flux", f"an image of shape {flux.shape}", allowed)
    if step < 1:
        raise ParameterError("step", step, "1 pixel or more")
    look = _convolved if hasattr(network, "p_map") else _one_by_one
    middle = (size - 1) / 2
    rows = (flux.shape[1] - size) // step + 1
    found = np.zeros((rows, (flux.shape[2] - size) // step + 1), np.float32)
    for first in range(0, rows, STRIP // step):
        last = min(first + STRIP // step, rows)
        strip = flux[:, first * step : (last - 1) * step + size]
        found[first:last] = look(inputs, network, strip, step)
        if progress is not None:
            progress(last / rows)
    return PMap(found, middle, middle, step)


def _convolved(inputs: Inputs, network: Any, flux: Images, step: int) -> NDArray[np.float32]:
    import torch

    size, stride = inputs.size, int(network.step)
    image = inputs.compressed(flux, sky_map(flux, size))
    counts = [(extent - size) // step + 1 for extent in flux.shape[1:]]
    found = np.zeros(counts, np.float32)
    every = max(1, stride // step) if stride % step == 0 else 0
    if not every:
        raise ParameterError("step", step, f"a divisor of {stride} pixels")
    with torch.inference_mode():
        for dy in range(min(every, counts[0])):
            for dx in range(min(every, counts[1])):
                part = image[:, dy * step :, dx * step :]
                sides = [extent - extent % stride for extent in part.shape[1:]]
                if min(sides) < size:
                    continue
                shown = torch.from_numpy(part[None, :, : sides[0], : sides[1]].copy())
                p = network.p_map(shown).numpy()
                target = found[dy::every, dx::every]
                target[: p.shape[0], : p.shape[1]] = p[: target.shape[0], : target.shape[1]]
    return found


def _one_by_one(inputs: Inputs, network: Any, flux: Images, step: int) -> NDArray[np.float32]:
    import torch

    from filar.clusters.cutouts import make_cutouts

    size, ones = inputs.size, np.ones(len(flux))
    windows = sliding_window_view(flux, (size, size), axis=(1, 2))[:, ::step, ::step]
    found = np.empty(windows.shape[1:3], np.float32)
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for row in range(len(found)):
            images = np.moveaxis(windows[:, row], 0, 1)
            cutouts = make_cutouts(images, ones, ones, inputs.bands, inputs.pixel_scale)
            found[row] = network.predict(inputs.batch(cutouts), 1, generator)[1].numpy()
    return found
