"""What the headers of Hubble's cameras have in common."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.exposure import BoolImage
from filar.instruments.fits import number_from, text_from

if TYPE_CHECKING:
    from astropy.time import Time
    from astropy.wcs import WCS

_LAYOUT = re.compile(r"_(c0[fmh]|flt|flc|crj|c0f_cvt|raw)$", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(fits?|fts|fit)(\.(gz|bz2|fz))?$", re.IGNORECASE)
_META = {
    "programme": ("PROPOSID",),
    "investigator": ("PR_INV_L",),
    "target": ("TARGNAME", "OBJECT"),
    "rootname": ("ROOTNAME",),
    "date": ("DATE-OBS",),
    "telescope": ("TELESCOP",),
    "origin": ("ORIGIN",),
    "calibration": ("CAL_VER",),
}

_SHORT_FILTER = 3  # characters: g, Rc, g'


def exposure_name(path: Path) -> str:
    """Name of the exposure in a file: the stem without layout suffix.

    Parameters
    ----------
    path : Path
        For example ``u40x010hm_c0f.fits``.

    Returns
    -------
    str
        For example ``u40x010hm``.
    """
    return _LAYOUT.sub("", _SUFFIX.sub("", path.name))


def filter_name(header: Any) -> str:
    """Names of the filters in the beam, joined by ``+``; clear positions are left out.

    Long names are given in capitals; short ones as they are, because r and R are two filters.

    Parameters
    ----------
    header : astropy.io.fits.Header
        With FILTNAM1, FILTNAM2 (WFPC2), FILTER1, FILTER2 (ACS) or FILTER.

    Returns
    -------
    str
        For example ``"F555W"``; empty where no filter is named.
    """
    names: list[str] = []
    for keyword in ("FILTNAM1", "FILTNAM2", "FILTER", "FILTER1", "FILTER2"):
        name = text_from(header, keyword)
        if len(name) > _SHORT_FILTER or name.upper() in {"N/A"}:
            name = name.upper()
        # WFPC2 numbers its filters in FILTER1 and FILTER2: those are no text.
        if name and not name.startswith("CLEAR") and name not in {"NONE", "N/A", *names}:
            names.append(name)
    return "+".join(names)


def start_time(header: Any) -> Time | None:
    """Start of the exposure (UTC).

    Parameters
    ----------
    header : astropy.io.fits.Header
        With EXPSTART or MJD-OBS (days), or DATE-OBS and TIME-OBS or UT.

    Returns
    -------
    Time or None
        None where the header does not say, or not in a form that is understood.
    """
    from astropy.time import Time

    mjd = number_from(header, "EXPSTART", "MJD-OBS", "MJDSTART")
    if mjd is not None and mjd > 0:
        return Time(mjd, format="mjd", scale="utc")
    date = text_from(header, "DATE-OBS", "DATE_OBS")
    clock = text_from(header, "TIME-OBS", "UT", "UTC", "TIME")
    old = re.fullmatch(r"(\d{2})/(\d{2})/(\d{2})", date)
    if old:  # the form before 1999
        date = f"19{old[3]}-{old[2]}-{old[1]}"
    if date and "T" not in date and clock:
        date = f"{date}T{clock}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Time(date, scale="utc") if date else None
    except ValueError:
        return None


def celestial_wcs(header: Any, hdus: Any = None) -> WCS | None:
    """Celestial WCS of an image header.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Of the image.
    hdus : astropy.io.fits.HDUList, optional
        The open file, where look-up tables of the distortion may lie.

    Returns
    -------
    WCS or None
        None where the header has no celestial WCS or one that makes no sense.
    """
    from astropy.wcs import WCS

    if "CTYPE1" not in header or "CRVAL1" not in header:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wcs = WCS(header, fobj=hdus).celestial
            return wcs if wcs.has_celestial and np.all(np.isfinite(wcs.wcs.crval)) else None
        except Exception:  # wcslib's and astropy's many kinds; positions in pixels remain
            return None


def chip_header(primary: Any, extension: Any) -> Any:
    """Keywords of an extension and, where it lacks them, those of the whole file.

    Parameters
    ----------
    primary, extension : astropy.io.fits.Header
        Of the file and of the extension.

    Returns
    -------
    astropy.io.fits.Header
        A new header.
    """
    header = extension.copy()
    header.extend(
        (card for card in primary.cards if card.keyword not in {"", "COMMENT", "HISTORY"}),
        unique=True,
    )
    return header


def scale_of(wcs: WCS | None) -> float:
    """Pixel scale of a WCS, arcsec per pixel; NaN where there is none."""
    if wcs is None:
        return float("nan")
    from astropy.wcs.utils import proj_plane_pixel_area

    return float(np.sqrt(proj_plane_pixel_area(wcs)) * 3600)


def credits(header: Any) -> dict[str, Any]:
    """Programme, target and such things, to show and to credit.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Of the file.

    Returns
    -------
    dict
        Only what the header says.
    """
    found: dict[str, Any] = {}
    for name, keywords in _META.items():
        for keyword in keywords:
            value = header.get(keyword)
            if value is not None and str(value).strip():
                found[name] = value.strip() if isinstance(value, str) else value
                break
    return found


def counts_electrons(header: Any) -> bool:
    """Whether BUNIT says that the values are electrons or electrons per second."""
    return text_from(header, "BUNIT").upper().startswith(("ELECTRON", "E-"))


def to_electrons(
    path: Path, image: NDArray[np.float32], header: Any, gain: float, exposure_time: float | None
) -> NDArray[np.float32]:
    """Convert pixel values to electrons.

    Parameters
    ----------
    path : Path
        The file, for messages.
    image : (ny, nx) float32 array
        As in the file.
    header : astropy.io.fits.Header
        With BUNIT, which may say that the values are rates.
    gain : float
        Electrons per count.
    exposure_time : float or None
        Seconds.

    Returns
    -------
    (ny, nx) float32 array
        Electrons.

    Raises
    ------
    InputFileError
        If the values are rates and the exposure time is not known.
    """
    units = text_from(header, "BUNIT").upper().replace(" ", "")
    if not units.endswith(("/S", "/SEC", "/SECOND", "S-1")):
        return image * np.float32(gain)
    if not exposure_time:
        raise InputFileError(
            path,
            f"values in {text_from(header, 'BUNIT')} and no exposure time",
            "a keyword EXPTIME",
            "give --exptime (seconds)",
        )
    return image * np.float32(gain * exposure_time)


def has_bits(quality: NDArray[Any], bits: int) -> BoolImage:
    """True where any of some quality bits is set.

    Parameters
    ----------
    quality : integer array
        Quality values; negative ones (a 16-bit file's highest bit) are taken bit by bit.
    bits : int
        The bits, added up.

    Returns
    -------
    bool array
        Of the same shape.
    """
    found: BoolImage = (quality.astype(np.int64) & bits) != 0
    return found


def quality_plane(path: Path, data: Any, shape: tuple[int, int], where: str) -> NDArray[np.int64]:
    """Quality values of one chip.

    Parameters
    ----------
    path : Path
        The file, for messages.
    data : array or None
        What the file has; None stands for a constant 0, as Hubble's files omit it.
    shape : (int, int)
        Shape of the image that it belongs to.
    where : str
        The extension's name, for messages.

    Returns
    -------
    (ny, nx) int64 array
        The values.

    Raises
    ------
    InputFileError
        If the shapes differ or the values are no integers.
    """
    if data is None:
        return np.zeros(shape, dtype=np.int64)
    if data.shape != shape:
        raise InputFileError(
            path, f"{where} has the shape {data.shape}", f"the image's shape {shape}"
        )
    if data.dtype.kind not in "iu":
        raise InputFileError(path, f"{where} holds {data.dtype}", "integer quality values")
    return np.asarray(data).astype(np.int64)
