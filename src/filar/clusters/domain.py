"""What a model of clusters was trained on, and which cutouts are like that."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from filar.clusters.apertures import aperture_fluxes, surroundings
from filar.clusters.cutouts import Cutouts, mag_of

Ranges = dict[str, tuple[float, float]]
TAIL = 0.001
"""Part of the training cutouts beyond each end of a range."""
RADIUS = 6.5
"""Of the circle whose light is looked at, pixels; half a cutout's side at most."""
MARGIN = {"noise": 0.1, "mag": 0.3}
"""How far beyond a model may be trusted: dex, magnitudes."""


def _numbers(cutouts: Cutouts) -> dict[str, NDArray[np.float64]]:
    radius = min(RADIUS, 0.25 * cutouts.size)
    sky, noise = surroundings(cutouts.flux)
    light = aperture_fluxes(cutouts.flux, (radius,), sky)[:, :, 0]
    found = {}
    for k, band in enumerate(cutouts.bands):
        # What has no light at all is as faint as can be, not unknown.
        floor = np.maximum(light[:, k], 0.1 * noise[:, k])
        found[f"mag {band}"] = mag_of(np.maximum(floor, 1e-30))
        found[f"noise {band}"] = np.log10(np.maximum(noise[:, k], 1e-30).astype(np.float64))
    return found


def learn_domain(cutouts: Cutouts) -> Ranges:
    """Say what training cutouts cover.

    Parameters
    ----------
    cutouts : Cutouts
        Clusters and backgrounds.

    Returns
    -------
    dict of str to (low, high)
        For each band the magnitude within a circle, and log10 of the noise in units of flux; with
        margins.
    """
    ranges = {}
    for name, values in _numbers(cutouts).items():
        low, high = np.quantile(values, [TAIL, 1 - TAIL]).tolist()
        margin = MARGIN[name.split()[0]]
        ranges[name] = (low - margin, high + margin)
    return ranges


def in_domain(cutouts: Cutouts, ranges: Mapping[str, tuple[float, float]]) -> NDArray[np.bool_]:
    """Tell which cutouts a model may be trusted on.

    Parameters
    ----------
    cutouts : Cutouts
        n of them.
    ranges : mapping
        From `learn_domain`, as on the model's card.

    Returns
    -------
    (n,) bool array
        True where noise and brightness are as in the training; faintness is no fault.
    """
    inside = np.ones(len(cutouts), bool)
    for name, values in _numbers(cutouts).items():
        if name in ranges:
            low, high = ranges[name]
            inside &= values >= low
            if not name.startswith("mag"):
                inside &= values <= high
    return inside
