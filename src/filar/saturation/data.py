"""Training samples: stamps of stars in images, what was measured of them, and what is true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
Index = NDArray[np.integer[Any]] | NDArray[np.bool_] | slice
TYPES = {
    "star": "i8", "image": "i4", "x": "f8", "y": "f8", "stamp": "f4", "saturated": "?",
    "sky": "f4", "noise": "f4", "level": "f4", "zero_point": "f4", "evidence": "f4",
    "log_n": "f8", "log_n_err": "f8", "mag": "f8", "flags": "i4",
}  # fmt: skip
"""Types of the arrays, by name."""
CLASSIC = ("psf", "wings", "trail", "aperture")
"""Classic estimates of which the evidence tells the value and, as NAME_err, the error."""
PER_IMAGE = ("mjd", "fwhm", "count", "transparency")
"""Facts with a value for each image (None: not known): modified Julian date of mid-exposure, width
of the PSF in pixels, electrons of one count, transparency."""
UNITED = ("variable",)
"""Facts that are sets: numbers of stars known to vary."""
FLIPS = ((False, False), (True, False), (False, True), (True, True))
"""Mirrored in x, in y: all that a training set is grown by."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Stamps of n stars in images.

    Parameters
    ----------
    star : (n,) int64 array
        Number of the star, the same in every image.
    image : (n,) int32 array
        Index into `images`.
    x, y : (n,) float64 arrays
        Where the star is, pixels of the image.
    stamp : (n, size, size) float32 array
        Electrons, sky included; the middle pixel is (rint(x), rint(y)). NaN where a pixel is
        masked, damaged or off the image.
    saturated : (n, size, size) bool array
        Pixels that are saturated or hold charge that bled from one that is.
    sky, noise : (n,) float32 arrays
        Level and standard deviation of the local sky, electrons per pixel.
    level : (n,) float32 array
        Saturation level, electrons; inf if unknown.
    zero_point : (n,) float32 array
        Magnitude of one electron at that place of that image; NaN if unknown.
    evidence : (n, k) float32 array
        What was measured, see `columns`.
    log_n, log_n_err : (n,) float64 arrays
        True log10 of the star's electrons, and the error of that; NaN where it is not known.
    mag : (n,) float64 array
        Magnitude in the catalogue; NaN if unknown.
    flags : (n,) int32 array
        See `filar.flags`.
    columns : tuple of str
        Names of the evidence.
    images, cameras, filters : tuple of str
        Labels of the exposures, and for each its camera and filter.
    meta : dict
        Further facts, of plain values; see `PER_IMAGE` and `UNITED` for those with rules.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other.
    """

    star: NDArray[np.int64]
    image: NDArray[np.int32]
    x: FloatArray
    y: FloatArray
    stamp: NDArray[np.float32]
    saturated: NDArray[np.bool_]
    sky: NDArray[np.float32]
    noise: NDArray[np.float32]
    level: NDArray[np.float32]
    zero_point: NDArray[np.float32]
    evidence: NDArray[np.float32]
    log_n: FloatArray
    log_n_err: FloatArray
    mag: FloatArray
    flags: NDArray[np.int32]
    columns: tuple[str, ...]
    images: tuple[str, ...]
    cameras: tuple[str, ...]
    filters: tuple[str, ...]
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in TYPES.items():
            array = np.asarray(getattr(self, name))
            object.__setattr__(self, name, array.astype(kind, copy=False))
        n, size = len(self.star), self.stamp.shape[-1] if self.stamp.ndim == 3 else 0
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(TYPES, (n,))
        shapes |= {"evidence": (n, len(self.columns)), "stamp": (n, size, size)}
        shapes["saturated"] = shapes["stamp"]
        for name, shape in shapes.items():
            found = getattr(self, name).shape
            if found != shape:
                raise ParameterError(name, f"an array of {found}", f"one of {shape}")
        if size % 2 == 0:
            raise ParameterError("stamp", f"{size} pixels wide", "an odd number of pixels")
        if not len(self.images) == len(self.cameras) == len(self.filters):
            counts = (len(self.images), len(self.cameras), len(self.filters))
            raise ParameterError("images, cameras, filters", counts, "as many of each")
        for name in set(PER_IMAGE) & set(self.meta):
            if len(self.meta[name]) != len(self.images):
                raise ParameterError(name, len(self.meta[name]), "a value for each image")
        if n and not (self.image.min() >= 0 and self.image.max() < len(self.images)):
            raise ParameterError("image", int(self.image.max()), f"below {len(self.images)}")

    def __len__(self) -> int:
        return len(self.star)

    @property
    def size(self) -> int:
        """Pixels on a stamp's side."""
        return int(self.stamp.shape[-1])

    def select(self, index: Index) -> Self:
        """Take some of the stamps.

        Parameters
        ----------
        index : int array, bool array or slice
            Which.

        Returns
        -------
        Samples
            With the same images.
        """
        chosen: dict[str, Any] = {name: getattr(self, name)[index] for name in TYPES}
        return replace(self, **chosen)

    def flipped(self, in_x: bool, in_y: bool) -> Self:
        """Mirror the stamps; nothing else changes, and no pixel is copied.

        Parameters
        ----------
        in_x, in_y : bool
            Along which axes.

        Returns
        -------
        Samples
        """
        span = (
            slice(None),
            slice(None, None, -1 if in_y else 1),
            slice(None, None, -1 if in_x else 1),
        )
        return replace(self, stamp=self.stamp[span], saturated=self.saturated[span])

    def flips(self) -> Iterator[Self]:
        """The samples as they are, mirrored in x, in y, and in both.

        Yields
        ------
        Samples
        """
        for in_x, in_y in FLIPS:
            yield self.flipped(in_x, in_y)

    def column(self, name: str) -> NDArray[np.float32]:
        """One column of the evidence.

        Parameters
        ----------
        name : str
            One of `columns`.

        Returns
        -------
        (n,) float32 array

        Raises
        ------
        ParameterError
            If there is no such column.
        """
        if name not in self.columns:
            raise ParameterError("evidence", name, ", ".join(self.columns) or "none was measured")
        found: NDArray[np.float32] = self.evidence[:, self.columns.index(name)]
        return found

    def of_image(self, name: str) -> FloatArray:
        """A fact of each stamp's image.

        Parameters
        ----------
        name : str
            One of `PER_IMAGE`.

        Returns
        -------
        (n,) float array
            NaN if it is not known.
        """
        values = self.meta.get(name)
        if not values:
            return np.full(len(self), np.nan)
        numbers = [np.nan if value is None else float(value) for value in values]
        return np.asarray(numbers)[self.image]

    def digest(self) -> str:
        """Name the samples by their content.

        Returns
        -------
        str
            SHA-256 of all arrays and names, without `meta`.
        """
        names = (self.columns, self.images, self.cameras, self.filters)
        found = hashlib.sha256(json.dumps(names).encode())
        for name in TYPES:
            array = getattr(self, name)
            found.update(f"{name} {array.shape}".encode())
            for start in range(0, len(array), 65_536):
                found.update(np.ascontiguousarray(array[start : start + 65_536]).tobytes())
        return found.hexdigest()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put samples of several images below each other.

        Parameters
        ----------
        parts : sequence of Samples
            At least one; with stamps of one size and the same evidence.

        Returns
        -------
        Samples
            Facts of each image are put together; of others those that all agree on are kept.

        Raises
        ------
        ParameterError
            If there is none, or they do not fit each other.
        """
        if not parts:
            raise ParameterError("parts", 0, "at least one set of samples")
        first = parts[0]
        for part in parts:
            if part.columns != first.columns:
                raise ParameterError(
                    "columns", part.columns, f"those of the first, {first.columns}"
                )
            if part.size != first.size:
                raise ParameterError("size", part.size, f"that of the first, {first.size} pixels")
        shift = np.cumsum([0, *(len(part.images) for part in parts[:-1])])
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in TYPES
        }
        arrays["image"] = np.concatenate([p.image + s for p, s in zip(parts, shift, strict=True)])
        names: dict[str, Any] = {
            name: tuple(value for part in parts for value in getattr(part, name))
            for name in ("images", "cameras", "filters")
        }
        return cls(**arrays, **names, columns=first.columns, meta=_joined_meta(parts))

    @classmethod
    def build(cls, stamp: NDArray[Any], **values: Any) -> Self:
        """Make samples of stamps; what is not given is unknown.

        Parameters
        ----------
        stamp : (n, size, size) array
            Electrons, sky included.
        **values
            Other attributes of `Samples`.

        Returns
        -------
        Samples

        Raises
        ------
        ParameterError
            If something is given that samples do not have, or does not fit.
        """
        unknown = set(values) - {one.name for one in fields(cls)}
        if unknown:
            raise ParameterError("values", sorted(unknown), ", ".join(TYPES))
        n, images = len(stamp), values.get("images", ("",))
        blank: dict[str, Any] = {name: np.full(n, np.nan) for name in TYPES}
        blank |= {name: np.zeros(n) for name in ("image", "flags")}
        columns = values.get("columns", ())
        blank |= {
            "star": np.arange(n), "stamp": stamp, "saturated": np.zeros(np.shape(stamp), bool),
            "level": np.full(n, np.inf), "evidence": np.full((n, len(columns)), np.nan),
            "columns": columns, "images": images,
            "cameras": ("",) * len(images), "filters": ("",) * len(images), "meta": {},
        }  # fmt: skip
        return cls(**{**blank, **values})


def _joined_meta(parts: Sequence[Samples]) -> dict[str, Any]:
    """Facts of all parts: those of each image in a row, others if all parts agree."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part.meta):
        if name in PER_IMAGE:
            found[name] = [
                value for part in parts for value in part.meta.get(name, [None] * len(part.images))
            ]
        elif name in UNITED:
            found[name] = sorted({one for part in parts for one in part.meta.get(name, [])})
        elif all(part.meta.get(name) == parts[0].meta.get(name) for part in parts):
            found[name] = parts[0].meta[name]
    return found


def classic(samples: Samples, name: str) -> tuple[FloatArray, FloatArray]:
    """Give a classic estimate of the stars' electrons.

    Parameters
    ----------
    samples : Samples
        n stamps.
    name : str
        One of `CLASSIC`.

    Returns
    -------
    log_n, err : (n,) float arrays
        log10 of the electrons, and its error; NaN where there is no estimate.

    Raises
    ------
    ParameterError
        If there is no such estimate.
    """
    if name not in CLASSIC:
        raise ParameterError("name", name, ", ".join(CLASSIC))
    value, error = samples.column(name), samples.column(f"{name}_err")
    return value.astype(np.float64), error.astype(np.float64)
