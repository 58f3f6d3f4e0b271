"""The real stars of a field, through the same cuts and with the same covariates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.cuts import Cuts
from filar.asts.field import Field
from filar.asts.surroundings import covariates
from filar.frames.matching import mutual_nearest

FloatArray = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]


def real_stars(field: Field, cuts: Cuts, match: float) -> Columns:
    """Match the detections of all bands and keep those that count as recovered.

    Parameters
    ----------
    field : Field
        The field.
    cuts : Cuts
        As for its artificial stars.
    match : float
        Pixels within which two bands' detections are one star.

    Returns
    -------
    dict of str to (n,) array
        ``x, y`` (pixels of the first image), for each band B ``mag_B, mag_err_B, snr_B, qfit_B,
        flags_B`` (NaN and 0 where it does not pass), and the covariates.
    """
    rows, x, y = _matched(field, match)
    passed = np.zeros(rows.shape, bool)
    for i, band in enumerate(field.bands):
        good = band.stars.passing(cuts) & (band.stars.flux > 0)
        passed[:, i] = (rows[:, i] >= 0) & good[rows[:, i]]
    keep = cuts.recovered(passed)
    rows, passed, x, y = rows[keep], passed[keep], x[keep], y[keep]
    columns: Columns = {"x": x, "y": y}
    for i, band in enumerate(field.bands):
        stars = band.stars.select(rows[:, i])
        with np.errstate(divide="ignore", invalid="ignore"):
            error = 2.5 / np.log(10) / stars.snr
        values = {
            "mag": band.mag(stars.flux), "mag_err": error, "snr": stars.snr, "qfit": stars.qfit,
        }  # fmt: skip
        for name, value in values.items():
            columns[f"{name}_{band.name}"] = np.where(passed[:, i], value, np.nan)
        columns[f"flags_{band.name}"] = np.where(passed[:, i], stars.flags, 0).astype(np.int32)
    places = [transform(x, y) for transform in field.from_first]
    return columns | dict(covariates(field.bands, field.surroundings, places))


def _matched(field: Field, match: float) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Rows of each band's detections that are one star (-1: none), and where it is."""
    first = field.bands[0].stars
    x, y = first.x, first.y
    rows = np.full((len(x), len(field.bands)), -1)
    rows[:, 0] = np.arange(len(x))
    for i, (band, transform) in enumerate(zip(field.bands, field.from_first, strict=True)):
        if i == 0:
            continue
        u, v = transform.inverse(band.stars.x, band.stars.y)
        a, b = mutual_nearest(x, y, u, v, match)
        rows[a, i] = b
        alone = np.setdiff1d(np.arange(len(u)), b)
        more = np.full((len(alone), len(field.bands)), -1)
        more[:, i] = alone
        rows = np.concatenate([rows, more])
        x, y = np.concatenate([x, u[alone]]), np.concatenate([y, v[alone]])
    known = np.isfinite(x + y)
    return rows[known], x[known], y[known]


def stack(parts: Sequence[Columns], chips: Sequence[str]) -> Columns:
    """Put the columns of chips below each other, with the chip's name."""
    whole: Columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    lengths = [len(part["x"]) for part in parts]
    return {"chip": np.repeat(np.array(chips), lengths)} | whole
