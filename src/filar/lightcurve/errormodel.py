"""What the exposures' own errors miss: scatter that stars of the same magnitude have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from filar.flags import Flag
from filar.frames.clipping import group_median
from filar.lightcurve.epochs import Epochs
from filar.lightcurve.images import FloatArray, IntArray
from filar.robust import MAD_TO_SIGMA

_FEWEST_EPOCHS = 6
_FEWEST_STARS = 10
_PER_BIN = 30
_SMALLEST = 0.25  # quoted variances are not believed to be more than so much too large


def with_common_scatter(epochs: Epochs, n_stars: int) -> Epochs:
    """Make the errors of epochs as large as constant stars of like magnitude scatter.

    Most stars do not vary: the median over stars of what they scatter beyond their errors (in
    bins of magnitude, camera by camera, saturated ones by themselves) is added in quadrature.
    Where errors were quoted too large they are scaled down.

    Parameters
    ----------
    epochs : Epochs
        Of many stars.
    n_stars : int
        Number of stars.

    Returns
    -------
    Epochs
        The same with other errors; unchanged where fewer than ten stars tell.
    """
    if not len(epochs):
        return epochs
    saturated = ((epochs.flags & int(Flag.SATURATED)) != 0).astype(np.int64)
    kind = 2 * epochs.group + saturated
    n_kinds = int(kind.max()) + 1
    pair = epochs.star * n_kinds + kind
    known, which = np.unique(pair, return_inverse=True)
    n = len(known)
    centre = group_median(which, epochs.mag, n)
    away = np.abs(epochs.mag - centre[which])
    count = np.bincount(which, minlength=n)
    total = (MAD_TO_SIGMA * group_median(which, away, n)) ** 2 * count / np.maximum(count - 1, 1)
    quoted = group_median(which, epochs.mag_err**2, n)
    enough = (count >= _FEWEST_EPOCHS) & np.isfinite(quoted) & (quoted > 0)
    variance = epochs.mag_err**2
    for one in np.unique(kind):
        stars = np.flatnonzero((known % n_kinds == one) & enough)
        if len(stars) < _FEWEST_STARS:
            continue
        rows = kind == one
        added, factor = _common(centre[stars], total[stars], quoted[stars], epochs.mag[rows])
        variance[rows] = variance[rows] * factor + added
    return replace(epochs, mag_err=np.sqrt(variance))


def _common(
    mag: FloatArray, total: FloatArray, quoted: FloatArray, wanted: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Variance to add, and factor of the quoted one, at magnitudes that are wanted."""
    order = np.argsort(mag, kind="stable")
    bins: list[IntArray] = np.array_split(order, max(len(order) // _PER_BIN, 1))
    place = [float(np.median(mag[one])) for one in bins]
    added = [max(float(np.median(total[one] - quoted[one])), 0.0) for one in bins]
    ratio = [float(np.median(total[one] / quoted[one])) for one in bins]
    factor = [min(max(value, _SMALLEST), 1.0) for value in ratio]
    return np.interp(wanted, place, added), np.interp(wanted, place, factor)
