"""What a set of exposures of one field becomes: ties, mean positions, and every measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.frames.polynomial import Polynomial
from filar.frames.starlist import BoolArray, FloatArray, StarList


@dataclass(frozen=True, eq=False)
class Tie:
    """How one exposure was tied to the frame, or why it was not.

    Parameters
    ----------
    stars : StarList
        The exposure's list, corrections applied.
    reason : str
        Why the exposure is left out; empty if it is used.
    to_frame : Polynomial or None
        From the exposure's pixels to the frame.
    error_x, error_y : float
        Standard error of that transformation, pixels.
    offset_x, offset_y : float
        Where stars at the middle of the reference lie in this exposure, minus where they lie in
        the reference, pixels.
    reference_error_x, reference_error_y : float
        Standard error of the transformation from this exposure's list straight to the reference's,
        as C23 plots it, pixels; NaN for the reference itself.
    n_reference : int
        Stars that made that.
    mag_offset : float
        Median magnitude here less that in the frame.
    remark : str
        What else should be known, such as a lowered order.
    """

    stars: StarList
    reason: str = ""
    to_frame: Polynomial | None = None
    error_x: float = np.nan
    error_y: float = np.nan
    offset_x: float = np.nan
    offset_y: float = np.nan
    reference_error_x: float = np.nan
    reference_error_y: float = np.nan
    n_reference: int = 0
    mag_offset: float = 0.0
    remark: str = ""

    @property
    def used(self) -> bool:
        """Whether the exposure takes part."""
        return not self.reason


@dataclass(frozen=True, eq=False)
class Measures:
    """Every measure of every star of a frame, sorted by star.

    Parameters
    ----------
    star : (m,) int32 array
        Row of the frame's catalogue.
    tie : (m,) int32 array
        Number of the exposure among the frame's ties.
    row : (m,) int32 array
        Row of that exposure's list.
    x, y : (m,) float64 arrays
        Position in the frame, pixels.
    used : (m,) bool array
        Whether the measure entered the mean.
    """

    star: NDArray[np.int32]
    tie: NDArray[np.int32]
    row: NDArray[np.int32]
    x: FloatArray
    y: FloatArray
    used: BoolArray

    def __len__(self) -> int:
        return len(self.star)


@dataclass(frozen=True, eq=False)
class Frame:
    """The mean catalogue of one chip and filter, and the exposures that made it.

    Parameters
    ----------
    chip, filter, method : str
        Names.
    reference : str
        Exposure whose system the frame has.
    ties : tuple of Tie
        One per exposure, in the order given, those left out included.
    x, y, mag : (n,) float64 arrays
        Means after clipping; pixels of the reference, magnitudes.
    x_err, y_err : (n,) float64 arrays
        Standard errors of the mean positions, pixels; NaN for a single measure.
    x_rms, y_rms, mag_rms : (n,) float64 arrays
        Standard deviation of one measure about the mean (n - 1); NaN for a single one.
    n_found, n_used : (n,) int32 arrays
        Measures matched, and those that entered the mean.
    snr : (n,) float64 array
        Median signal-to-noise ratio of a measure; NaN if unknown.
    flags : (n,) int32 array
        Flags that more than half of the measures used have.
    measures : Measures
        All measures.
    """

    chip: str
    filter: str
    method: str
    reference: str
    ties: tuple[Tie, ...]
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    x_rms: FloatArray
    y_rms: FloatArray
    mag_rms: FloatArray
    n_found: NDArray[np.int32]
    n_used: NDArray[np.int32]
    snr: FloatArray
    flags: NDArray[np.int32]
    measures: Measures

    def __len__(self) -> int:
        return len(self.x)

    @property
    def label(self) -> str:
        """Chip and filter, for messages."""
        return " ".join(part for part in (self.chip, self.filter) if part) or "all stars"

    def in_exposure(self, tie: int) -> tuple[FloatArray, FloatArray]:
        """Carry the mean positions back into an exposure's own system.

        Parameters
        ----------
        tie : int
            Number of the exposure.

        Returns
        -------
        x, y : (n,) arrays
            Pixels of the exposure (corrections such as the 34th row's left in, as in its list);
            NaN where the transformation cannot be inverted, or the exposure is left out.
        """
        transform = self.ties[tie].to_frame
        if transform is None:
            return np.full(len(self), np.nan), np.full(len(self), np.nan)
        return transform.inverse(self.x, self.y)
