"""What light curves are made from: images with their times, and the measures on them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Images:
    """Facts about m images: each is one chip of one exposure.

    Parameters
    ----------
    name : tuple of str
        Exposure, with its chip where there are several.
    camera, filter : tuple of str
        Camera (instrument and chip) and filter; empty where unknown.
    mjd : (m,) array
        Middle of the exposure, MJD (UTC).
    scale : (m,) array
        Arcsec per pixel; NaN where unknown.
    source : tuple of str
        Files that they come from.

    Raises
    ------
    ParameterError
        If the columns have different lengths.
    """

    name: tuple[str, ...]
    camera: tuple[str, ...]
    filter: tuple[str, ...]
    mjd: FloatArray
    scale: FloatArray
    source: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) != 1:
            raise ParameterError("columns", lengths, "one length")

    def __len__(self) -> int:
        return len(self.name)

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """Pairs of camera and filter, in the order in which they first occur."""
        return tuple(dict.fromkeys(zip(self.camera, self.filter, strict=True)))

    @property
    def group(self) -> IntArray:
        """Number of each image's pair of camera and filter: (m,) array."""
        number = {pair: i for i, pair in enumerate(self.groups)}
        pairs = zip(self.camera, self.filter, strict=True)
        return np.array([number[pair] for pair in pairs], np.int64)

    def select(self, rows: IntArray) -> Images:
        """Some of the images."""
        chosen: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            chosen[field.name] = (
                values[rows] if isinstance(values, np.ndarray) else tuple(values[i] for i in rows)
            )
        return Images(**chosen)


@dataclass(frozen=True, eq=False)
class Measures:
    """What was measured: n rows, each a star on an image.

    Parameters
    ----------
    image : (n,) int32 array
        Row in `Images`.
    x, y : (n,) float32 arrays
        Pixels from 0.
    ra, dec : (n,) float64 arrays
        Degrees; NaN where there is no WCS.
    mag, mag_err : (n,) float64 arrays
        Magnitudes; NaN where unknown.
    plain : (n,) float64 array
        Magnitudes by ``flux_fit``, the ordinary photometry, which ``mag`` need not be.
    flags : (n,) int32 array
        See `filar.flags`.
    star : (n,) int64 array
        Row of the star in a list of stars; -1 for none.
    """

    image: NDArray[np.int32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    ra: FloatArray
    dec: FloatArray
    mag: FloatArray
    mag_err: FloatArray
    plain: FloatArray
    flags: NDArray[np.int32]
    star: IntArray

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, rows: Any) -> Self:
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def joined(cls, parts: list[Measures]) -> Measures:
        """Put measures below each other."""
        names = [field.name for field in fields(cls)]
        return cls(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})
