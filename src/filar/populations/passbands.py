"""Passbands as flat intervals of wavelength, for extinction."""

from __future__ import annotations

from filar.errors import ParameterError
from filar.psf.bandpass import HST_FILTERS, WFPC2_FILTERS

# Chosen so that a black body in the interval has the extinction of Kurucz's (1993) spectra in the
# real passband, 4000 to 50000 K, log g 4, A_V 1 and 3, within 0.01 (U, B, F336W and F555W: 0.025)
# of A_band / A_V; they are near the passbands' half powers.
FITTED = {
    "U": (327.9, 406.0), "B": (358.0, 510.7), "V": (485.0, 616.2), "R": (552.8, 754.6),
    "I": (722.7, 856.6), "F336W": (305.4, 369.1), "F438W": (390.7, 474.0),
    "F555W": (441.1, 622.5), "F814W": (703.8, 965.2),
}  # fmt: skip
# SDSS: Fukugita et al. (1996, AJ 111, 1748), table 2a; ACS F475W: ACS instrument handbook
HALF_POWER = {
    "u": (325.4, 381.4), "g": (399.4, 552.4), "r": (555.0, 695.0), "i": (687.0, 840.0),
    "z": (866.0, 961.0), "F475W": (398.0, 550.0),
}  # fmt: skip


def passband_edges(band: str) -> tuple[float, float]:
    """Give the wavelengths between which a band counts photons.

    Parameters
    ----------
    band : str
        A filter of HST's cameras (``"F336W"``; where several cameras have it, WFC3/UVIS's), or
        U, B, V, R, I (Bessell), u, g, r, i, z (SDSS).

    Returns
    -------
    low, high : float
        Nanometres.

    Raises
    ------
    ParameterError
        If the band is unknown.
    """
    name = band if len(band) == 1 else band.upper()
    known = {**FITTED, **HALF_POWER}
    if name in known:
        return known[name]
    handbook = {**WFPC2_FILTERS, **HST_FILTERS}
    if name not in handbook:
        raise ParameterError("band", band, f"one of {', '.join({**known, **handbook})}")
    middle, width = handbook[name]
    return middle - width / 2, middle + width / 2
