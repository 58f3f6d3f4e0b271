"""Finding clusters: peaks of the map of probability, moved onto the light that makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.images import ClusterImages
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.clusters.pmap import PMap

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]

THRESHOLD = 0.5
"""Least probability of a detection."""
APART = 6.0
"""Pixels within which two detections are one."""
WINDOW = 2.5
"""Pixels: standard deviation of the window in which light is centred."""
_REACH = 7  # pixels on each side that the window sees
_ROUNDS = 12
_FARTHEST = 6.0  # pixels from the peak of the map: its steps are that coarse
_STILL = 0.01
_BOX = 32  # pixels on a side of the boxes whose median fills holes


@dataclass(frozen=True, eq=False)
class Found:
    """Places where clusters may be.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Pixels from 0.
    p : (n,) float64 array
        Probability in the map.
    """

    x: FloatArray
    y: FloatArray
    p: FloatArray

    def __len__(self) -> int:
        return len(self.x)

    def select(self, index: Any) -> Found:
        """Some of them, by a bool or int array."""
        return Found(self.x[index], self.y[index], self.p[index])


def peaks(pmap: PMap, threshold: float = THRESHOLD, apart: float = APART) -> Found:
    """Find the local maxima of a map of probability.

    Parameters
    ----------
    pmap : PMap
        The map.
    threshold : float
        Least probability.
    apart : float
        Least distance of two maxima, pixels.

    Returns
    -------
    Found
        The most probable first; on the map's grid of places.

    Raises
    ------
    ParameterError
        If a number makes no sense.
    """
    from scipy.ndimage import center_of_mass, label, maximum_filter

    if not 0 < threshold < 1:
        raise ParameterError("threshold", threshold, "a probability between 0 and 1")
    if not apart > 0:
        raise ParameterError("apart", apart, "a positive number of pixels")
    p = np.nan_to_num(np.asarray(pmap.p, np.float64))
    away = np.arange(-int(apart // pmap.step), int(apart // pmap.step) + 1)
    disc = np.hypot(away[:, None], away) * pmap.step <= apart
    top = (p >= threshold) & (p == maximum_filter(p, footprint=disc, mode="constant"))
    # Neighbours of the same value, where the network is sure, are one maximum.
    plateaus, number = label(top, structure=np.ones((3, 3)))
    middle = np.array(center_of_mass(top, plateaus, range(1, number + 1))).reshape(-1, 2)
    value = np.zeros(number)
    np.maximum.at(value, plateaus[top] - 1, p[top])
    order = np.argsort(-value, kind="stable")
    rows, columns = middle[order].T
    return Found(pmap.x0 + pmap.step * columns, pmap.y0 + pmap.step * rows, value[order])


def recentred(images: ClusterImages, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Move places onto the light about them.

    The centre of light in a round Gaussian window that follows it, in the sum of all bands, each
    weighted by its noise, above the local sky.

    Parameters
    ----------
    images : ClusterImages
        All bands.
    x, y : (n,) arrays
        Places, pixels.

    Returns
    -------
    x, y : (n,) float64 arrays
        Those from which the light leads away farther than 6 pixels stay where they were, as do
        those without light.
    """
    image = detection_image(images)
    x0, y0 = np.asarray(x, float), np.asarray(y, float)
    ny, nx = image.shape
    with np.errstate(invalid="ignore"):
        usable = (x0 >= 0) & (x0 <= nx - 1) & (y0 >= 0) & (y0 <= ny - 1)
    now_x, now_y = np.where(usable, x0, 0.0), np.where(usable, y0, 0.0)
    for _ in range(_ROUNDS):
        step_x, step_y = _steps(image, now_x, now_y)
        # A Gaussian window sees a Gaussian source of its own width at half the distance.
        now_x, now_y = now_x + 2 * step_x, now_y + 2 * step_y
        lost = ~(np.hypot(now_x - x0, now_y - y0) <= _FARTHEST)
        now_x, now_y = np.where(lost & usable, x0, now_x), np.where(lost & usable, y0, now_y)
        if not (np.hypot(step_x, step_y)[~lost & usable] > _STILL).any():
            break
    return np.where(usable, now_x, x0), np.where(usable, now_y, y0)


def _steps(image: Image, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """From places to the centre of light in the window about them; 0 where there is no light."""
    ny, nx = image.shape
    reach = np.arange(-_REACH, _REACH + 1)
    columns = np.round(x).astype(int)[:, None] + reach
    rows = np.round(y).astype(int)[:, None] + reach
    inside = ((columns >= 0) & (columns < nx))[:, None] & ((rows >= 0) & (rows < ny))[:, :, None]
    at = np.clip(rows, 0, ny - 1)[:, :, None], np.clip(columns, 0, nx - 1)[:, None]
    light = np.where(inside, image[at], 0.0)
    off_x, off_y = columns - x[:, None], rows - y[:, None]
    window = np.exp(-(off_x[:, None] ** 2 + off_y[:, :, None] ** 2) / (2 * WINDOW**2))
    weight = np.maximum(light, 0) * window
    total = weight.sum(axis=(1, 2))
    safe = np.where(total > 0, total, 1.0)
    step_x = (weight * off_x[:, None]).sum(axis=(1, 2)) / safe
    step_y = (weight * off_y[:, :, None]).sum(axis=(1, 2)) / safe
    return step_x, step_y


def detection_image(images: ClusterImages) -> Image:
    """Sum of all bands above the local sky, each weighted by the inverse square of its noise.

    Parameters
    ----------
    images : ClusterImages
        All bands.

    Returns
    -------
    (ny, nx) float32 array
        In standard deviations of the noise; 0 where unusable.
    """
    total = np.zeros(images.shape, np.float32)
    weights = 0.0
    for plane, noise in zip(images.flux, images.noise, strict=True):
        if not noise > 0:
            continue
        above = plane - local_level(plane)
        total += np.nan_to_num(above) / np.float32(noise**2)
        weights += float(noise) ** -2
    return total / np.float32(np.sqrt(weights)) if weights > 0 else total


def local_level(plane: Image, box: int = _BOX) -> Image:
    """Median of the usable pixels in boxes, linear between their middles.

    Parameters
    ----------
    plane : (ny, nx) float32 array
        NaN where unusable.
    box : int
        Side, pixels.

    Returns
    -------
    (ny, nx) float32 array
        Finite everywhere; boxes without usable pixels take the nearest box's value.
    """
    from scipy.ndimage import distance_transform_edt

    ny, nx = plane.shape
    edges = [np.linspace(0, extent, max(extent // box, 1) + 1).astype(int) for extent in (ny, nx)]
    nodes = np.full((len(edges[0]) - 1, len(edges[1]) - 1), np.nan, np.float32)
    for i, (low, high) in enumerate(zip(edges[0][:-1], edges[0][1:], strict=True)):
        for k, (left, right) in enumerate(zip(edges[1][:-1], edges[1][1:], strict=True)):
            good = plane[low:high, left:right]
            good = good[np.isfinite(good)]
            if len(good):
                nodes[i, k] = np.median(good)
    empty = np.isnan(nodes)
    if empty.all():
        return np.zeros(plane.shape, np.float32)
    if empty.any():
        nearest = distance_transform_edt(empty, return_distances=False, return_indices=True)
        nodes = nodes[tuple(nearest)]
    rows, columns = (_hats(extent, e) for extent, e in zip((ny, nx), edges, strict=True))
    return np.asarray(rows.T @ nodes @ columns)


def _hats(extent: int, edges: NDArray[np.int64]) -> Image:
    """Weights of the boxes' middles in linear interpolation: (boxes, extent)."""
    middles = (edges[:-1] + edges[1:] - 1) / 2
    at = np.arange(extent)
    return np.stack([np.interp(at, middles, unit) for unit in np.eye(len(middles))]).astype("f4")


def filled(images: ClusterImages) -> NDArray[np.float32]:
    """Images without holes, for looking at the whole of them.

    Parameters
    ----------
    images : ClusterImages
        NaN where unusable.

    Returns
    -------
    (bands, ny, nx) float32 array
        Holes hold the local level.
    """
    result = images.flux.copy()
    for plane in result:
        bad = ~np.isfinite(plane)
        if bad.any():
            plane[bad] = local_level(plane)[bad]
    return result


def one_each(found: Found, apart: float = APART) -> Found:
    """Leave out detections close to a more probable one.

    Parameters
    ----------
    found : Found
        The most probable first.
    apart : float
        Pixels.

    Returns
    -------
    Found
        In the same order.
    """
    from scipy.spatial import cKDTree

    keep = np.ones(len(found), bool)
    if len(found):
        pairs = cKDTree(np.column_stack([found.x, found.y])).query_pairs(
            apart, output_type="ndarray"
        )
        for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
            if keep[first]:
                keep[second] = False
    return found.select(keep)
