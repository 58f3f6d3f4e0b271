"""What the exposures' own lists say about the measures of a frame."""

from __future__ import annotations

import numpy as np

from filar.frames.frame import Frame
from filar.frames.starlist import BoolArray, FloatArray, Selection


def measured(frame: Frame, column: str) -> FloatArray:
    """Look a column of the exposures' lists up for every measure of a frame.

    Parameters
    ----------
    frame : Frame
        With m measures.
    column : str
        A column of `StarList`, such as ``x``.

    Returns
    -------
    (m,) array
        In the unit of the list.
    """
    return np.asarray(_looked_up(frame, [getattr(tie.stars, column) for tie in frame.ties]))


def selected(frame: Frame, selection: Selection | None = None) -> BoolArray:
    """Mark the measures that are selected in their exposures, clipped from the mean or not.

    Parameters
    ----------
    frame : Frame
        With m measures.
    selection : Selection, optional
        By default signal-to-noise ratios from 30 and nothing doubtful.

    Returns
    -------
    (m,) bool array
        True for those that are selected.
    """
    chosen = selection or Selection()
    lists = [np.asarray(chosen(tie.stars), float) for tie in frame.ties]
    return np.asarray(_looked_up(frame, lists) > 0)


def well_measured(frame: Frame) -> BoolArray:
    """Mark the measures that entered a mean and are selected: (m,) bool array."""
    return np.asarray(selected(frame) & frame.measures.used)


def _looked_up(frame: Frame, lists: list[FloatArray]) -> FloatArray:
    starts = np.cumsum([0, *map(len, lists)])[:-1]
    if not lists or not len(frame.measures):
        return np.zeros(0)
    return np.concatenate(lists)[starts[frame.measures.tie] + frame.measures.row]
