"""Samples on disk: one safetensors file with a card; nothing in it is executed."""

from __future__ import annotations

import json
import struct
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.saturation.data import TYPES, Samples
from filar.wholefile import whole_file

FORMAT, VERSION = "filar samples", 1
KEY = "filar"
NAMES = ("columns", "images", "cameras", "filters")
SUFFIX = ".safetensors"
_EXPECTED = "samples as filar writes them (safetensors)"
_ADVICE = "make them again"


def save_samples(path: str | PathLike[str], samples: Samples) -> None:
    """Write samples; the same content gives the same bytes.

    Parameters
    ----------
    path : str or path-like
        The file; written whole or not at all.
    samples : Samples
        The samples.

    Raises
    ------
    ParameterError
        If `meta` holds more than plain values.
    OutputFileError
        If the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    names = {name: list(getattr(samples, name)) for name in NAMES}
    card = {"format": FORMAT, "version": VERSION, "digest": samples.digest(), **names}
    try:
        text = json.dumps({**card, "meta": samples.meta}, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ParameterError("meta", str(error), "plain values: numbers, texts, lists") from error
    arrays = {name: np.ascontiguousarray(getattr(samples, name)) for name in TYPES}
    with whole_file(path) as temporary:
        # Not there, or not allowed: said as for every other file.
        temporary.touch()
        mode = temporary.stat().st_mode
        try:
            save_file(arrays, temporary, {KEY: text})
        except SafetensorError as error:
            raise OutputFileError(path, str(error)) from error
        # What the library writes, nobody else may read.
        temporary.chmod(mode)


def load_samples(path: str | PathLike[str]) -> Samples:
    """Read samples.

    Parameters
    ----------
    path : str or path-like
        As `save_samples` wrote it.

    Returns
    -------
    Samples

    Raises
    ------
    InputFileError
        If it is something else, damaged, or of a newer filar.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = Path(path)
    card = _card(path)
    if card.get("version") != VERSION:
        found = f"samples of version {card.get('version')}"
        raise InputFileError(path, found, f"version {VERSION}", "use the filar that made them")
    try:
        arrays = load_file(path)
        fields: dict[str, Any] = {name: arrays[name] for name in TYPES}
        fields |= {name: tuple(str(one) for one in card[name]) for name in NAMES}
        samples = Samples(**fields, meta=dict(card["meta"]))
    except (SafetensorError, OSError, LookupError, TypeError, ValueError) as error:
        raise InputFileError(path, f"damaged: {error}", _EXPECTED, _ADVICE) from error
    if samples.digest() != card.get("digest"):
        raise InputFileError(path, "damaged: not what was written", _EXPECTED, _ADVICE)
    return samples


def are_samples(path: str | PathLike[str]) -> bool:
    """Tell a file of samples from an image.

    Parameters
    ----------
    path : str or path-like
        Any file.

    Returns
    -------
    bool
        Whether its name ends as theirs do.
    """
    return Path(path).suffix.lower() == SUFFIX


def _card(path: Path) -> dict[str, Any]:
    """What the header says, without the arrays."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = file.read(length) if length < path.stat().st_size else b""
        card = json.loads(json.loads(header)["__metadata__"][KEY])
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputFileError(path, f"cannot read: {reason}", _EXPECTED) from error
    except (struct.error, ValueError, LookupError, TypeError) as error:
        raise InputFileError(path, "something else, or damaged", _EXPECTED, _ADVICE) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise InputFileError(path, "something else of filar's", _EXPECTED, "give samples")
    return card
