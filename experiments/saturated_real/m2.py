"""SDSS's r frame of M 2 against Stetson's magnitudes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from filar.exposure import Exposure
from filar.instruments import read_exposures
from filar.measure.chip import Measurement, Settings, measure_exposure
from filar.measure.saturation import samples_of, stars_of
from filar.saturation.chain import Stars, measure_scene
from filar.saturation.data import classic
from filar.saturation.scene import Scene
from filar.saturation.stetson import read_stetson

if TYPE_CHECKING:
    from filar.saturation.estimator import SaturationModel

FloatArray = NDArray[np.float64]
FRAME = "saturated/sdss_frame-r-002583-2-0136.fits.bz2"
CATALOG = "catalogs/NGC7089.pho"
COLUMNS = 1280
"""Of the frame that are used: all of Stetson's bright stars are in them."""
APERTURE = 6.0
ZERO_RANGE = (14.2, 17.0)
"""R of the unsaturated stars that give the zero point."""
LARGEST_DISTANCE, SATURATED_DISTANCE = 1.0, 3.0
"""Pixels between a star and its place in the catalogue."""
AT_PLACES = ", catalogue's places"
BINS = ((12.0, 13.0), (13.0, 14.0), (12.0, 14.0))


@dataclass(frozen=True, eq=False)
class Frame:
    """The measured frame.

    Parameters
    ----------
    measured : Measurement
        Its stars and PSF.
    stars : Stars
        As evidence needs them.
    """

    measured: Measurement
    stars: Stars

    @property
    def exposure(self) -> Exposure:
        """The image."""
        return self.measured.exposure

    @cached_property
    def scene(self) -> Scene:
        """Wings, sky and the light of saturated stars."""
        return measure_scene(self.exposure, self.measured.psf, self.stars)


@dataclass(frozen=True, eq=False)
class Known:
    """Stetson's stars in the frame.

    Parameters
    ----------
    name : (n,) array of str
        His names.
    x, y : (n,) float64 arrays
        Pixels.
    R, colour : (n,) float64 arrays
        R and V - R.
    row : (n,) int array
        The star's row among those measured, -1 where there is none.
    """

    name: NDArray[np.str_]
    x: FloatArray
    y: FloatArray
    R: FloatArray
    colour: FloatArray
    row: NDArray[np.intp]


@dataclass(frozen=True)
class ZeroPoint:
    """From log10 of electrons to Stetson's R.

    Parameters
    ----------
    value : float
        Magnitude of one electron of a star of V - R = 0.
    slope : float
        Of r - R with V - R.
    scatter : float
        Of the stars that gave it.
    number : int
        How many.
    """

    value: float
    slope: float
    scatter: float
    number: int

    def R(self, log_n: FloatArray, colour: FloatArray) -> FloatArray:  # noqa: N802 - the band
        """R of stars with that light and V - R."""
        return np.asarray(self.value - 2.5 * log_n - self.slope * colour)


def read_frame(shared: Path, columns: int = COLUMNS) -> Exposure:
    """The frame, cut to its first columns."""
    (whole,) = read_exposures(shared / FRAME)
    cut = np.s_[:, :columns]
    return whole.replace(
        data=whole.data[cut], mask=whole.mask[cut], saturated=whole.saturated[cut],
        edge=whole.edge[cut],
    )  # fmt: skip


def measure_frame(exposure: Exposure) -> Frame:
    """Measure the stars of the frame."""
    measured = measure_exposure(exposure, Settings(method="psf"))
    return Frame(measured, stars_of(measured))


def known_stars(shared: Path, frame: Frame) -> Known:
    """Find Stetson's stars in the frame."""
    table = read_stetson(shared / CATALOG)
    exposure, stars = frame.exposure, frame.stars
    assert exposure.wcs is not None
    x, y = exposure.wcs.all_world2pix(np.asarray(table["ra"]), np.asarray(table["dec"]), 0)
    R, V = (np.asarray(table[band], float) for band in "RV")
    ny, nx = exposure.shape
    inside = (x > 0) & (x < nx - 1) & (y > 0) & (y < ny - 1) & (R < 90) & (V < 90)
    x, y = x[inside], y[inside]
    row = np.full(len(x), -1, np.intp)
    # Saturated stars are found to a pixel or two; of several the brightest is meant.
    for some, limit in (
        (~stars.saturated & (stars.flux > 0), LARGEST_DISTANCE),
        (stars.saturated, SATURATED_DISTANCE),
    ):
        candidates = np.flatnonzero(some & np.isfinite(stars.x + stars.y))
        tree = cKDTree(np.stack([stars.x[candidates], stars.y[candidates]], axis=1))
        distance, nearest = tree.query(np.stack([x, y], axis=1))
        near = distance < limit
        row[near] = candidates[nearest[near]]
    names = np.asarray(table["name"])[inside]
    return Known(names, x, y, R[inside], (V - R)[inside], row)


def placed(frame: Frame, known: Known) -> Frame:
    """The frame with the catalogue's saturated stars where it has them, as W24 take Gaia's places.

    The catalogue's places are moved by the median distance of the unsaturated stars from them.
    """
    stars = frame.stars
    matched = known.row >= 0
    row, x, y = known.row[matched], known.x[matched], known.y[matched]
    saturated = stars.saturated[row]
    steady = stars.reliable[row]
    shift_x = float(np.median((stars.x[row] - x)[steady]))
    shift_y = float(np.median((stars.y[row] - y)[steady]))
    new_x, new_y = stars.x.copy(), stars.y.copy()
    new_x[row[saturated]] = x[saturated] + shift_x
    new_y[row[saturated]] = y[saturated] + shift_y
    return Frame(frame.measured, replace(stars, x=new_x, y=new_y))


def fit_zero_point(frame: Frame, known: Known) -> ZeroPoint:
    """Zero point and colour term of the frame's own unsaturated stars."""
    stars = frame.stars
    flux = np.where(known.row >= 0, stars.flux[known.row], np.nan)
    good = (known.row >= 0) & stars.reliable[known.row] & (flux > 0)
    good &= (ZERO_RANGE[0] < known.R) & (ZERO_RANGE[1] > known.R)
    value = known.R[good] + 2.5 * np.log10(flux[good])
    design = np.stack([np.ones(good.sum()), -known.colour[good]], axis=1)
    kept = np.ones(len(value), bool)
    for _ in range(8):
        solution = np.linalg.lstsq(design[kept], value[kept])[0]
        rest = value - design @ solution
        scatter = 1.4826 * float(np.median(np.abs(rest[kept] - np.median(rest[kept]))))
        kept = np.abs(rest) < 3 * scatter
    zero, slope = (float(v) for v in solution)
    return ZeroPoint(zero, slope, scatter, int(kept.sum()))


def apertures(shared: Path, known: Known) -> FloatArray:
    """Aperture magnitudes in the frame as it is published: (n,)."""
    from astropy.io import fits
    from photutils.aperture import CircularAperture, aperture_photometry

    image = np.asarray(fits.getdata(shared / FRAME), float)
    places = CircularAperture(np.stack([known.x, known.y], axis=1), APERTURE)
    total = np.asarray(aperture_photometry(image, places)["aperture_sum"], float)
    return np.asarray(22.5 - 2.5 * np.log10(np.maximum(total, 1e-3)))


@dataclass(frozen=True, eq=False)
class Judged:
    """Magnitudes of the saturated stars of the catalogue.

    Parameters
    ----------
    known : Known
        The stars, saturated ones only.
    error : dict
        Name of a method to measured minus true magnitude: (n,) each.
    sigma : dict
        The errors that it claims, magnitudes.
    in_domain : (n,) bool array
        Whether the model was trained on such stars.
    """

    known: Known
    error: dict[str, FloatArray]
    sigma: dict[str, FloatArray]
    in_domain: NDArray[np.bool_]


def judge(
    shared: Path, frame: Frame, known: Known, zero: ZeroPoint, models: dict[str, SaturationModel]
) -> Judged:
    """Compare the saturated stars' magnitudes with Stetson's."""
    stars = frame.stars
    some = np.flatnonzero((known.row >= 0) & stars.saturated[known.row] & (BINS[-1][1] > known.R))
    chosen = Known(*(getattr(known, name)[some] for name in Known.__dataclass_fields__))
    error = {"aperture, 6 pixels": apertures(shared, chosen) - chosen.R}
    sigma: dict[str, FloatArray] = {}
    in_domain = np.ones(len(some), bool)
    for where, seen in (("", frame), (AT_PLACES, placed(frame, known))):
        samples = samples_of(seen.measured, seen.stars, chosen.row)
        found = {"wing fit": classic(samples, "wings")}
        for name, model in models.items():
            answer = model.predict(samples)
            found[name] = answer.log_n, answer.log_n_err
            in_domain &= answer.in_domain
        for name, (log_n, log_n_err) in found.items():
            light = np.asarray(log_n, float)
            error[name + where] = zero.R(light, chosen.colour) - chosen.R
            sigma[name + where] = 2.5 * np.asarray(log_n_err, float)
    return Judged(chosen, error, sigma, in_domain)


def figures(judged: Judged) -> dict[str, list[dict[str, float]]]:
    """Median, rms about zero, robust scatter and pull of every method, by magnitude."""
    out: dict[str, list[dict[str, float]]] = {}
    for name, error in judged.error.items():
        rows = []
        for low, high in BINS:
            inside = (low <= judged.known.R) & (high > judged.known.R)
            finite = inside & np.isfinite(error)
            e = error[finite]
            row = {"low": low, "high": high, "stars": int(inside.sum()), "measured": len(e)}
            if len(e):
                middle = float(np.median(e))
                row |= {
                    "median": middle,
                    "rms": float(np.sqrt(np.mean(e**2))),
                    "robust": 1.4826 * float(np.median(np.abs(e - middle))),
                }
                if name in judged.sigma:
                    pull = e / np.hypot(judged.sigma[name][finite], 1e-3)
                    row["pull"] = 1.4826 * float(np.median(np.abs(pull)))
            rows.append(row)
        out[name] = rows
    return out


def rows(judged: Judged) -> list[dict[str, Any]]:
    """One row per star, for the file."""
    known = judged.known
    return [
        {
            "name": str(known.name[i]), "x": float(known.x[i]), "y": float(known.y[i]),
            "R": float(known.R[i]), "V-R": float(known.colour[i]),
            "in_domain": bool(judged.in_domain[i]),
            "error": {name: float(value[i]) for name, value in judged.error.items()},
            "sigma": {name: float(value[i]) for name, value in judged.sigma.items()},
        }
        for i in range(len(known.R))
    ]  # fmt: skip
