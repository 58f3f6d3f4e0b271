"""Drizzled images as Hubble's archive writes them, small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

PHOT = {
    "F336W": (1.3129e-18, 3354.8),
    "F438W": (6.7411e-19, 4325.7),
    "F814W": (1.4980e-19, 8030.0),
    "F475W": (2.4982e-19, 4772.2),
}


def sky_grid(
    shape: tuple[int, int],
    *,
    scale: float = 0.04,
    shift: tuple[float, float] = (0.0, 0.0),
    turn: float = 0.0,
) -> WCS:
    """A tangential projection about M 83; `shift` in pixels, `turn` in degrees."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [204.25, -29.87]
    wcs.wcs.crpix = [shape[1] / 2 + 0.5 + shift[0], shape[0] / 2 + 0.5 + shift[1]]
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    wcs.wcs.cd = scale / 3600 * np.array([[-c, s], [s, c]])
    wcs.array_shape = shape
    return wcs


def write_band(
    path: Path,
    rate: NDArray[Any],
    band: str = "F336W",
    *,
    wcs: WCS | None = None,
    weight: NDArray[Any] | None = None,
    changed: dict[str, Any] | None = None,
    dropped: tuple[str, ...] = (),
) -> Path:
    """A ``drc`` file: facts in the primary header, SCI, and WHT where a weight is given."""
    primary = fits.PrimaryHDU()
    flam, plam = PHOT[band]
    primary.header.update(
        {"TELESCOP": "HST", "INSTRUME": "WFC3", "DETECTOR": "UVIS", "FILTER": band}
        | {"EXPTIME": 1000.0, "TARGNAME": "M83"}
    )
    science = fits.ImageHDU(np.asarray(rate, np.float32), name="SCI")
    science.header.update({"BUNIT": "ELECTRONS/S", "PHOTFLAM": flam, "PHOTPLAM": plam})
    if wcs is not None:
        science.header.update(wcs.to_header())
    for header in (primary.header, science.header):
        for key, value in (changed or {}).items():
            if key in header:
                header[key] = value
        for key in dropped:
            header.remove(key, ignore_missing=True)
    hdus = [primary, science]
    if weight is not None:
        hdus.append(fits.ImageHDU(np.asarray(weight, np.float32), name="WHT"))
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path
