"""The page about star clusters: tables, figures, and the same as PNG files and numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from filar.clusters.evaluate import Judgement
from filar.clusters.evaluate_criteria import Verdict
from filar.clusters.evaluate_scatter import LEAST, Scatter
from filar.clusters.posterior import PARAMETERS
from filar.report.clusters_corners import corner_figures
from filar.report.clusters_detection import detection_figures
from filar.report.clusters_facts import WORDS, ClustersFacts
from filar.report.clusters_figures import parameter_figures
from filar.report.clusters_posteriors import posterior_figures
from filar.report.figurepage import write_figure_page
from filar.report.frames_panels import Figure, style
from filar.report.numbers import figure_numbers

PERCENT = 100.0
NOTHING = "–"
_SHOWN = 8  # of what misses a criterion


def write_clusters_report(
    path: str | os.PathLike[str], facts: ClustersFacts, title: str = "Star clusters"
) -> None:
    """Write a self-contained page about star clusters, PNG figures and numbers beside it.

    ``NAME.html`` gets a folder ``NAME_figures`` with a PNG per figure, and ``NAME.json``.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    facts : ClustersFacts
        See `filar.report.clusters_facts.gather_clusters`.
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
    clusters = int(facts.truth.cluster.sum())
    write_figure_page(
        path,
        "clusters.html",
        figures,
        report_numbers(facts, figures),
        wrapped=True,
        title=f"{title}: {facts.label}",
        facts=facts,
        clusters=clusters,
        backgrounds=len(facts.truth) - clusters,
        words=[(WORDS[name][0], WORDS[name][1]) for name in PARAMETERS],
        rows=[_method(facts, one) for one in facts.methods],
        detections=[_detection(facts, one) for one in facts.detectors],
        criteria=[(name, [_verdict(v) for v in own]) for name, own in facts.verdicts.items()],
        tables=[(one.name, _tables(one)) for one in facts.methods],
        least=LEAST,
    )


def report_figures(facts: ClustersFacts) -> list[Figure]:
    """All figures, in the order of the page.

    Parameters
    ----------
    facts : ClustersFacts
        What is known.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    makers = (parameter_figures, posterior_figures, corner_figures, detection_figures)
    return [figure for make in makers for figure in make(facts)]


def report_numbers(facts: ClustersFacts, figures: Sequence[Figure] = ()) -> dict[str, Any]:
    """All numbers of a page.

    Parameters
    ----------
    facts : ClustersFacts
        What is known.
    figures : sequence of Figure
        Of the page.

    Returns
    -------
    dict
        For JSON: every method's figures by part, criteria, what is drawn. Lists of four numbers
        are in the order of "parameters".
    """
    clusters = int(facts.truth.cluster.sum())
    return {
        "data": facts.label,
        "parameters": list(PARAMETERS),
        "judged": {
            "clusters": clusters, "backgrounds": len(facts.truth) - clusters, "rule": facts.rule,
        },
        "baseline": facts.baseline,
        "methods": {
            one.name: vars(facts.given[one.name]) | method_numbers(one) for one in facts.methods
        },
        "criteria": {
            name: [one.figures() for one in own] for name, own in facts.verdicts.items()
        },
        "posteriors_shown": [vars(one) for one in facts.chosen],
        "remarks": list(facts.remarks),
        "figures": {figure.name: figure_numbers(figure) for figure in figures},
    }  # fmt: skip


def method_numbers(one: Judgement) -> dict[str, Any]:
    """All numbers of one method.

    Parameters
    ----------
    one : Judgement
        The method.

    Returns
    -------
    dict
        For JSON: all clusters, quarters and bins by the truth and by what was inferred, ranks,
        classification, visibility.
    """
    return {
        "in_domain": one.in_domain,
        "whole": one.whole.figures(),
        "quarters_of_truth": _parts(one.quarters),
        "quarters_of_inferred": _parts(one.told_quarters),
        "bins_of_truth": _parts(one.bins),
        "bins_of_inferred": _parts(one.told_bins),
        "ranks": {name: test.figures() for name, test in one.uniform.items()},
        "classification": one.detection.figures() if one.detection else None,
        "visibility_rms": _rms(one),
    }


def _parts(parts: Any) -> dict[str, Any]:
    return {name: [part.figures() for part in own] for name, own in parts.items()}


def _rms(one: Judgement) -> float:
    """Of the visibility, dex; NaN if it is not told."""
    known = one.snr_miss[np.isfinite(one.snr_miss)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")


def _text(value: float, form: str = ".3f", error: float = float("nan")) -> str:
    if not np.isfinite(value):
        return NOTHING
    shown = form.removeprefix("+")
    return f"{value:{form}}" + (f" ± {error:{shown}}" if np.isfinite(error) else "")


def _percents(one: Scatter, k: int) -> str:
    if not np.isfinite(one.inside68[k]):
        return NOTHING
    return f"{PERCENT * one.inside68[k]:.1f} / {_text(PERCENT * float(one.inside95[k]), '.1f')}"


def _method(facts: ClustersFacts, one: Judgement) -> dict[str, Any]:
    colour, _, _, letter = style(facts.number(one.name))
    given, whole = facts.given[one.name], one.whole
    seconds = given.seconds
    parameters = [
        {
            "word": WORDS[name][0],
            "unit": WORDS[name][1],
            "rms": _text(whole.rms[k], ".3f", whole.rms_err[k]),
            "bias": _text(whole.bias[k], "+.3f", whole.bias_err[k]),
            "half68": _text(whole.half68[k], ".3f", whole.half68_err[k]),
            "pull": _text(whole.pull[k], ".2f"),
            "inside": _percents(whole, k),
            "rank": _text(one.uniform[name].p, ".2g"),
            "off": _text(one.uniform[name].deviation, ".3f"),
        }
        for k, name in enumerate(PARAMETERS)
    ]
    joint = one.uniform["joint"]
    return {
        "name": one.name, "colour": colour, "letter": letter, "about": given.about,
        "trained": given.trained_on or NOTHING, "clusters": whole.number,
        "domain": _text(PERCENT * one.in_domain, ".1f"),
        "speed": f"{len(facts.truth) / seconds:.0f}" if seconds > 0 else NOTHING,
        "visibility": _text(_rms(one)),
        "joint": f"{_text(joint.p, '.2g')} / {_text(joint.deviation, '.3f')}"
        if joint.number else NOTHING,
        "parameters": parameters,
    }  # fmt: skip


def _detection(facts: ClustersFacts, one: Judgement) -> dict[str, str]:
    own = one.detection
    assert own is not None
    half = own.half_found
    return {
        "name": one.name,
        "accuracy": _text(PERCENT * own.accuracy, ".2f", PERCENT * own.accuracy_err),
        "balanced": _text(PERCENT * own.balanced, ".2f"),
        "completeness": _text(PERCENT * own.completeness, ".2f"),
        "precision": _text(PERCENT * own.precision, ".2f"),
        "false_alarms": _text(PERCENT * own.false_alarms, ".2f"),
        "auc": _text(own.auc, ".4f"),
        "average_precision": _text(own.average_precision, ".4f"),
        "log_loss": _text(own.log_loss, ".4f"),
        "brier": _text(own.brier, ".4f"),
        "half": f"{10**half:.1f}" if np.isfinite(half) else NOTHING,
    }


def _verdict(one: Verdict) -> dict[str, str]:
    missed = "; ".join(one.missed[:_SHOWN])
    if len(one.missed) > _SHOWN:
        missed += f"; and {len(one.missed) - _SHOWN} more"
    return {"what": one.what, "word": one.word, "found": one.found, "missed": missed}


def _tables(one: Judgement) -> list[tuple[str, list[dict[str, Any]]]]:
    """Quarters by the truth and by what was inferred, of every quantity."""
    found = []
    for title, parts in (("true", one.quarters), ("inferred", one.told_quarters)):
        rows = [
            {
                "quantity": WORDS[quantity][0] if k == 0 else "",
                "span": f"{part.low:.2f} to {part.high:.2f}",
                "number": part.number,
                "enough": part.enough,
                "cells": [
                    (_text(part.rms[j], ".3f"), _text(part.bias[j], "+.3f"),
                     _text(part.half68[j], ".3f"), _percents(part, j))
                    for j in range(len(PARAMETERS))
                ],
            }
            for quantity, own in parts.items()
            for k, part in enumerate(own)
        ]  # fmt: skip
        found.append((title, rows))
    return found
