"""Checkpoints of a training: written whole, read without executing anything."""

from __future__ import annotations

import pickle
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO

from filar.errors import InputFileError
from filar.wholefile import whole_file

NAME = "checkpoint.ckpt"
# What our own callback keeps in a Lightning checkpoint.
KEY = "filar"


class SafeCheckpoints(CheckpointIO):
    """Lightning's checkpoints, only tensors and plain values, never half a file."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | PathLike[str],
        storage_options: Any | None = None,
    ) -> None:
        """Write one; a kill leaves the one before."""
        with whole_file(path) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(
        self,
        path: str | PathLike[str],
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read one, onto the CPU."""
        return read_checkpoint(path)

    def remove_checkpoint(self, path: str | PathLike[str]) -> None:
        """Delete one."""
        Path(path).unlink(missing_ok=True)


def read_checkpoint(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a training's checkpoint.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    dict
        As Lightning makes it, with our own part under `KEY`.

    Raises
    ------
    InputFileError
        If it is no checkpoint of filar's or damaged.
    """
    advice = "delete it to train from the beginning"
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputFileError(path, f"damaged ({reason})", "a checkpoint", advice) from error
    if not isinstance(checkpoint, dict) or KEY not in checkpoint:
        raise InputFileError(path, "not written by filar", "a checkpoint of filar's", advice)
    return checkpoint
