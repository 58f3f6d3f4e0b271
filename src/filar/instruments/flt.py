"""Hubble's ``flt`` and ``flc`` layout, which ACS and WFC3 share: SCI, ERR, DQ per chip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments.assemble import make_exposure, usable_chips
from filar.instruments.fits import image_plane, number_from, text_from, warn
from filar.instruments.hst import (
    celestial_wcs,
    chip_header,
    counts_electrons,
    credits,
    exposure_name,
    filter_name,
    has_bits,
    quality_plane,
    scale_of,
    start_time,
    to_electrons,
)
from filar.instruments.options import ReadOptions


@dataclass(frozen=True)
class Channel:
    """What is peculiar to one channel of a camera.

    Parameters
    ----------
    instrument : str
        Name of the camera.
    chips : mapping of int to str
        Keyword CCDCHIP to the chip's name.
    amplifiers : mapping of str to str
        Chip's name to the letters of the amplifiers that may read it.
    mask_bits, saturated_bits : int
        Quality bits, added up, that make a pixel unusable or saturated.
    full_well : float
        Level at which pixels saturate, electrons; only for display and simulation, the quality
        bits decide.
    photon_counting : bool
        Without gain and read noise.
    """

    instrument: str
    chips: Mapping[int, str]
    amplifiers: Mapping[str, str]
    mask_bits: int
    saturated_bits: int
    full_well: float
    photon_counting: bool = False


def read_flt(path: Path, hdus: Any, channel: Channel, options: ReadOptions) -> list[Exposure]:
    """Read the chips of an open ``flt`` or ``flc`` file.

    Parameters
    ----------
    path : Path
        The file.
    hdus : astropy.io.fits.HDUList
        The open file.
    channel : Channel
        What is peculiar to the channel.
    options : ReadOptions
        What the caller says.

    Returns
    -------
    list of Exposure
        The chips that are wanted, in the order of the file.

    Raises
    ------
    InputFileError
        If the file has no SCI extension, one of the wrong shape or without usable pixels, or if a
        unit, gain or read noise is missing.
    """
    science = [hdu for hdu in hdus if hdu.name.upper() == "SCI" and hdu.data is not None]
    if not science:
        raise InputFileError(path, "no SCI extension with an image", "an flt or flc file")
    quality = {hdu.ver: hdu for hdu in hdus if hdu.name.upper() == "DQ"}
    wanted = []
    for hdu in science:
        header = chip_header(hdus[0].header, hdu.header)
        chip = channel.chips.get(int(number_from(header, "CCDCHIP") or 1), f"chip{hdu.ver}")
        if options.wants(chip):
            wanted.append((hdu, header, chip))
    return usable_chips(
        path,
        [
            partial(
                _exposure, path, hdus, hdu, quality.get(hdu.ver), header, chip, channel, options
            )
            for hdu, header, chip in wanted
        ],
    )


def _exposure(
    path: Path,
    hdus: Any,
    science: Any,
    quality: Any,
    header: Any,
    chip: str,
    channel: Channel,
    options: ReadOptions,
) -> Exposure:
    image = image_plane(path, science.data, f"SCI extension {science.ver}")
    shape = (image.shape[0], image.shape[1])
    if quality is None:
        warn(path, f"no DQ extension for chip {chip}: bad pixels are not masked")
        bits = np.zeros(shape, dtype=np.int64)
    else:
        bits = quality_plane(path, quality.data, shape, f"DQ extension {science.ver}")
    gain = _count_gain(path, header, channel, options)
    exposure_time = options.exposure_time or number_from(header, "EXPTIME")
    electrons = to_electrons(path, image, header, gain, exposure_time)
    saturated = has_bits(bits, channel.saturated_bits)
    if options.saturation is not None or quality is None:
        saturated |= electrons >= (options.saturation or channel.full_well)
    wcs = celestial_wcs(science.header, hdus)
    return make_exposure(
        path,
        electrons,
        bad=has_bits(bits, channel.mask_bits),
        saturated=saturated,
        edge=np.zeros(shape, dtype=bool),
        facts={
            "gain": gain,
            "read_noise": _read_noise(path, header, chip, channel, options),
            "saturation": options.saturation or channel.full_well,
            "exposure_time": exposure_time or math.nan,
            "instrument": channel.instrument,
            "chip": chip,
            "filter": filter_name(header),
            "name": exposure_name(path),
            "time": start_time(header),
            "wcs": wcs,
            "pixel_scale": scale_of(wcs),
            "photflam": number_from(header, "PHOTFLAM") or math.nan,
            "photplam": number_from(header, "PHOTPLAM") or math.nan,
            "meta": credits(header)
            | {
                "quality": path.name if quality is not None else "",
                "gain_setting": number_from(header, "CCDGAIN"),
                "units": text_from(header, "BUNIT").upper(),
            },
        },
        options=options,
    )


def _count_gain(path: Path, header: Any, channel: Channel, options: ReadOptions) -> float:
    """Electrons per count of the file."""
    if options.gain is not None:
        return options.gain
    if channel.photon_counting or counts_electrons(header):
        return 1.0
    gain = number_from(header, "CCDGAIN")
    if gain is None or gain <= 0:
        raise InputFileError(path, "counts without a gain", "CCDGAIN", "give --gain")
    return gain


def _read_noise(
    path: Path, header: Any, chip: str, channel: Channel, options: ReadOptions
) -> float:
    """Read noise averaged over the amplifiers that read the chip, electrons."""
    if options.read_noise is not None:
        return options.read_noise
    if channel.photon_counting:
        return 0.0
    used = text_from(header, "CCDAMP").upper() or "ABCD"
    letters = [a for a in channel.amplifiers.get(chip, "ABCD") if a in used] or list(used)
    values = [number_from(header, f"READNSE{letter}") for letter in letters]
    known = [value for value in values if value is not None and value > 0]
    if not known:
        raise InputFileError(
            path,
            f"no read noise for chip {chip}",
            "READNSEA to READNSED",
            "give --read-noise (electrons)",
        )
    return float(np.mean(known))
