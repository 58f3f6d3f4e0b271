"""Which camera took a file, and the one function that reads them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments.fits import open_fits, text_from
from filar.instruments.options import ReadOptions
from filar.instruments.sdss import is_frame

CAMERAS = {"WFPC2": "wfpc2", "ACS": "acs", "WFC3": "wfc3", "KEPLER PHOTOMETER": "kepler"}
"""Keyword INSTRUME to the module that reads the camera's files."""


def read_exposures(
    path: str | PathLike[str],
    options: ReadOptions | None = None,
    *,
    gain: float | None = None,
    read_noise: float | None = None,
    saturation: float | None = None,
    exposure_time: float | None = None,
    filter: str | None = None,
    pixel_scale: float | None = None,
    chips: Iterable[str] | str | None = None,
    hdu: int | str | None = None,
    quality: str | PathLike[str] | None = None,
) -> list[Exposure]:
    """Read the exposures in a FITS file, one per chip.

    Parameters
    ----------
    path : path-like
        A file of WFPC2 (``c0f`` with its group table, ``c0m``, or science and quality in one
        file), ACS or WFC3 (``flt``, ``flc``), an SDSS frame, or any other FITS image.
    options : ReadOptions, optional
        The following in one; those given by name take precedence over it.
    gain : float, optional
        Electrons per DN. This and the following take precedence over the file's header.
    read_noise : float, optional
        Electrons.
    saturation : float, optional
        Level at which a pixel counts as saturated, electrons.
    exposure_time : float, optional
        Seconds.
    filter : str, optional
        Name of the filter.
    pixel_scale : float, optional
        Arcsec per pixel.
    chips : iterable of str, optional
        Names of the chips wanted, e.g. ``["PC", "WF3"]``; all where not given.
    hdu : int or str, optional
        The extension that holds the image. The file is then read as a generic image.
    quality : path-like, optional
        The quality file, where it does not lie beside the image under its usual name.

    Returns
    -------
    list of Exposure
        In the order of the file, at least one. A chip without any usable pixel is left out with
        a warning where others are left.

    Raises
    ------
    InputFileError
        If the file cannot be used: absent, no FITS, truncated, no image, wrong shape, nothing
        usable in it, gain or read noise not known, none of the chips wanted.
    ParameterError
        If an option makes no sense.

    Warns
    -----
    UserWarning
        Where a quality file or group table is missing, or something of the kind.
    """
    source = Path(path)
    given = {
        "gain": gain,
        "read_noise": read_noise,
        "saturation": saturation,
        "exposure_time": exposure_time,
        "filter": filter,
        "pixel_scale": pixel_scale,
        "chips": (chips,) if isinstance(chips, str) else None if chips is None else tuple(chips),
        "hdu": hdu,
        "quality": None if quality is None else Path(quality),
    }
    known: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options = replace(options or ReadOptions(), **known)
    with open_fits(source) as hdus:
        exposures: list[Exposure] = _reader(hdus, options).read(source, hdus, options)
    if not exposures:
        raise InputFileError(
            source,
            f"it has none of the chips asked for ({', '.join(options.chips or ())})",
            advice="filar info FILE shows its chips",
        )
    return exposures


def _reader(hdus: Any, options: ReadOptions) -> Any:
    """The module whose ``read`` understands the file."""
    camera = text_from(hdus[0].header, "INSTRUME").upper()
    module = CAMERAS.get(camera, "generic")
    is_flt = any(hdu.name.upper() == "SCI" and hdu is not hdus[0] for hdu in hdus)
    if is_frame(hdus):
        module = "sdss"
    # A drizzled or cut-out image of ACS or WFC3 has another layout: an image like any other.
    if options.hdu is not None or (module in {"acs", "wfc3"} and not is_flt):
        module = "generic"
    return import_module(f"filar.instruments.{module}")
