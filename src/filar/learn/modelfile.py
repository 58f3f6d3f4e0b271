"""Model files: one safetensors file with a card that says what the model is and where it holds."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ConfigDict, Field, JsonValue, ValidationError

from filar.errors import InputFileError, ParameterError
from filar.learn.recipe import Recipe, explain
from filar.learn.settings import Settings
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

# Raised when older versions of filar could not read the file any more.
FORMAT = 1
# One key only: safetensors writes several in no fixed order.
KEY = "filar"


class Card(Settings):
    """What a model is, what it was trained on and where it holds.

    Attributes
    ----------
    job : str
        Such as "centering".
    recipe : Recipe
        The whole recipe.
    seed : int
        Of the training.
    size : int
        Pixels on a raster's side; 0 if the job has none.
    normalisation : dict
        How inputs are scaled, as the job's networks need it.
    instrument : str
        The camera.
    chips, filters : tuple of str
        Those it was trained for; empty: any.
    bands : tuple of str
        Of a model of completeness: the filters of the magnitudes that it takes.
    magnitudes : str
        Of a model of completeness: "input" or "measured", see `filar.learn.settings`.
    mag_system : str
        Of these magnitudes.
    cuts : dict
        Of a model of completeness: what a star had to pass to count as recovered.
    ranges : dict of str to (low, high)
        Of magnitude, position, sky and PSF state in the training data.
    data : str
        Digest of the training data.
    figures : dict of str to float
        Of the test part.
    versions : dict of str to str
        Of the programs that made it.
    licence : str
        Of the weights.
    notes : str
        Anything else.
    format_version : int
        Of the file.
    """

    # A figure that could not be worked out is NaN.
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=True, ser_json_inf_nan="constants"
    )

    job: str
    recipe: Recipe
    seed: int
    size: int = 0
    normalisation: Mapping[str, float | list[float] | list[str] | str] = Field(default={})
    instrument: str = ""
    chips: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    magnitudes: str = ""
    mag_system: str = ""
    cuts: dict[str, JsonValue] = Field(default={})
    ranges: dict[str, tuple[float, float]] = Field(default={})
    data: str = ""
    figures: dict[str, float] = Field(default={})
    versions: dict[str, str] = Field(default={})
    licence: str = "BSD-3-Clause"
    notes: str = ""
    format_version: int = FORMAT


def versions() -> dict[str, str]:
    """Versions of the programs that make a model, for its card.

    Returns
    -------
    dict of str to str
        By name.
    """
    from importlib.metadata import version

    return {name: version(name) for name in ("filar", "lightning", "numpy", "torch")}


def save_model(
    path: str | PathLike[str], tensors: Mapping[str, Tensor | np.ndarray], card: Card
) -> None:
    """Write a model; the same content gives the same bytes.

    Parameters
    ----------
    path : str or path-like
        The file; written whole or not at all.
    tensors : mapping of str to tensor or array
        Weights and whatever else the model consists of.
    card : Card
        Its card.

    Raises
    ------
    OutputFileError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    arrays = {name: _array(tensor) for name, tensor in sorted(tensors.items())}
    content = {"card": card.model_dump(mode="json"), "digest": _digest(arrays)}
    data = save(arrays, {KEY: json.dumps(content, sort_keys=True)})
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def read_card(path: str | PathLike[str]) -> Card:
    """Read a model's card alone.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    Card
        Checked.

    Raises
    ------
    InputFileError
        If the file is no model of filar's, or made by a newer filar.
    """
    return _parse(Path(path), _read(Path(path)))[0]


def load_model(path: str | PathLike[str], job: str | None = None) -> tuple[dict[str, Tensor], Card]:
    """Read a model; nothing in the file is ever executed.

    Parameters
    ----------
    path : str or path-like
        The file.
    job : str, optional
        What it must be for.

    Returns
    -------
    tensors : dict of str to tensor
        On the CPU.
    card : Card
        Checked.

    Raises
    ------
    InputFileError
        If the file is missing, truncated, damaged, no model of filar's, for another job, or made
        by a newer filar.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = Path(path)
    data = _read(path)
    card, digest = _parse(path, data)
    if job is not None and card.job != job:
        raise InputFileError(path, f"a model for {card.job}", f"one for {job}", "give another")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise InputFileError(
            path, f"truncated or damaged ({error})", "a whole model file", "copy or train it again"
        ) from error
    if _digest({name: _array(tensor) for name, tensor in sorted(tensors.items())}) != digest:
        raise InputFileError(
            path, "damaged: its weights are not those that were written", "", "copy it again"
        )
    return tensors, card


def fill(module: Module, tensors: Mapping[str, Tensor], path: str | PathLike[str]) -> None:
    """Put a model's weights into a network.

    Parameters
    ----------
    module : torch.nn.Module
        Built as the card's recipe says.
    tensors : mapping of str to tensor
        As `load_model` gives them; others than the network's are ignored.
    path : str or path-like
        The file, for messages.

    Raises
    ------
    InputFileError
        If tensors are missing or of other shapes.
    """
    own = module.state_dict()
    missing = sorted(set(own) - set(tensors))
    if missing:
        raise InputFileError(
            path, f"without the tensors {', '.join(missing)}", "all that its recipe's network has"
        )
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            found, expected = tuple(tensors[name].shape), tuple(tensor.shape)
            raise InputFileError(path, f"{name} has the shape {found}", f"{expected}")
    module.load_state_dict({name: tensors[name] for name in own})


def _array(tensor: Tensor | np.ndarray) -> np.ndarray[Any, Any]:
    array = tensor if isinstance(tensor, np.ndarray) else tensor.detach().cpu().numpy()
    return np.array(array, order="C", copy=True)


def _digest(arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputFileError(path, f"cannot read: {reason}", "a model file") from error


def _parse(path: Path, data: bytes) -> tuple[Card, str]:
    """Card and digest of the weights, straight from the header."""
    expected, advice = "a model file of filar (safetensors)", "train one, or give another file"
    if data[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise InputFileError(
            path, "a pickle of Python objects, which is never loaded", expected, advice
        )
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 0
    if len(data) < 8 + length:
        raise InputFileError(path, "truncated, or of another kind", expected, advice)
    try:
        content = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
        card, digest = dict(content["card"]), str(content["digest"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputFileError(path, "no card of filar's in it", expected, advice) from error
    newer = card.get("format_version", 0)
    if isinstance(newer, int) and newer > FORMAT:
        raise InputFileError(
            path, f"format {newer}, of a newer filar", f"format {FORMAT} or older", "update filar"
        )
    try:
        return Card.model_validate(card), digest
    except ValidationError as error:
        raise InputFileError(path, f"its card: {explain(error)}", expected, advice) from error


def check_chip(card: Card, path: str | PathLike[str], **wanted: str) -> None:
    """See that a model is for a camera, chip and filter.

    Parameters
    ----------
    card : Card
        The model's.
    path : str or path-like
        The file, for messages.
    **wanted : str
        instrument, chip, filter; those not given are not checked.

    Raises
    ------
    InputFileError
        If it is for another.
    ParameterError
        If something else is wanted.
    """
    allowed = {
        "instrument": (card.instrument,) if card.instrument else (),
        "chip": card.chips,
        "filter": card.filters,
    }
    for what, value in wanted.items():
        if what not in allowed:
            raise ParameterError("wanted", what, ", ".join(allowed))
        if allowed[what] and value not in allowed[what]:
            found = f"a model for {what} {', '.join(allowed[what])}"
            raise InputFileError(path, found, f"{what} {value}", "give a model for it")
