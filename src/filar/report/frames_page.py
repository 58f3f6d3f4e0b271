"""The page about tied exposures: summary, figures, and the same as PNG files and numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from filar.errors import ParameterError
from filar.frames.frame import Frame
from filar.frames.truth import Truth
from filar.report.figurepage import write_figure_page
from filar.report.frames_curves import (
    methods_figure,
    offset_curves,
    offsets_figure,
    phase_curves,
)
from filar.report.frames_facts import Groups, gather, summary
from filar.report.frames_panels import Figure
from filar.report.frames_stars import (
    phases_figure,
    quality_figure,
    rms_figure,
    rms_magnitude_figure,
)
from filar.report.frames_truth import rows_figure, truth_figures
from filar.report.numbers import figure_numbers


def write_frames_report(
    path: str | os.PathLike[str],
    methods: Mapping[str, Sequence[Frame]],
    truth: Any = None,
) -> bool:
    """Write a self-contained page about tied exposures, PNG figures and numbers beside it.

    ``NAME.html`` gets a folder ``NAME_figures`` with a PNG per figure, and ``NAME.json``.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    methods : mapping
        From the name of a method to its frames, one per chip and filter. The one called
        "classic", else the first, is what others are compared with.
    truth : Truth, QTable, Table or mapping of arrays, optional
        True stars of a simulated set, one row per star and exposure: see `filar.frames.truth`.

    Returns
    -------
    bool
        False if a truth is given that is not that of these exposures; the page says so too.

    Raises
    ------
    ParameterError
        If there is no frame, the suffix is another one or the truth lacks columns.
    OutputFileError
        If something cannot be written.
    """
    if not any(methods.values()):
        raise ParameterError("methods", dict(methods), "at least one method with a frame")
    known = truth if truth is None or isinstance(truth, Truth) else Truth.from_table(truth)
    groups = gather(methods, known)
    figures = report_figures(groups)
    rows = [summary(facts) for methods_of in groups.values() for facts in methods_of]
    foreign = truth is not None and not any("error_x_mpix" in row for row in rows)
    first = next(iter(groups.values()))[0].frame
    write_figure_page(
        path,
        "frames.html",
        figures,
        {"summary": rows, "figures": {f.name: figure_numbers(f) for f in figures}},
        title=f"{len(first.ties)} exposures tied together: {', '.join(groups)}",
        reference=first.reference,
        rows=[_cells(row) for row in rows],
        truth=any("error_x_mpix" in row for row in rows),
        foreign_truth=foreign,
        compared=any("rms_ratio_x" in row for row in rows),
        left_out=_left_out(rows),
        row_note=not any("row_jump_mpix" in row for row in rows),
    )
    return not foreign


def report_figures(groups: Groups) -> list[Figure]:
    """All figures, in the order of the page.

    Parameters
    ----------
    groups : dict
        See `filar.report.frames_facts.gather`.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    found = [
        offset_curves(groups),
        phase_curves(groups),
        methods_figure(groups),
        rms_figure(groups),
        rms_magnitude_figure(groups),
        phases_figure(groups),
        *truth_figures(groups),
        rows_figure(groups),
        quality_figure(groups),
        offsets_figure(groups),
    ]
    return [figure for figure in found if figure is not None]


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the summary as text."""

    def both(name: str, form: str = ".1f", error: str = "") -> str:
        texts = []
        for axis in "xy":
            value = row.get(name.format(axis), np.nan)
            text = f"{value:{form}}" if np.isfinite(value) else "–"
            spread = row.get(error.format(axis), np.nan) if error else np.nan
            texts.append(f"{text} ± {spread:{form}}" if np.isfinite(spread) else text)
        return " / ".join(texts)

    used = f"{row['exposures_used']} of {row['exposures']}"
    return {
        "method": row["method"],
        "label": " ".join(filter(None, (row["chip"], row["filter"]))) or "all stars",
        "stars": f"{row['stars_well_measured']} of {row['stars']}",
        "exposures": used,
        "sigma": both("sigma_{}_mpix", error="sigma_{}_err_mpix"),
        "bias": both("bias_{}_mpix", error="bias_{}_err_mpix"),
        "weighted": both("weighted_bias_{}_mpix", error="weighted_bias_{}_err_mpix"),
        "significance": both("weighted_bias_{}_significance"),
        "limit": both("bias_{}_limit_mpix"),
        "chi2": both("phase_chi2_{}"),
        "rms": both("rms_{}_mpix"),
        "ratio": both("rms_ratio_{}", ".2f", "rms_ratio_{}_err"),
        "error": both("error_{}_mpix"),
        "bound": both("error_over_bound_{}", ".2f"),
        "pull": both("pull_{}", ".2f"),
        "wave": both("phase_amplitude_{}_mpix", error="phase_amplitude_{}_err_mpix"),
        "field": both("field_amplitude_{}_mpix", error="field_amplitude_{}_err_mpix"),
        "mean": both("mean_error_{}_mpix", ".2f", "mean_error_{}_err_mpix"),
    }


def _left_out(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Exposures that were left out, each once: exposure, reason, methods."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for entry in row["left_out"]:
            methods = found.setdefault((entry["exposure"], entry["reason"]), [])
            if row["method"] not in methods:
                methods.append(row["method"])
    return [(name, reason, ", ".join(methods)) for (name, reason), methods in found.items()]
