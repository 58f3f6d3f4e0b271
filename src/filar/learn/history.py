"""What happened in each epoch: a CSV file and TensorBoard events."""

from __future__ import annotations

import csv
from os import PathLike
from pathlib import Path
from typing import Any

from filar.errors import InputFileError
from filar.wholefile import whole_file

NAME = "history.csv"
Row = dict[str, float]


def write_history(folder: Path, rows: list[Row]) -> None:
    """Write the epochs so far as `history.csv`, whole or not at all.

    Parameters
    ----------
    folder : Path
        Of the training.
    rows : list of dict
        One per epoch.

    Raises
    ------
    OutputFileError
        If the file cannot be written.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    with whole_file(folder / NAME) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="nan")
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: str | PathLike[str]) -> list[Row]:
    """Read a `history.csv`.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    list of dict
        One per epoch: epoch, seconds, rate, train_NAME and validation_NAME.

    Raises
    ------
    InputFileError
        If it cannot be read.
    """
    try:
        with Path(path).open(newline="") as stream:
            return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
    except (OSError, ValueError, TypeError) as error:
        raise InputFileError(path, f"cannot read: {error}", "a history of a training") from error


class Events:
    """TensorBoard events in the training's folder; nothing before the first epoch.

    Parameters
    ----------
    folder : Path
        Of the training.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def add(self, row: Row) -> None:
        """Log an epoch; those after it, of a training that was killed, no longer count."""
        epoch = int(row["epoch"])
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(
                str(self._folder / "tensorboard"), purge_step=epoch, flush_secs=10
            )
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(name.replace("_", "/", 1), value, epoch)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
