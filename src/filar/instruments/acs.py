"""ACS: the channels WFC, HRC and SBC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments.flt import Channel, read_flt
from filar.instruments.options import ReadOptions

QUALITY_BITS = {
    1: ("Reed-Solomon decoding error", True),
    2: ("data replaced by fill value", True),
    4: ("bad detector pixel", True),
    8: ("masked by an aperture feature", True),
    16: ("hot pixel", True),
    32: ("unstable hot pixel", True),
    64: ("warm pixel: dark current subtracted, usable", False),
    128: ("bad column in the bias frame", True),
    256: ("full-well saturation", False),
    512: ("bad pixel in a reference file", True),
    1024: ("sink pixel, or in its trail", True),
    2048: ("analogue-to-digital converter saturated", False),
    4096: ("cosmic ray found by drizzling", True),
    8192: ("cosmic ray found between the parts of a split exposure", True),
    16384: ("marked by hand", True),
}
"""Quality bit: (meaning, whether it masks); ACS Data Handbook, section 3.3. Bits 256 and 2048 go
into the saturation mask."""

_SATURATED = 256 | 2048
_MASKED = sum(bit for bit, (_, masks) in QUALITY_BITS.items() if masks)

CHANNELS = {
    "WFC": Channel(
        "ACS", {1: "WFC1", 2: "WFC2"}, {"WFC1": "AB", "WFC2": "CD"}, _MASKED, _SATURATED, 84700.0
    ),
    "HRC": Channel("ACS", {1: "HRC"}, {"HRC": "ABCD"}, _MASKED, _SATURATED, 155000.0),
    "SBC": Channel("ACS", {1: "SBC"}, {}, _MASKED, 0, float("inf"), photon_counting=True),
}


def read(path: Path, hdus: Any, options: ReadOptions) -> list[Exposure]:
    """Read the chips of an open ACS file; see :func:`filar.instruments.flt.read_flt`."""
    detector = str(hdus[0].header.get("DETECTOR", "")).strip().upper()
    if detector not in CHANNELS:
        raise InputFileError(path, f"DETECTOR = {detector!r}", f"one of {', '.join(CHANNELS)}")
    return read_flt(path, hdus, CHANNELS[detector], options)
