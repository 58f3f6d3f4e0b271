"""What a terminal shows while a network learns: the last epochs, a bar, the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filar.cli import console

if TYPE_CHECKING:
    from filar.learn.train import Progress

SHOWN = 6
"""Epochs in the table."""


@contextmanager
def progress() -> Iterator[Callable[[Progress], None] | None]:
    """Show a training on a terminal, nothing elsewhere.

    Yields
    ------
    callable or None
        To be called with the trainer's progress; None where nothing is shown.
    """
    if not sys.stderr.isatty() or console.verbosity() < 0:
        yield None
        return
    from rich import progress as bars
    from rich.console import Group
    from rich.live import Live

    bar = bars.Progress(
        bars.BarColumn(),
        bars.TextColumn("{task.percentage:3.0f} %"),
        bars.TimeElapsedColumn(),
        bars.TextColumn("left"),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.description}", markup=False),
    )
    task = bar.add_task("training", total=1.0)
    rows: dict[int, dict[str, float]] = {}
    with Live(console=console.messages(), transient=True, refresh_per_second=4) as live:

        def show(now: Progress) -> None:
            if now.figures:
                rows[now.epoch] = dict(now.figures)
            part = now.step / now.steps if now.steps else 0.0
            running = min(now.epoch + 1, now.epochs)
            text = f"epoch {running} of at most {now.epochs}"
            bar.update(task, completed=(now.epoch + part) / now.epochs, description=text)
            live.update(Group(epochs_table(rows), bar))

        yield show


def epochs_table(rows: dict[int, dict[str, float]]) -> Any:
    """Table of the last epochs: training loss, and all figures of the validation part.

    Parameters
    ----------
    rows : dict of int to dict
        Epochs done to their figures, ``train_NAME`` and ``validation_NAME``.

    Returns
    -------
    rich.table.Table
        At most `SHOWN` rows.
    """
    from rich.table import Table

    last = dict(list(rows.items())[-SHOWN:])
    names = list(dict.fromkeys(name for row in last.values() for name in row))
    names = [n for n in names if n == "train_loss" or n.startswith("validation_")]
    table = Table(box=None, pad_edge=False)
    for name in ("epoch", *names):
        table.add_column(name.replace("_", "\n", 1), justify="right")
    for epoch, row in last.items():
        table.add_row(str(epoch), *(format(row.get(name, float("nan")), ".5g") for name in names))
    return table
