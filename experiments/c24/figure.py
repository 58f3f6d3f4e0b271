"""C24's table 3 as a figure: errors by chip and filter, the paper's beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.c24.results import BOUND, Row
from experiments.c24.table import NAMES, PAPER
from filar.measure.heldout import CLASSIC
from filar.wholefile import whole_file

# Okabe and Ito's colours, told apart by the colour-blind; markers tell too.
STYLES = {
    CLASSIC: {"color": "#D55E00", "marker": "s"},
    "c24-vgg8": {"color": "#0072B2", "marker": "o"},
    "filar-centering": {"color": "#009E73", "marker": "^"},
    BOUND: {"color": "black", "marker": "_"},
}
_PAPER = {"color": "#CC79A7", "marker": "D"}
_APART = 0.13


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw errors against labels above, against the truth below; a column per filter.

    Parameters
    ----------
    rows : sequence of Row
        All of them.
    path : Path
        The PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    filters = list(dict.fromkeys(row.filter for row in rows))
    figure = Figure(figsize=(1.5 + 3.6 * len(filters), 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, len(filters), squeeze=False, sharex="col", sharey=True)
    for j, name in enumerate(filters):
        mine = [row for row in rows if row.filter == name]
        _panel(panels[0, j], mine, ("x", "y"), PAPER.get(name, {}))
        _panel(panels[1, j], mine, ("true_x", "true_y"), {})
        panels[0, j].set_title(name)
        panels[1, j].set_xlabel("chip (x filled, y open)")
    panels[0, 0].set_ylabel("position - label (mpix)")
    panels[1, 0].set_ylabel("position - truth (mpix)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


def _panel(axis: Any, rows: Sequence[Row], names: tuple[str, str], paper: Any) -> None:
    chips = list(dict.fromkeys(row.chip for row in rows))
    methods = [method for method in STYLES if any(row.method == method for row in rows)]
    for k, method in enumerate(methods):
        own = {row.chip: row for row in rows if row.method == method}
        places = np.arange(len(chips)) + _APART * (k - (len(methods)) / 2)
        values = [[getattr(own[chip], name) for chip in chips] for name in names]
        _points(axis, places, values, NAMES[method], STYLES[method])
    if paper:
        known = [(i, paper[chip]) for i, chip in enumerate(chips) if chip in paper]
        places = np.array([i for i, _ in known]) + _APART * len(methods) / 2
        values = [[value[k] for _, value in known] for k in (0, 1)]
        _points(axis, places, values, "C24, VGG8", _PAPER)
    axis.set_xticks(range(len(chips)), chips)
    axis.set_xlim(-0.6, len(chips) - 0.4)
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    levels = [n for n in (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500) if low <= n <= high]
    axis.set_yticks(levels, [str(level) for level in levels])
    axis.minorticks_off()
    axis.grid(axis="y", color="0.9")


def _points(
    axis: Any, places: Any, values: Sequence[Sequence[float]], label: str, style: dict[str, str]
) -> None:
    x, y = values
    axis.plot(places - 0.025, x, ls="", ms=6, label=label, **style)
    axis.plot(places + 0.025, y, ls="", ms=6, mfc="none", **style)
