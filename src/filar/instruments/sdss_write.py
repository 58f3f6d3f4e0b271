"""Writing an exposure as an SDSS frame with its mask file, whole or not at all."""

from __future__ import annotations

import math
import re
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import BoolImage, Exposure
from filar.instruments import sdss_facts as facts
from filar.wholefile import whole_file

_NAME = re.compile(r"frame-([ugriz])-(\d{6})-([1-6])-(\d{4})\.fits")
_PLANES = ("INTERP", "SATUR")
_CELL = 8
"""Pixels of the frame per pixel of the coarse sky."""


def write_sdss(exposure: Exposure, path: str | PathLike[str]) -> tuple[Path, Path]:
    """Write an exposure in the layout of SDSS frames, and the mask file that belongs to it.

    What :func:`filar.instruments.read_exposures` reads back has the same counts, masks, saturation
    level, magnitudes, time and WCS. Gain and read noise become those of the CCD; the flat field
    is 1.

    Parameters
    ----------
    exposure : Exposure
        Its ``meta["ab_zeropoint"]`` is the magnitude of one electron.
    path : path-like
        The frame, named as the survey does: ``frame-r-002583-2-0136.fits``.
        Filter, run, camera column and field are taken from the name; the mask file,
        ``fpM-002583-r2-0136.fit``, goes beside it.

    Returns
    -------
    Path, Path
        The frame and the mask file.

    Raises
    ------
    ParameterError
        If the name is another, or the magnitude of one electron is not known.
    OutputFileError
        If a file cannot be written.
    """
    target = Path(path)
    parts = _NAME.fullmatch(target.name)
    if parts is None:
        raise ParameterError("path", str(path), "a name like frame-r-002583-2-0136.fits")
    zero = exposure.meta.get("ab_zeropoint", math.nan)
    if not np.isfinite(zero):
        raise ParameterError("ab_zeropoint", zero, "the magnitude of one electron, in meta")
    name, run, column, field = parts[1], int(parts[2]), int(parts[3]), int(parts[4])
    mask_path = target.with_name(f"fpM-{run:06d}-{name}{column}-{field:04d}.fit")
    cards = {"RUN": run, "CAMCOL": column, "FRAME": field, "FILTER": name}
    unit = exposure.gain * 10 ** (0.4 * (facts.NANOMAGGY_MAG - zero))
    # The frame goes last: where it is, its mask is too.
    with whole_file(mask_path) as temporary:
        _mask_hdus(exposure).writeto(temporary, overwrite=True)
    with whole_file(target) as temporary:
        _frame_hdus(exposure, unit, cards).writeto(temporary, overwrite=True)
    return target, mask_path


def _frame_hdus(exposure: Exposure, unit: float, cards: dict[str, Any]) -> Any:
    from astropy.io import fits

    ny, nx = exposure.shape
    sky = float(np.median(exposure.data[~exposure.unusable])) / exposure.gain
    image = (exposure.data / exposure.gain - sky) * unit
    primary = fits.PrimaryHDU(image.astype(np.float32))
    header = primary.header
    header.update(cards)
    header.update({"ORIGIN": "SDSS", "TELESCOP": "2.5m", "BUNIT": "nanomaggy"})
    if np.isfinite(exposure.saturation):
        header["SATURATE"] = (exposure.saturation / exposure.gain, "counts")
    if np.isfinite(exposure.exposure_time):
        header["EXPTIME"] = exposure.exposure_time
    if exposure.time is not None:
        header["TAI"] = float(exposure.time.tai.mjd) * 86400.0
    if exposure.wcs is not None:
        header.update(exposure.wcs.to_header())
    coarse = np.full((-(-ny // _CELL), -(-nx // _CELL)), sky, dtype=np.float32)
    columns = [
        fits.Column("ALLSKY", f"{coarse.size}E", dim=str(coarse.T.shape), array=coarse[None]),
        fits.Column("XINTERP", f"{nx}E", array=_within(nx)[None]),
        fits.Column("YINTERP", f"{ny}E", array=_within(ny)[None]),
    ]
    calibration = fits.ImageHDU(np.full(nx, unit, dtype=np.float32))
    return fits.HDUList([primary, calibration, fits.BinTableHDU.from_columns(columns)])


def _within(size: int) -> NDArray[np.float32]:
    """Where each pixel lies in the coarse sky."""
    return ((np.arange(size) - (_CELL - 1) / 2) / _CELL).astype(np.float32)


def _mask_hdus(exposure: Exposure) -> Any:
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header["MASKROWS"], primary.header["MASKCOLS"] = exposure.shape
    planes = {"INTERP": exposure.unusable, "SATUR": exposure.saturated}
    hdus = [primary, *(_plane(planes[name]) for name in _PLANES), _plane(np.zeros((1, 1), bool))]
    names = [f"S_MASK_{name}" for name in (*_PLANES, "CR")] + ["S_NMASK_TYPES"]
    columns = [
        fits.Column("defName", "31A", array=["S_MASKTYPE"] * len(names)),
        fits.Column("attributeName", "31A", array=names),
        fits.Column("Value", "J", array=np.arange(len(names))),
    ]
    return fits.HDUList([*hdus, fits.BinTableHDU.from_columns(columns)])


def _plane(mask: BoolImage) -> Any:
    """One object for each row with spans."""
    from astropy.io import fits

    edges = np.diff(mask.astype(np.int8), axis=1, prepend=0, append=0)
    row, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1] - 1
    spans = np.stack([row, first, last], axis=1).astype(">u2")
    rows, starts = np.unique(row, return_index=True)
    cells = np.empty(len(rows), dtype=object)
    for k, part in enumerate(np.split(spans, starts[1:]) if len(rows) else []):
        cells[k] = np.ascontiguousarray(part).view(np.uint8).ravel()
    return fits.BinTableHDU.from_columns([
        fits.Column("nspan", "J", array=np.array([len(cell) // 6 for cell in cells])),
        fits.Column("s", "PB()", array=cells),
    ])  # fmt: skip
