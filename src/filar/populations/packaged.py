"""Default isochrones, from data files of Python packages: no web form needed.

PARSEC v1.2S (Bressan et al. 2012) in equivalent evolutionary points as the package lachesis-grids
has them, with MIST's bolometric corrections from the package astrolachesis. Both are read as data
files; none of their code is imported. `filar fetch isochrones` gets tables from their authors.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.populations.bolometric import corrections, needed
from filar.populations.isochrone import SOLAR, IsochroneSet, make_set
from filar.populations.parsecends import complete

FloatArray = NDArray[np.float64]
GRID = ("lachesis-grids", "lachesis_grids/grids/parsec_v1.25.h5")
TABLES = ("astrolachesis", "lachesis/Datafiles/BC_tables/bc_tables.h5")
COLUMNS = ("eep", "initial_mass", "log_Teff", "log_L", "log_g")
ADVICE = "install it with: pip install 'filar[isochrones]', or give tables of isochrones"
SUN_MBOL = 4.74
"""Bolometric magnitude of the Sun in MIST's corrections (IAU 2015 B2)."""
YOUNGEST = 6.3
MAG_STEP, MASS_STEP = 0.1, 0.05
"""Magnitudes, and natural logarithm of the mass, between the stars that are kept: denser ones cost
time and change integrated magnitudes by 0.002."""
METALS = (-1.0, 0.5)
"""[Fe/H] that are taken, of the grid's -2 to 0.5."""


def packaged_isochrones(bands: Sequence[str]) -> IsochroneSet:
    """Give the default isochrones.

    They have no thermally pulsing asymptotic giants. At solar metallicity the integrated colours of
    populations are those of the tables of the isochrones' authors within 0.15 mag in F336W and
    0.05 in the others, log age 6.6 to 10. Massive stars at log age below 7.4 and early asymptotic
    giants, which the grid lacks, are those of solar and twice solar metallicity, see
    `filar.populations.parsecends`; so lower metallicities are rougher.

    Parameters
    ----------
    bands : sequence of str
        Some of U, B, V, R, I (Vega), u, g, r, i, z (AB), F336W, F438W, F555W, F814W of WFC3/UVIS
        and F475W of ACS (Vega).

    Returns
    -------
    IsochroneSet
        log ages 6.3 to 10.1 in steps of 0.05, [Fe/H] -1 to 0.5 in steps of 0.25.

    Raises
    ------
    InputFileError
        If the packages are not installed, or their files are others.
    ParameterError
        If a band is unknown.
    """
    needed(bands)
    return _build(tuple(bands), _locate(*GRID), _locate(*TABLES))


def _locate(package: str, file: str) -> Path:
    try:
        path = Path(str(metadata.distribution(package).locate_file(file)))
    except metadata.PackageNotFoundError as error:
        found = f"the package {package}, which has the default isochrones, is not installed"
        raise InputFileError(file, found, advice=ADVICE) from error
    if not path.is_file():
        raise InputFileError(path, "no such file", f"it in the package {package}", ADVICE)
    return path


@lru_cache(maxsize=4)
def _build(bands: tuple[str, ...], grid: Path, tables: Path) -> IsochroneSet:
    parts, ages, metals = [], [], []
    for feh, log_age, stars in _isochrones(grid):
        whole = complete(log_age, feh, stars)
        parts.append(whole)
        ages.append(np.full(len(whole), log_age))
        metals.append(np.full(len(whole), feh))
    metal, log_ages = np.concatenate(metals), np.concatenate(ages)
    phase, mass, log_teff, log_l, logg = np.concatenate(parts).T
    teff = 10**log_teff
    mags = np.empty((len(mass), len(bands)))
    for one in np.unique(metal):
        rows = metal == one
        found = corrections(tables, bands, float(one), teff[rows], logg[rows])
        mags[rows] = SUN_MBOL - 2.5 * log_l[rows, None] - found
    kept = _thinned(metal, log_ages, mass, mags)
    metal, log_ages, mass, mags = metal[kept], log_ages[kept], mass[kept], mags[kept]
    teff, logg, phase = teff[kept], logg[kept], phase[kept]
    columns = {"mass": mass, "mags": mags, "teff": teff, "logg": logg, "phase": phase}
    source = "PARSEC v1.2S (lachesis-grids), MIST bolometric corrections"
    return make_set(bands, source, SOLAR * 10**metal, log_ages, columns)


def _thinned(
    metal: FloatArray, log_ages: FloatArray, mass: FloatArray, mags: FloatArray
) -> NDArray[np.bool_]:
    """Choose stars so that neighbours differ by a step of magnitude, or of mass."""
    step = np.max(np.abs(np.diff(mags, axis=0)), axis=1) / MAG_STEP
    step = np.maximum(step, np.abs(np.diff(np.log(mass))) / MASS_STEP)
    walked = np.floor(np.cumsum(step))
    new = np.diff(walked, prepend=-1.0) > 0
    ends = (np.diff(metal) != 0) | (np.diff(log_ages) != 0)
    # both sides of a step, and the ends of each isochrone
    kept = np.ones(len(mass), bool)
    kept[1:-1] = (new | ends)[:-1] | (new | ends)[1:]
    return kept


def _isochrones(path: Path) -> list[tuple[float, float, FloatArray]]:
    """Read [Fe/H], log10 age and the stars (n, 5) of each isochrone."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            names = [str(name) for name in file.attrs["columns"]]
            values = file["values"][:]
            lengths = np.asarray(file["lengths"][:], int)
            metals, ages = np.asarray(file["feh_values"][:]), np.asarray(file["age_values"][:])
            chosen = [names.index(name) for name in COLUMNS]
    except (OSError, KeyError, ValueError) as error:
        found = f"no grid of isochrones ({error})"
        raise InputFileError(
            path, found, "parsec_v1.25.h5 of lachesis-grids 0.0.9", ADVICE
        ) from error
    start = np.concatenate([[0], np.cumsum(lengths)])
    isochrones = []
    for number, first in enumerate(start[:-1]):
        feh, age = metals[number // len(ages)], float(np.round(ages[number % len(ages)], 6))
        stars = np.asarray(values[first : start[number + 1]][:, chosen], float)
        # the grid's resampling steps back in mass at single points
        stars = stars[stars[:, 1] >= np.maximum.accumulate(stars[:, 1])] if len(stars) else stars
        if len(stars) > 1 and METALS[0] <= feh <= METALS[1] and YOUNGEST <= age <= 10.1:
            isochrones.append((float(feh), age, stars))
    return isochrones
