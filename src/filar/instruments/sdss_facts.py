"""The SDSS imaging camera in numbers: gain and dark variance of each CCD, scale, magnitudes."""

from __future__ import annotations

from collections.abc import Mapping

FILTERS = "ugriz"

PIXEL_SCALE = 0.396
"""Arcsec per pixel."""

NANOMAGGY_MAG = 22.5
"""AB-like magnitude of one nanomaggy."""

# One row per filter, one value per camera column 1 to 6 (data model of the SDSS frame files,
# table of gains).
_GAINS = {
    "u": (1.62, 1.595, 1.59, 1.6, 1.47, 2.17),
    "g": (3.32, 3.855, 3.845, 3.995, 4.05, 4.035),
    "r": (4.71, 4.6, 4.72, 4.76, 4.725, 4.895),
    "i": (5.165, 6.565, 4.86, 4.885, 4.64, 4.76),
    "z": (4.745, 5.155, 4.885, 4.775, 3.48, 4.69),
}
_LATER_GAINS = {("u", 2): (1100, 1.825)}

# The same: variance of the dark, which holds the read noise, DN squared.
_DARK_VARIANCES = {
    "u": (9.61, 12.6025, 8.7025, 12.6025, 9.3025, 7.0225),
    "g": (15.6025, 1.44, 1.3225, 1.96, 1.1025, 1.8225),
    "r": (1.8225, 1.0, 1.3225, 1.3225, 0.81, 0.9025),
    "i": (7.84, 5.76, 4.6225, 6.25, 7.84, 5.0625),
    "z": (0.81, 1.0, 1.0, 9.61, 1.8225, 1.21),
}
_LATER_DARK_VARIANCES = {
    ("i", 2): (1500, 6.25),
    ("i", 4): (1500, 7.5625),
    ("z", 4): (1500, 12.6025),
    ("z", 5): (1500, 2.1025),
}


def gain(filter_name: str, column: int, run: int) -> float:
    """Electrons per DN of one CCD.

    Parameters
    ----------
    filter_name : str
        One of ``ugriz``.
    column : int
        Camera column, 1 to 6.
    run : int
        Run: electronics were exchanged in between.

    Returns
    -------
    float
        The published value; a run's own photoField table takes precedence where there is one.
    """
    return _value(_GAINS, _LATER_GAINS, filter_name, column, run)


def dark_variance(filter_name: str, column: int, run: int) -> float:
    """Variance of the dark of one CCD, DN squared; parameters as those of `gain`."""
    return _value(_DARK_VARIANCES, _LATER_DARK_VARIANCES, filter_name, column, run)


def _value(
    table: Mapping[str, tuple[float, ...]],
    later: Mapping[tuple[str, int], tuple[int, float]],
    filter_name: str,
    column: int,
    run: int,
) -> float:
    since, value = later.get((filter_name, column), (run, 0.0))
    return value if run > since else table[filter_name][column - 1]
