"""Any FITS image whose gain, read noise and saturation the header or the caller gives."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments.assemble import make_exposure
from filar.instruments.fits import image_plane, number_from, text_from
from filar.instruments.hst import (
    celestial_wcs,
    chip_header,
    counts_electrons,
    credits,
    exposure_name,
    filter_name,
    scale_of,
    start_time,
    to_electrons,
)
from filar.instruments.options import ReadOptions

# EGAIN first: where a file has both, GAIN is a setting of the amplifier (amateur cameras).
GAIN_KEYWORDS = ("EGAIN", "GAIN", "ATODGAIN", "CCDGAIN")
READ_NOISE_KEYWORDS = ("RDNOISE", "READNOI", "READNOIS", "RON", "READNSE", "READNSEA")
SATURATION_KEYWORDS = ("SATURATE", "SATLEVEL", "MAXLIN")
TIME_KEYWORDS = ("EXPTIME", "ITIME")


def read(path: Path, hdus: Any, options: ReadOptions) -> list[Exposure]:
    """Read the image of an open FITS file of no particular camera.

    Parameters
    ----------
    path : Path
        The file.
    hdus : astropy.io.fits.HDUList
        The open file.
    options : ReadOptions
        What the caller says; keywords are looked up for the rest.

    Returns
    -------
    list of Exposure
        One, without a chip's name; none if a chip was asked for.

    Raises
    ------
    InputFileError
        If there is no image or one of the wrong shape, or if gain or read noise is not known.
    """
    if not options.wants(""):
        return []
    hdu, where = _image_hdu(path, hdus, options.hdu)
    image = image_plane(path, hdu.data, where)
    shape = (image.shape[0], image.shape[1])
    header = hdu.header if hdu is hdus[0] else chip_header(hdus[0].header, hdu.header)
    gain = _gain(path, header, options)
    read_noise = options.read_noise
    if read_noise is None:
        read_noise = number_from(header, *READ_NOISE_KEYWORDS)
    if read_noise is None or read_noise < 0:
        raise InputFileError(
            path, "no read noise", f"a keyword {', '.join(READ_NOISE_KEYWORDS)}",
            "give --read-noise (electrons)",
        )  # fmt: skip
    exposure_time = options.exposure_time or number_from(header, *TIME_KEYWORDS)
    electrons = to_electrons(path, image, header, gain, exposure_time)
    saturation = options.saturation
    if saturation is None:
        level = number_from(header, *SATURATION_KEYWORDS)
        saturation = level * gain if level is not None and level > 0 else math.inf
    wcs = celestial_wcs(hdu.header, hdus)
    lowest = number_from(header, "BADPIX")
    bad = np.zeros(shape, dtype=bool) if lowest is None else image <= lowest
    return [
        make_exposure(
            path,
            electrons,
            bad=bad,
            saturated=electrons >= saturation,
            edge=np.zeros(shape, dtype=bool),
            facts={
                "gain": gain,
                "read_noise": read_noise,
                "saturation": saturation,
                "exposure_time": exposure_time or math.nan,
                "instrument": text_from(header, "INSTRUME"),
                "filter": filter_name(header),
                "name": exposure_name(path),
                "time": start_time(header),
                "wcs": wcs,
                "pixel_scale": scale_of(wcs),
                "photflam": number_from(header, "PHOTFLAM") or math.nan,
                "photplam": number_from(header, "PHOTPLAM") or math.nan,
                "meta": credits(header)
                | {"quality": "", "units": text_from(header, "BUNIT"), "extension": where},
            },
            options=options,
        )
    ]


def _image_hdu(path: Path, hdus: Any, wanted: int | str | None) -> tuple[Any, str]:
    if wanted is not None:
        try:
            hdu = hdus[wanted]
        except (KeyError, IndexError) as error:
            names = ", ".join(f"{i} {h.name}".strip() for i, h in enumerate(hdus))
            raise InputFileError(path, f"no extension {wanted}", f"one of {names}") from error
        return hdu, f"extension {wanted}"
    for number, hdu in enumerate(hdus):
        if hdu.is_image and hdu.header.get("NAXIS", 0) > 0:
            return hdu, f"extension {number}"
    raise InputFileError(path, "no image in any extension", "a two-dimensional image")


def _gain(path: Path, header: Any, options: ReadOptions) -> float:
    if options.gain is not None:
        return options.gain
    if counts_electrons(header):
        return 1.0
    gain = number_from(header, *GAIN_KEYWORDS)
    if gain is None or gain <= 0:
        raise InputFileError(
            path, "no gain" if gain is None else f"a gain of {gain:g}",
            f"a keyword {', '.join(GAIN_KEYWORDS)}", "give --gain (electrons per DN)",
        )  # fmt: skip
    return gain
