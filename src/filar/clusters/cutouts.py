"""Cutouts around clusters in several bands: the images that the networks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
ImageArray = NDArray[np.float32]

UNIT_MAG = 25.0
"""Vega magnitude of a star whose flux is 1 in the unit of cutouts."""


@dataclass(frozen=True, eq=False)
class Cutouts:
    """Small images of the same places in several bands.

    The unit of flux is a star of Vega magnitude 25 in the band, ``10**(0.4 * (25 - m))``. The sky
    need not be subtracted. The cluster is in the middle, within half a pixel of ``(size - 1) / 2``
    in both axes, so that mirrored and turned cutouts are cutouts too.

    Parameters
    ----------
    flux : (n, bands, size, size) float32 array
        The images, axes y and x last; no NaN, see `flags`.
    noise : (n, bands) float32 array
        Standard deviation of the background of a pixel, same unit.
    gain : (n, bands) float32 array
        Electrons that one unit of flux gave.
    bands : tuple of str
        Names of the filters.
    pixel_scale : float
        Arcsec per pixel.
    flags : (n,) int32 array
        Bits of `filar.flags`.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other.
    """

    flux: ImageArray
    noise: ImageArray
    gain: ImageArray
    bands: tuple[str, ...]
    pixel_scale: float
    flags: NDArray[np.int32]

    def __post_init__(self) -> None:
        shape = self.flux.shape
        if len(shape) != 4 or shape[2] != shape[3]:
            raise ParameterError("flux", shape, "a shape (n, bands, size, size)")
        if len(self.bands) != shape[1] or len(set(self.bands)) != shape[1]:
            raise ParameterError("bands", self.bands, f"{shape[1]} different filters")
        for name in ("noise", "gain"):
            if getattr(self, name).shape != shape[:2]:
                raise ParameterError(name, getattr(self, name).shape, f"the shape {shape[:2]}")
        if self.flags.shape != shape[:1]:
            raise ParameterError("flags", self.flags.shape, f"the shape {shape[:1]}")
        if not self.pixel_scale > 0:
            raise ParameterError("pixel_scale", self.pixel_scale, "a positive number of arcsec")

    def __len__(self) -> int:
        return len(self.flux)

    @property
    def size(self) -> int:
        """Side of a cutout, pixels."""
        return int(self.flux.shape[-1])

    def select(self, index: Any) -> Cutouts:
        """Some of the cutouts.

        Parameters
        ----------
        index : slice, int array or bool array
            Of the rows.

        Returns
        -------
        Cutouts
            Those.
        """
        return Cutouts(
            self.flux[index], self.noise[index], self.gain[index],
            self.bands, self.pixel_scale, self.flags[index],
        )  # fmt: skip


def make_cutouts(
    flux: ArrayLike,
    noise: ArrayLike,
    gain: ArrayLike,
    bands: Sequence[str],
    pixel_scale: float,
    flags: ArrayLike | None = None,
) -> Cutouts:
    """Cutouts from arrays of any type; what is one number per band counts for all of them.

    Parameters
    ----------
    flux : (n, bands, size, size) array
        Images, in units of a star of Vega magnitude 25.
    noise, gain : (n, bands) or (bands,) array
        As in `Cutouts`.
    bands : sequence of str
        Names of the filters.
    pixel_scale : float
        Arcsec per pixel.
    flags : (n,) int array, optional
        None by default.

    Returns
    -------
    Cutouts
        Of the right types.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other.
    """
    images = np.asarray(flux, np.float32)
    if images.ndim != 4:
        raise ParameterError("flux", images.shape, "a shape (n, bands, size, size)")
    shape = images.shape[:2]
    rows = {}
    for name, values in (("noise", noise), ("gain", gain)):
        given = np.asarray(values, np.float32)
        try:
            rows[name] = np.array(np.broadcast_to(given, shape))
        except ValueError:
            raise ParameterError(name, given.shape, f"the shape {shape} or {shape[1:]}") from None
    bits = np.zeros(shape[0], np.int32) if flags is None else np.asarray(flags, np.int32)
    return Cutouts(images, rows["noise"], rows["gain"], tuple(bands), float(pixel_scale), bits)


def flux_of(mag: ArrayLike) -> FloatArray:
    """Flux in the unit of cutouts.

    Parameters
    ----------
    mag : array
        Vega magnitudes.

    Returns
    -------
    array
        ``10**(0.4 * (25 - mag))``.
    """
    return np.asarray(10 ** (0.4 * (UNIT_MAG - np.asarray(mag, float))))


def mag_of(flux: ArrayLike) -> FloatArray:
    """Vega magnitude of a flux in the unit of cutouts.

    Parameters
    ----------
    flux : array
        Fluxes.

    Returns
    -------
    array
        Magnitudes; NaN where the flux is not positive.
    """
    values = np.asarray(flux, float)
    good = values > 0
    return np.where(good, UNIT_MAG - 2.5 * np.log10(np.where(good, values, 1.0)), np.nan)
