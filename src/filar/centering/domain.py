"""What a model was trained on, and which stars lie within."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.centering.inputs import GuidedInputs
from filar.stamps.labels import TRAIN
from filar.stamps.stamps import Stamps
from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from filar.centering.model import CenteringModel

FloatArray = NDArray[np.float64]
Ranges = dict[str, tuple[float, float]]
SAMPLE = 20_000  # stamps that are looked at
TAIL = 0.001  # of the training data that may lie outside
MARGIN = {"mag": 0.25, "sky": 10.0, "x": 5.0, "y": 5.0}
"""How far beyond its training data a network may be trusted: magnitudes, electrons, pixels."""
STATE_MARGIN = 1.2
MOST_BAD = 0.25
"""Part of a raster's pixels that may be bad."""


def learn_domain(model: CenteringModel, store: StampStore, seed: int) -> Ranges:
    """Say what the training part of a set of stamps covers.

    Parameters
    ----------
    model : CenteringModel
        Its PSF states' scale is used.
    store : StampStore
        The set.
    seed : int
        Of the sample that is looked at.

    Returns
    -------
    dict of str to (low, high)
        ``mag``; ``sky`` (electrons); ``x``, ``y`` (pixels of the chip); ``psf``: rms of the PSF
        state in units of the training data's spread, if the network is told the PSF.
    """
    rows = store.rows(TRAIN)
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
    stamps = store.read(rows)[0]
    ranges = {}
    for name, values in _numbers(stamps).items():
        good = values[np.isfinite(values)]
        if len(good):
            low, high = np.quantile(good, [TAIL, 1 - TAIL])
            ranges[name] = (float(low), float(high))
    distance = state_distance(model, stamps)
    if distance is not None:
        ranges["psf"] = (0.0, float(np.quantile(distance, 1 - TAIL)))
    return ranges


def in_domain(model: CenteringModel, ranges: Ranges, stamps: Stamps) -> NDArray[np.bool_]:
    """Mark the stars that are like those in the training data.

    Parameters
    ----------
    model : CenteringModel
        The model.
    ranges : dict
        From `learn_domain`.
    stamps : Stamps
        n stamps.

    Returns
    -------
    (n,) bool array
    """
    inside = stamps.bad.mean(axis=(1, 2)) <= MOST_BAD
    for name, values in _numbers(stamps).items():
        if name in ranges:
            low, high = ranges[name]
            inside &= (values >= low - MARGIN[name]) & (values <= high + MARGIN[name])
    if "psf" in ranges:
        distance = state_distance(model, stamps)
        assert distance is not None
        inside &= distance <= STATE_MARGIN * ranges["psf"][1]
    return np.asarray(inside, np.bool_)


def state_distance(model: CenteringModel, stamps: Stamps) -> FloatArray | None:
    """How unusual the PSFs of stamps are: rms of their states in units of the training's spread.

    Parameters
    ----------
    model : CenteringModel
        The model.
    stamps : Stamps
        n stamps.

    Returns
    -------
    (n,) array or None
        None if the network is not told the PSF.
    """
    if not isinstance(model.inputs, GuidedInputs) or not model.inputs.use_state:
        return None
    states = model.inputs.states(stamps)
    mean, scale = (
        np.asarray(model.network.get_buffer(name)) for name in ("state_mean", "state_scale")
    )
    return np.asarray(np.sqrt(np.mean(((states - mean) / scale) ** 2, axis=1)), np.float64)


def _numbers(stamps: Stamps) -> dict[str, FloatArray]:
    """What has a range, by name: (n,) arrays."""
    return {
        "mag": stamps.mag.astype(np.float64),
        "sky": stamps.sky.astype(np.float64),
        "x": np.asarray(stamps.x_start, np.float64),
        "y": np.asarray(stamps.y_start, np.float64),
    }
