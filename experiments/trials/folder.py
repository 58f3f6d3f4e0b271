"""A folder of an experiment: what is in it was made with the same settings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filar.errors import InputFileError, OutputFileError
from filar.wholefile import whole_file

SETTINGS = "settings.json"


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make an experiment's folder, or see that it was made with these settings.

    Parameters
    ----------
    folder : Path
        The folder.
    settings : mapping
        Plain values on which files depend and which their names do not tell.

    Raises
    ------
    OutputFileError
        If it was made with others, or cannot be written.
    """
    wanted = json.loads(json.dumps(settings))
    path = folder / SETTINGS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    if path.exists():
        found = read_json(path)
        other = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
        if other:
            text = ", ".join(
                f"{name} = {found.get(name)}, not {wanted.get(name)}" for name in other
            )
            raise OutputFileError(folder, f"made with {text}", "choose another folder")
        return
    write_json(path, wanted)


def write_json(path: Path, values: Any) -> None:
    """Write plain values, whole or not at all; what is no number becomes null."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(_known(values), indent=1) + "\n", encoding="utf-8")


def _known(values: Any) -> Any:
    if isinstance(values, Mapping):
        return {name: _known(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_known(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def read_json(path: Path) -> Any:
    """Read them.

    Raises
    ------
    InputFileError
        If the file is damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(path, f"cannot be read: {error}", advice="remove it") from error
