"""What the caller may say about a file; it takes precedence over what the file says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from filar.errors import ParameterError


@dataclass(frozen=True)
class ReadOptions:
    """Options of :func:`filar.instruments.read_exposures`; None means: as the file says.

    Parameters
    ----------
    gain : float or None
        Electrons per DN.
    read_noise : float or None
        Electrons.
    saturation : float or None
        Level at which a pixel counts as saturated, electrons.
    exposure_time : float or None
        Seconds.
    filter : str or None
        Name of the filter.
    pixel_scale : float or None
        Arcsec per pixel.
    chips : tuple of str or None
        Chips wanted, by name.
    hdu : int, str or None
        The extension that holds the image: number or name; the file is then read as a generic
        image, whatever its camera.
    quality : Path or None
        The quality file, where it does not lie beside the image under its usual name.
    """

    gain: float | None = None
    read_noise: float | None = None
    saturation: float | None = None
    exposure_time: float | None = None
    filter: str | None = None
    pixel_scale: float | None = None
    chips: tuple[str, ...] | None = None
    hdu: int | str | None = None
    quality: Path | None = None

    def __post_init__(self) -> None:
        for name in ("gain", "saturation", "exposure_time", "pixel_scale"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ParameterError(name, value, "a positive number")
        if self.read_noise is not None and not 0 <= self.read_noise < math.inf:
            raise ParameterError("read_noise", self.read_noise, "a number of electrons, 0 or more")

    def wants(self, *names: str) -> bool:
        """Whether a chip that goes by any of these names is wanted."""
        if self.chips is None:
            return True
        wanted = {chip.strip().upper() for chip in self.chips}
        return any(name.upper() in wanted for name in names)
