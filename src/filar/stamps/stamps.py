"""What a stamp is: a small raster of pixels around a star, and what is known of it beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.psf.samples import PSFSamples

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Index = NDArray[np.integer[Any]] | NDArray[np.bool_] | slice
SIZES = range(4, 13)
"""Sizes that a raster may have, pixels."""


@dataclass(frozen=True, eq=False)
class Group:
    """What the stamps of one chip of one exposure have in common.

    Parameters
    ----------
    exposure, chip, filter, instrument : str
        Names.
    shape : (int, int)
        Rows and columns of the chip.
    psf : PSFSamples or None
        The PSF that the classic fit used; None if it is not known.
    facts : dict
        Plain values worth keeping, such as the PSF's fitted parameters.
    """

    exposure: str = ""
    chip: str = ""
    filter: str = ""
    instrument: str = ""
    shape: tuple[int, int] = (0, 0)
    psf: PSFSamples | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Stamps:
    """Rasters around n stars.

    A raster's coordinates count from the centre of its first pixel: add the corner for pixels of
    the chip. The first pixel's outer corner, from which C23 counts, is at -0.5.

    Parameters
    ----------
    pixels : (n, size, size) float32 array
        Electrons, sky included, ``[star, y, x]``; known neighbours' light may have been taken off.
    bad : (n, size, size) bool array
        Pixels that are masked, saturated or outside of the chip; `pixels` is 0 there.
    corner_x, corner_y : (n,) int32 arrays
        Column and row of the first pixel on the chip.
    x_start, y_start : (n,) float64 arrays
        Where the raster was asked for, pixels of the chip.
    flux, sky : (n,) float32 arrays
        By the classic measurement: electrons, electrons per pixel; NaN where it failed.
    read_noise : (n,) float32 array
        Electrons.
    mag : (n,) float32 array
        Instrumental, -2.5 log10(flux); NaN where the flux is not positive.
    group : (n,) int32 array
        Index into `groups`.
    groups : tuple of Group
        Exposures and chips.

    Raises
    ------
    ParameterError
        If the columns do not fit each other.
    """

    pixels: NDArray[np.float32]
    bad: NDArray[np.bool_]
    corner_x: NDArray[np.int32]
    corner_y: NDArray[np.int32]
    x_start: FloatArray
    y_start: FloatArray
    flux: NDArray[np.float32]
    sky: NDArray[np.float32]
    read_noise: NDArray[np.float32]
    mag: NDArray[np.float32]
    group: NDArray[np.int32]
    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        n = len(self.pixels)
        if self.pixels.ndim != 3 or self.pixels.shape[1] != self.pixels.shape[2]:
            raise ParameterError("pixels", self.pixels.shape, "the shape (n, size, size)")
        for name, column in self.columns().items():
            expected = self.pixels.shape if name in ("pixels", "bad") else (n,)
            if column.shape != expected:
                raise ParameterError(name, column.shape, f"the shape {expected}")

    @property
    def size(self) -> int:
        """Side of the rasters, pixels."""
        return int(self.pixels.shape[1])

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: Index) -> Self:
        """Some of the stamps; the groups stay as they are."""
        chosen: dict[str, Any] = {name: array[index] for name, array in self.columns().items()}
        return replace(self, **chosen)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays that have a row per stamp, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "groups"}


def concatenate(parts: Sequence[Stamps]) -> Stamps:
    """Put stamps of one size below each other.

    Parameters
    ----------
    parts : sequence of Stamps
        One or more. Groups that are the same object are not repeated.

    Returns
    -------
    Stamps

    Raises
    ------
    ParameterError
        If there is none, or their sizes differ.
    """
    sizes = {part.size for part in parts}
    if len(sizes) != 1:
        raise ParameterError("parts", f"rasters of {sorted(sizes)} pixels", "one size")
    groups: dict[int, Group] = {}
    numbers = []
    for part in parts:
        place = np.array([_place(groups, group) for group in part.groups], np.int32)
        numbers.append(place[part.group] if len(place) else part.group)
    columns: dict[str, Any] = {
        name: np.concatenate([part.columns()[name] for part in parts])
        for name in parts[0].columns()
    }
    columns |= {"group": np.concatenate(numbers), "groups": tuple(groups.values())}
    return Stamps(**columns)


def _place(groups: dict[int, Group], group: Group) -> int:
    """Number of a group, entered if it is new."""
    groups.setdefault(id(group), group)
    return list(groups).index(id(group))
