"""Figures of how clusters are told from backgrounds, and of their visibility."""

from __future__ import annotations

import numpy as np

from filar.clusters.evaluate import Judgement
from filar.clusters.evaluate_detection import THRESHOLD
from filar.report.clusters_facts import AXES, ClustersFacts
from filar.report.clusters_figures import DASHES, running, span
from filar.report.frames_panels import (
    BLACK,
    GREY,
    Dash,
    Figure,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    steps,
    style,
    thinned,
)

_CLOUD = 2100
_BINS = 40


def detection_figures(facts: ClustersFacts) -> list[Figure]:
    """Curves of classification, completeness, probabilities, and visibility.

    Parameters
    ----------
    facts : ClustersFacts
        What was judged.

    Returns
    -------
    list of Figure
        Those for which some method gives something.
    """
    figures = []
    if facts.detectors:
        figures += [_curves(facts), _probabilities(facts)]
    seen = [one for one in facts.methods if np.isfinite(one.snr_miss).any()]
    if seen:
        rows = tuple(_visibility(facts, one) for one in seen)
        note = (
            "Visibility as inferred against the true one: log10 of the signal-to-noise ratio of "
            "the cluster within its half-light radius, all bands together."
        )
        figures.append(Figure("visibility", "Visibility", note, (rows,)))
    return figures


def _style(facts: ClustersFacts, one: Judgement) -> tuple[int, str, Dash]:
    number = facts.number(one.name)
    return number, style(number)[0], DASHES[number % len(DASHES)]


def _curves(facts: ClustersFacts) -> Figure:
    roc: list[Layer] = [Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "by chance", GREY,
                             "dotted", 1.0)]  # fmt: skip
    precision: list[Layer] = []
    found: list[Layer] = [Level(0.5, dash="dotted")]
    areas = []
    for one in facts.detectors:
        own = one.detection
        assert own is not None
        number, colour, dash = _style(facts, one)
        roc.append(Line(own.false_rate, own.true_rate, one.name, colour, dash))
        precision.append(Line(own.recall, own.precisions, "", colour, dash))
        found.append(Line(own.found.at, own.found.fraction, "", colour, dash, 1.2))
        found.append(Marks(own.found.at, own.found.fraction, one.name, number, own.found.error))
        areas.append((f"{own.auc:.3f}", f"{own.average_precision:.3f}"))
    full = (-0.02, 1.02)
    panels = (
        Panel(f"ROC, area {', '.join(a for a, _ in areas)}", "backgrounds taken for clusters",
              "clusters found", tuple(roc), full, full),
        Panel(f"precision, area {', '.join(b for _, b in areas)}", "clusters found",
              "clusters among what was found", tuple(precision), full, full),
        Panel(f"clusters found with p at least {THRESHOLD:g}", f"true {AXES['log_snr']}",
              "part found", tuple(found), None, full),
    )  # fmt: skip
    note = (
        "Left and middle: for all thresholds of the probability of being a cluster. Right: part "
        "of the clusters found against their visibility. The backgrounds are those of the set: "
        "pieces of galaxies, bright places and clusters beside the middle among them."
    )
    return Figure("detection", "Finding clusters", note, (panels,))


def _probabilities(facts: ClustersFacts) -> Figure:
    honest: list[Layer] = [Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "honest", GREY,
                                "dotted", 1.0)]  # fmt: skip
    for one in facts.detectors:
        own = one.detection
        assert own is not None
        number, colour, dash = _style(facts, one)
        honest.append(Line(own.honest.at, own.honest.fraction, "", colour, dash, 1.2))
        honest.append(Marks(own.honest.at, own.honest.fraction, one.name, number, own.honest.error))
    panels = [Panel("honesty", "probability of being a cluster", "part that are clusters",
                    tuple(honest), (-0.02, 1.02), (-0.02, 1.02))]  # fmt: skip
    for true, title in ((True, "clusters"), (False, "backgrounds")):
        layers: list[Layer] = []
        for one in facts.detectors:
            _, colour, dash = _style(facts, one)
            p = np.asarray(one.answer.p_cluster, float)[facts.truth.cluster == true]
            p = p[np.isfinite(p)]
            counts = np.histogram(p, _BINS, (0.0, 1.0))[0]
            share = np.maximum(100 * counts / max(len(p), 1), 1e-3)
            layers.append(Line(*steps(share, 0.0, 1.0), one.name, colour, dash, 1.4))
        panels.append(Panel(title, "probability of being a cluster", "percent in a bin",
                            tuple(layers), (0.0, 1.0), (0.02, 120.0), log=True))  # fmt: skip
    note = (
        "Left: of cutouts with some probability, the part that are clusters, with errors by "
        "chance. Middle and right: how the probabilities are distributed."
    )
    return Figure("probabilities", "Probability of being a cluster", note, (tuple(panels),))


def _visibility(facts: ClustersFacts, one: Judgement) -> Panel:
    true = facts.true["log_snr"]
    told = true + one.snr_miss
    some = thinned(len(true), _CLOUD)
    ends = span(true)
    number = facts.number(one.name)
    layers: list[Layer] = [
        Marks(true[some], told[some], one.name, number, size=2, alpha=0.35, dot=True),
        Line(np.array(ends), np.array(ends), "truth", GREY, "solid", 1.0),
    ]
    centre, sides = running(true, told)
    layers.append(Line(centre, sides[1], "median", BLACK))
    rms = float(np.sqrt(np.nanmean(one.snr_miss**2)))
    axis = AXES["log_snr"]
    return Panel(f"{one.name}: rms {rms:.3f} dex", f"true {axis}", f"inferred {axis}",
                 tuple(layers), ends, ends)  # fmt: skip
