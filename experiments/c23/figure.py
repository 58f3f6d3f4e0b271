"""Error against raster size, after C23's figure 7."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.c23.results import ANY, BOUND, FITTED, TRUE, Row
from experiments.c23.sample import PAPERS
from experiments.c23.table import NAMES, OWN_FITTED, OWN_TRUE, Cell, cells
from filar.wholefile import whole_file

# Okabe and Ito's colours, told apart by the colour-blind; markers tell too.
STYLES = {
    "c23-v1": {"color": "#E69F00", "marker": "s", "ls": "-"},
    "c23-v2": {"color": "#0072B2", "marker": "o", "ls": "-"},
    OWN_TRUE: {"color": "#009E73", "marker": "^", "ls": "-"},
    OWN_FITTED: {"color": "#56B4E9", "marker": "v", "ls": "-"},
    BOUND: {"color": "black", "marker": "", "ls": "--"},
}
LEVELS = {TRUE: {"color": "#CC79A7", "ls": "-."}, FITTED: {"color": "#D55E00", "ls": ":"}}
_LABELS = NAMES | {BOUND: "Cramér-Rao bound"}


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw a panel per sample and chip; x and y are averaged in quadrature.

    Parameters
    ----------
    rows : sequence of Row
        All of them.
    path : Path
        The PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    means = cells(rows)
    magnitudes = list(dict.fromkeys(row.magnitudes for row in rows))
    chips = list(dict.fromkeys(row.chip for row in rows))
    figure = Figure(figsize=(1.5 + 3.6 * len(chips), 1.2 + 2.8 * len(magnitudes)),
                    layout="constrained")  # fmt: skip
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(magnitudes), len(chips), squeeze=False, sharex=True, sharey="row")
    for i, law in enumerate(magnitudes):
        for j, chip in enumerate(chips):
            mine = {key[2:]: cell for key, cell in means.items() if key[:2] == (law, chip)}
            _panel(panels[i, j], mine, PAPERS[law].get(chip))
            low, high = PAPERS[law]["mag"]
            panels[i, j].set_title(f"{law}, {chip}, m = {low:g} to {high:g}", fontsize=9)
    for panel in panels[:, 0]:
        panel.set_ylabel("error of one coordinate (mpix)")
    for panel in panels[-1]:
        panel.set_xlabel("side of the raster (pixels)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(4, 2 * len(chips)), fontsize=8
    )
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


def _panel(axis: Any, cells: dict[tuple[str, int], Cell], paper: Sequence[float] | None) -> None:
    sizes = sorted({size for _, size in cells if size != ANY})
    if paper is not None:
        low, high = paper if paper[0] < paper[1] else (paper[0] - 0.15, paper[1] + 0.15)
        axis.axhspan(low, high, color="0.8", label="C23's text, VGG6")
    for method, style in STYLES.items():
        own = [(size, cells[method, size]) for size in sizes if (method, size) in cells]
        if own:
            axis.errorbar(
                [size for size, _ in own], [both(cell.x, cell.y) for _, cell in own],
                [both(cell.x_spread, cell.y_spread) for _, cell in own],
                ms=5, capsize=2, label=_LABELS[method], **style,
            )  # fmt: skip
    for method, style in LEVELS.items():
        if (method, ANY) in cells:
            cell = cells[method, ANY]
            axis.axhline(both(cell.x, cell.y), label=method, **style)
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    levels = [n for n in (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500) if low <= n <= high]
    axis.set_yticks(levels, [str(level) for level in levels])
    axis.minorticks_off()
    axis.set_xticks(sizes)


def both(x: float, y: float) -> float:
    """Root mean square of both axes."""
    return float(np.hypot(x, y) / np.sqrt(2))
