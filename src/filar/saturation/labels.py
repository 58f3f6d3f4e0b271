"""Labels: how many electrons a star of known magnitude gave in an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.saturation.catalogs import CatalogStars
    from filar.saturation.contamination import Contamination
    from filar.saturation.zeropoint import ZeroPoint

FloatArray = NDArray[np.float64]


class Reason(IntFlag):
    """Why a star has no label; bits."""

    NO_MAGNITUDE = 1
    VARIABLE = 2
    NO_ZERO_POINT = 4
    NOT_POSITIVE = 8


DESCRIPTIONS = {
    Reason.NO_MAGNITUDE: "no magnitude in the filter",
    Reason.VARIABLE: "variable",
    Reason.NO_ZERO_POINT: "the image has no zero point there",
    Reason.NOT_POSITIVE: "less light in the aperture than the median background",
}


@dataclass(frozen=True, eq=False)
class Labels:
    """Logarithms of the electrons of n stars.

    Parameters
    ----------
    log_n, log_n_err : (n,) float64 arrays
        log10 electrons and its error, dex; NaN where there is no label.
    reason : (n,) int32 array
        Bits of `Reason`; 0 where there is a label.
    """

    log_n: FloatArray
    log_n_err: FloatArray
    reason: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.log_n)

    def refused(self) -> dict[str, int]:
        """How many stars have no label, by reason."""
        counts = {text: int(np.sum(self.reason & bit > 0)) for bit, text in DESCRIPTIONS.items()}
        return {text: number for text, number in counts.items() if number}


def make_labels(
    stars: CatalogStars,
    zero_point: ZeroPoint,
    x: ArrayLike,
    y: ArrayLike,
    *,
    contamination: Contamination | None = None,
    variable: bool = False,
    scatter: bool | None = None,
) -> Labels:
    """Give the labels of stars in one image.

    Parameters
    ----------
    stars : CatalogStars
        The n stars, in the order of the positions: ``catalogue.select(rows)``.
    zero_point : ZeroPoint
        The image's, its transparency and vignetting included.
    x, y : (n,) arrays
        Where they are in the image, pixels.
    contamination : Contamination, optional
        The light of the n stars' neighbours: N becomes N (1 + f_c - b_c), all that is in the
        aperture (W24). Without it N is the star's own light.
    variable : bool
        Whether variable stars get labels too.
    scatter : bool, optional
        Whether the errors hold the scatter of bright stars about the zero point that no error
        explains: the catalogue's, if its band is not the image's, but that of crowded photometry
        too. By default they hold it for stars whose magnitude has no error.

    Returns
    -------
    Labels
        The errors hold those of the catalogue's magnitude and of the zero point.

    Raises
    ------
    ParameterError
        If the numbers of stars differ.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    for name, values in (("x", x), ("y", y), ("contamination", contamination)):
        if values is not None and len(values) != len(stars):
            raise ParameterError(name, len(values), f"one value for each of {len(stars)} stars")
    zero, zero_err = zero_point(x, y), zero_point.error(x, y)
    log_n = 0.4 * (zero - stars.mag)
    unknown = ~np.isfinite(stars.mag_err)
    added = np.where(unknown if scatter is None else scatter, zero_point.intrinsic, 0.0)
    error = 0.4 * np.sqrt(np.where(unknown, 0.0, stars.mag_err) ** 2 + zero_err**2 + added**2)
    reason = _bits(~np.isfinite(stars.mag), Reason.NO_MAGNITUDE)
    reason |= _bits(~np.isfinite(zero), Reason.NO_ZERO_POINT)
    if not variable:
        reason |= _bits(stars.variable, Reason.VARIABLE)
    if contamination is not None:
        factor = 1 + contamination.f_c - contamination.b_c
        with np.errstate(invalid="ignore", divide="ignore"):
            reason |= _bits(factor <= 0, Reason.NOT_POSITIVE)
            log_n = log_n + np.log10(np.where(factor > 0, factor, np.nan))
    good = reason == 0
    return Labels(np.where(good, log_n, np.nan), np.where(good, error, np.nan), reason)


def _bits(where: NDArray[Any], reason: Reason) -> NDArray[np.int32]:
    return np.where(where, int(reason), 0).astype(np.int32)
