"""Figures of models that are judged, by name: what tables and the JSON beside a page hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from filar.completeness.learning_curve import LearningCurve
from filar.completeness.reliability import FractionBins
from filar.report.completeness_facts import JudgedModel


def summary(judged: JudgedModel) -> dict[str, Any]:
    """Figures of one model.

    Parameters
    ----------
    judged : JudgedModel
        Its facts.

    Returns
    -------
    dict
        Numbers by name; calibration in parts of the stars below ``parts``.
    """
    given = judged.given
    return {
        "model": judged.name,
        "about": given.about,
        "magnitudes": given.magnitudes,
        "trained_on": given.trained_on,
        "training_seconds": given.seconds,
        "in_domain": given.in_domain,
        **judged.scores.figures(),
        "cmd_pull_rms": judged.cell_pull_rms,
        "deciles": _plain(judged.deciles),
        "parts": {
            name: {
                "number": int(part.whole.number[0]),
                "recovered": float(part.whole.true[0]),
                "predicted": float(part.whole.predicted[0]),
                "chance": float(part.whole.chance[0]),
                "calibration_error": part.calibration_error,
                "chance_calibration_error": part.chance,
                "worst_decile": worst_decile(part.deciles)[0],
                "worst_decile_err": worst_decile(part.deciles)[1],
            }
            for name, part in judged.parts.items()
        },
    }


def worst_decile(bins: FractionBins) -> tuple[float, float]:
    """Predicted minus true fraction where it is largest in size, and its error by chance."""
    if not np.isfinite(bins.difference).any():
        return float("nan"), float("nan")
    worst = int(np.nanargmax(np.abs(bins.difference)))
    return float(bins.difference[worst]), float(bins.chance[worst])


def curve_rows(curve: LearningCurve) -> list[dict[str, Any]]:
    """Figures of a learning curve, point by point."""
    return [
        {"model": one.name, "stars": one.number, "seconds": one.seconds, **one.scores.figures()}
        for one in curve.points
    ]


def _plain(bins: FractionBins) -> dict[str, Any]:
    names = ("number", "predicted", "true", "true_err", "chance")
    return {name: getattr(bins, name) for name in names}
