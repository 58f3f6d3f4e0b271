"""What is true of the stamps that judge estimators, and how far an estimate misses it.

All differences are in magnitudes, predicted minus true: positive where a star is told too faint.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.learn.calibration import pulls
from filar.saturation.figures import core_saturated

if TYPE_CHECKING:
    from filar.saturation.data import Samples

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DEX = 2.5
"""Magnitudes per factor of ten in flux."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Stamps whose brightness is known.

    Parameters
    ----------
    star : (n,) int array
        The same number is the same star, in whatever image.
    image : (n,) int array
        Index into `images`.
    x, y : (n,) array
        Pixels.
    mag : (n,) array
        True magnitude, the axis of all bins.
    log_n, log_n_err : (n,) array
        log10 of the electrons that should be told, and the error of this label (0 if exact), dex.
    zero_point : (n,) array
        Magnitude of one electron at that place in that image; NaN unknown.
    saturated : (n,) bool array
        Whether the star itself is saturated.
    variable : (n,) bool array
        Whether the star is known to vary.
    images, cameras, filters : tuple of str
        By image.
    epoch : (images,) int array
        Images of one camera and filter with the same number belong together; -1 unknown.
    """

    star: IntArray
    image: IntArray
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    log_n: FloatArray
    log_n_err: FloatArray
    zero_point: FloatArray
    saturated: BoolArray
    variable: BoolArray
    images: tuple[str, ...]
    cameras: tuple[str, ...]
    filters: tuple[str, ...]
    epoch: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        for one in fields(self)[:10]:
            if np.shape(getattr(self, one.name)) != (len(self.star),):
                found = np.shape(getattr(self, one.name))
                raise ParameterError(one.name, found, f"an array of {len(self.star)} values")
        if len(self.epoch) not in (0, len(self.images)):
            raise ParameterError("epoch", len(self.epoch), f"one for each of {len(self.images)}")

    def __len__(self) -> int:
        return len(self.star)

    def select(self, rows: NDArray[Any]) -> Self:
        """Choose stamps; the list of images stays.

        Parameters
        ----------
        rows : (n,) bool or (m,) int array
            Those to keep.

        Returns
        -------
        Judged
        """
        own = {one.name: getattr(self, one.name)[rows] for one in fields(self)[:10]}
        rest = {one.name: getattr(self, one.name) for one in fields(self)[10:]}
        return type(self)(**own, **rest)

    def miss(self, log_n: FloatArray) -> FloatArray:
        """Predicted minus true magnitude of every stamp, (n,); NaN without an estimate."""
        if np.shape(log_n) != self.log_n.shape:
            raise ParameterError("log_n", np.shape(log_n), f"an array of {len(self)} values")
        return np.asarray(-DEX * (np.asarray(log_n, float) - self.log_n))

    def pull(self, log_n: FloatArray, log_n_err: FloatArray) -> FloatArray:
        """Misses over their errors, predicted and the label's together, (n,)."""
        miss = self.miss(log_n)
        known = np.nan_to_num(self.log_n_err, nan=0.0)
        return pulls(miss, DEX * np.asarray(log_n_err, float), DEX * known)

    def saturation_limit(self) -> float:
        """Magnitude at which as many stars are saturated as not.

        Returns
        -------
        float
            The one that tells saturated stamps from others with the fewest errors; NaN if all are,
            or none.
        """
        good = np.isfinite(self.mag)
        order = np.argsort(self.mag[good], kind="stable")
        mag, saturated = self.mag[good][order], self.saturated[good][order]
        if saturated.all() or not saturated.any():
            return float("nan")
        # Wrong if the limit lies after k stamps: unsaturated before it, saturated after it.
        wrong = np.concatenate([[0], np.cumsum(~saturated)]).astype(float)
        wrong += saturated.sum() - np.concatenate([[0], np.cumsum(saturated)])
        k = int(np.clip(np.argmin(wrong), 1, len(mag) - 1))
        return float(mag[k - 1] + mag[k]) / 2


def judged_from(
    samples: Samples, *, epoch: IntArray | None = None, variable: NDArray[Any] | None = None
) -> Judged:
    """Take from samples what is true of them.

    Parameters
    ----------
    samples : Samples
        n stamps with labels.
    epoch : (images,) int array, optional
        See `Judged`.
    variable : (m,) int array, optional
        Numbers of the stars that are known to vary.

    Returns
    -------
    Judged
        Of n stamps.

    Raises
    ------
    ParameterError
        If no stamp has a label.
    """
    log_n = np.asarray(samples.log_n, float)
    if not np.isfinite(log_n).any():
        raise ParameterError("samples", "without labels", "stars whose magnitudes are known")
    # Without a catalogue magnitude the label itself, through the zero point, is the brightness.
    told = np.asarray(samples.zero_point, float) - DEX * log_n
    mag = np.asarray(samples.mag, float)
    star = np.asarray(samples.star, np.int64)
    known = np.zeros(0, np.int64) if variable is None else np.asarray(variable, np.int64)
    return Judged(
        star=star,
        image=np.asarray(samples.image, np.int64),
        x=np.asarray(samples.x, float),
        y=np.asarray(samples.y, float),
        mag=np.where(np.isfinite(mag), mag, told),
        log_n=log_n,
        log_n_err=np.asarray(samples.log_n_err, float),
        zero_point=np.asarray(samples.zero_point, float),
        saturated=core_saturated(samples),
        variable=np.isin(star, known),
        images=tuple(samples.images),
        cameras=tuple(samples.cameras),
        filters=tuple(samples.filters),
        epoch=np.zeros(0, np.int64) if epoch is None else np.asarray(epoch, np.int64),
    )
