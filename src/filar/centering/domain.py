"""What a model was trained on, and which stars lie within."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.stamps.labels import TRAIN
from filar.stamps.stamps import Stamps
from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from filar.centering.model import CenteringModel

FloatArray = NDArray[np.float64]
Ranges = dict[str, tuple[float, float]]
SAMPLE, AT_ONCE = 20_000, 2048  # stamps that are looked at
TAIL = 0.001  # of the training data that may lie outside
MARGIN = {"mag": 0.25, "sky": 10.0, "x": 60.0, "y": 60.0}
"""How far beyond its training data a network may be trusted: magnitudes, electrons, pixels."""
STATE_MARGIN = 1.2
MOST_BAD = 0.25
"""Part of a raster's pixels that may be bad."""


def learn_domain(model: CenteringModel, store: StampStore, seed: int) -> Ranges:
    """Say what the training part of a set of stamps covers.

    Parameters
    ----------
    model : CenteringModel
        Trained.
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
    parts = [stamps[k : k + AT_ONCE] for k in range(0, len(stamps), AT_ONCE)]
    distances = [model.answer(part).psf_distance for part in parts]
    known = [distance for distance in distances if distance is not None]
    if known:
        ranges["psf"] = (0.0, float(np.quantile(np.concatenate(known), 1 - TAIL)))
    return ranges


def in_domain(ranges: Ranges, stamps: Stamps, psf_distance: FloatArray | None) -> NDArray[np.bool_]:
    """Mark the stars that are like those in the training data.

    Parameters
    ----------
    ranges : dict
        From `learn_domain`.
    stamps : Stamps
        n stamps.
    psf_distance : (n,) array or None
        See `filar.centering.model.Answer`.

    Returns
    -------
    (n,) bool array
    """
    inside = stamps.bad.mean(axis=(1, 2)) <= MOST_BAD
    for name, values in _numbers(stamps).items():
        if name in ranges:
            low, high = ranges[name]
            inside &= (values >= low - MARGIN[name]) & (values <= high + MARGIN[name])
    if psf_distance is not None and "psf" in ranges:
        inside &= psf_distance <= STATE_MARGIN * ranges["psf"][1]
    return np.asarray(inside, np.bool_)


def _numbers(stamps: Stamps) -> dict[str, FloatArray]:
    """What has a range, by name: (n,) arrays."""
    return {
        "mag": stamps.mag.astype(np.float64),
        "sky": stamps.sky.astype(np.float64),
        "x": np.asarray(stamps.x_start, np.float64),
        "y": np.asarray(stamps.y_start, np.float64),
    }
