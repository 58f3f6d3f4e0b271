"""Figures and facts as numbers: what the JSON beside a page holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from filar.report.frames_panels import Cells, Figure, Level, Panel
from filar.wholefile import whole_file

_MOST = 2000


def figure_numbers(figure: Figure) -> list[dict[str, Any]]:
    """What the panels of a figure show, clouds of single stars excepted.

    Parameters
    ----------
    figure : Figure
        The figure.

    Returns
    -------
    list of dict
        One per panel.
    """
    return [_panel_numbers(panel) for row in figure.rows for panel in row]


def _panel_numbers(panel: Panel) -> dict[str, Any]:
    layers = []
    for layer in panel.layers:
        if isinstance(layer, Cells):
            layers.append({"label": layer.title, "x_edges": layer.x_edges,
                           "y_edges": layer.y_edges, "values": layer.values})  # fmt: skip
            continue
        if isinstance(layer, Level) or len(layer.x) > _MOST:
            continue
        entry: dict[str, Any] = {"label": layer.label, "x": layer.x, "y": layer.y}
        for name in ("error", "names"):
            values = getattr(layer, name, None)
            if values is not None and len(values):
                entry[name] = values
        layers.append(entry)
    return {"title": panel.title, "x_label": panel.x_label, "y_label": panel.y_label,
            "layers": layers}  # fmt: skip


def write_numbers(path: Path, numbers: Mapping[str, Any]) -> None:
    """Write strict JSON: six digits, and null for what is not finite.

    Parameters
    ----------
    path : Path
        The file.
    numbers : mapping
        Of mappings, lists, arrays, numbers and text.

    Raises
    ------
    OutputFileError
        If it cannot be written.
    """
    write_text(path, json.dumps(_strict(numbers), indent=1, allow_nan=False))


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    text : str
        Its content.

    Raises
    ------
    OutputFileError
        If it cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _strict(value: Any) -> Any:
    """The same with plain lists, six digits, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(name): _strict(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _strict(value.tolist())
    if isinstance(value, list | tuple):
        return [_strict(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
