"""Mock clusters like AP 142 put into the real image: what the model makes of known ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.ap142.image import binned
from experiments.ap142.network import images_for, to_binned
from experiments.ap142.training import BINNING, SIZE, m31_camera, mock_settings
from filar.clusters.cutting import cut
from filar.clusters.posterior import PARAMETERS
from filar.populations import IsochroneSet
from filar.simulate.clusters.canvas import canvas_for
from filar.simulate.clusters.mock import draw_cluster

if TYPE_CHECKING:
    from filar.clusters.estimator import ClusterModel
    from filar.instruments.bandimage import BandImage

FloatArray = NDArray[np.float64]
LIKE = {"log_age": (8.05, 8.05), "a_v": (0.85, 0.85), "log_mass": (3.57, 3.57)}
"""The cluster's published properties."""
_AWAY = 80.0  # pixels of the image between AP 142 and the places of mocks
_RIM = 36.0  # pixels of the image that a place keeps from the edge


@dataclass(frozen=True, eq=False)
class Injected:
    """Mocks and what the model says of them, and of the same places without.

    Parameters
    ----------
    true : (n,) array
        Half-light radii, arcsec.
    median, low, high : (n,) arrays
        Of the model's posteriors, with 68% between the latter.
    p_with, p_without : (n,) arrays
        Probabilities of a cluster.
    """

    true: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray
    p_with: FloatArray
    p_without: FloatArray


def inject(
    model: ClusterModel, image: BandImage, isochrones: IsochroneSet, centre: tuple[float, float],
    number: int, seed: int,
) -> Injected:  # fmt: skip
    """Put mocks into the image, one at a time, and measure them.

    Parameters
    ----------
    model : ClusterModel
        Of this band, binned.
    image : BandImage
        As read.
    isochrones : IsochroneSet
        With F475W.
    centre : (float, float)
        AP 142, pixels; the mocks keep away from it.
    number, seed : int
        How many, and of which random numbers.

    Returns
    -------
    Injected
        Of clusters with AP 142's age, extinction and mass, and radii all over the model's range.
    """
    rng = np.random.default_rng(seed)
    camera = m31_camera()
    settings = mock_settings(**LIKE)
    stars = isochrones.with_bands(camera.filters)
    x, y = _places(image, centre, number, rng)
    columns, rows = (np.rint([to_binned(v) for v in axis]) for axis in (x, y))
    empty = binned(image, BINNING)
    canvas = canvas_for(camera, (empty.shape[0], empty.shape[1]))
    bare = model.predict(cut(images_for(image), columns, rows, SIZE), 10, seed=seed)
    true, cutouts = [], []
    for column, row in zip(columns, rows, strict=True):
        cluster = draw_cluster(settings, stars, rng)
        rate = np.maximum(cluster.image(canvas, column, row)[0], 0.0)
        time = image.exposure_time
        shown = replace(empty, rate=(empty.rate + rng.poisson(rate * time) / time).astype("f4"))
        cutouts.append(cut(images_for(shown, already=True), [column], [row], SIZE))
        true.append(10**cluster.log_r_h)
    answers = [model.predict(one, 1000, seed=seed) for one in cutouts]
    radius = np.stack([a.samples[0, :, PARAMETERS.index("log_r_h")] for a in answers])
    low, median, high = 10 ** np.quantile(radius, (0.16, 0.5, 0.84), axis=1)
    found = np.array([a.p_cluster[0] for a in answers])
    return Injected(np.array(true), median, low, high, found, np.asarray(bare.p_cluster))


def _places(
    image: BandImage, centre: tuple[float, float], number: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Pixels of the image, away from the cluster and from the edges."""
    ny, nx = image.shape
    x = rng.uniform(_RIM, nx - 1 - _RIM, 40 * number)
    y = rng.uniform(_RIM, ny - 1 - _RIM, 40 * number)
    away = np.hypot(x - centre[0], y - centre[1]) > _AWAY
    return x[away][:number], y[away][:number]
