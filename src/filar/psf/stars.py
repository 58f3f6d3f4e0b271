"""Which stars of an exposure may teach its PSF."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from filar.exposure import Exposure
from filar.flags import Flag
from filar.psf.boxes import cut_boxes

FloatArray = NDArray[np.float64]
UNSUITED = (
    Flag.SATURATED | Flag.COSMIC_RAY | Flag.HOT_PIXEL | Flag.EDGE | Flag.EXTENDED | Flag.MASKED
)
REACH = 14.0  # pixels: how far a neighbour's light matters
MAX_BAD_PIXELS = 2


class Candidates(Protocol):
    """Detected stars: arrays of shape (n,), see `filar.detect.Detections`."""

    @property
    def x(self) -> FloatArray: ...  # noqa: D102
    @property
    def y(self) -> FloatArray: ...  # noqa: D102
    @property
    def flux(self) -> FloatArray: ...  # noqa: D102
    @property
    def snr(self) -> FloatArray: ...  # noqa: D102
    @property
    def flags(self) -> NDArray[np.int32]: ...  # noqa: D102


def contamination(stars: Candidates, box: int) -> FloatArray:
    """Light of other detections in each star's box, roughly, as a fraction of its own: (n,).

    A neighbour inside counts fully; outside, its halo is taken to fall as r^-3, which is what
    diffraction does.
    """
    points = np.c_[stars.x, stars.y]
    pairs = cKDTree(points).query_pairs(REACH, output_type="ndarray")
    result = np.zeros(len(points))
    if not len(pairs):
        return result
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    distance = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    half = box / 2
    halo = np.where(distance < half + 1.0, 1.0, 0.05 * (half / np.maximum(distance, 1)) ** 3)
    flux = np.maximum(stars.flux, 1.0)
    flux = np.where(np.isfinite(flux), flux, 1e7)
    np.add.at(result, pairs[:, 0], halo * flux[pairs[:, 1]] / flux[pairs[:, 0]])
    return result


def select_stars(
    exposure: Exposure,
    stars: Candidates,
    box: int,
    *,
    limit: int,
    min_snr: float = 30.0,
    max_contamination: float = 0.02,
) -> NDArray[np.intp]:
    """Indices of the brightest stars that are clean enough, spread over the chip.

    Parameters
    ----------
    exposure : Exposure
    stars : Candidates
    box : int
        Size of the box in which they will be fitted.
    limit : int
        At most so many.
    min_snr : float
        Fainter ones teach nothing.
    max_contamination : float
        See `contamination`.

    Returns
    -------
    (m,) int array
    """
    clean = (stars.flags & UNSUITED) == 0
    clean &= np.nan_to_num(stars.snr) >= min_snr
    clean &= contamination(stars, box) < max_contamination
    candidates = np.flatnonzero(clean)
    if not len(candidates):
        return candidates
    boxes = cut_boxes(exposure, stars.x[candidates], stars.y[candidates], box)
    whole = (~boxes.good).sum(axis=1) <= MAX_BAD_PIXELS
    core = boxes.good.reshape(-1, box, box)[
        :, box // 2 - 1 : box // 2 + 2, box // 2 - 1 : box // 2 + 2
    ]
    whole &= core.all(axis=(1, 2))
    candidates = candidates[whole]
    # the brightest of every ninth of the chip first, so that no corner is left to extrapolation
    ny, nx = exposure.shape
    cell = (stars.y[candidates] * 3 // ny).astype(int) * 3 + (stars.x[candidates] * 3 // nx).astype(
        int
    )
    order = np.argsort(-stars.flux[candidates], kind="stable")
    rank = np.empty(len(candidates), int)
    for c in range(9):
        members = order[cell[order] == c]
        rank[members] = np.arange(len(members))
    return np.sort(candidates[np.lexsort((-stars.flux[candidates], rank))][:limit])
