"""The last phases of life that the packaged grid lacks, thinned to straight lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.populations import packaged

FloatArray = NDArray[np.float64]
HEAD = """\
# Last phases of life in PARSEC v1.2S isochrones, thinned to straight lines.
# Source: Bressan et al. (2012, MNRAS 427, 127), Chen et al. (2015, MNRAS 452, 1068), Tang et al.
# (2014, MNRAS 445, 4287), CMD 2.7, Z = 0.0155 and 0.03. log_age: log10 yr. Up to 7.35:
# stars above half of the most massive living star, mass relative to that star. From 7.4: the early
# asymptotic giant branch, all relative to its first star (differences of the logarithms).
feh,log_age,mass,log_teff,log_l
"""
FEH = {0.0155: 0.01, 0.03: 0.30}
# columns of the tables, and how far each may lie beside the straight lines
AGE, MASS, LOG_L, LOG_TEFF = 1, 2, 4, 5
TOLERANCES = {LOG_TEFF: 0.006, LOG_L: 0.02, 12: 0.15, 14: 0.06, 15: 0.06}
YOUNG = np.round(np.arange(6.3, 7.36, 0.05), 2)
# the table of 7.9 is stretched in mass against its neighbours, which stand for it
OLD = np.array([7.4, 7.5, 7.6, 7.7, 7.8, 7.85, 7.95, *np.arange(8.0, 10.11, 0.1)])
PARTS = (0.0, 0.3, 0.6, 0.8, 0.93, 1.0)


def text(tables: dict[float, FloatArray]) -> str:
    """Write the table.

    Parameters
    ----------
    tables : dict
        PARSEC's tables by metallicity.

    Returns
    -------
    str
    """
    rows = [row for z, table in tables.items() for row in young(table, FEH[z])]
    rows += old(tables[0.0155], FEH[0.0155])
    return HEAD + "".join("{:.2f},{:.2f},{:.5f},{:.4f},{:.4f}\n".format(*row) for row in rows)


def young(table: FloatArray, feh: float) -> list[tuple[float, ...]]:
    """Give the massive stars at young ages."""
    rows: list[tuple[float, ...]] = []
    for age in YOUNG:
        stars = table[np.abs(table[:, AGE] - age) < 1e-6]
        part = stars[:, MASS] / stars[-1, MASS]
        half = np.array([np.interp(0.5, part, column) for column in stars.T])
        upper = np.vstack([half, stars[part >= 0.5]])
        mass = np.concatenate([[0.5], part[part >= 0.5]])
        for i in thinned(mass, upper):
            rows.append((feh, age, mass[i], upper[i, LOG_TEFF], upper[i, LOG_L]))
    return rows


def thinned(mass: FloatArray, stars: FloatArray) -> list[int]:
    """Choose stars between which straight lines are good enough (Douglas and Peucker)."""
    kept, open_ends = {0, len(mass) - 1}, [(0, len(mass) - 1)]
    while open_ends:
        first, last = open_ends.pop()
        if last <= first + 1:
            continue
        inner = slice(first + 1, last)
        width = mass[last] - mass[first]
        steps = np.arange(1, last - first) / (last - first)
        part = (mass[inner] - mass[first]) / width if width > 0 else steps
        worst = np.zeros(last - first - 1)
        for column, tolerance in TOLERANCES.items():
            line = stars[first, column] + part * (stars[last, column] - stars[first, column])
            worst = np.maximum(worst, np.abs(stars[inner, column] - line) / tolerance)
        if worst.max() > 1:
            middle = first + 1 + int(np.argmax(worst))
            kept.add(middle)
            open_ends += [(first, middle), (middle, last)]
    return sorted(kept)


def old(table: FloatArray, feh: float) -> list[tuple[float, ...]]:
    """Give the early asymptotic giant branch beyond the grid's last stars."""
    grid = packaged._isochrones(packaged._locate(*packaged.GRID))
    last = {age: stars[-1] for metals, age, stars in grid if metals == 0}
    rows: list[tuple[float, ...]] = []
    for age in np.round(OLD, 2):
        stars = table[np.abs(table[:, AGE] - age) < 1e-6]
        end = last[float(age)]
        apart = np.hypot(5 * (stars[:, LOG_TEFF] - end[2]), stars[:, LOG_L] - end[3])
        apart[stars[:, MASS] < 0.97 * stars[-1, MASS]] = np.inf
        branch = stars[int(np.argmin(apart)) :]
        mass = branch[:, MASS] / branch[0, MASS] + 1e-9 * np.arange(len(branch))
        for part in PARTS:
            place = 1 + part * (mass[-1] - 1)
            log_teff, log_l = (
                np.interp(place, mass, branch[:, column] - branch[0, column])
                for column in (LOG_TEFF, LOG_L)
            )
            rows.append((feh, age, place, log_teff, log_l))
    return rows
