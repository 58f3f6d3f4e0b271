"""The page about centres: tables, figures, and the same as PNG files and numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from filar.errors import ParameterError
from filar.report.centering_facts import BOTH, CenteringFacts, Judged, curve_summary, summary
from filar.report.centering_figures import error_figures
from filar.report.centering_networks import network_figures
from filar.report.figurepage import write_figure_page
from filar.report.frames_curves import methods_figure, offset_curves, phase_curves
from filar.report.frames_panels import Figure
from filar.report.frames_stars import phases_figure, rms_figure
from filar.report.numbers import figure_numbers


def write_centering_report(
    path: str | os.PathLike[str], facts: CenteringFacts, title: str = "Star centres"
) -> None:
    """Write a self-contained page about centres, PNG figures and numbers beside it.

    ``NAME.html`` gets a folder ``NAME_figures`` with a PNG per figure, and ``NAME.json``.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    facts : CenteringFacts
        See `filar.report.centering_gather.gather_centering`.
    title : str
        Heading.

    Raises
    ------
    ParameterError
        If there is nothing to show, or the suffix is another one.
    OutputFileError
        If something cannot be written.
    """
    figures = report_figures(facts)
    if not figures:
        raise ParameterError("facts", "nothing to show", "stamps and a model, or catalogues")
    judged = [one for methods in facts.judged.values() for one in methods]
    against = sorted({one.errors.against for one in judged})
    write_figure_page(
        path,
        "centering.html",
        figures,
        report_numbers(facts, figures),
        title=f"{title}: {', '.join(facts.labels)}",
        remarks=facts.remarks,
        against=" and ".join("the truth" if one == "truth" else "the labels" for one in against),
        rows=[_cells(one) for one in judged],
        chips=list(dict.fromkeys(_split(label)[0] for label in facts.judged)),
        table3=_table3(facts),
        mags=" to ".join(f"{mag:g}" for mag in facts.mag_range),
        bins=[(one.label, one.method, _bins(one)) for one in judged if one.bins[BOTH]],
        curves=[_curve_cells(row) for row in curve_summary(facts.curves)],
    )


def report_figures(facts: CenteringFacts) -> list[Figure]:
    """All figures, in the order of the page.

    Parameters
    ----------
    facts : CenteringFacts
        What is known.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    networks = network_figures(facts)
    tied: list[Figure] = []
    if facts.curves:
        drawn = (offset_curves, phase_curves, methods_figure, rms_figure, phases_figure)
        tied = [draw(facts.curves) for draw in drawn]
    losses = [figure for figure in networks if figure.name == "loss"]
    others = [figure for figure in networks if figure.name != "loss"]
    return [*error_figures(facts), *tied, *others, *losses]


def report_numbers(facts: CenteringFacts, figures: Sequence[Figure] = ()) -> dict[str, Any]:
    """All numbers of a page.

    Parameters
    ----------
    facts : CenteringFacts
        What is known.
    figures : sequence of Figure
        Of the page.

    Returns
    -------
    dict
        For JSON: summary, curves, remarks and what the figures show.
    """
    return {
        "summary": [summary(one) for methods in facts.judged.values() for one in methods],
        "table3_magnitudes": list(facts.mag_range),
        "curves": curve_summary(facts.curves),
        "remarks": list(facts.remarks),
        "figures": {figure.name: figure_numbers(figure) for figure in figures},
    }


def _text(value: float, form: str = ".1f", error: float = np.nan) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:{form}}" + (f" ± {error:{form}}" if np.isfinite(error) else "")


def _both(row: Mapping[str, Any], name: str, form: str = ".1f", error: str = "") -> str:
    """A figure of both axes as text."""
    missing = float("nan")
    return " / ".join(
        _text(row.get(name.format(axis), missing), form,
              row.get(error.format(axis), missing) if error else missing)
        for axis in "xy"
    )  # fmt: skip


def _cells(judged: Judged) -> dict[str, str]:
    row = summary(judged)
    wave, place = "phase_amplitude_{}", "field_amplitude_{}"
    return {
        "label": judged.label,
        "method": judged.method,
        "number": f"{row['judged']} of {row['stars']} stars",
        "ratio": _text(row["worst_ratio"], ".2f"),
        "pulls": " – ".join(_text(value, ".2f") for value in row["pulls"]),
        "wave": _both(row, f"{wave}_mpix", error=f"{wave}_err_mpix"),
        "field": _both(row, f"{place}_mpix", error=f"{place}_err_mpix"),
        "outside": "–" if judged.number == 0 else f"{100 * row['out_of_domain']:.1f}%",
    }


def _split(label: str) -> tuple[str, str]:
    """Chip and filter of a label."""
    chip, _, name = label.partition(" ")
    return chip, name


def _table3(facts: CenteringFacts) -> list[tuple[str, list[tuple[str, list[tuple[str, ...]]]]]]:
    """C24's table 3 by method: filters, each with rows (chip, sigma_x, sigma_y, number)."""
    found: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for label, methods in facts.judged.items():
        chip, name = _split(label)
        for judged in methods:
            own = judged.table3
            cells = (chip, *(_text(1e3 * v, ".1f", 1e3 * e)
                             for v, e in ((own.x, own.x_err), (own.y, own.y_err))),
                     str(own.number))  # fmt: skip
            found.setdefault(judged.method, {}).setdefault(name, []).append(cells)
    return [(method, list(filters.items())) for method, filters in found.items()]


def _bins(judged: Judged) -> list[dict[str, str]]:
    return [
        {
            "flux": f"{one.low:.0f} – {one.high:.0f}",
            "number": str(one.number),
            "rms": _text(1e3 * one.rms, ".1f", 1e3 * one.rms_err),
            "bound": _text(1e3 * one.bound, ".1f"),
            "ratio": _text(one.ratio, ".3f", one.ratio_err),
            "summed": _text(one.summed_ratio, ".3f"),
            "pull": _text(one.pull, ".3f", one.pull_err),
            "inside68": _text(100 * one.inside68, ".1f"),
            "inside95": _text(100 * one.inside95, ".1f"),
        }
        for one in judged.bins[BOTH]
    ]


def _curve_cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "label": row["label"],
        "method": row["method"],
        "exposures": str(row["exposures"]),
        "stars": str(row["stars"]),
        "noise": _both(row, "noise_{}_mpix", error="noise_{}_err_mpix"),
        "bias": _both(row, "bias_{}_mpix", error="bias_{}_err_mpix"),
        "limit": _both(row, "bias_{}_limit_mpix"),
        "weighted": _both(row, "weighted_bias_{}_mpix", error="weighted_bias_{}_err_mpix"),
        "significance": _both(row, "weighted_bias_{}_significance"),
        "rms": _both(row, "rms_{}_mpix"),
        "ratio": _both(row, "rms_ratio_{}", ".2f", "rms_ratio_{}_err"),
    }
