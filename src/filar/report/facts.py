"""What a report says about a chip, in numbers and words, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import FilarError
from filar.exposure import Exposure
from filar.flags import DESCRIPTIONS, Flag, count
from filar.measure import Measurement
from filar.phases import phase_histogram, well_measured

if TYPE_CHECKING:
    from filar.fit import StarFits

FloatArray = NDArray[np.float64]
PHASE_BINS = 10
_CREDIT = ("target", "programme", "investigator", "rootname", "telescope")
_CURVE_PHASES = 4


@dataclass(frozen=True, eq=False)
class Phases:
    """Pixel phases of the well-measured stars with one PSF.

    Parameters
    ----------
    title : str
        Which PSF.
    n_stars : int
        Stars that count.
    x, y : (bins,) int array
        Stars per bin.
    x_chi2, y_chi2 : float
        Reduced chi-square of flatness.
    median_q : float
        Median q of the same stars.
    """

    title: str
    n_stars: int
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    x_chi2: float
    y_chi2: float
    median_q: float


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """The Cramer-Rao bound of x against magnitude.

    Parameters
    ----------
    mag, error : (n,) array
        Magnitudes, and the bound averaged over pixel phases in pixels.
    """

    mag: FloatArray
    error: FloatArray


def phases_of(
    title: str, x: FloatArray, y: FloatArray, q: FloatArray, chosen: NDArray[np.bool_]
) -> Phases:
    """Histograms of the chosen stars' pixel phases.

    Parameters
    ----------
    title : str
        Which PSF.
    x, y, q : (n,) array
        Positions and fit quality.
    chosen : (n,) bool array
        Stars that count.

    Returns
    -------
    Phases
        Their histograms.
    """
    counts_x, chi2_x = phase_histogram(x[chosen], PHASE_BINS)
    counts_y, chi2_y = phase_histogram(y[chosen], PHASE_BINS)
    return Phases(title, int(chosen.sum()), counts_x, counts_y, chi2_x, chi2_y, median(q[chosen]))


def all_phases(measurement: Measurement) -> list[Phases]:
    """Pixel phases with the PSF of the measurement and, where another, with the default PSF.

    Parameters
    ----------
    measurement : Measurement
        One chip.

    Returns
    -------
    list of Phases
        One or two; the same stars in both.
    """
    table = measurement.catalog
    chosen = well_measured(np.asarray(table["snr"]), np.asarray(table["flags"]))
    name = "fitted PSF" if measurement.own_psf else f"PSF: {measurement.psf.name or 'as given'}"
    x, y = table["x_fit"].value, table["y_fit"].value
    result = [phases_of(name, x, y, np.asarray(table["qfit"]), chosen)]
    default = None if measurement.settings.psf == "default" else default_fits(measurement, chosen)
    if default is not None:
        every = np.ones(len(default), bool)
        result.append(phases_of("default PSF", default.x, default.y, default.qfit, every))
    return result


def default_fits(measurement: Measurement, chosen: NDArray[np.bool_]) -> StarFits | None:
    """Fit some stars with the camera's default PSF, for comparison.

    Neighbours are not subtracted: the stars that pixel phases are counted of have none near.

    Parameters
    ----------
    measurement : Measurement
        One chip with n stars.
    chosen : (n,) bool array
        Which of them.

    Returns
    -------
    StarFits or None
        None if there is no default PSF for the camera and filter, or no star.
    """
    from filar.fit import fit_stars
    from filar.psf.library import default_psf

    exposure, stars = measurement.exposure, measurement.detections.select(chosen)
    if not len(stars):
        return None
    try:
        psf = default_psf(exposure)
    except FilarError:
        return None
    return fit_stars(
        exposure,
        psf,
        stars.x,
        stars.y,
        box=measurement.catalog.meta["exposures"][0]["box"],
        sky=measurement.settings.sky,
        saturated=(stars.flags & Flag.SATURATED) != 0,
    )


def bound_curve(measurement: Measurement, points: int = 40) -> ErrorCurve | None:
    """Cramer-Rao bound of x in the middle of the chip at its median sky.

    Parameters
    ----------
    measurement : Measurement
        One chip.
    points : int
        Number of magnitudes.

    Returns
    -------
    ErrorCurve or None
        None without stars that have magnitudes.
    """
    from filar.psf.bound import cramer_rao

    table = measurement.catalog
    flux, mag = table["flux_fit"].value, table["mag"].value
    good = np.isfinite(mag) & (flux > 0)
    if not good.any():
        return None
    grid = np.geomspace(flux[good].min(), flux[good].max(), points)
    zero = median(mag[good] + 2.5 * np.log10(flux[good]))
    phases = (np.arange(_CURVE_PHASES) + 0.5) / _CURVE_PHASES - 0.5
    ny, nx = measurement.exposure.shape
    dx, dy, flux_grid = (a.ravel() for a in np.meshgrid(phases, phases, grid, indexing="ij"))
    bound = cramer_rao(
        measurement.psf,
        nx // 2 + dx,
        ny // 2 + dy,
        flux_grid,
        sky=median(table["local_bkg"].value),
        read_noise=measurement.exposure.read_noise,
        box=table.meta["exposures"][0]["box"],
        fit_sky=measurement.settings.sky == "fit",
    )
    errors = np.sqrt(np.mean(bound.x.reshape(-1, points) ** 2, axis=0))
    return ErrorCurve(zero - 2.5 * np.log10(grid), errors)


def credit(exposure: Exposure) -> str:
    """Target and programme of the data, as their header names them.

    Parameters
    ----------
    exposure : Exposure
        One chip.

    Returns
    -------
    str
        Empty if the header names none.
    """
    return ", ".join(f"{key} {exposure.meta[key]}" for key in _CREDIT if exposure.meta.get(key))


def chip_rows(measurement: Measurement) -> list[tuple[str, str]]:
    """Facts about a chip, for a table.

    Parameters
    ----------
    measurement : Measurement
        One chip.

    Returns
    -------
    list of (str, str)
        Name and value.
    """
    exposure, table, fit = measurement.exposure, measurement.catalog, measurement.psf_fit
    camera = " ".join(p for p in (exposure.instrument, exposure.chip, exposure.filter) if p)
    rows: list[tuple[str, Any]] = [
        ("camera", camera),
        ("data", credit(exposure)),
        ("start", "" if exposure.time is None else exposure.time.iso[:19]),
        ("exposure time", _number(exposure.exposure_time, "g", " s")),
        ("gain", _number(exposure.gain, "g", " e-/DN")),
        ("read noise", _number(exposure.read_noise, ".2f", " e-")),
        ("sky, median", _number(median(table["local_bkg"].value), ".2f", " e-/pixel")),
        ("stars", str(len(table))),
        ("fitted box", f"{table.meta['exposures'][0]['box']} pixels"),
        ("PSF", measurement.psf.name),
    ]
    if fit is not None:
        rows.append(("PSF fit", fit.message or f"from {fit.n_stars} stars"))
    rows += [("remark", message) for message in measurement.messages]
    rows.append(("time", f"{sum(measurement.seconds.values()):.1f} s"))
    return [(name, str(value)) for name, value in rows if value]


def flag_rows(flags: NDArray[np.integer[Any]]) -> list[tuple[str, int, str]]:
    """How many stars have each flag.

    Parameters
    ----------
    flags : (n,) int array
        The ``flags`` column.

    Returns
    -------
    list of (str, int, str)
        Name, number and meaning; first the stars without any flag.
    """
    counts = count(flags)
    names = {str(flag.name).lower(): text for flag, text in DESCRIPTIONS.items()}
    rows = [(name, counts[name], text) for name, text in names.items()]
    return [("(none)", int(np.count_nonzero(flags == 0)), "nothing against the star"), *rows]


def median(values: NDArray[Any]) -> float:
    """Median of the finite values.

    Parameters
    ----------
    values : array
        Any shape.

    Returns
    -------
    float
        NaN if there is none.
    """
    good = values[np.isfinite(values)]
    return float(np.median(good)) if good.size else float("nan")


def _number(value: float, form: str, unit: str) -> str:
    return f"{value:{form}}{unit}" if np.isfinite(value) else ""
