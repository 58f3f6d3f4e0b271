"""Bolometric corrections: MIST's for ground-based bands, and ours from them to HST's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError

FloatArray = NDArray[np.float64]
GROUPS = {"UBVRIplus": "Bessell_", "SDSSugriz": "SDSS_"}
GROUND = {
    **{band: ("UBVRIplus", f"Bessell_{band}") for band in "UBVRI"},
    **{band: ("SDSSugriz", f"SDSS_{band}") for band in "ugriz"},
}
"""Bands that the tables have: UBVRI in Vega, ugriz in AB magnitudes."""
FROM_UBVI = {"F336W": "U", "F438W": "B", "F555W": "V", "F814W": "I"}
"""Bands of WFC3/UVIS and those they are computed from."""
F475W_SHIFT = 0.035
"""ACS F475W's pivot wavelength (474.7 nm) lies there between those of g (470.2) and r (617.6),
in the logarithm."""
F475W_VEGA = 0.097
"""AB minus Vega magnitude of a star in ACS F475W is minus this (ACS zero points: 26.149 in Vega,
26.052 in AB magnitudes, at -81 C)."""
BANDS = (*GROUND, *FROM_UBVI, "F475W")
"""All bands that `corrections` knows. HST's are in Vega magnitudes."""


def needed(bands: Sequence[str]) -> tuple[str, ...]:
    """Name the ground-based bands that bands are computed from.

    Parameters
    ----------
    bands : sequence of str
        Some of `BANDS`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ParameterError
        If a band is unknown.
    """
    absent = [band for band in bands if band not in BANDS]
    if absent or not bands:
        raise ParameterError("bands", tuple(bands), f"some of {', '.join(BANDS)}")
    wanted: list[str] = []
    for band in bands:
        wanted += ("g", "r") if band == "F475W" else (FROM_UBVI.get(band, band),)
    return tuple(dict.fromkeys(wanted))


def corrections(
    path: Path, bands: Sequence[str], feh: float, teff: FloatArray, logg: FloatArray
) -> FloatArray:
    """Compute bolometric corrections of stars without dust.

    Parameters
    ----------
    path : Path
        MIST's tables as the package astrolachesis has them (HDF5).
    bands : sequence of str
        Some of `BANDS`.
    feh : float
        [Fe/H], between the tables' interpolated linearly.
    teff, logg : (n,) arrays
        Kelvin, and log10 cm/s2; beyond the tables their ends are taken.

    Returns
    -------
    (n, bands) array
        ``M_bol - M_band`` (Choi et al. 2016, ApJ 823, 102).

    Raises
    ------
    InputFileError
        If the file is no such table.
    ParameterError
        If a band is unknown.
    """
    ground = needed(bands)
    found = dict(zip(ground, _ground(path, ground, feh, teff, logg).T, strict=True))
    columns = []
    for band in bands:
        if band == "F475W":
            between = found["g"] + F475W_SHIFT * (found["r"] - found["g"])
            columns.append(between - F475W_VEGA)
        elif band in FROM_UBVI:
            columns.append(found[FROM_UBVI[band]] - colour_terms(band, teff, logg))
        else:
            columns.append(found[band])
    return np.stack(columns, axis=1)


def colour_terms(band: str, teff: FloatArray, logg: FloatArray) -> FloatArray:
    """Give a WFC3 band's magnitude minus that of Bessell's nearest band.

    Parameters
    ----------
    band : str
        A key of `FROM_UBVI`.
    teff, logg : (n,) arrays
        Kelvin, and log10 cm/s2; beyond 3500 to 50000 K and 0 to 5 the ends are taken.

    Returns
    -------
    (n,) array
        Magnitudes, both Vega, for solar abundances: from Kurucz's (1993) spectra.
    """
    axes, table = _terms()
    return interpolate(axes, table[f"{band}-{FROM_UBVI[band]}"][..., None], teff, logg)[:, 0]


@lru_cache(maxsize=1)
def _terms() -> tuple[tuple[FloatArray, FloatArray], dict[str, FloatArray]]:
    path = Path(__file__).with_name("hst_colour_terms.csv")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    names = lines[0].split(",")
    values = np.loadtxt(lines[1:], delimiter=",")
    axes = (np.log10(np.unique(values[:, 0])), np.unique(values[:, 1]))
    shape = (len(axes[0]), len(axes[1]))
    return axes, {name: values[:, i].reshape(shape) for i, name in enumerate(names) if i > 1}


def _ground(
    path: Path, bands: Sequence[str], feh: float, teff: FloatArray, logg: FloatArray
) -> FloatArray:
    groups = list(dict.fromkeys(GROUND[band][0] for band in bands))
    columns: dict[str, FloatArray] = {}
    for group in groups:
        names = [GROUND[band][1] for band in bands if GROUND[band][0] == group]
        axes, table = _table(path, group, tuple(names), round(float(feh), 6))
        values = interpolate(axes, table, teff, logg)
        columns.update(zip(names, values.T, strict=True))
    return np.stack([columns[GROUND[band][1]] for band in bands], axis=1)


@lru_cache(maxsize=32)
def _table(
    path: Path, group: str, names: tuple[str, ...], feh: float
) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Read the corrections without dust at one metallicity (teff, logg, bands)."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            known = [name.decode() for name in file[group]["band_names"][:]]
            metals = np.asarray(file[group]["feh_values"][:], float)
            above = int(np.clip(np.searchsorted(metals, feh), 1, len(metals) - 1))
            part = float(np.clip((feh - metals[above - 1]) / np.diff(metals)[above - 1], 0, 1))
            data = file[group]["data"]
            rows = (1 - part) * data[above - 1] + part * data[above]
            chosen = [5 + known.index(name) for name in names]
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise InputFileError(
            path, f"no table {group} of bolometric corrections ({error})",
            "bc_tables.h5 of the package astrolachesis 1.0.9",
            "install it again with: pip install 'filar[isochrones]'",
        ) from error  # fmt: skip
    rows = np.asarray(rows[rows[:, 3] == 0], float)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    axes = (np.log10(np.unique(rows[:, 0])), np.unique(rows[:, 1]))
    return axes, rows[:, chosen].reshape(len(axes[0]), len(axes[1]), len(names))


def interpolate(
    axes: tuple[FloatArray, FloatArray], table: FloatArray, teff: FloatArray, logg: FloatArray
) -> FloatArray:
    """Interpolate between temperatures and gravities.

    Parameters
    ----------
    axes : tuple of arrays
        log10 of the temperatures (t,), and gravities (g,), ascending.
    table : (t, g, k) array
        Values.
    teff, logg : (n,) arrays
        Kelvin, and log10 cm/s2; beyond the axes the ends are taken.

    Returns
    -------
    (n, k) array
        Bilinear in log10 of the temperature and in `logg`.
    """
    cells = []
    for axis, values in zip(axes, (np.log10(teff), np.asarray(logg, float)), strict=True):
        inside = np.clip(values, axis[0], axis[-1])
        cell = np.clip(np.searchsorted(axis, inside, side="right") - 1, 0, len(axis) - 2)
        cells.append((cell, ((inside - axis[cell]) / (axis[cell + 1] - axis[cell]))[:, None]))
    (i, p), (j, q) = cells
    low = (1 - q) * table[i, j] + q * table[i, j + 1]
    high = (1 - q) * table[i + 1, j] + q * table[i + 1, j + 1]
    return np.asarray((1 - p) * low + p * high)
