"""The page about light curves: dispersions, zero points, and one figure for each star."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import OutputFileError
from filar.flags import Flag
from filar.lightcurve.make import LightCurves
from filar.report.figurepage import write_figure_page
from filar.report.frames_panels import Figure, FloatArray, Marks, Panel
from filar.report.lightcurve_figures import (
    camera_style,
    dispersion_figure,
    group_label,
    reference_figure,
    star_figure,
)
from filar.report.numbers import figure_numbers

PAGE = "lightcurves.html"


def write_lightcurve_report(
    folder: str | os.PathLike[str], curves: LightCurves, *, most: int = 40
) -> Path:
    """Write a page of figures, PNG files and numbers into a folder.

    Parameters
    ----------
    folder : path-like
        Made if it is missing; the page is ``lightcurves.html``, with ``lightcurves_figures`` and
        ``lightcurves.json`` beside it.
    curves : LightCurves
        What was made.
    most : int
        Stars with a figure of their own: those asked for, or else the most variable ones.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputFileError
        If something cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    figures = report_figures(curves, most)
    path = folder / PAGE
    write_figure_page(
        path,
        "lightcurve.html",
        figures,
        {**summary(curves), "figures": {one.name: figure_numbers(one) for one in figures}},
        wrapped=True,
        title="Light curves",
        facts=summary(curves),
        rows=_dispersion_rows(curves),
        remarks=[*curves.remarks, *curves.errors][:50],
    )
    return path


def report_figures(curves: LightCurves, most: int = 40) -> list[Figure]:
    """All figures, in the order of the page.

    Parameters
    ----------
    curves : LightCurves
        What was made.
    most : int
        Stars with a figure of their own.

    Returns
    -------
    list of Figure
    """
    figures = [dispersion_figure(curves, saturated_stars(curves))]
    reference = reference_figure(curves)
    if reference is not None:
        figures.append(reference)
    figures.append(_zero_points(curves))
    return figures + [star_figure(curves, int(i)) for i in _shown(curves, most)]


def saturated_stars(curves: LightCurves) -> Any:
    """Stars that are saturated in half of their epochs or more: (s,) bool array."""
    bits = (curves.epochs.flags & int(Flag.SATURATED)) != 0
    n = len(curves.stars)
    having = np.bincount(curves.epochs.star, bits, n)
    return 2 * having >= np.maximum(np.bincount(curves.epochs.star, minlength=n), 1)


def _shown(curves: LightCurves, most: int) -> Any:
    seen = np.array([one is not None for one in curves.solutions], bool)
    asked = np.flatnonzero(curves.stars.asked & seen)
    if len(asked):
        return asked[:most]
    varying = np.flatnonzero(curves.variable & seen)
    number = np.maximum(curves.statistics.number[varying] - 1, 1)
    order = np.argsort(-curves.statistics.chi2[varying] / number, kind="stable")
    return varying[order[:most]]


def _zero_points(curves: LightCurves) -> Figure:
    """Zero points against time."""
    images, zero = curves.images, curves.zero
    rows = np.arange(len(images))
    value, error = zero.at(rows, zero.centre[:, 0], zero.centre[:, 1])
    start = np.floor(images.mjd.min()) if len(images) else 0.0
    layers = [
        Marks(images.mjd[mine] - start, value[mine], group_label(curves, k), camera_style(k),
              error[mine], size=3.0)
        for k in range(len(images.groups))
        if (mine := images.group == k).any()
    ]  # fmt: skip
    panel = Panel("", f"MJD - {start:.0f}", "zero point (mag)", tuple(layers))
    note = "What was subtracted from the magnitudes of each image, at the chip's middle."
    return Figure("zero_points", "Zero points of the images", note, ((panel,),))


def summary(curves: LightCurves) -> dict[str, Any]:
    """Numbers that sum the light curves up.

    Parameters
    ----------
    curves : LightCurves
        What was made.

    Returns
    -------
    dict
        Counts, and median dispersions of constant stars, saturated and not, by us and by ordinary
        photometry.
    """
    saturated, constant = saturated_stars(curves), ~curves.variable
    ours, plain = curves.statistics.dispersion, curves.plain_dispersion
    return {
        "images": len(curves.images),
        "stars": len(curves.stars),
        "variable": int(curves.variable.sum()),
        "epochs": len(curves.epochs),
        "rejected": int(curves.rejected.sum()),
        "cameras": [group_label(curves, k) for k in range(len(curves.images.groups))],
        "dispersion": {
            "unsaturated": [_median(ours[constant & ~saturated]),
                            _median(plain[constant & ~saturated])],
            "saturated": [_median(ours[constant & saturated]),
                          _median(plain[constant & saturated])],
        },
    }  # fmt: skip


def _median(values: FloatArray) -> float:
    good = values[np.isfinite(values)]
    return float(np.median(good)) if len(good) else float("nan")


def _dispersion_rows(curves: LightCurves) -> list[tuple[str, str, str, str]]:
    """By kind of star: number, and the median dispersions as text."""
    saturated, constant = saturated_stars(curves), ~curves.variable
    rows = []
    for label, chosen in (("unsaturated", ~saturated), ("saturated", saturated)):
        mine = constant & chosen
        values = [_median(v[mine]) for v in (curves.statistics.dispersion, curves.plain_dispersion)]
        texts = [f"{value:.4f}" if np.isfinite(value) else "–" for value in values]
        rows.append((label, str(int(mine.sum())), *texts))
    return [(row[0], row[1], row[2], row[3]) for row in rows]
