"""What is known of HST's bands: zero points, sky and how wide stars are."""

from __future__ import annotations

import numpy as np

from filar.errors import ParameterError
from filar.psf.bandpass import HST_FILTERS

ZERO_POINTS = {
    "WFC3": {
        "F275W": 22.65, "F336W": 23.46, "F390W": 25.15, "F438W": 24.98, "F475W": 25.79,
        "F555W": 25.81, "F606W": 25.99, "F625W": 25.37, "F775W": 24.47, "F814W": 24.67,
    },
    "ACS": {
        "F435W": 25.78, "F475W": 26.16, "F555W": 25.72, "F606W": 26.40, "F625W": 25.73,
        "F775W": 25.26, "F814W": 25.50, "F850LP": 24.33,
    },
}  # fmt: skip
"""Vega magnitude of one electron per second. WFC3/UVIS: Kalirai et al. 2009 (ISR WFC3 2009-31), as
Chandar et al. 2010 (ApJ 719, 966) used them. ACS/WFC: Sirianni et al. 2005 (PASP 117, 1049); F475W
as the PHAT survey's images have it. To 0.05 mag; they change with the years."""
ZODIACAL = (
    (271.0, 24.6), (335.5, 23.5), (433.0, 23.3), (475.0, 23.05), (536.0, 22.7), (590.0, 22.55),
    (625.0, 22.4), (770.0, 22.1), (804.0, 22.0), (904.0, 21.9),
)  # fmt: skip
"""Pivot wavelength (nm) and Vega magnitudes per square arcsec of a usual zodiacal light, V = 22.7
with about the Sun's colours."""
BLUR = {
    "WFC3": ((237.0, 0.0298), (271.0, 0.0281), (335.5, 0.0254), (432.6, 0.0228), (536.0, 0.0205),
             (804.0, 0.0138)),
    "ACS": ((474.7, 0.028), (804.0, 0.022)),
}  # fmt: skip
"""Pivot wavelength (nm) and arcsec rms of jitter, charge diffusion and small faults of the mirrors.
WFC3's make stars as wide as in table 6.7 of its handbook: 0.077, 0.073, 0.069, 0.067 and 0.074
arcsec from F275W to F814W (full width at half maximum before the pixels). ACS' make them as wide as
in PHAT's image of the cluster AP 142 (F475W: 2.2 drizzled pixels of 0.05 arcsec)."""
DARK = {"WFC3": 0.0015, "ACS": 0.006}
"""Electrons per second and pixel of the detector."""
READ_NOISE = {"WFC3": 3.1, "ACS": 4.2}
"""Electrons rms of one exposure (the instruments' handbooks)."""
SCALES = {"WFC3": 0.0396, "ACS": 0.05}
"""Arcsec per pixel of the detectors."""


def known_zero_point(instrument: str, filter_name: str) -> float:
    """Vega magnitude of one electron per second.

    Parameters
    ----------
    instrument : str
        ``"WFC3"`` (UVIS) or ``"ACS"`` (WFC).
    filter_name : str
        For example ``"F336W"``.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If it is not in the table.
    """
    table = ZERO_POINTS.get(instrument, {})
    if filter_name not in table:
        known = ", ".join(table) or "none"
        raise ParameterError("filter", filter_name, f"one of {instrument}'s: {known}")
    return table[filter_name]


def sky_rate(instrument: str, filter_name: str, zero_point: float, pixel_scale: float) -> float:
    """Sky and dark current of an image.

    Parameters
    ----------
    instrument, filter_name : str
        As in `known_zero_point`.
    zero_point : float
        Vega magnitude of one electron per second.
    pixel_scale : float
        Arcsec per pixel.

    Returns
    -------
    float
        Electrons per second and pixel.
    """
    brightness = np.interp(HST_FILTERS[filter_name][0], *np.array(ZODIACAL).T)
    light = 10.0 ** (0.4 * (zero_point - brightness)) * pixel_scale**2
    dark = DARK[instrument] * (pixel_scale / SCALES[instrument]) ** 2
    return float(np.round(light + dark, 5))


def star_blur(instrument: str, filter_name: str) -> float:
    """Arcsec rms by which stars are wider than those of perfect mirrors; see `BLUR`."""
    return float(np.round(np.interp(HST_FILTERS[filter_name][0], *np.array(BLUR[instrument]).T), 4))
