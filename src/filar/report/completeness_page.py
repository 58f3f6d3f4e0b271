"""The page about completeness: tables, figures, and the same as PNG files and numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from filar.report.completeness_cells import cmd_figures, curve_figures
from filar.report.completeness_errors import error_figures, error_numbers
from filar.report.completeness_facts import CompletenessFacts, JudgedModel
from filar.report.completeness_figures import PERCENT, calibration_figures, part_label
from filar.report.completeness_limits import product_figures
from filar.report.completeness_numbers import curve_rows, summary, worst_decile
from filar.report.completeness_products import product_numbers
from filar.report.figurepage import write_figure_page
from filar.report.frames_panels import Figure, style
from filar.report.numbers import figure_numbers


def write_completeness_report(
    path: str | os.PathLike[str], facts: CompletenessFacts, title: str = "Completeness"
) -> None:
    """Write a self-contained page about recovery probabilities, PNG figures and numbers beside it.

    ``NAME.html`` gets a folder ``NAME_figures`` with a PNG per figure, and ``NAME.json``.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    facts : CompletenessFacts
        See `filar.report.completeness_facts.gather_completeness`.
    title : str
        Heading.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    OutputFileError
        If something cannot be written.
    """
    figures = report_figures(facts)
    write_figure_page(
        path,
        "completeness.html",
        figures,
        report_numbers(facts, figures),
        wrapped=True,
        title=f"{title}: {facts.label}",
        facts=facts,
        bands=", ".join(facts.stars.bands),
        recovered=f"{PERCENT * float(facts.stars.recovered.mean()):.1f}%",
        cuts=[(name, _listed(value)) for name, value in _cuts(facts).items()],
        rows=[_cells(one) for one in facts.models],
        tenths=_tenths(facts),
        parts=_parts(facts),
        curve=[] if facts.curve is None else [_curve_cells(row) for row in curve_rows(facts.curve)],
    )


def report_figures(facts: CompletenessFacts) -> list[Figure]:
    """All figures, in the order of the page.

    Parameters
    ----------
    facts : CompletenessFacts
        What is known.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    curve = [] if facts.curve is None else curve_figures(facts.curve)
    numbers = {one.name: one.number for one in facts.models}
    products = [] if facts.products is None else product_figures(facts.products, numbers)
    errors = error_figures(facts.errors, numbers)
    return [*calibration_figures(facts), *cmd_figures(facts), *curve, *products, *errors]


def report_numbers(facts: CompletenessFacts, figures: Sequence[Figure] = ()) -> dict[str, Any]:
    """All numbers of a page.

    Parameters
    ----------
    facts : CompletenessFacts
        What is known.
    figures : sequence of Figure
        Of the page.

    Returns
    -------
    dict
        For JSON: summary, learning curve, remarks and what the figures show.
    """
    return {
        "table": facts.label,
        "bands": list(facts.stars.bands),
        "cuts": _cuts(facts),
        "judged": {"stars": len(facts.stars), "rule": facts.rule},
        "summary": [summary(one) for one in facts.models],
        "learning_curve": [] if facts.curve is None else curve_rows(facts.curve),
        "products": {} if facts.products is None else product_numbers(facts.products),
        "magnitude_errors": error_numbers(facts.errors),
        "remarks": list(facts.remarks),
        "figures": {figure.name: figure_numbers(figure) for figure in figures},
    }


def _cuts(facts: CompletenessFacts) -> dict[str, Any]:
    cuts = facts.stars.meta.get("cuts")
    return dict(cuts) if isinstance(cuts, Mapping) else {}


def _listed(value: Any) -> str:
    several = isinstance(value, list | tuple)
    return " and ".join(map(str, value)) if several else str(value)


def _text(value: float, form: str = ".1f", error: float = float("nan")) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:{form}}" + (f" ± {error:{form}}" if np.isfinite(error) else "")


def _percent(value: float, form: str = ".1f", error: float = float("nan")) -> str:
    return _text(PERCENT * value, form, PERCENT * error)


def _cells(one: JudgedModel) -> dict[str, str]:
    own, given = one.scores, one.given
    chance = f"{_percent(own.chance_calibration_error, '.2f')} "
    return {
        "model": one.name,
        "colour": style(one.number)[0],
        "letter": style(one.number)[3],
        "about": given.about,
        "magnitudes": given.magnitudes,
        "accuracy": _percent(own.accuracy, ".2f", own.accuracy_err),
        "best": f"{_percent(own.best_accuracy, '.2f')} at {own.best_threshold:.2f}",
        "measures": " / ".join(
            _percent(value) for value in (own.completeness, own.precision, own.f_score)
        ),
        "log_loss": _text(own.log_loss, ".4f", own.log_loss_err),
        "honest": _text(own.honest_log_loss, ".4f"),
        "brier": _text(own.brier, ".4f"),
        "calibration": _percent(own.calibration_error, ".2f"),
        "chance": f"{chance}(95%: {_percent(own.chance_calibration_error_95, '.2f')})",
        "worst": _percent(own.worst_decile, ".1f", own.worst_decile_err),
        "cmd": _text(one.cell_pull_rms, ".2f"),
        "domain": _percent(given.in_domain),
        "trained": f"{given.trained_on} stars" if given.trained_on else "–",
        "seconds": _text(given.seconds, ".3g"),
    }


def _tenths(facts: CompletenessFacts) -> list[list[tuple[str, str]]]:
    """By tenth, predicted fraction and predicted minus true of every model, in percent."""
    every = [one.deciles for one in facts.models]
    return [
        [
            (_percent(float(bins.predicted[k])),
             _signed(float(bins.difference[k]), float(bins.chance[k])))
            for bins in every
        ]
        for k in range(len(every[0].number))
    ]  # fmt: skip


def _parts(facts: CompletenessFacts) -> list[tuple[str, str, str, list[tuple[str, str, str]]]]:
    """Of every part: name, stars, true fraction; by model difference, error and worst tenth."""
    rows = []
    for name, first in facts.models[0].parts.items():
        cells = []
        for one in facts.models:
            part = one.parts[name]
            whole, worst = part.whole, worst_decile(part.deciles)
            cells.append((
                _signed(float(whole.difference[0]), float(whole.chance[0])),
                f"{_percent(part.calibration_error, '.2f')} ({_percent(part.chance, '.2f')})",
                _signed(*worst),
            ))  # fmt: skip
        number, true = int(first.whole.number[0]), float(first.whole.true[0])
        rows.append((part_label(name), str(number), _percent(true), cells))
    return rows


def _signed(value: float, error: float) -> str:
    return _percent(value, "+.2f", error).replace("± +", "± ")


def _curve_cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "model": row["model"],
        "stars": str(row["stars"]),
        "accuracy": _percent(row["accuracy"], ".2f", row["accuracy_err"]),
        "log_loss": _text(row["log_loss"], ".4f", row["log_loss_err"]),
        "brier": _text(row["brier"], ".4f"),
        "calibration": f"{_percent(row['calibration_error'], '.2f')} "
        f"({_percent(row['chance_calibration_error'], '.2f')})",
        "seconds": _text(row["seconds"], ".3g"),
    }
