"""Gaia's G, BP and RP: saturation corrections, and the magnitudes that they give in other bands.

All formulas are those of Riello et al. (2021, A&A 649, A3), as section 5.5 of the Gaia EDR3 and
DR3 documentation prints them. The saturation corrections were compared with section 5.5.2 of the
documentation, and each is below 0.001 mag at its limit; the coefficients, colour ranges and
scatters of the relations with table C.1 of the paper and with several independent programs that
quote tables 5.8 to 5.10 of the documentation. The sum of the BP and RP fluxes gives G - RP = 0.49
for the Sun's colour, BP - RP = 0.82, as it should.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]

BRIGHTEST = 2.0
"""No saturation correction is published for brighter stars, magnitude."""
_CORRECTION = {
    "G": (8.0, (-0.09892, 0.059, -0.009775, 0.0004934)),
    "BP": (3.94, (-0.9921, -0.02598, 0.1833, -0.02862)),
    "RP": (3.45, (-14.94, 14.41, -4.657, 0.503)),
}
# Magnitude of one electron per second in G, BP, RP (the Vega system), and I_BP + I_RP over I_G.
_ZERO_POINTS = (25.6873668671, 25.3385422158, 24.7478955012)
_EXCESS = (
    (0.5, (1.154360, 0.033772, 0.032277)),
    (4.0, (1.162004, 0.011464, 0.049255, -0.005879)),
    (np.inf, (1.057572, 0.140537)),
)
_GRID = 20001


@dataclass(frozen=True)
class Relation:
    """How G and a colour give the magnitude in another band.

    Parameters
    ----------
    system : str
        Whose band it is.
    coefficients : tuple of float
        Of G minus that magnitude, as a polynomial of BP - RP: constant first.
    bluest, reddest : float
        Ends of the range of BP - RP in which it holds.
    scatter : float
        Of single stars about it, magnitude.
    """

    system: str
    coefficients: tuple[float, ...]
    bluest: float
    reddest: float
    scatter: float


RELATIONS = {
    "g": Relation("SDSS12", (0.2199, -0.6365, -0.1548, 0.0064), 0.3, 3.0, 0.0745),
    "r": Relation("SDSS12", (-0.09837, 0.08592, 0.1907, -0.1701, 0.02263), 0.0, 3.0, 0.03776),
    "i": Relation("SDSS12", (-0.293, 0.6404, -0.09609, -0.002104), 0.5, 2.0, 0.04092),
    "V": Relation("Johnson-Cousins", (-0.02704, 0.01424, -0.2156, 0.01426), -0.5, 5.0, 0.03017),
    "R": Relation(
        "Johnson-Cousins", (-0.02275, 0.3961, -0.1243, -0.01396, 0.003775), 0.0, 4.0, 0.03167
    ),
    "I": Relation("Johnson-Cousins", (0.01753, 0.76, -0.0991), -0.5, 4.5, 0.03765),
}
"""By band. Redder than BP - RP = 2 those of g, r and R hold for giants only."""

_ALIASES = {"Rc": "R", "Ic": "I"} | {f"{band}p": band for band in "gri"}
_SYSTEMS = dict.fromkeys(("sdss", "sloan"), str.lower) | dict.fromkeys(
    ("johnson", "cousins", "bessell", "bessel"), str.capitalize
)


def band_of(filter_name: str) -> str:
    """Name the band that a filter is known by here.

    Parameters
    ----------
    filter_name : str
        As a header gives it: "g", "g'", "SDSS G", "Johnson V", "Rc". Upper and lower case are
        different filters, except after the name of a system.

    Returns
    -------
    str
        A key of `RELATIONS`; "" for any other filter.
    """
    text = filter_name.strip()
    for system, case in _SYSTEMS.items():
        if text.lower().startswith(system):
            text = case(text[len(system) :].strip(" _-."))
    text = text.strip(" _-.'")
    text = _ALIASES.get(text, text)
    return text if text in RELATIONS else ""


def saturation_corrected(
    g: ArrayLike, bp: ArrayLike, rp: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Correct Gaia's magnitudes of very bright stars for saturation.

    G is corrected for 2 < G < 8, BP for 2 < G < 3.94, RP for 2 < RP < 3.45; fainter stars keep
    their magnitudes.

    Parameters
    ----------
    g, bp, rp : (n,) arrays
        ``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag`` of EDR3 or DR3.

    Returns
    -------
    g, bp, rp : (n,) float64 arrays
        NaN where no correction is published: G (and BP with it) or RP brighter than 2.
    """
    g, bp, rp = (np.asarray(values, float) for values in (g, bp, rp))
    return g + _correction("G", g), bp + _correction("BP", g), rp + _correction("RP", rp)


def saturated_like_gaia(
    g: ArrayLike, bp: ArrayLike, rp: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Undo `saturation_corrected`: give the magnitudes that Gaia would list.

    Parameters
    ----------
    g, bp, rp : (n,) arrays
        True magnitudes.

    Returns
    -------
    g, bp, rp : (n,) float64 arrays
        As Gaia lists them; NaN where those would be brighter than 2.
    """
    g, bp, rp = (np.asarray(values, float) for values in (g, bp, rp))
    listed = _listed("G", g)
    return listed, bp - _correction("BP", listed), _listed("RP", rp)


def magnitude_in(
    filter_name: str, g: ArrayLike, bp: ArrayLike, rp: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Give the magnitudes that Gaia's predict for another band.

    Parameters
    ----------
    filter_name : str
        See `band_of`: SDSS g, r, i (AB) and Johnson-Cousins V, R, I (Vega).
    g, bp, rp : (n,) arrays
        Gaia's magnitudes as listed; they are corrected for saturation first.

    Returns
    -------
    mag, mag_err : (n,) float64 arrays
        Magnitudes, and the published scatter of stars about the relation. NaN where a magnitude
        is missing, no saturation correction exists or BP - RP is outside of the range in which
        the relation holds.

    Raises
    ------
    ParameterError
        If there is no relation for that filter.
    """
    band = band_of(filter_name)
    if not band:
        allowed = "a band that Gaia's magnitudes predict: " + ", ".join(RELATIONS)
        raise ParameterError("filter", filter_name, allowed)
    relation = RELATIONS[band]
    g, bp, rp = saturation_corrected(g, bp, rp)
    colour = bp - rp
    mag = g - polyval(colour, relation.coefficients)
    with np.errstate(invalid="ignore"):
        inside = (colour >= relation.bluest) & (colour <= relation.reddest)
    good = inside & np.isfinite(mag)
    return np.where(good, mag, np.nan), np.where(good, relation.scatter, np.nan)


def gaia_like(
    g_mag: ArrayLike, v_mag: ArrayLike, *, saturation: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give the G, BP and RP that `magnitude_in` turns into given magnitudes in g and V.

    The colour BP - RP follows from g - V, G from it and g, and BP and RP from the sum of their
    fluxes, which is a known function of the colour for ordinary stars.

    Parameters
    ----------
    g_mag, v_mag : (n,) arrays
        Magnitudes in SDSS g and Johnson V; -0.057 < g - V < 1.370.
    saturation : bool
        Whether bright stars are given the errors that Gaia's have by saturation.

    Returns
    -------
    g, bp, rp : (n,) float64 arrays
        NaN for stars bluer or redder than that.
    """
    g_mag, v_mag = np.asarray(g_mag, float), np.asarray(v_mag, float)
    sdss = RELATIONS["g"]
    colours = np.linspace(sdss.bluest, sdss.reddest, _GRID)
    differences = polyval(colours, RELATIONS["V"].coefficients) - polyval(
        colours, sdss.coefficients
    )
    colour = np.interp(g_mag - v_mag, differences, colours, left=np.nan, right=np.nan)
    g = g_mag + polyval(colour, sdss.coefficients)
    # rounding must not push a star over an end of the range
    bp, rp = blue_and_red(g, np.clip(colour, sdss.bluest + 1e-9, sdss.reddest - 1e-9))
    return saturated_like_gaia(g, bp, rp) if saturation else (g, bp, rp)


def blue_and_red(g: ArrayLike, colour: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Split a star's light into BP and RP.

    Parameters
    ----------
    g : (n,) array
        G magnitudes.
    colour : (n,) array
        BP - RP.

    Returns
    -------
    bp, rp : (n,) float64 arrays
        Magnitudes of an ordinary star: BP and RP fluxes add up to G's times the usual excess
        factor at that colour (Riello et al. 2021, table 2).
    """
    g, colour = np.asarray(g, float), np.asarray(colour, float)
    zero_g, zero_bp, zero_rp = _ZERO_POINTS
    excess = np.full(colour.shape, np.nan)
    for reddest, coefficients in reversed(_EXCESS):
        excess = np.where(colour < reddest, polyval(colour, coefficients), excess)
    ratio = 10 ** (-0.4 * (colour - (zero_bp - zero_rp)))  # electrons in BP over those in RP
    rp = g - zero_g + zero_rp - 2.5 * np.log10(excess / (1 + ratio))
    return rp + colour, rp


def _correction(band: str, by: Any) -> FloatArray:
    """Corrections to add; NaN where the magnitude that they depend on is too bright."""
    limit, coefficients = _CORRECTION[band]
    with np.errstate(invalid="ignore"):
        change = np.where(by < limit, polyval(by, coefficients), 0.0)
        return np.where(by < BRIGHTEST, np.nan, change)


def _listed(band: str, true: FloatArray) -> FloatArray:
    """Magnitudes that become the true ones by the correction."""
    limit, coefficients = _CORRECTION[band]
    grid = np.linspace(BRIGHTEST, limit, _GRID)
    after = grid + polyval(grid, coefficients)
    with np.errstate(invalid="ignore"):
        bright = np.interp(true, after, grid, left=np.nan)
        return np.where(true < limit, bright, true)
