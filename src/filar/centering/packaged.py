"""The models that come with filar."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_GROUPS = {"PC": "pc", "WF2": "wf", "WF3": "wf", "WF4": "wf"}
"""Chips that share a model: the wide-field ones differ by how their pupils lie alone."""


def packaged_model(instrument: str, chip: str, filter_name: str) -> Path | None:
    """Find the model of a camera, chip and filter.

    Parameters
    ----------
    instrument, chip, filter_name : str
        For example ``"WFPC2"``, ``"PC"``, ``"F555W"``.

    Returns
    -------
    Path or None
        A model file; None if there is no model for it.
    """
    if instrument != "WFPC2" or chip not in _GROUPS:
        return None
    name = f"wfpc2-{_GROUPS[chip]}-{filter_name.lower()}.safetensors"
    path = Path(str(files("filar.centering") / "models" / name))
    return path if path.is_file() else None
