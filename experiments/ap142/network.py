"""What the model says of the image: is the cluster found, and how large is it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.ap142.image import binned
from experiments.ap142.training import BINNING
from filar.clusters.cutting import cut
from filar.clusters.images import ClusterImages, stack_images
from filar.clusters.posterior import PARAMETERS

if TYPE_CHECKING:
    from filar.clusters.estimator import ClusterModel
    from filar.clusters.pmap import PMap
    from filar.clusters.posterior import Predictions
    from filar.instruments.bandimage import BandImage

FloatArray = NDArray[np.float64]
NEAR = 15.0
"""Pixels of the image within which a peak of the probability is that of the cluster."""


@dataclass(frozen=True, eq=False)
class Looked:
    """What was found.

    Parameters
    ----------
    p_map : PMap
        Probabilities, on the grid of the binned image.
    x, y : float
        The most likely place near the cluster, pixels of the image.
    p_there : float
        Probability there, of the map.
    elsewhere : float
        Largest probability beyond `NEAR` of it.
    answer : Predictions
        Of a cutout at the cluster's centre: one row.
    """

    p_map: PMap
    x: float
    y: float
    p_there: float
    elsewhere: float
    answer: Predictions

    @property
    def r_h(self) -> tuple[float, float, float]:
        """Median of the half-light radius and the ends of its 68% interval, arcsec."""
        column = PARAMETERS.index("log_r_h")
        low, middle, high = np.quantile(self.answer.samples[0, :, column], (0.16, 0.5, 0.84))
        return float(10**middle), float(10**low), float(10**high)


def images_for(image: BandImage, *, already: bool = False) -> ClusterImages:
    """The image as the model takes it: binned, if it is not, in units of a star of mag 25."""
    return stack_images([image if already else binned(image, BINNING)])


def look(model: ClusterModel, image: BandImage, centre: tuple[float, float], seed: int) -> Looked:
    """Search the image and measure the cluster.

    Parameters
    ----------
    model : ClusterModel
        Of this band, binned.
    image : BandImage
        As read.
    centre : (float, float)
        Where the cluster is known to be, x and y, pixels.
    seed : int
        Of the posterior's draws.

    Returns
    -------
    Looked
    """
    x, y = centre
    images = images_for(image)
    p_map = model.p_map(images.flux)
    rows, columns = np.indices(p_map.p.shape)
    away = np.hypot(
        to_image(p_map.x0 + p_map.step * columns) - x, to_image(p_map.y0 + p_map.step * rows) - y
    )
    near = np.where(away < NEAR, p_map.p, -1.0)
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    answer = model.predict(
        cut(images, [to_binned(x)], [to_binned(y)], model.inputs_.size), 4000, seed=seed
    )
    return Looked(
        p_map, float(to_image(p_map.x0 + p_map.step * column)),
        float(to_image(p_map.y0 + p_map.step * row)), float(near.max()),
        float(p_map.p[away >= 2 * NEAR].max()), answer,
    )  # fmt: skip


def to_binned(position: float) -> float:
    """A pixel coordinate of the image on the binned one."""
    return (position - (BINNING - 1) / 2) / BINNING


def to_image(position: FloatArray | float) -> FloatArray:
    """A pixel coordinate of the binned image on the image."""
    return np.asarray(position) * BINNING + (BINNING - 1) / 2
