"""One detector image in electrons, with its masks, noise model and context."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

if TYPE_CHECKING:
    from astropy.time import Time
    from astropy.wcs import WCS

FloatImage = NDArray[np.float32]
BoolImage = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Exposure:
    """One chip of one exposure.

    Pixels count from 0, an integer coordinate is a pixel's centre, arrays are ``[y, x]``.

    Parameters
    ----------
    data : (ny, nx) float32 array
        Electrons, sky included. Finite everywhere (unusable pixels hold 0).
    mask : (ny, nx) bool array
        True where a pixel is unusable for any reason other than saturation.
    saturated : (ny, nx) bool array
        True where a pixel is saturated or holds charge that bled from one that is.
    edge : (ny, nx) bool array
        True where a pixel is vignetted, overscan or otherwise outside of the field of view;
        always part of ``mask`` too.
    gain : float
        Electrons per DN.
    read_noise : float
        Standard deviation of the read noise, electrons.
    saturation : float
        Level at which a pixel counts as saturated, electrons (``inf`` if unknown).
    exposure_time : float
        Seconds (NaN if unknown).
    instrument, chip, filter : str
        For example ``"WFPC2"``, ``"PC"``, ``"F555W"``; empty where unknown.
    name : str
        The exposure's name: the file's stem without layout suffix, e.g. ``"u40x010hm"``.
    path : Path or None
        The file it came from.
    time : astropy Time or None
        Start of the exposure.
    wcs : astropy WCS or None
        Celestial WCS of this chip for 0-based pixels.
    pixel_scale : float
        Arcsec per pixel (NaN if unknown).
    photflam, photplam, vega_zeropoint : float
        Inverse sensitivity (erg / s / cm2 / A per DN/s, as in the header), pivot wavelength (A),
        and the VEGAMAG zero point for 1 DN/s; NaN where unknown.
    meta : dict
        Further header facts, for display.
    """

    data: FloatImage
    mask: BoolImage
    saturated: BoolImage
    edge: BoolImage
    gain: float
    read_noise: float
    saturation: float = np.inf
    exposure_time: float = np.nan
    instrument: str = ""
    chip: str = ""
    filter: str = ""
    name: str = ""
    path: Path | None = None
    time: Time | None = None
    wcs: WCS | None = None
    pixel_scale: float = np.nan
    photflam: float = np.nan
    photplam: float = np.nan
    vega_zeropoint: float = np.nan
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.data.ndim != 2:
            raise ParameterError("data", self.data.shape, "a two-dimensional image")
        for name in ("mask", "saturated", "edge"):
            shape = getattr(self, name).shape
            if shape != self.data.shape:
                raise ParameterError(name, shape, f"the shape of the image, {self.data.shape}")
        if not self.gain > 0:
            raise ParameterError("gain", self.gain, "a positive number of electrons per DN")
        if not self.read_noise >= 0:
            raise ParameterError("read_noise", self.read_noise, "a number of electrons, 0 or more")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the image."""
        return self.data.shape[0], self.data.shape[1]

    @property
    def unusable(self) -> BoolImage:
        """Pixels that no fit may use: masked or saturated."""
        return self.mask | self.saturated

    @property
    def label(self) -> str:
        """Name and chip, for messages."""
        return f"{self.name}[{self.chip}]" if self.chip else self.name

    def variance(self, expected: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Noise variance of pixels whose expected content is given.

        Parameters
        ----------
        expected : array
            Expected content including sky, electrons.

        Returns
        -------
        array
            Poisson plus read noise variance, electrons squared, of the same shape.
        """
        return np.asarray(np.maximum(expected, 0) + self.read_noise**2)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)
