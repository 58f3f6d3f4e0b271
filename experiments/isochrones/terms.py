"""Colour terms from Bessell's bands to WFC3's, by temperature and gravity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.populations import bolometric, packaged

FloatArray = NDArray[np.float64]
HEAD = """\
# Magnitudes in WFC3/UVIS bands minus those in Bessell's U, B, V and I, all Vega, solar abundance.
# Source: WFC3: spectra of Kurucz (1993) through the passbands. U, B, V: MIST's bolometric
# corrections (Choi et al. 2016), so that the WFC3 bands are those of Kurucz's spectra. I: Kurucz's
# spectra as well, so that the F814W of cool giants is MIST's. At 3500 K, where those spectra end,
# WFC3 as in PARSEC's tables of CMD 2.7 (Chen et al. 2014). teff: kelvin, logg: log10 cm/s2.
teff,logg,F336W-U,F438W-B,F555W-V,F814W-I
"""
PAIRS = (("F336W", "U"), ("F438W", "B"), ("F555W", "V"), ("F814W", "I"))
GROUND = ("U", "B", "V", "I")
COOL, NEXT = 3500.0, 3750.0
KEPT = (*range(1, 9), *range(10, 25, 2), 27, 30, 34, 38, 42, 46, 50, 54, 57, 60)
# columns of PARSEC's tables: log age, log L, log T, log g, and the four WFC3 bands
AGE, LOG_L, LOG_TEFF, LOGG, BANDS = 1, 4, 5, 6, slice(12, 16)


def text(kurucz: dict[str, FloatArray], table: FloatArray) -> str:
    """Write the table.

    Parameters
    ----------
    kurucz : dict
        Bolometric corrections of Kurucz's spectra.
    table : array
        PARSEC's table of solar metallicity.

    Returns
    -------
    str
    """
    teff, logg, warm = from_spectra(kurucz)
    nearest = warm[teff == NEXT][0]
    blocks = [(COOL, from_table(table, logg, nearest))]
    blocks += [(teff[i], warm[i]) for i in KEPT]
    lines = [
        f"{hot:.0f},{gravity:g}," + ",".join(f"{value + 0.0:.3f}" for value in values)
        for hot, block in blocks
        for gravity, values in zip(logg, block, strict=True)
    ]
    return HEAD + "\n".join(lines) + "\n"


def from_spectra(kurucz: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give temperatures, every second gravity, and the terms there (t, g, 4)."""
    teff, logg = kurucz["Teff"].astype(float), kurucz["logg"][::2]
    spectra = {str(name): kurucz["BC"][:, ::2, i] for i, name in enumerate(kurucz["bands"])}
    hot, gravity = np.meshgrid(teff, logg, indexing="ij")
    path = packaged._locate(*packaged.TABLES)
    mist = bolometric.corrections(path, GROUND, 0.0, hot.ravel(), gravity.ravel())
    ground = dict(zip(GROUND, mist.T.reshape(4, *hot.shape), strict=True)) | {"I": spectra["I"]}
    return teff, logg, np.stack([ground[low] - spectra[high] for high, low in PAIRS], axis=-1)


def from_table(table: FloatArray, logg: FloatArray, warm: FloatArray) -> FloatArray:
    """Give the terms at 3500 K (g, 4) with which stars up to 3750 K are PARSEC's."""
    log_teff = table[:, LOG_TEFF]
    cool = table[
        (log_teff > np.log10(3300)) & (log_teff < np.log10(NEXT)) & (table[:, AGE] < 10.01)
    ]
    path, hot = packaged._locate(*packaged.TABLES), 10 ** cool[:, LOG_TEFF]
    ground = bolometric.corrections(path, GROUND, 0.0, hot, cool[:, LOGG])
    bolometric_mag = packaged.SUN_MBOL - 2.5 * cool[:, [LOG_L]]
    wanted = cool[:, BANDS] - (bolometric_mag - ground)
    part = np.clip(np.log10(hot / COOL) / np.log10(NEXT / COOL), 0, 1)
    gravity = np.clip(cool[:, LOGG], 0, 5)
    found = np.full((len(logg), 4), np.nan)
    for i, one in enumerate(logg):
        here = (np.abs(gravity - one) < 0.5) & (part < 0.8)
        if here.sum() > 5:
            near = np.stack([np.interp(gravity[here], logg, column) for column in warm.T], axis=1)
            share = part[here, None]
            found[i] = np.median((wanted[here] - share * near) / (1 - share), axis=0)
    known = np.isfinite(found[:, 0])
    return np.stack([np.interp(logg, logg[known], column[known]) for column in found.T], axis=1)
