"""How the error of the mean catalogue falls with the number of exposures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from filar.flags import Flag
from filar.frames.accuracy import accuracy
from filar.frames.frame import Frame
from filar.frames.mean import solve_frames
from filar.frames.phasebias import lists_without_phase_bias
from filar.frames.spread import well_known
from filar.frames.starlist import StarList
from filar.frames.truemean import mean_errors
from filar.frames.truth import Truth, truth_errors
from filar.robust import robust_rms

NUMBERS = (10, 20, 50, 100, 200)
COLOURS = {"library": "#D55E00", "own": "#0072B2", "true": "#009E73"}
MARKERS = {"library": "s", "own": "o", "true": "^"}


@dataclass(frozen=True)
class MeanError:
    """Robust rms error of the mean positions of stars with S/N >= 30 after a cubic map, mpix.

    `bound` is the median of the mean positions' Cramer-Rao bounds, `ratio` the robust rms of error
    over bound, `alone` the error of stars without another detection within 5 pixels.
    """

    method: str
    chip: str
    exposures: int
    stars: int
    x: float
    y: float
    bound_x: float
    bound_y: float
    ratio_x: float
    ratio_y: float
    alone_x: float
    alone_y: float


def mean_error(name: str, frame: Frame, truth: Truth, exposures: int) -> MeanError:
    """Compare a mean catalogue with the truth."""
    errors = mean_errors(frame, truth, truth_errors(frame, truth), well_known(frame))
    x, y = accuracy(errors, "x"), accuracy(errors, "y")
    mpix = [1000 * value for value in (x.rms, y.rms, x.bound, y.bound)]
    alone = errors.good & ((frame.flags[errors.star] & int(Flag.NEIGHBOUR)) == 0)
    apart = [1000 * robust_rms(values[alone]) for values in (errors.dx, errors.dy)]
    return MeanError(name, frame.chip, exposures, x.number, *mpix, x.ratio, y.ratio, *apart)


def growth(
    lists: Mapping[str, Sequence[StarList]], truth: Truth, numbers: Sequence[int] = NUMBERS
) -> list[MeanError]:
    """Mean catalogues from the first exposures of each set of centres."""
    rows = []
    for method, all_lists in lists.items():
        names = list(dict.fromkeys(stars.exposure for stars in all_lists))
        for number in [n for n in numbers if n <= len(names)]:
            some = [stars for stars in all_lists if stars.exposure in set(names[:number])]
            frames = solve_frames(some)
            rows += [mean_error(method, frame, truth, number) for frame in frames]
            rows += [
                mean_error(f"{method}, bias removed", frame, truth, number)
                for frame in solve_frames(lists_without_phase_bias(some))
            ]
    return rows


def table(rows: Sequence[MeanError]) -> str:
    """The rows as text."""
    head = (
        "chip  exposures  centres                stars  error x, y (mpix)  bound x, y"
        "   over the bound  without neighbours"
    )
    lines = [head]
    for row in sorted(rows, key=lambda r: (r.chip, r.exposures)):
        lines.append(
            f"{row.chip:5s} {row.exposures:5d}      {row.method:22s} {row.stars:5d}"
            f"     {row.x:6.2f} {row.y:6.2f}      {row.bound_x:5.2f} {row.bound_y:5.2f}"
            f"     {row.ratio_x:5.2f} {row.ratio_y:5.2f}"
            f"       {row.alone_x:6.2f} {row.alone_y:6.2f}"
        )
    return "\n".join(lines)


def as_numbers(rows: Sequence[MeanError]) -> list[dict[str, object]]:
    """The rows as plain values, for JSON."""
    return [asdict(row) for row in rows]


def draw(rows: Sequence[MeanError], path: Path) -> None:
    """Draw error against number of exposures, a panel per chip, the bound dashed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    chips = sorted({row.chip for row in rows})
    figure = Figure(figsize=(4.2 * len(chips), 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(1, len(chips), sharey=True))
    for axis, chip in zip(axes, chips, strict=True):
        for method in dict.fromkeys(row.method for row in rows):
            mine = [row for row in rows if row.chip == chip and row.method == method]
            base, removed = method.split(",")[0], "removed" in method
            axis.plot(
                [row.exposures for row in mine],
                [np.hypot(row.x, row.y) / np.sqrt(2) for row in mine],
                color=COLOURS.get(base, "#CC79A7"), marker=MARKERS.get(base, "D"), ms=5,
                ls=":" if removed else "-", mfc="none" if removed else None, label=method,
            )  # fmt: skip
        best = [row for row in rows if row.chip == chip and row.method == "own"]
        axis.plot(
            [row.exposures for row in best],
            [np.hypot(row.bound_x, row.bound_y) / np.sqrt(2) for row in best],
            color="black", ls="--", label="Cramér-Rao bound",
        )  # fmt: skip
        axis.set(xscale="log", yscale="log", title=chip, xlabel="exposures")
        ticks = sorted({row.exposures for row in rows})
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        low, high = axis.get_ylim()
        levels = [level for level in (0.5, 1, 2, 3, 5, 10, 20) if low <= level <= high]
        axis.set_yticks(levels, [f"{level:g}" for level in levels])
        axis.minorticks_off()
    axes[0].set_ylabel("error of the mean position (mpix)")
    axes[-1].legend(fontsize=8)
    figure.savefig(path, dpi=150)
