"""Vega and AB magnitudes of HST's filters, and the header keywords that hold a zero point.

A header gives PHOTFLAM and PHOTPLAM, which make AB magnitudes; catalogues and isochrones of star
clusters are in Vega magnitudes. The differences are those of the Sun in both systems and the
pivots those of the filter table of FSPS (Conroy, Gunn & White 2009; table in the documentation of
python-fsps), good to 0.01 mag.
"""

from __future__ import annotations

import math

from filar.errors import ParameterError

AB_CONSTANT = -2.408  # AB zero point = -2.5 log10(PHOTFLAM) - 5 log10(PHOTPLAM) - 2.408
# filter: pivot wavelength in angstrom, AB magnitude minus Vega magnitude
_UVIS = {
    "F218W": (2226.5, 1.76), "F225W": (2372.5, 1.73), "F275W": (2710.1, 1.55),
    "F336W": (3355.1, 1.18), "F390W": (3924.4, 0.21), "F438W": (4326.5, -0.15),
    "F475W": (4773.7, -0.11), "F555W": (5308.2, -0.03), "F606W": (5887.4, 0.08),
    "F775W": (7648.5, 0.38), "F814W": (8029.5, 0.41), "F850LP": (9168.9, 0.52),
}  # fmt: skip
_ACS = {
    "F435W": (4318.1, -0.10), "F475W": (4744.3, -0.11), "F555W": (5359.5, -0.01),
    "F606W": (5912.4, 0.08), "F625W": (6310.5, 0.16), "F775W": (7693.3, 0.39),
    "F814W": (8059.6, 0.42), "F850LP": (9054.5, 0.51),
}  # fmt: skip
_WFPC2 = {
    "F255W": (2601.0, 1.62), "F300W": (2994.3, 1.35), "F336W": (3359.2, 1.18),
    "F439W": (4311.7, -0.15), "F450W": (4555.6, -0.09), "F555W": (5438.9, -0.01),
    "F606W": (5996.8, 0.09), "F814W": (8012.3, 0.41), "F850LP": (9129.0, 0.52),
}  # fmt: skip
_FILTERS = {"WFC3": _UVIS, "ACS": _ACS, "WFPC2": _WFPC2}


def knows_filter(instrument: str, filter_name: str) -> bool:
    """Whether Vega magnitudes of a filter are known here.

    Parameters
    ----------
    instrument, filter_name : str
        For example ``"WFC3"``, ``"F336W"``.

    Returns
    -------
    bool
    """
    return filter_name in _FILTERS.get(instrument, {})


def pivot_wavelength(instrument: str, filter_name: str) -> float:
    """Pivot wavelength of a filter.

    Parameters
    ----------
    instrument, filter_name : str
        ``"WFC3"`` (UVIS), ``"ACS"`` (WFC) or ``"WFPC2"``, and for example ``"F336W"``.

    Returns
    -------
    float
        Angstrom.

    Raises
    ------
    ParameterError
        For a filter that is not in the table.
    """
    return _facts(instrument, filter_name)[0]


def ab_minus_vega(instrument: str, filter_name: str) -> float:
    """AB magnitude minus Vega magnitude of any source in a filter.

    Parameters
    ----------
    instrument, filter_name : str
        As for `pivot_wavelength`.

    Returns
    -------
    float
        Magnitudes.

    Raises
    ------
    ParameterError
        For a filter that is not in the table.
    """
    return _facts(instrument, filter_name)[1]


def vega_zero_point(instrument: str, filter_name: str, photflam: float, photplam: float) -> float:
    """Vega magnitude of a source of 1 per second in the header's unit of counts.

    Parameters
    ----------
    instrument, filter_name : str
        As for `pivot_wavelength`.
    photflam, photplam : float
        The header's: erg/s/cm2/angstrom of 1 count per second, and angstrom.

    Returns
    -------
    float
        Magnitudes.

    Raises
    ------
    ParameterError
        For a filter that is not in the table, or keywords that are not positive.
    """
    for name, value in (("PHOTFLAM", photflam), ("PHOTPLAM", photplam)):
        if not (math.isfinite(value) and value > 0):
            raise ParameterError(name, value, "a positive number")
    ab = -2.5 * math.log10(photflam) - 5.0 * math.log10(photplam) + AB_CONSTANT
    return ab - ab_minus_vega(instrument, filter_name)


def photflam_of(instrument: str, filter_name: str, zero_point: float) -> float:
    """PHOTFLAM that stands for a Vega zero point; the inverse of `vega_zero_point`.

    Parameters
    ----------
    instrument, filter_name : str
        As for `pivot_wavelength`.
    zero_point : float
        Vega magnitude of a source of 1 count per second.

    Returns
    -------
    float
        erg/s/cm2/angstrom of 1 count per second, with the filter's own `pivot_wavelength`.

    Raises
    ------
    ParameterError
        For a filter that is not in the table.
    """
    pivot, difference = _facts(instrument, filter_name)
    ab = zero_point + difference
    return float(10.0 ** (-0.4 * (ab - AB_CONSTANT + 5.0 * math.log10(pivot))))


def _facts(instrument: str, filter_name: str) -> tuple[float, float]:
    table = _FILTERS.get(instrument)
    if table is None:
        raise ParameterError("instrument", instrument, f"one of {', '.join(_FILTERS)}")
    if filter_name not in table:
        raise ParameterError("filter", filter_name, f"one of {instrument}'s {', '.join(table)}")
    return table[filter_name]
