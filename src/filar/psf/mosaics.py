"""How the chips of Hubble's cameras lie in one STDPSF file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mosaic:
    """How the chips of a camera lie in one file.

    Parameters
    ----------
    instrument : str
        For example ``"WFPC2"``.
    pitch : (int, int)
        Columns and rows from one chip to the next.
    nodes : (int, int)
        PSFs of each chip, in x and y.
    chips : mapping of str to (int, int)
        Column and row of each chip.
    """

    instrument: str
    pitch: tuple[int, int]
    nodes: tuple[int, int]
    chips: Mapping[str, tuple[int, int]]


WFPC2_PITCH = 800
WFPC2_NODES = (50, 425, 800)  # in each chip, from 1
WFPC2_MOSAICS = {
    "anderson": Mosaic(
        "WFPC2", (800, 800), (3, 3), {"PC": (0, 0), "WF2": (1, 0), "WF3": (1, 1), "WF4": (0, 1)}
    ),
    "photutils": Mosaic(
        "WFPC2", (800, 800), (3, 3), {"PC": (1, 1), "WF2": (0, 1), "WF3": (0, 0), "WF4": (1, 0)}
    ),
}
"""Where WFPC2's chips lie: as Anderson's programs have them, and as photutils' reader takes them
(which is how they lie on the sky)."""

# the camera in the name of a file: (instrument, chip or None where the file is a mosaic)
CAMERAS: dict[str, tuple[str, str | None]] = {
    "WFPC2": ("WFPC2", None),
    "ACSWFC": ("ACS", None),
    "ACSHRC": ("ACS", "HRC"),
    "ACSSBC": ("ACS", "SBC"),
    "WFC3UV": ("WFC3", None),
    "WFC3IR": ("WFC3", "IR"),
}
MOSAICS = {
    (9, 10): Mosaic("ACS", (4096, 2048), (9, 5), {"WFC2": (0, 0), "WFC1": (0, 1)}),
    (7, 8): Mosaic("WFC3", (4096, 2048), (7, 4), {"UVIS2": (0, 0), "UVIS1": (0, 1)}),
}
