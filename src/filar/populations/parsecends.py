"""The last phases of life, which the packaged grid of PARSEC isochrones lacks or has wrong.

The grid joins the phases by straight lines, also where massive stars leave the main sequence
(log age below 7.4: up to 0.8 mag in V of a whole population), and has no early asymptotic giants
(0.1 mag in I of older populations). `parsec_ends.csv` has those phases for solar and, of massive
stars, twice solar metallicity; they are joined to the grid's stars of any metallicity relative to
the star where they begin.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
YOUNG = 7.375
"""log10 age below which all stars above half of the most massive one are replaced."""
HOT = 4.0
"""log10 of the temperature above which stars belong to the main sequence or leave it."""
LATE_METALS = 0.01
"""[Fe/H] of which the early asymptotic giant branch is known."""
RED_SLOPE = -0.1
"""Change of log10 of red supergiants' temperatures with [Fe/H]."""
LATE_PHASE = 1200.0
"""The grid's last equivalent evolutionary point; asymptotic giants follow."""


def complete(log_age: float, feh: float, stars: FloatArray) -> FloatArray:
    """Give an isochrone its last phases.

    Parameters
    ----------
    log_age : float
        log10 of the age in years.
    feh : float
        [Fe/H].
    stars : (n, 5) array
        Phase, initial mass, log10 of temperature and of luminosity, log10 of the gravity; masses
        ascending.

    Returns
    -------
    (m, 5) array
        The same with the last phases. Phases are NaN where they do not go with those of other
        ages.
    """
    ages, ends = _ends()[LATE_METALS]
    if log_age < ages[0] - 0.01 or log_age > ages[-1] + 0.01:
        return stars
    if log_age < YOUNG:
        return _young(stars, log_age, feh)
    late = np.flatnonzero(ages > YOUNG)
    above = int(np.clip(np.searchsorted(ages[late], log_age), 1, len(late) - 1))
    before, after = late[above - 1], late[above]
    part = np.clip((log_age - ages[before]) / (ages[after] - ages[before]), 0, 1)
    points = (1 - part) * ends[before] + part * ends[after]
    new = _joined(stars[-1], points, stars[-1, 1])
    new[:, 0] = LATE_PHASE + 100 * np.arange(len(points)) / (len(points) - 1)
    return np.concatenate([stars, new[1:]])


def _young(stars: FloatArray, log_age: float, feh: float) -> FloatArray:
    """Replace the stars above half of the most massive one."""
    known = min(_ends(), key=lambda metals: abs(metals - feh))
    ages, ends = _ends()[known]
    points = ends[int(np.argmin(np.abs(ages - log_age)))]
    half = stars[-1, 1] / 2
    start = np.array([np.interp(half, stars[:, 1], column) for column in stars.T])
    shift = points - points[0]
    hot = points[:, 1] > HOT
    # what stands at the joint holds for the main sequence; red giants have a slope of their own
    cool = points[:, 1] - start[2] + RED_SLOPE * (feh - known)
    shift[:, 0] = points[:, 0] / points[0, 0]
    shift[:, 1] = np.where(hot, shift[:, 1], cool)
    new = _joined(start, shift, half)
    new[:, 0] = np.nan
    kept = stars[stars[:, 1] < half].copy()
    kept[:, 0] = np.nan
    return np.concatenate([kept, new])


def _joined(start: FloatArray, points: FloatArray, mass: float) -> FloatArray:
    """Place points (mass, log temperature, log luminosity) relative to a star."""
    new = np.tile(start, (len(points), 1))
    new[:, 1] = start[1] * points[:, 0]
    new[:, 2] += points[:, 1]
    new[:, 3] += points[:, 2]
    # at constant mass g goes as T**4 / L; massive stars lose some mass, which matters little
    new[:, 4] += 4 * points[:, 1] - points[:, 2] + np.log10(new[:, 1] / mass)
    return new


@lru_cache(maxsize=1)
def _ends() -> dict[float, tuple[FloatArray, list[FloatArray]]]:
    """Read the ages, and the points of each, for each [Fe/H]."""
    path = Path(__file__).with_name("parsec_ends.csv")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    values = np.loadtxt(lines[1:], delimiter=",")
    found = {}
    for metals in np.unique(values[:, 0]):
        own = values[values[:, 0] == metals, 1:]
        ages = np.unique(own[:, 0])
        found[float(metals)] = (ages, [own[own[:, 0] == age, 1:] for age in ages])
    return found
