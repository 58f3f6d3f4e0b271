"""Small fields in several bands, with round clusters at known places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.clusters.images import ClusterImages, stack_images
from filar.instruments.bandimage import BandImage
from tests.instruments.bandfiles import sky_grid

BANDS = ("F336W", "F438W", "F814W")
ZERO_POINTS = (23.48, 24.97, 24.68)
TIMES = (1890.0, 1880.0, 1203.0)
PLACES = np.array([[40.3, 50.1], [110.0, 60.4], [75.6, 100.2]])
"""x, y of the clusters, pixels."""


def field_rates(
    shape: tuple[int, int] = (150, 160), seed: int = 3, places: NDArray[np.float64] = PLACES
) -> NDArray[np.float64]:
    """Electrons per second: sky, noise and a Gaussian of 30 e-/s in all at each place."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    light = np.zeros(shape)
    for x, y in places:
        apart = (columns - x) ** 2 + (rows - y) ** 2
        light += np.exp(-apart / (2 * 1.8**2)) / (2 * np.pi * 1.8**2)
    return np.stack([rng.normal(30 * light + 0.03, 0.004) for _ in BANDS])


def field_images(rates: NDArray[np.float64] | None = None) -> list[BandImage]:
    """One `BandImage` per band."""
    rates = field_rates() if rates is None else rates
    wcs = sky_grid((rates.shape[1], rates.shape[2]))
    return [
        BandImage(rate.astype(np.float32), band, zero, time, 0.04, wcs, "WFC3")
        for rate, band, zero, time in zip(rates, BANDS, ZERO_POINTS, TIMES, strict=True)
    ]


def field() -> ClusterImages:
    """The field, stacked."""
    return stack_images(field_images())
