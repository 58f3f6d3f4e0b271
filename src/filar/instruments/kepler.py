"""Full-frame images of Kepler: electrons per second, one extension per output of its CCDs."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import InputFileError
from filar.exposure import BoolImage, Exposure, FloatImage
from filar.instruments.assemble import make_exposure, usable_chips
from filar.instruments.ceiling import find_ceiling
from filar.instruments.fits import image_plane, number_from, text_from, warn
from filar.instruments.hst import (
    celestial_wcs,
    chip_header,
    counts_electrons,
    credits,
    exposure_name,
)
from filar.instruments.options import ReadOptions

PIXEL_SCALE = 3.98
"""Arcsec per pixel."""
DARK = 0.98
"""Part of the pixels of a row or column that are far below the sky, beyond the field of view."""


def read(path: Path, hdus: Any, options: ReadOptions) -> list[Exposure]:
    """Read the chips of an open full-frame image of Kepler, or of a part of one.

    The values, electrons per second while the shutterless camera collects light, become electrons
    of all its frames. Pixels outside of the field of view hold zero and are the edge.
    Nothing in the file says where pixels are full: unless the caller does, the level is recognised
    in the image (`filar.instruments.ceiling`), with a warning.

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
        One for each output that is wanted, named as the extension is: ``"MOD.OUT 2.1"``; ``"2.1"``
        will do in `options`.

    Raises
    ------
    InputFileError
        If there is no image, or exposure time or read noise are missing.

    Warns
    -----
    UserWarning
        Where a saturation level was recognised.
    """
    planes = [
        hdu
        for hdu in hdus
        if hdu.is_image and hdu.header.get("NAXIS", 0) > 0 and counts_electrons(hdu.header)
    ]
    if not planes:
        raise InputFileError(path, "no image in electrons/s", "a full-frame image of Kepler")
    return usable_chips(
        path,
        [
            partial(_exposure, path, hdu, chip_header(hdus[0].header, hdu.header), options)
            for hdu in planes
            if options.wants(hdu.name, hdu.name.split()[-1] if hdu.name.split() else "")
        ],
    )


def _exposure(path: Path, hdu: Any, header: Any, options: ReadOptions) -> Exposure:
    image = image_plane(path, hdu.data, hdu.name or "the image")
    seconds = options.exposure_time or _seconds(path, header)
    gain = options.gain or 1.0
    electrons = image * np.float32(seconds * gain)
    edge = _unexposed(image)
    saturation = options.saturation
    if saturation is None:
        level = find_ceiling(electrons, edge)
        saturation = level or math.inf
        if level is not None:
            text = f"{hdu.name}: pixels above {level:.4g} e- are taken for saturated"
            warn(path, f"{text} (flat tops); --saturation says otherwise")
    wcs = celestial_wcs(hdu.header)
    return make_exposure(
        path,
        electrons,
        bad=np.zeros(electrons.shape, dtype=bool),
        saturated=electrons >= saturation,
        edge=edge,
        facts={
            "gain": gain,
            "read_noise": _read_noise(path, header, options),
            "saturation": saturation,
            "exposure_time": seconds,
            "instrument": "Kepler",
            "chip": hdu.name,
            "filter": "",
            "name": exposure_name(path),
            "time": _start(header),
            "wcs": wcs,
            "pixel_scale": PIXEL_SCALE,
            "meta": credits(header) | {"quality": "", "units": text_from(header, "BUNIT").upper()},
        },
        options=options,
    )


def _seconds(path: Path, header: Any) -> float:
    """Time in which light was collected, in all frames that were added up."""
    each, frames = number_from(header, "INT_TIME"), number_from(header, "NUM_FRM")
    if each and frames and each * frames > 0:
        return each * frames
    days = number_from(header, "EXPOSURE")
    if days and days > 0:
        return days * 86400.0
    raise InputFileError(
        path, "no exposure time", "INT_TIME and NUM_FRM, or EXPOSURE", "give --exptime (seconds)"
    )


def _read_noise(path: Path, header: Any, options: ReadOptions) -> float:
    """Of all frames together, electrons."""
    if options.read_noise is not None:
        return options.read_noise
    once = number_from(header, "READNOIS")
    if once is None or once < 0:
        raise InputFileError(path, "no read noise", "READNOIS", "give --read-noise (electrons)")
    frames = number_from(header, "NREADOUT", "NUM_FRM") or 1.0
    return once * math.sqrt(max(frames, 1.0))


def _start(header: Any) -> Any:
    """Start of the exposure: the time scale is that of the solar system's barycentre."""
    from astropy.time import Time

    day = number_from(header, "MJDSTART")
    return None if day is None else Time(day, format="mjd", scale="utc")


def _unexposed(image: FloatImage) -> BoolImage:
    """Rows and columns beyond the field of view: far below the sky all along."""
    sky = float(np.nanmedian(image))
    dark = np.zeros(image.shape, dtype=bool)
    if sky <= 0:
        return dark
    low = np.nan_to_num(image) < 0.5 * sky
    dark |= (low.mean(axis=1) > DARK)[:, None]
    rows = ~dark[:, 0]
    if rows.any():
        dark |= (low[rows].mean(axis=0) > DARK)[None, :]
    return dark
