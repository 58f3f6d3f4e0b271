"""The page about saturated stars: tables, figures, and the same as PNG files and numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from filar.report.figurepage import write_figure_page
from filar.report.frames_panels import Figure, style
from filar.report.numbers import figure_numbers
from filar.report.saturation_curves import curve_figures, place_figures
from filar.report.saturation_facts import SaturationFacts
from filar.report.saturation_figures import magnitude_figures
from filar.saturation.bins import DRAWS, LEAST_STARS, Scatter
from filar.saturation.criteria import Verdict
from filar.saturation.evaluate import DEVIATIONS, Judgement

PERCENT = 100.0
NOTHING = "–"


def write_saturation_report(
    path: str | os.PathLike[str], facts: SaturationFacts, title: str = "Saturated stars"
) -> None:
    """Write a self-contained page about saturated stars, PNG figures and numbers beside it.

    ``NAME.html`` gets a folder ``NAME_figures`` with a PNG per figure, and ``NAME.json``.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    facts : SaturationFacts
        See `filar.report.saturation_facts.gather_saturation`.
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
    judged = facts.judged
    write_figure_page(
        path,
        "saturation.html",
        figures,
        report_numbers(facts, figures),
        wrapped=True,
        title=f"{title}: {facts.label}",
        facts=facts,
        stamps=len(judged),
        stars=len(np.unique(judged.star)),
        images=len(np.unique(judged.image)),
        saturated=int(judged.saturated.sum()),
        limit=f"{facts.limit:.2f}" if np.isfinite(facts.limit) else "",
        rows=[_method(facts, one) for one in facts.methods],
        models=[_model(facts, name) for name in facts.models],
        criteria=[(name, [_verdict(one) for one in own]) for name, own in facts.verdicts.items()],
        parts=list(facts.medians),
        dispersions=_dispersions(facts),
        tables=[(one.name, [_cells(b, _span(b)) for b in one.coarse]) for one in facts.methods],
        least=LEAST_STARS,
        draws=DRAWS,
    )


def report_figures(facts: SaturationFacts) -> list[Figure]:
    """All figures, in the order of the page.

    Parameters
    ----------
    facts : SaturationFacts
        What is known.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    return [*magnitude_figures(facts), *curve_figures(facts), *place_figures(facts)]


def report_numbers(facts: SaturationFacts, figures: Sequence[Figure] = ()) -> dict[str, Any]:
    """All numbers of a page.

    Parameters
    ----------
    facts : SaturationFacts
        What is known.
    figures : sequence of Figure
        Of the page.

    Returns
    -------
    dict
        For JSON: every method's figures by part and bin, criteria, dispersions, what is drawn.
    """
    judged = facts.judged
    return {
        "data": facts.label,
        "judged": {
            "stamps": len(judged), "stars": len(np.unique(judged.star)),
            "images": len(np.unique(judged.image)), "saturated": int(judged.saturated.sum()),
            "saturation_limit": facts.limit, "rule": facts.rule,
        },
        "models": {name: vars(one) for name, one in facts.models.items()},
        "methods": {one.name: method_numbers(one) for one in facts.methods},
        "criteria": {
            name: [one.figures() for one in own] for name, own in facts.verdicts.items()
        },
        "dispersions": {
            part: [one.figures() for one in own] for part, own in facts.medians.items()
        },
        "remarks": list(facts.remarks),
        "figures": {figure.name: figure_numbers(figure) for figure in figures},
    }  # fmt: skip


def method_numbers(one: Judgement) -> dict[str, Any]:
    """All numbers of one method: the whole, parts, bins, coverage.

    Parameters
    ----------
    one : Judgement
        The method.

    Returns
    -------
    dict
        For JSON.
    """
    return {
        "whole": one.whole.figures(),
        "parts": {name: part.figures() for name, part in one.parts.items()},
        "bins_0.25": [part.figures() for part in one.fine],
        "bins_0.5": [part.figures() for part in one.coarse],
        "by_predicted_error": [part.figures() for part in one.by_error],
        "coverage": {"errors": DEVIATIONS, "inside": one.inside},
    }


def _text(value: float, form: str = ".3f", error: float = float("nan")) -> str:
    if not np.isfinite(value):
        return NOTHING
    shown = form.removeprefix("+")
    return f"{value:{form}}" + (f" ± {error:{shown}}" if np.isfinite(error) else "")


def _span(one: Scatter) -> str:
    return f"{one.low:g} to {one.high:g}"


def _cells(one: Scatter, part: str) -> dict[str, Any]:
    inside = f"{PERCENT * one.inside68:.1f} / {PERCENT * one.inside95:.1f}"
    return {
        "part": part,
        "stars": one.stars,
        "stamps": one.stamps,
        "enough": one.enough,
        "told": _text(PERCENT * one.told, ".1f"),
        "bias": _text(one.bias, "+.4f", one.bias_err),
        "half68": _text(one.half68, ".4f", one.half68_err),
        "half95": _text(one.half95, ".3f", one.half95_err),
        "rms": _text(one.rms),
        "pull": _text(one.pull, ".2f", one.pull_err),
        "pull68": _text(one.pull68, ".2f", one.pull68_err),
        "inside": inside if np.isfinite(one.inside68) else NOTHING,
    }


def _method(facts: SaturationFacts, one: Judgement) -> dict[str, Any]:
    colour, _, _, letter = style(facts.number(one.name))
    known = facts.models.get(one.name)
    return {
        "name": one.name,
        "colour": colour,
        "letter": letter,
        "about": known.about if known else "",
        "parts": [
            _cells(one.whole, "all"),
            *(_cells(part, name) for name, part in one.parts.items()),
        ],
    }


def _model(facts: SaturationFacts, name: str) -> dict[str, str]:
    known = facts.models[name]
    seconds = known.seconds
    return {
        "name": name,
        "trained": known.trained_on or NOTHING,
        "domain": _text(PERCENT * known.in_domain, ".1f"),
        "speed": f"{len(facts.judged) / seconds:.0f}" if seconds > 0 else NOTHING,
    }


def _verdict(one: Verdict) -> dict[str, str]:
    missed = []
    for part in one.missed:
        text = f"{part.low:g} to {part.high:g}: {_text(part.value, '.3f', part.error)}"
        missed.append(f"({text})" if part.by_chance else text)
    return {
        "what": one.what,
        "word": one.word,
        "found": one.found,
        "missed": "; ".join(missed),
        "unknown": "; ".join(f"{low:g} to {high:g}" for low, high in one.unknown),
    }


def _dispersions(facts: SaturationFacts) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """By method: of every part the light curves, their median and its ratio to PSF photometry."""
    found = []
    for one in facts.methods:
        cells = []
        for rows in facts.medians.values():
            own = next(row for row in rows if row.method == one.name)
            cells.append((
                str(own.curves), _text(own.median, ".4f", own.median_err),
                _text(own.ratio, ".3f", own.ratio_err),
            ))  # fmt: skip
        if cells:
            found.append((one.name, cells))
    return found
