"""Star lists: what frames are made from, one per chip, exposure and method."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.flags import Flag

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SPOILT = (
    Flag.COSMIC_RAY
    | Flag.HOT_PIXEL
    | Flag.EDGE
    | Flag.NOT_CONVERGED
    | Flag.NO_FIT
    | Flag.NON_POSITIVE
)
"""Flags of measures that say nothing about a star's place."""

DOUBTFUL = SPOILT | Flag.SATURATED | Flag.MASKED | Flag.EXTENDED
"""Flags of measures that define no transformation."""


@dataclass(frozen=True, eq=False)
class StarList:
    """The stars that one method measured on one chip of one exposure.

    Parameters
    ----------
    exposure, chip, filter : str
        Names; empty where unknown.
    x, y : (n,) float64 arrays
        Positions, pixels from 0.
    mag : (n,) float64 array
        Magnitudes; NaN where unknown.
    x_err, y_err : (n,) float64 arrays
        Standard errors, pixels; NaN where unknown.
    snr, q : (n,) float64 arrays
        Signal-to-noise ratio and hst1pass's q; NaN where unknown.
    flags : (n,) int32 array
        See `filar.flags`.
    method, source : str
        What measured them, and the file that they come from.

    Raises
    ------
    ParameterError
        If the columns have different lengths.
    """

    exposure: str
    chip: str
    filter: str
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    snr: FloatArray
    q: FloatArray
    flags: NDArray[np.int32]
    method: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        shapes = {name: np.shape(array) for name, array in self._columns().items()}
        if len(set(shapes.values())) != 1 or self.x.ndim != 1:
            raise ParameterError("columns", shapes, "one-dimensional arrays of one length")

    @classmethod
    def build(cls, x: FloatArray, y: FloatArray, **values: Any) -> Self:
        """Make a list of positions; columns and names that are not given are unknown."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        columns: dict[str, Any] = {
            name: np.full(x.shape, np.nan) for name in ("mag", "x_err", "y_err", "snr", "q")
        }
        columns["flags"] = np.zeros(x.shape, np.int32)
        return cls(x=x, y=y, **{"exposure": "", "chip": "", "filter": "", **columns, **values})

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: NDArray[np.int64] | BoolArray | slice) -> Self:
        chosen: dict[str, Any] = {name: array[index] for name, array in self._columns().items()}
        return replace(self, **chosen)

    @property
    def label(self) -> str:
        """Exposure and chip, for messages."""
        return " ".join(part for part in (self.exposure, self.chip) if part) or self.source

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {
            field.name: value
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }


@dataclass(frozen=True)
class Selection:
    """Which stars define transformations.

    Parameters
    ----------
    min_snr : float
        Smallest signal-to-noise ratio; stars whose ratio is unknown pass.
    q : (float, float)
        Limits of q; C23 takes 0.0001 to 1. Stars whose q is unknown pass.
    mag : (float, float)
        Limits of the magnitude; stars without one pass.
    reject : int
        Flags that exclude a star.

    Raises
    ------
    ParameterError
        If a limit is not a number, or an upper one lies below its lower one.
    """

    min_snr: float = 30.0
    q: tuple[float, float] = (0.0, 1.0)
    mag: tuple[float, float] = (-np.inf, np.inf)
    reject: int = int(DOUBTFUL)

    def __post_init__(self) -> None:
        if np.isnan(self.min_snr):
            raise ParameterError("min_snr", self.min_snr, "a number")
        for name in ("q", "mag"):
            low, high = getattr(self, name)
            if not low < high:
                raise ParameterError(name, (low, high), "two rising limits")

    def __call__(self, stars: StarList) -> BoolArray:
        """Mark the stars that are selected: (n,) bool array."""

        def within(values: FloatArray, low: float, high: float) -> BoolArray:
            return np.asarray(~((values < low) | (values > high)))

        chosen = np.isfinite(stars.x) & np.isfinite(stars.y) & ((stars.flags & self.reject) == 0)
        return np.asarray(
            chosen
            & within(stars.snr, self.min_snr, np.inf)
            & within(stars.q, *self.q)
            & within(stars.mag, *self.mag)
        )
