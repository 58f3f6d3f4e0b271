"""C24's table 3 as text: chips in columns, methods in rows, the paper's own below."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from statistics import median
from typing import Any

from experiments.c24.results import BOUND, Row
from filar.measure.heldout import CLASSIC

PAPER: Mapping[str, Any] = tomllib.loads(
    files("experiments.c24").joinpath("papers.toml").read_text(encoding="utf-8")
)
NAMES = {
    CLASSIC: "classic",
    "c24-vgg8": "VGG8",
    "filar-centering": "filar's recipe",
    BOUND: "bound",
}
_WIDTH = 13


def table(rows: Sequence[Row]) -> str:
    """The results as text.

    Parameters
    ----------
    rows : sequence of Row
        All of them.

    Returns
    -------
    str
        A table per filter, and speeds.
    """
    filters = dict.fromkeys(row.filter for row in rows)
    blocks = [_block(name, [row for row in rows if row.filter == name]) for name in filters]
    return "\n\n".join([*blocks, _speeds(rows)])


def _block(name: str, rows: Sequence[Row]) -> str:
    chips = list(dict.fromkeys(row.chip for row in rows))
    methods = [method for method in NAMES if any(row.method == method for row in rows)]
    found = {(row.method, row.chip): row for row in rows}

    def line(title: str, value: Callable[[str], str]) -> str:
        return f"{title:24s}" + "".join(f"{value(chip):>{_WIDTH}s}" for chip in chips)

    def lines(text: Callable[[Row], str], but: str = "") -> list[str]:
        return [
            line(NAMES[method], lambda chip, m=method: text(found[m, chip]))
            for method in methods
            if method != but
        ]

    paper = PAPER.get(name, {})
    return "\n".join([
        line(f"{name}; x / y, mpix", str),
        "held out, against labels (table 3)",
        *lines(lambda row: f"{row.x:.1f}/{row.y:.1f}"),
        line("C24, VGG8", lambda c: f"{paper[c][0]:.1f}/{paper[c][1]:.1f}" if c in paper else "-"),
        line("stars", lambda chip: str(found[methods[0], chip].number)),
        line("C24's test samples", lambda c: str(paper[c][2]) if c in paper else "-"),
        "against the truth, after a cubic map per exposure",
        *lines(lambda row: f"{row.true_x:.1f}/{row.true_y:.1f}"),
        "semi-amplitude of the pixel-phase bias",
        *lines(lambda row: f"{row.phase_x:.1f}/{row.phase_y:.1f}", but=BOUND),
        line("error of an amplitude", lambda chip: f"{found[methods[0], chip].phase_err:.1f}"),
    ])  # fmt: skip


def _speeds(rows: Sequence[Row]) -> str:
    lines = ["stars per second and process, training / predicting"]
    for method, name in NAMES.items():
        own = [row for row in rows if row.method == method and row.trained == row.trained]
        if own:
            speeds = (median(row.trained for row in own), median(row.predicted for row in own))
            lines.append(f"{name:24s}{f'{speeds[0]:.0f} / {speeds[1]:.0f}':>{_WIDTH + 4}s}")
    return "\n".join(lines)
