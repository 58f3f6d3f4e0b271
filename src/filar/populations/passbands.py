"""Passbands as flat intervals of wavelength."""

from __future__ import annotations

from filar.errors import ParameterError
from filar.psf.bandpass import HST_FILTERS, WFPC2_FILTERS

# band: (effective wavelength, width), nm: Bessell (1990, PASP 102, 1181), Fukugita et al. (1996)
GROUND = {
    "U": (360.5, 64.0), "B": (441.3, 95.0), "V": (551.2, 85.0), "R": (658.6, 157.0),
    "I": (806.0, 154.0), "u": (354.3, 57.0), "g": (477.0, 137.0), "r": (623.1, 137.0),
    "i": (762.5, 153.0), "z": (913.4, 95.0),
}  # fmt: skip


def passband_edges(band: str) -> tuple[float, float]:
    """Give the wavelengths between which a band counts photons.

    Parameters
    ----------
    band : str
        A filter of HST's cameras (``"F336W"``), or U, B, V, R, I (Bessell), u, g, r, i, z (SDSS).

    Returns
    -------
    low, high : float
        Nanometres.

    Raises
    ------
    ParameterError
        If the band is unknown.
    """
    known = {**GROUND, **WFPC2_FILTERS, **HST_FILTERS}
    name = band if band in known else band.upper()
    if name not in known:
        raise ParameterError("band", band, f"one of {', '.join(known)}")
    middle, width = known[name]
    return middle - width / 2, middle + width / 2
