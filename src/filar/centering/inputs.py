"""From stamps to what the networks are fed with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.centering.rasterpsf import DEGREE, RasterPSF
from filar.errors import ParameterError
from filar.psf.samples import PSFSamples
from filar.stamps.labels import Labels
from filar.stamps.stamps import Group, Stamps

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float64]
STATE_STEP, STATE_SIDE = 2, 9
"""The PSF's state: its values on a grid of so many samples, every other one."""
STATE = STATE_SIDE**2
KEPT_NODES = 40_000
"""Nodes of PSFs that are kept ready: 800 exposures of one chip on 7 x 7 nodes, 0.3 MB each."""
LEAST_LABEL_ERROR = 1e-5


class Inputs(Protocol):
    """Turns stamps into a batch of one kind of network."""

    def batch(self, stamps: Stamps, labels: Labels | None = None) -> dict[str, Tensor]:
        """Make a batch: tensors by name, a row per stamp; with ``label`` if labels are given."""


def psf_state(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe PSFs by their values around the centre, relative to the default's scale.

    Focus, coma, astigmatism, diffusion and jitter are all in there, whatever made the PSF.

    Parameters
    ----------
    samples : (n, samples, samples) array
        See `PSFSamples`.

    Returns
    -------
    (n, STATE) array
    """
    centre, half = samples.shape[1] // 2, STATE_SIDE // 2
    span = slice(centre - half * STATE_STEP, centre + half * STATE_STEP + 1, STATE_STEP)
    return np.ascontiguousarray(samples[:, span, span]).reshape(len(samples), STATE)


@dataclass(frozen=True, eq=False)
class _Ready:
    """A PSF prepared for rasters: its series, its state at the nodes, and whose it is."""

    group: Group  # kept, so that no other group can come to have its identity
    psf: RasterPSF
    state: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class GuidedInputs:
    """Batches for `GuidedNet`.

    They hold ``light``, ``good``, ``sky``, ``read_noise``, ``local``, ``state`` and ``place``; with
    labels also ``label`` and ``label_error``.

    Parameters
    ----------
    use_state : bool
        Whether the network is told the exposure's own PSF; if not, `common` stands for all.
    common : PSFSamples or None
        The PSF that all stamps are said to have.
    """

    use_state: bool = True
    common: PSFSamples | None = None
    _ready: OrderedDict[tuple[int, int], _Ready] = field(default_factory=OrderedDict, repr=False)

    def batch(self, stamps: Stamps, labels: Labels | None = None) -> dict[str, Tensor]:
        """Make a batch.

        Raises
        ------
        ParameterError
            If the PSF of a stamp is not known.
        """
        import torch

        n, pixels = len(stamps), stamps.size**2
        local, state = self._psfs(stamps)
        bad = stamps.bad.reshape(n, pixels)
        light = stamps.pixels.reshape(n, pixels) - stamps.sky[:, None]
        arrays: dict[str, NDArray[Any]] = {
            "light": np.where(bad, 0, light),
            "good": ~bad,
            "sky": stamps.sky,
            "read_noise": stamps.read_noise,
            "local": local,
            "state": state,
            "place": chip_places(stamps),
        }
        if labels is not None:
            arrays |= label_arrays(labels)
        return {
            name: torch.from_numpy(np.ascontiguousarray(array, np.float32))
            for name, array in arrays.items()
        }

    def _psfs(self, stamps: Stamps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Series and states of the PSFs at the stars."""
        size, n = stamps.size, len(stamps)
        local = np.empty((n, size * size * DEGREE * DEGREE), np.float32)
        state = np.empty((n, STATE), np.float32)
        for ready, rows, weights in self._by_group(stamps):
            local[rows], state[rows] = ready.psf.mixed(weights), weights @ ready.state
        return local.reshape(n, size * size, DEGREE, DEGREE), state

    def _by_group(
        self, stamps: Stamps
    ) -> Iterator[tuple[_Ready, NDArray[np.int64], NDArray[np.float32]]]:
        """PSF, rows and the weights of the PSF's nodes, exposure by exposure."""
        order = np.argsort(stamps.group, kind="stable")
        numbers, starts = np.unique(stamps.group[order], return_index=True)
        weights: NDArray[np.float32] = np.ones((len(stamps), 1), np.float32)
        nodes = None
        for number, rows in zip(numbers.tolist(), np.split(order, starts)[1:], strict=True):
            ready = self._prepared(stamps.groups[number], stamps.size)
            if len(ready.state) == 1:
                yield ready, rows, np.ones((len(rows), 1), np.float32)
                continue
            if ready.psf.nodes != nodes:  # the exposures of a set have the same: once for all stars
                nodes = ready.psf.nodes
                weights = nodes.weights(stamps.x_start, stamps.y_start).astype(np.float32)
            yield ready, rows, weights[rows]

    def _prepared(self, group: Group, size: int) -> _Ready:
        samples = group.psf if self.use_state else self.common
        if samples is None:
            raise ParameterError("stamps", f"{group.exposure} {group.chip} without a PSF",
                                 "stamps that know their exposure's PSF")  # fmt: skip
        key = (id(group) if self.use_state else 0, size)
        ready = self._ready.get(key)
        if ready is None:  # several threads may get here: the work is done twice, no more
            values = np.asarray(samples.values)
            ready = _Ready(group, RasterPSF.from_samples(samples, size), psf_state(values))
            self._ready[key] = ready
            if len(self._ready) * len(values) > KEPT_NODES:  # all alike in number
                self._ready.popitem(last=False)
        return ready


@dataclass(frozen=True)
class PaperInputs:
    """Batches for the papers' networks: ``raster``, and ``scalars`` where the recipe names them.

    Rasters are divided by their sums, sky included; bad pixels hold the mean of the good ones.

    Parameters
    ----------
    names : tuple of str
        Scalars: any of "x", "y" (position on the chip, -1 to 1) and "mag".
    mag : (float, float)
        Mean and standard deviation of the training data's magnitudes.
    """

    names: tuple[str, ...] = ()
    mag: tuple[float, float] = (-9.0, 1.5)

    def batch(self, stamps: Stamps, labels: Labels | None = None) -> dict[str, Tensor]:
        """Make a batch."""
        import torch

        good = ~stamps.bad
        count = np.maximum(good.sum(axis=(1, 2)), 1)
        mean = np.where(good, stamps.pixels, 0).sum(axis=(1, 2)) / count
        raster = np.where(good, stamps.pixels, mean[:, None, None])
        total = raster.sum(axis=(1, 2))
        arrays: dict[str, NDArray[Any]] = {
            "raster": raster / np.where(np.abs(total) > 1e-3, total, 1)[:, None, None]
        }
        if self.names:
            place = chip_places(stamps)
            mag = (np.nan_to_num(stamps.mag, nan=self.mag[0]) - self.mag[0]) / self.mag[1]
            columns = {"x": place[:, 0], "y": place[:, 1], "mag": mag}
            arrays["scalars"] = np.stack([columns[name] for name in self.names], 1)
        if labels is not None:
            arrays |= label_arrays(labels)
        return {
            name: torch.from_numpy(np.ascontiguousarray(array, np.float32))
            for name, array in arrays.items()
        }


def chip_places(stamps: Stamps) -> FloatArray:
    """Positions on the chip from -1 to 1: (n, 2); 0 where the chip's size is not known."""
    shapes = np.array([group.shape for group in stamps.groups] or [(0, 0)], float)
    ny, nx = shapes[stamps.group].T if len(stamps.groups) else np.zeros((2, len(stamps)))
    places = [
        np.where(side > 0, 2 * (start + 0.5) / np.maximum(side, 1) - 1, 0)
        for start, side in ((stamps.x_start, nx), (stamps.y_start, ny))
    ]
    return np.stack(places, 1)


def label_arrays(labels: Labels) -> dict[str, NDArray[np.float32]]:
    """Labels and their errors, raster coordinates: (n, 2) each."""
    error = np.stack([labels.x_err, labels.y_err], 1)
    return {
        "label": np.stack([labels.x, labels.y], 1),
        "label_error": np.nan_to_num(error).clip(min=LEAST_LABEL_ERROR),
    }
