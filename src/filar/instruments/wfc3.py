"""WFC3: the channels UVIS and IR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments.flt import Channel, read_flt
from filar.instruments.options import ReadOptions

UVIS_QUALITY_BITS = {
    1: ("Reed-Solomon decoding error", True),
    2: ("data replaced by fill value", True),
    4: ("bad detector pixel", True),
    8: ("unused", False),
    16: ("hot pixel", True),
    32: ("unstable pixel", True),
    64: ("warm pixel: dark current subtracted, usable", False),
    128: ("bad pixel in the bias frame", True),
    256: ("full-well saturation", False),
    512: ("bad or uncertain flat field", True),
    1024: ("charge trap", True),
    2048: ("analogue-to-digital converter saturated", False),
    4096: ("cosmic ray found by drizzling", True),
    8192: ("cosmic ray found between the parts of a split exposure", True),
    16384: ("ghost or crosstalk", True),
}
"""Quality bit: (meaning, whether it masks); WFC3 Data Handbook, section 3.2. Bits 256 and 2048 go
into the saturation mask."""

IR_QUALITY_BITS = {
    1: ("Reed-Solomon decoding error", True),
    2: ("data replaced by fill value", True),
    4: ("bad detector pixel", True),
    8: ("deviant zero read", True),
    16: ("hot pixel", True),
    32: ("unstable pixel", True),
    64: ("warm pixel: dark current subtracted, usable", False),
    128: ("bad reference pixel", True),
    256: ("full-well saturation", False),
    512: ("blob in the flat field: a few per cent of the light, usable", False),
    1024: ("unused", False),
    2048: ("signal in the zero read: no fault by itself", False),
    4096: ("cosmic ray found by drizzling", True),
    8192: ("cosmic ray found up the ramp: that read was left out, usable", False),
    16384: ("ghost or crosstalk", True),
}
"""The same for the IR channel, where bit 256 alone goes into the saturation mask."""


def _masked(bits: dict[int, tuple[str, bool]]) -> int:
    return sum(bit for bit, (_, masks) in bits.items() if masks)


CHANNELS = {
    "UVIS": Channel(
        "WFC3",
        {1: "UVIS1", 2: "UVIS2"},
        {"UVIS1": "AB", "UVIS2": "CD"},
        _masked(UVIS_QUALITY_BITS),
        256 | 2048,
        63000.0,
    ),
    # READNSEx is the noise of one read; fitting a long ramp gets below it, so errors of faint IR
    # sources come out somewhat too large.
    "IR": Channel("WFC3", {1: "IR"}, {"IR": "ABCD"}, _masked(IR_QUALITY_BITS), 256, 78000.0),
}


def read(path: Path, hdus: Any, options: ReadOptions) -> list[Exposure]:
    """Read the chips of an open WFC3 file; see :func:`filar.instruments.flt.read_flt`."""
    detector = str(hdus[0].header.get("DETECTOR", "")).strip().upper()
    if detector not in CHANNELS:
        raise InputFileError(path, f"DETECTOR = {detector!r}", f"one of {', '.join(CHANNELS)}")
    return read_flt(path, hdus, CHANNELS[detector], options)
