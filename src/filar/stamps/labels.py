"""What is known of the stars of stamps: where they truly are, and what measured them before."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.stamps.stamps import Index

TRAIN, VALIDATION, TEST = 0, 1, 2
"""Parts of a set of stamps."""


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of the stars of n stamps; positions are in the rasters' coordinates.

    Parameters
    ----------
    x, y : (n,) float32 arrays
        True positions, pixels; 0 is the centre of the raster's first pixel.
    x_err, y_err : (n,) float32 arrays
        Their errors, pixels; 0 where the truth is known.
    star : (n,) int64 array
        Number of the star, the same in all exposures and of one star on one chip only.
    part : (n,) uint8 array
        0 training, 1 validation, 2 test.
    row : (n,) int32 array
        Number of the star in the catalogue of its exposure and chip (column ``id``).
    x_classic, y_classic, x_classic_err, y_classic_err : (n,) float32 arrays
        The classic fit's positions and errors, pixels; NaN where it failed.
    flags : (n,) int32 array
        See `filar.flags`.
    snr : (n,) float32 array
        Signal-to-noise ratio of the classic fit's flux.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    x_err: NDArray[np.float32]
    y_err: NDArray[np.float32]
    star: NDArray[np.int64]
    part: NDArray[np.uint8]
    row: NDArray[np.int32]
    x_classic: NDArray[np.float32]
    y_classic: NDArray[np.float32]
    x_classic_err: NDArray[np.float32]
    y_classic_err: NDArray[np.float32]
    flags: NDArray[np.int32]
    snr: NDArray[np.float32]

    def __post_init__(self) -> None:
        lengths = {name: np.shape(column) for name, column in self.columns().items()}
        if len(set(lengths.values())) != 1 or self.x.ndim != 1:
            raise ParameterError("labels", lengths, "one-dimensional arrays of one length")

    @classmethod
    def build(cls, x: NDArray[Any], y: NDArray[Any], **values: Any) -> Self:
        """Make labels of positions; errors and flags are 0 and the rest unknown unless given."""
        n = len(x)
        columns: dict[str, Any] = {
            name: np.zeros(n) if name in _ZERO else np.full(n, np.nan) for name in _TYPES
        }
        columns["row"] = np.arange(1, n + 1)
        columns["star"] = np.arange(1, n + 1)
        unknown = set(values) - set(_TYPES)
        if unknown:
            raise ParameterError("labels", sorted(unknown), "columns of Labels")
        columns |= {"x": x, "y": y, **values}
        return cls(**{name: np.asarray(columns[name], kind) for name, kind in _TYPES.items()})

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Index) -> Self:
        chosen: dict[str, Any] = {name: array[index] for name, array in self.columns().items()}
        return replace(self, **chosen)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


_TYPES = {one.name: "f4" for one in fields(Labels)} | {
    "star": "i8",
    "part": "u1",
    "row": "i4",
    "flags": "i4",
}
_ZERO = ("x_err", "y_err", "part", "flags")
