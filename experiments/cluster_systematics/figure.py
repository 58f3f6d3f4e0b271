"""The figure: bias and coverage of every variant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.cluster_systematics.judge import FloatArray, Judged
from filar.clusters.evaluate_posterior import INTERVALS
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = ("log age (dex)", "A_V (mag)", "log mass (dex)", "log r_h (dex)")


def draw_figure(judged: Sequence[Judged], path: Path) -> None:
    """Draw biases and coverages, a column for each parameter, and how well classes are told.

    Parameters
    ----------
    judged : sequence of Judged
        What was trained on first.
    path : Path
        PNG file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(17, 2.5 + 0.55 * len(judged)), layout="constrained")
    panels = figure.subplots(2, len(LABELS) + 1, sharey=True)
    for k, label in enumerate(LABELS):
        first = judged[0]
        panels[0, k].axvspan(-first.width[k], first.width[k], color="0.93")
        _points(panels[0, k], _column(judged, "bias", k), _column(judged, "bias_err", k), 0.0)
        panels[0, k].set_title(f"bias of {label}", fontsize=10)
        _points(
            panels[1, k], _column(judged, "inside68", k), _column(judged, "inside68_err", k),
            INTERVALS[0],
        )  # fmt: skip
        panels[1, k].set_title(f"coverage of 68%: {label}", fontsize=10)
    accuracy = _column(judged, "accuracy")
    _points(panels[0, -1], accuracy, _column(judged, "accuracy_err"), accuracy[0])
    panels[0, -1].set_title("part of the classes told rightly", fontsize=10)
    domain = _column(judged, "in_domain")
    _points(panels[1, -1], domain, np.zeros(len(domain)), domain[0])
    panels[1, -1].set_title("part of the clusters in the domain", fontsize=10)
    for row in panels:
        row[0].set_yticks(range(len(judged)), [one.name for one in judged], fontsize=9)
    panels[0, 0].invert_yaxis()
    figure.supxlabel("Grey: half widths of the 68% intervals as trained", fontsize=9)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _column(judged: Sequence[Judged], name: str, k: int | None = None) -> FloatArray:
    found = np.array([getattr(one, name) for one in judged], float)
    return found if k is None else found[:, k]


def _points(axes: Axes, values: FloatArray, errors: FloatArray, line: float) -> None:
    places = np.arange(len(values))
    axes.axvline(line, color="C3", lw=1)
    axes.errorbar(values, places, xerr=errors, fmt="none", ecolor="C0", lw=1.5)
    axes.plot(values[1:], places[1:], "o", color="C0", ms=5)
    axes.plot(values[:1], places[:1], "s", color="black", ms=6)
    axes.grid(axis="y", color="0.9")
    axes.tick_params(labelsize=9)
