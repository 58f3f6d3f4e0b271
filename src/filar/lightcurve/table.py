"""Light curves as tables, files and astropy time series."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.errors import OutputFileError, ParameterError
from filar.lightcurve.make import LightCurves
from filar.lightcurve.settings import LightCurveSettings

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.timeseries import TimeSeries

_Column = tuple[str, str, str, str]
_EPOCHS: tuple[_Column, ...] = (
    ("star", "", "", "number of the star"),
    ("ra", "deg", ".7f", "right ascension"),
    ("dec", "deg", ".7f", "declination"),
    ("camera", "", "", "camera"),
    ("filter", "", "", "filter"),
    ("epoch", "", "", "number of the epoch, of all stars together, from 1"),
    ("time", "d", ".6f", "mean time of the exposures: see time_system in meta"),
    ("mjd", "d", ".6f", "the same on the Earth, MJD (UTC)"),
    ("mag", "mag", ".5f", "median of the exposures, cameras and filters inter-calibrated"),
    ("mag_err", "mag", ".5f", "1-sigma error of mag, without that of the offset"),
    ("mag_camera", "mag", ".5f", "the same as the camera and filter gave it"),
    ("n_exposures", "", "", "exposures with a magnitude"),
    ("flags", "", "", "bits that any of the exposures has, see filar.flags"),
    ("rejected", "", "", "an outlier: left out of means and statistics"),
)
_STARS: tuple[_Column, ...] = (
    ("star", "", "", "number of the star"),
    ("ra", "deg", ".7f", "right ascension"),
    ("dec", "deg", ".7f", "declination"),
    ("x", "pix", ".3f", "column in the reference image, where there is no WCS"),
    ("y", "pix", ".3f", "row in the reference image, where there is no WCS"),
    ("n_epochs", "", "", "epochs used"),
    ("n_rejected", "", "", "epochs rejected"),
    ("mag", "mag", ".5f", "weighted mean"),
    ("mag_err", "mag", ".5f", "1-sigma error of the weighted mean, if the star is constant"),
    ("median", "mag", ".5f", "median of the epochs"),
    ("dispersion", "mag", ".5f", "half of the range from the 15th to the 85th percentile"),
    ("epoch_err", "mag", ".5f", "median error of an epoch"),
    ("chi2", "", ".2f", "chi-square of a constant star, n_epochs - 1 degrees of freedom"),
    ("spread", "mag", ".5f", "range from the 2.5th to the 97.5th percentile"),
    ("variable", "", "", "scatters more than its errors allow"),
    ("period", "d", ".8g", "period; NaN where none was given or found"),
    ("period_err", "d", ".3g", "1-sigma error of period, if it is no alias"),
    ("amplitude", "mag", ".4f", "of the periodic curve, from the brightest to the faintest"),
    ("phase_zero", "d", ".6f", "time of the curve's minimum of light"),
    ("curve", "", "", "waves or eclipses: what describes the periodic curve"),
    ("remark", "", "", "how half and double of the period were told apart"),
    ("sigma", "mag", ".5f", "of the damped random walk; 0 where there is none"),
    ("tau", "d", ".5g", "damping time; NaN where there is no walk"),
    ("jitter", "mag", ".5f", "white noise beyond the errors"),
)
_OFFSETS: tuple[_Column, ...] = (
    ("star", "", "", "number of the star"),
    ("camera", "", "", "camera"),
    ("filter", "", "", "filter"),
    ("n_epochs", "", "", "epochs used"),
    ("mean", "mag", ".5f", "mean magnitude in this camera and filter"),
    ("mean_err", "mag", ".5f", "1-sigma error of mean"),
    ("offset", "mag", ".5f", "added to mag_camera to make mag"),
    ("offset_err", "mag", ".5f", "1-sigma error of offset"),
)
_IMAGES: tuple[_Column, ...] = (
    ("exposure", "", "", "name of the exposure"),
    ("camera", "", "", "camera"),
    ("filter", "", "", "filter"),
    ("mjd", "d", ".6f", "middle of the exposure, MJD (UTC)"),
    ("zero_point", "mag", ".5f", "subtracted from magnitudes at the chip's middle"),
    ("zero_point_err", "mag", ".5f", "1-sigma error of zero_point"),
    ("degree", "", "", "of the polynomial over the chip; -1: there is no zero point"),
    ("n_stars", "", "", "stars that define it"),
    ("scatter", "mag", ".5f", "robust scatter of these stars"),
)


def epochs_table(curves: LightCurves, settings: LightCurveSettings | None = None) -> QTable:
    """All epochs of all stars.

    Parameters
    ----------
    curves : LightCurves
        What was made.
    settings : LightCurveSettings, optional
        How; kept in ``meta``.

    Returns
    -------
    QTable
        One row per star and epoch.
    """
    epochs, stars = curves.epochs, curves.stars
    groups = np.array([*curves.images.groups, ("", "")], dtype=str).reshape(-1, 2)
    values = {
        "star": stars.id[epochs.star],
        "ra": stars.ra[epochs.star],
        "dec": stars.dec[epochs.star],
        "camera": groups[epochs.group, 0],
        "filter": groups[epochs.group, 1],
        "epoch": (epochs.epoch + 1).astype(np.int32),
        "time": curves.time,
        "mjd": epochs.mjd,
        "mag": curves.mag,
        "mag_err": epochs.mag_err,
        "mag_camera": epochs.mag,
        "n_exposures": epochs.n_exposures,
        "flags": epochs.flags,
        "rejected": curves.rejected,
    }
    return _table(_EPOCHS, values, _meta(curves, settings))


def stars_table(curves: LightCurves, settings: LightCurveSettings | None = None) -> QTable:
    """What the light curves say about each star: one row per star."""
    stars, found = curves.stars, curves.statistics
    n = len(stars)
    kept = ~curves.rejected
    total = np.bincount(curves.epochs.star[kept], 1 / curves.epochs.mag_err[kept] ** 2, n)
    with np.errstate(divide="ignore"):
        mean_err = np.where(total > 0, 1 / np.sqrt(total), np.nan)
    values: dict[str, Any] = {
        "star": stars.id,
        "ra": stars.ra,
        "dec": stars.dec,
        "x": stars.x,
        "y": stars.y,
        "n_epochs": found.number.astype(np.int32),
        "n_rejected": np.bincount(curves.epochs.star[~kept], minlength=n).astype(np.int32),
        "mag": found.mean,
        "mag_err": mean_err,
        "median": found.median,
        "dispersion": found.dispersion,
        "epoch_err": found.error,
        "chi2": found.chi2,
        "spread": found.spread,
        "variable": curves.variable,
    }
    return _table(_STARS, values | _of_solutions(curves), _meta(curves, settings))


def _of_solutions(curves: LightCurves) -> dict[str, Any]:
    """Columns about periods and walks."""
    nan = float("nan")
    periodic = [None if one is None else one.periodic for one in curves.solutions]
    walks = [None if one is None else one.process for one in curves.solutions]
    values: dict[str, Any] = {
        name: np.array([nan if p is None else getattr(p, attribute) for p in periodic], float)
        for name, attribute in (
            ("period", "period"),
            ("period_err", "period_err"),
            ("amplitude", "amplitude"),
            ("phase_zero", "start"),
        )
    }
    for name, attribute in (("curve", "kind"), ("remark", "remark")):
        texts = ["" if p is None else getattr(p, attribute) for p in periodic]
        values[name] = np.array(texts, dtype=str) if texts else np.zeros(0, "U1")
    for name in ("sigma", "tau", "jitter"):
        values[name] = np.array([nan if w is None else getattr(w, name) for w in walks], float)
    return values


def offsets_table(curves: LightCurves, settings: LightCurveSettings | None = None) -> QTable:
    """Means and offsets of cameras and filters: one row per star, camera and filter."""
    groups = curves.images.groups
    rows: list[tuple[Any, ...]] = []
    for i, solution in enumerate(curves.solutions):
        if solution is None:
            continue
        part = curves.rows(i)
        kept = curves.epochs.group[part][~solution.rejected]
        for k, group in enumerate(solution.groups):
            camera, band = groups[group]
            rows.append((int(curves.stars.id[i]), camera, band, int(np.sum(kept == group)),
                         solution.means[k], solution.means_err[k], solution.offsets[k],
                         solution.offsets_err[k]))  # fmt: skip
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_OFFSETS)
    kinds = (np.int64, str, str, np.int32, float, float, float, float)
    values = {
        name: np.array(column, dtype=kind if rows or kind is not str else "U1")
        for (name, *_), column, kind in zip(_OFFSETS, columns, kinds, strict=True)
    }
    return _table(_OFFSETS, values, _meta(curves, settings))


def images_table(curves: LightCurves, settings: LightCurveSettings | None = None) -> QTable:
    """Zero points of the images: one row per image."""
    images, zero = curves.images, curves.zero
    rows = np.arange(len(images))
    value, error = zero.at(rows, zero.centre[:, 0], zero.centre[:, 1])
    values = {
        "exposure": np.array(images.name, dtype=str),
        "camera": np.array(images.camera, dtype=str),
        "filter": np.array(images.filter, dtype=str),
        "mjd": images.mjd,
        "zero_point": value,
        "zero_point_err": error,
        "degree": zero.degree.astype(np.int32),
        "n_stars": zero.number.astype(np.int32),
        "scatter": zero.scatter,
    }
    return _table(_IMAGES, values, _meta(curves, settings))


def _meta(curves: LightCurves, settings: LightCurveSettings | None) -> dict[str, Any]:
    from filar import __version__
    from filar.catalog import versions

    if curves.barycentric:
        system = "BJD (TDB), without the observatory's place on the Earth"
    else:
        system = "JD (UTC), as the stars have no positions on the sky"
    tied = [
        f"{camera} {band}".strip()
        for (camera, band), known in zip(curves.images.groups, curves.absolute, strict=True)
        if known
    ]
    parameters = asdict(settings or LightCurveSettings())
    parameters["period_range"] = list(parameters["period_range"] or [])
    return {
        "filar_version": __version__,
        "versions": versions(),
        "parameters": parameters,
        "time_system": system,
        "mag_system": f"reference magnitudes for {', '.join(tied)}" if tied else "relative",
        "n_images": len(curves.images),
        "remarks": list(curves.remarks),
    }


def _table(columns: tuple[_Column, ...], values: dict[str, Any], meta: dict[str, Any]) -> QTable:
    from astropy.table import Column, QTable
    from astropy.units import Quantity

    table = QTable(meta=meta)
    for name, unit, form, description in columns:
        data = np.asarray(values[name])
        table[name] = Quantity(data, unit) if unit else Column(data)
        table[name].info.description, table[name].info.format = description, form or None
    return table


def to_timeseries(curves: LightCurves, star: int) -> TimeSeries:
    """One star's light curve as astropy's time series.

    Parameters
    ----------
    curves : LightCurves
        What was made.
    star : int
        Its number (``star`` of the tables).

    Returns
    -------
    TimeSeries
        Of all epochs; columns as in the table of epochs. ``meta`` has the star's period, where
        there is one.

    Raises
    ------
    ParameterError
        If there is no such star.
    """
    from astropy.time import Time
    from astropy.timeseries import TimeSeries

    found = np.flatnonzero(curves.stars.id == star)
    if not len(found):
        raise ParameterError("star", star, "a number in the table of stars")
    i = int(found[0])
    table = epochs_table(curves)[curves.rows(i)]
    scale = "tdb" if curves.barycentric else "utc"
    time = Time(np.asarray(table["time"].value), format="jd", scale=scale)
    names = [name for name in table.colnames if name not in ("star", "ra", "dec", "time")]
    series = TimeSeries(time=time, data={name: table[name] for name in names})
    solution = curves.solutions[i]
    period = None if solution is None or solution.periodic is None else solution.periodic.period
    position = {"ra": float(curves.stars.ra[i]), "dec": float(curves.stars.dec[i])}
    series.meta = {**table.meta, "star": int(star), **position}
    if period is not None:
        series.meta["period"] = period
    return series


def write_timeseries(curves: LightCurves, folder: str | os.PathLike[str]) -> list[Path]:
    """Write an ECSV file of astropy's time series for each star.

    Parameters
    ----------
    curves : LightCurves
        What was made.
    folder : path-like
        Made if it is missing; files are ``star_NUMBER.ecsv``.

    Returns
    -------
    list of Path
        The files, of the stars that have epochs.

    Raises
    ------
    OutputFileError
        If one cannot be written.
    """
    from filar.wholefile import whole_file

    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    written = []
    for i, number in enumerate(curves.stars.id):
        rows = curves.rows(i)
        if rows.stop > rows.start:
            path = folder / f"star_{number}.ecsv"
            with whole_file(path) as temporary:
                series = to_timeseries(curves, int(number))
                series.write(temporary, format="ascii.ecsv", overwrite=True)
            written.append(path)
    return written
