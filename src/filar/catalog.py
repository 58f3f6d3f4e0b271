"""The catalogue: one row per star and exposure, its columns and its magnitudes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.flags import Flag

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.detect import Detections
    from filar.fit import StarFits

FloatArray = NDArray[np.float64]

MAG_SYSTEMS = {
    "instrumental": "-2.5 log10(electrons), as hst1pass gives it",
    "vega": "VEGAMAG, from the instrument's zero point for 1 DN/s",
    "st": "STMAG, from PHOTFLAM: -2.5 log10(PHOTFLAM DN/s) - 21.10",
    "ab": "ABMAG, from PHOTFLAM and PHOTPLAM: STMAG - 5 log10(PHOTPLAM) + 18.692",
}


@dataclass(frozen=True)
class CatalogColumn:
    """One column of the catalogue.

    Parameters
    ----------
    name : str
        As in the files.
    unit : str
        As astropy spells it; empty for a pure number or text.
    dtype : str
        numpy's name; ``"str"`` for text.
    description : str
        One line, also written into the files.
    format : str
        How the column is printed and written as text; empty for the shortest exact form.
    """

    name: str
    unit: str
    dtype: str
    description: str
    format: str = ""


COLUMNS: tuple[CatalogColumn, ...] = (
    CatalogColumn("id", "", "int32", "number of the star within its exposure and chip, from 1"),
    CatalogColumn("exposure", "", "str", "name of the exposure"),
    CatalogColumn("chip", "", "str", "detector chip"),
    CatalogColumn("filter", "", "str", "filter"),
    CatalogColumn("method", "", "str", "what measured the star"),
    CatalogColumn("x_init", "pix", "float64", "column at detection, from 0", ".3f"),
    CatalogColumn("y_init", "pix", "float64", "row at detection, from 0", ".3f"),
    CatalogColumn("x_fit", "pix", "float64", "column; 0 is the first pixel's centre", ".5f"),
    CatalogColumn("y_fit", "pix", "float64", "row; 0 is the first pixel's centre", ".5f"),
    CatalogColumn("x_err", "pix", "float64", "1-sigma error of x_fit", ".5f"),
    CatalogColumn("y_err", "pix", "float64", "1-sigma error of y_fit", ".5f"),
    CatalogColumn("flux_fit", "electron", "float64", "all of the star's light by the PSF", ".3f"),
    CatalogColumn("flux_err", "electron", "float64", "1-sigma error of flux_fit", ".3f"),
    CatalogColumn("local_bkg", "electron", "float64", "sky under the star, per pixel", ".4f"),
    CatalogColumn("qfit", "", "float64", "hst1pass's q: summed absolute residual over flux", ".5f"),
    CatalogColumn("reduced_chi2", "", "float64", "chi-square per degree of freedom", ".4f"),
    CatalogColumn("snr", "", "float64", "flux_fit over flux_err", ".2f"),
    CatalogColumn("isolation", "pix", "float64", "distance to the nearest other star", ".2f"),
    CatalogColumn("n_pixels_fit", "", "int32", "pixels that the fit used"),
    CatalogColumn("mag", "mag", "float64", "magnitude", ".5f"),
    CatalogColumn("mag_err", "mag", "float64", "1-sigma error of mag, without zero point's", ".5f"),
    CatalogColumn("ra", "deg", "float64", "right ascension by the header's WCS", ".8f"),
    CatalogColumn("dec", "deg", "float64", "declination by the header's WCS", ".8f"),
    CatalogColumn("in_domain", "", "bool", "x_fit, y_fit are of a network trained on such stars"),
    CatalogColumn("flags", "", "int32", "bit field, see filar.flags; 0 = nothing against the star"),
)


def columns_table() -> str:
    """Document the columns.

    Returns
    -------
    str
        A Markdown table of name, unit, type and meaning of every column.
    """
    rows = ["| column | unit | type | meaning |", "|---|---|---|---|"]
    rows += [f"| `{c.name}` | {c.unit} | {c.dtype} | {c.description} |" for c in COLUMNS]
    return "\n".join(rows) + "\n"


def zero_point(exposure: Exposure, system: str = "instrumental") -> float:
    """Magnitude of a star that gives one electron in this exposure.

    Parameters
    ----------
    exposure : Exposure
        Its gain, exposure time and photometric header facts are used.
    system : {"instrumental", "vega", "st", "ab"}
        Magnitude system. No aperture correction and no charge-transfer correction is applied.

    Returns
    -------
    float
        Zero point in magnitudes; NaN where the exposure does not know what it takes.

    Raises
    ------
    ParameterError
        If there is no such system.

    References
    ----------
    STMAG and ABMAG as in the HST Data Handbooks: STZPT = -2.5 log10(PHOTFLAM) - 21.10,
    ABZPT = -2.5 log10(PHOTFLAM) - 5 log10(PHOTPLAM) - 2.408.
    """
    if system not in MAG_SYSTEMS:
        raise ParameterError("mag_system", system, "one of " + ", ".join(MAG_SYSTEMS))
    if system == "instrumental":
        return 0.0
    flam, plam = exposure.photflam, exposure.photplam
    if not exposure.exposure_time > 0:
        return float("nan")
    electrons_per_rate = 2.5 * np.log10(exposure.gain * exposure.exposure_time)
    if system == "vega":
        return float(exposure.vega_zeropoint + electrons_per_rate)
    if not flam > 0 or (system == "ab" and not plam > 0):
        return float("nan")
    offset = -21.10 if system == "st" else -5 * np.log10(plam) - 2.408
    return float(-2.5 * np.log10(flam) + offset + electrons_per_rate)


def magnitudes(
    flux: FloatArray, flux_err: FloatArray, zero: float
) -> tuple[FloatArray, FloatArray]:
    """Magnitudes and their errors.

    Parameters
    ----------
    flux, flux_err : (n,) arrays
        Electrons.
    zero : float
        Magnitude of one electron, see `zero_point`.

    Returns
    -------
    mag, mag_err : (n,) arrays
        Magnitudes; NaN where the flux is not positive.
    """
    good = flux > 0
    safe = np.where(good, flux, 1.0)
    mag = np.where(good, zero - 2.5 * np.log10(safe), np.nan)
    mag_err = np.where(good & np.isfinite(mag), 2.5 / np.log(10) * flux_err / safe, np.nan)
    return mag, mag_err


def sky_positions(
    exposure: Exposure, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Celestial positions by the exposure's WCS.

    Parameters
    ----------
    exposure : Exposure
        Its ``wcs`` takes 0-based pixels.
    x, y : (n,) arrays
        Pixels.

    Returns
    -------
    ra, dec : (n,) arrays
        Degrees; NaN where the exposure has no WCS or the position is not finite.
    """
    ra, dec = np.full(len(x), np.nan), np.full(len(x), np.nan)
    good = np.isfinite(x) & np.isfinite(y)
    if exposure.wcs is not None and good.any():
        ra[good], dec[good] = exposure.wcs.all_pix2world(x[good], y[good], 0)
    return ra, dec


def build_catalog(
    exposure: Exposure,
    detections: Detections,
    fits: StarFits,
    *,
    method: str = "psf",
    mag_system: str = "instrumental",
    flags: NDArray[np.int32] | None = None,
    meta: dict[str, Any] | None = None,
) -> QTable:
    """Put what was measured on one chip into a catalogue.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    detections : Detections
        The n stars as they were found.
    fits : StarFits
        The n stars as they were fitted.
    method : str
        What measured them, for the ``method`` column.
    mag_system : {"instrumental", "vega", "st", "ab"}
        System of ``mag``.
    flags : (n,) int array, optional
        Further flag bits.
    meta : dict, optional
        Facts about this chip's measurement (PSF, messages ...), kept in ``meta["exposures"]``.

    Returns
    -------
    QTable
        n rows, the columns of `COLUMNS` with units; missing values are NaN.

    Raises
    ------
    ParameterError
        If there is no such magnitude system.
    """
    n = len(detections)
    zero = zero_point(exposure, mag_system)
    mag, mag_err = magnitudes(fits.flux, fits.flux_err, zero)
    ra, dec = sky_positions(exposure, fits.x, fits.y)
    bits = np.asarray(detections.flags | fits.flags, dtype=np.int32)
    bits |= np.where(fits.flux <= 0, int(Flag.NON_POSITIVE), 0).astype(np.int32)
    if flags is not None:
        bits |= flags
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.where(fits.flux_err > 0, fits.flux / fits.flux_err, np.nan)
    values: dict[str, Any] = {
        "id": np.arange(1, n + 1),
        "exposure": np.full(n, exposure.name),
        "chip": np.full(n, exposure.chip),
        "filter": np.full(n, exposure.filter),
        "method": np.full(n, method),
        "x_init": detections.x,
        "y_init": detections.y,
        "x_fit": fits.x,
        "y_fit": fits.y,
        "x_err": fits.x_err,
        "y_err": fits.y_err,
        "flux_fit": fits.flux,
        "flux_err": fits.flux_err,
        "local_bkg": fits.sky,
        "qfit": fits.qfit,
        "reduced_chi2": fits.chi2,
        "snr": snr,
        "isolation": detections.isolation,
        "n_pixels_fit": fits.n_pixels,
        "mag": mag,
        "mag_err": mag_err,
        "ra": ra,
        "dec": dec,
        "in_domain": np.zeros(n, bool),
        "flags": bits,
    }
    facts = {"mag_zeropoint": zero, **exposure_facts(exposure), "n_stars": n, **(meta or {})}
    return make_table(values, {"mag_system": mag_system, "exposures": [facts]})


def make_table(values: dict[str, Any], meta: dict[str, Any]) -> QTable:
    """Give arrays the registry's types, units and descriptions.

    Parameters
    ----------
    values : dict
        Column name to (n,) array, every column of `COLUMNS` present.
    meta : dict
        Goes to the table's ``meta``; ``mag_system`` is also named in the description of ``mag``.

    Returns
    -------
    QTable
        The catalogue.
    """
    from astropy.table import Column, QTable
    from astropy.units import Quantity

    table = QTable(meta=meta)
    for column in COLUMNS:
        data = np.asarray(values[column.name])
        if column.dtype != "str":
            data = data.astype(column.dtype)
        elif data.dtype.kind != "U":
            data = data.astype(str)
        table[column.name] = Quantity(data, column.unit) if column.unit else Column(data)
        info = table[column.name].info
        info.description = column.description
        info.format = column.format or None
    system = str(meta.get("mag_system", "instrumental"))
    table["mag"].info.description = f"magnitude, {system}: {MAG_SYSTEMS[system]}"
    return table


def exposure_facts(exposure: Exposure) -> dict[str, Any]:
    """What a catalogue remembers about a chip.

    Parameters
    ----------
    exposure : Exposure
        The chip.

    Returns
    -------
    dict
        Plain numbers and text only.
    """
    return {
        "exposure": exposure.name,
        "chip": exposure.chip,
        "filter": exposure.filter,
        "instrument": exposure.instrument,
        "path": str(exposure.path) if exposure.path else "",
        "time": str(exposure.time.isot) if exposure.time is not None else "",
        "mid_time": mid_time(exposure),
        "exposure_time_s": float(exposure.exposure_time),
        "gain": float(exposure.gain),
        "read_noise": float(exposure.read_noise),
        "pixel_scale_arcsec": float(exposure.pixel_scale),
    }


def mid_time(exposure: Exposure) -> str:
    """Middle of an exposure, which light curves need.

    Parameters
    ----------
    exposure : Exposure
        Its ``time`` is the start; where the exposure time is unknown, the start is given.

    Returns
    -------
    str
        ISO date and time, UTC; empty where the start is unknown.
    """
    if exposure.time is None:
        return ""
    from astropy.units import second

    length = exposure.exposure_time if np.isfinite(exposure.exposure_time) else 0.0
    return str((exposure.time + length / 2 * second).utc.isot)


def versions() -> dict[str, str]:
    """Versions of the software that makes the numbers.

    Returns
    -------
    dict
        Package to version.
    """
    from importlib.metadata import version

    return {name: version(name) for name in ("filar", "numpy", "scipy", "astropy")}
