"""Settings kept beside what was made with them, so that a run only goes on with its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filar.errors import InputFileError, OutputFileError

ADVICE = "choose another folder, or remove this one to start anew"


def check_stored(path: Path, wanted: Mapping[str, Any], kind: str, grows: str) -> None:
    """See that a folder's settings are those wanted; one number may be larger than before.

    Parameters
    ----------
    path : Path
        The file of settings, JSON.
    wanted : mapping
        Plain values.
    kind : str
        What was made, such as "survey", for messages.
    grows : str
        The setting that may grow.

    Raises
    ------
    InputFileError
        If the file cannot be read or holds no settings.
    OutputFileError
        If they are others, or more was made than is wanted.
    """
    expected = f"settings of a {kind}"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(path, f"cannot be read: {error}", expected, ADVICE) from error
    if not isinstance(found, dict):
        raise InputFileError(path, "no settings", expected, ADVICE)
    differences = [
        f"{name} = {found.get(name)} instead of {wanted.get(name)}"
        for name in {**found, **wanted}
        if name != grows and found.get(name) != wanted.get(name)
    ]
    if differences:
        text = f"it holds a {kind} with other settings: " + ", ".join(differences)
        raise OutputFileError(path.parent, text, ADVICE)
    if not isinstance(found.get(grows), int) or found[grows] > wanted[grows]:
        text = f"it holds a {kind} of {found.get(grows)} {grows}, more than asked for"
        raise OutputFileError(path.parent, text, ADVICE)
