"""WFPC2: the old cube with group table, ``c0m``, and files that hold science and quality."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments import wfpc2_facts as facts
from filar.instruments.assemble import make_exposure, usable_chips
from filar.instruments.fits import number_from, text_from
from filar.instruments.hst import (
    celestial_wcs,
    credits,
    exposure_name,
    filter_name,
    has_bits,
    start_time,
)
from filar.instruments.options import ReadOptions
from filar.instruments.wfpc2_edge import FULL, wfpc2_edge
from filar.instruments.wfpc2_layout import Plane, read_planes


def read(path: Path, hdus: Any, options: ReadOptions) -> list[Exposure]:
    """Read the chips of an open WFPC2 file.

    Parameters
    ----------
    path : Path
        The file.
    hdus : astropy.io.fits.HDUList
        The open file.
    options : ReadOptions
        What the caller says.

    Returns
    -------
    list of Exposure
        The chips that are wanted, in the order of the file.

    Raises
    ------
    InputFileError
        If the file has no image, one of the wrong shape or without usable pixels.
    """
    planes = read_planes(path, hdus, options.quality)
    return usable_chips(
        path,
        [
            partial(_exposure, path, plane, options)
            for plane in planes
            if _wanted(plane.chip, options)
        ],
    )


def _wanted(chip: str, options: ReadOptions) -> bool:
    """Whether a chip is wanted; ``PC1`` and plain numbers are understood as well."""
    return options.wants(chip, str(facts.CHIPS.index(chip) + 1), "PC1" if chip == "PC" else chip)


def _exposure(path: Path, plane: Plane, options: ReadOptions) -> Exposure:
    header, chip = plane.header, plane.chip
    setting = _gain_setting(path, header, options)
    gain = options.gain or number_from(header, "GAIN") or facts.GAINS[setting][chip]
    read_noise = options.read_noise
    if read_noise is None:
        read_noise = number_from(header, "RDNOISE")
    if read_noise is None:
        read_noise = facts.READ_NOISES[setting][chip]
    units = text_from(header, "BUNIT").upper()
    electrons = plane.data if units.startswith("ELECTRON") else plane.data * np.float32(gain)
    bias = number_from(header, "DEZERO")
    level = (facts.DIGITAL_LIMIT - (facts.TYPICAL_BIAS if bias is None else bias)) * gain
    saturation, saturated = _saturation(plane, electrons, level, gain, options)
    bad = (
        np.zeros(electrons.shape, dtype=bool)
        if plane.quality is None
        else has_bits(plane.quality, facts.MASK_BITS)
    )
    name = filter_name(header)
    binning = 2 if electrons.shape == (FULL // 2, FULL // 2) else 1
    return make_exposure(
        path,
        electrons,
        bad=bad,
        saturated=saturated,
        edge=wfpc2_edge(chip, (electrons.shape[0], electrons.shape[1])),
        facts={
            "gain": gain,
            "read_noise": read_noise,
            "saturation": saturation,
            "exposure_time": number_from(header, "EXPTIME") or math.nan,
            "instrument": "WFPC2",
            "chip": chip,
            "filter": name,
            "name": exposure_name(path),
            "time": start_time(header),
            "wcs": celestial_wcs(header),
            "pixel_scale": facts.PIXEL_SCALES[chip] * binning,
            "photflam": number_from(header, "PHOTFLAM") or math.nan,
            "photplam": number_from(header, "PHOTPLAM") or math.nan,
            "vega_zeropoint": facts.vega_zeropoint(options.filter or name, chip, setting),
            "meta": credits(header)
            | {
                "quality": plane.quality_name,
                "gain_setting": setting,
                "units": units or "COUNTS",
                "full_well": facts.FULL_WELL,
            },
        },
        options=options,
    )


def _gain_setting(path: Path, header: Any, options: ReadOptions) -> int:
    setting = number_from(header, "ATODGAIN")
    if setting is not None and int(setting) in facts.GAINS:
        return int(setting)
    if options.gain is not None:
        return 7 if options.gain < 10 else 15
    raise InputFileError(
        path,
        "no ATODGAIN" if setting is None else f"ATODGAIN = {setting:g}",
        "ATODGAIN = 7 or 15",
        "give --gain (electrons per DN)",
    )


def _saturation(
    plane: Plane, electrons: Any, level: float, gain: float, options: ReadOptions
) -> tuple[float, Any]:
    """The saturation level in electrons and the pixels that reach it."""
    if options.saturation is not None:
        return options.saturation, electrons >= options.saturation
    if plane.quality is None:
        return level * facts.FLAT_MARGIN, electrons >= level * facts.FLAT_MARGIN
    # Nothing that the converter can give lies above its limit with the bias left in.
    beyond = electrons > facts.DIGITAL_LIMIT * gain
    return level, has_bits(plane.quality, facts.SATURATED_BIT) | beyond
