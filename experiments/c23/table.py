"""C23's results as text: rows of networks, columns of raster sizes, the paper's own beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.c23.results import ANY, BOUND, CLASSICS, Row
from experiments.c23.sample import PAPERS
from experiments.trials.training import OURS

OWN_TRUE, OWN_FITTED = f"{OURS}-true", f"{OURS}-fitted"
"""Our recipe, told the true PSF as C23's hst1pass is, and told one fitted to the images."""
NAMES = {
    "c23-v1": "VGG6 V1",
    "c23-v2": "VGG6 V2",
    OWN_TRUE: "filar's, true PSF",
    OWN_FITTED: "filar's, fitted PSF",
}
SHOWN = (*NAMES, BOUND, *CLASSICS)
_WIDTH = 12


@dataclass(frozen=True)
class Cell:
    """Mean over the repeats of one method, sample and size; errors are 0 with a single repeat.

    Parameters
    ----------
    x, y : float
        Mpix.
    x_spread, y_spread : float
        Standard deviations between repeats, C23's error bars, mpix.
    repeats, number : int
        Repeats; stars judged in each, on average.
    """

    x: float
    y: float
    x_spread: float
    y_spread: float
    repeats: int
    number: int


def cells(rows: Sequence[Row]) -> dict[tuple[str, str, str, int], Cell]:
    """Average over the repeats, by magnitudes, chip, method and size."""
    found: dict[tuple[str, str, str, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row.magnitudes, row.chip, row.method, row.size), []).append(row)
    return {key: _cell(some) for key, some in found.items()}


def _cell(rows: Sequence[Row]) -> Cell:
    x, y = np.array([row.x for row in rows]), np.array([row.y for row in rows])
    spread = (float(v.std(ddof=1)) if len(rows) > 1 else 0.0 for v in (x, y))
    number = round(np.mean([row.number for row in rows]))
    return Cell(float(x.mean()), float(y.mean()), *spread, len(rows), number)


def table(rows: Sequence[Row]) -> str:
    """The results as text.

    Parameters
    ----------
    rows : sequence of Row
        All of them.

    Returns
    -------
    str
        A table per sample and chip.
    """
    means = cells(rows)
    samples = list(dict.fromkeys((row.magnitudes, row.chip) for row in rows))
    return "\n\n".join(_block(sample, means) for sample in samples)


def _block(sample: tuple[str, str], means: dict[tuple[str, str, str, int], Cell]) -> str:
    mine = {key[2:]: cell for key, cell in means.items() if key[:2] == sample}
    sizes = sorted({size for _, size in mine if size != ANY})
    magnitudes, chip = sample
    paper = PAPERS[magnitudes]
    low, high = paper["mag"]
    lines = [f"{magnitudes} sample, {chip}, m = {low:g} to {high:g}; error in x / y, mpix"]
    lines.append(f"{'raster':24s}" + "".join(f"{f'{n} x {n}':>{_WIDTH}s}" for n in sizes))
    for method in SHOWN:
        own = [mine.get((method, size)) for size in sizes]
        if any(own):
            text = "".join(f"{_pair(cell):>{_WIDTH}s}" for cell in own)
            lines.append(f"{NAMES.get(method, method):24s}{text}")
        if any(cell and cell.repeats > 1 for cell in own):
            text = "".join(f"{_spread(cell):>{_WIDTH}s}" for cell in own)
            lines.append(f"{'  between repeats, +-':24s}{text}")
        if (method, ANY) in mine:
            lines.append(f"{method:24s}{_pair(mine[method, ANY]):>{_WIDTH}s}  (5 x 5, all stars)")
    first, last = paper.get(chip, (np.nan, np.nan))
    value = f"{first:g}" if first == last else f"{first:g}-{last:g}"
    lines.append(f"{'C23, VGG6':24s}{value:>{_WIDTH}s}  ({paper['said']})")
    judged = [cell.number for (method, _), cell in mine.items() if method in NAMES]
    number = f"{round(np.mean(judged))}" if judged else "none"
    lines.append(f"stars judged per network: {number} (C23: about {paper['evaluated']})")
    return "\n".join(lines)


def _pair(cell: Cell | None) -> str:
    return "" if cell is None else f"{cell.x:.1f}/{cell.y:.1f}"


def _spread(cell: Cell | None) -> str:
    return "" if cell is None or cell.repeats < 2 else f"{cell.x_spread:.1f}/{cell.y_spread:.1f}"
