"""What the fits say about the detections: found twice, sharper or wider than the PSF."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.flags import Flag
from filar.psf.model import FieldPSF

if TYPE_CHECKING:
    from filar.detect import Detections
    from filar.fit import StarFits

SAME_STAR = 1.0
"""Pixels: two detections never are that close, so fits that end that close are of one star."""

# A star's brightest pixel may differ from its PSF's by this part before the shape is suspect:
# field crowding and what a PSF fitted to few stars gets wrong stay below it.
_PEAK_TOLERANCE = 0.25
_PEAK_SIGNIFICANCE = 5.0


def select_fits(fits: StarFits, keep: NDArray[Any]) -> StarFits:
    """Choose stars.

    Parameters
    ----------
    fits : StarFits
        n stars.
    keep : (n,) bool array, or array of indices
        Which of them.

    Returns
    -------
    StarFits
        Those.
    """
    chosen: dict[str, Any] = {f.name: getattr(fits, f.name)[keep] for f in fields(fits)}
    return type(fits)(**chosen)


def outside(exposure: Exposure, fits: StarFits) -> NDArray[np.bool_]:
    """Find fits that ended outside of the field of view: (n,), True there.

    What begins beside the vignetted border and is fitted into it is the border's own light, or a
    star whose centre was not exposed.
    """
    ny, nx = exposure.shape
    columns, rows = np.rint(np.nan_to_num(fits.x)), np.rint(np.nan_to_num(fits.y))
    off = (columns < 0) | (columns > nx - 1) | (rows < 0) | (rows > ny - 1)
    index = np.clip(rows, 0, ny - 1).astype(int), np.clip(columns, 0, nx - 1).astype(int)
    return np.asarray(off | exposure.edge[index])


def duplicates(detections: Detections, fits: StarFits) -> NDArray[np.bool_]:
    """Find detections whose fit ran away to another star, which then would be counted twice.

    Parameters
    ----------
    detections : Detections
        The n stars as they were found.
    fits : StarFits
        The n stars as they were fitted.

    Returns
    -------
    (n,) bool array
        True for all but one of the fits that end within `SAME_STAR` of each other: the one that
        stayed closest to where it began is kept, or the saturated one.
    """
    from scipy.spatial import cKDTree

    lost = np.zeros(len(fits.x), bool)
    index = np.flatnonzero(np.isfinite(fits.x + fits.y))
    if len(index) < 2:
        return lost
    tree = cKDTree(np.stack([fits.x[index], fits.y[index]], axis=1))
    pairs = index[tree.query_pairs(SAME_STAR, output_type="ndarray")]
    moved = np.hypot(fits.x - detections.x, fits.y - detections.y)
    moved = np.where(detections.flags & Flag.SATURATED, -1.0, moved)
    # The worst first, so that of a chain only those that are close to a kept one are lost.
    for first, second in pairs[np.argsort(-moved[pairs].max(axis=1))]:
        if not (lost[first] or lost[second]):
            lost[first if moved[first] > moved[second] else second] = True
    return lost


def shape_flags(
    exposure: Exposure, psf: FieldPSF, detections: Detections, fits: StarFits
) -> NDArray[np.int32]:
    """Flag what does not look like the PSF: sharper (cosmic rays) or wider (blends, galaxies).

    The pixel under the fitted centre is compared with the fitted PSF's. Saturated stars and stars
    without a fit are left alone; beside a neighbour, too much light around the centre says nothing.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    psf : FieldPSF
        The PSF that was fitted.
    detections : Detections
        The n stars as they were found.
    fits : StarFits
        The n stars.

    Returns
    -------
    (n,) int32 array
        ``COSMIC_RAY``, ``EXTENDED`` or 0.
    """
    flags = np.zeros(len(fits.x), np.int32)
    skip = int(Flag.SATURATED | Flag.NO_FIT | Flag.NON_POSITIVE)
    usable = np.isfinite(fits.x + fits.y + fits.sky) & (fits.flux > 0) & (fits.flags & skip == 0)
    index = np.flatnonzero(usable)
    ny, nx = exposure.shape
    column, row = (np.rint(a[index]).astype(int) for a in (fits.x, fits.y))
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    index, column, row = index[inside], column[inside], row[inside]
    seen = ~exposure.unusable[row, column]
    index, column, row = index[seen], column[seen], row[seen]
    if not len(index):
        return flags
    model = fits.flux[index] * psf.stamps(fits.x[index], fits.y[index], 1)[:, 0, 0]
    excess = exposure.data[row, column] - fits.sky[index] - model
    noise = np.sqrt(exposure.variance(model + fits.sky[index]))
    limit = np.hypot(_PEAK_SIGNIFICANCE * noise, _PEAK_TOLERANCE * model)
    flags[index[excess > limit]] = Flag.COSMIC_RAY
    alone = (detections.flags[index] & Flag.NEIGHBOUR) == 0
    flags[index[(excess < -limit) & alone]] = Flag.EXTENDED
    return flags
