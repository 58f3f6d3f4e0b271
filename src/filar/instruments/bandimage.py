"""Images of one band each on the sky's grid: drizzled, cut out of a mosaic, or simulated."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError
from filar.instruments.fits import image_plane, number_from, open_fits, text_from
from filar.instruments.hst import celestial_wcs, chip_header, credits, filter_name, scale_of
from filar.instruments.vega import knows_filter, vega_zero_point

if TYPE_CHECKING:
    from astropy.wcs import WCS

Image = NDArray[np.float32]

UNITS = ("electrons/s", "electrons", "counts/s", "counts")
"""What pixel values may be."""
TIME_KEYWORDS = ("EXPTIME", "TEXPTIME")
GAIN_KEYWORDS = ("CCDGAIN", "GAIN", "EGAIN", "ATODGAIN")
_SPELLINGS = {
    "ELECTRON": "electrons", "ELECTRONS": "electrons", "E-": "electrons", "E": "electrons",
    "COUNT": "counts", "COUNTS": "counts", "DN": "counts", "ADU": "counts", "CPS": "counts/s",
}  # fmt: skip
_RATE = re.compile(r"(?i)(/S(EC(OND)?)?|\*\*-1|S\^?-1)$")
_FILTER = re.compile(r"\bF\d{3}(?:LP|[WMNX])\b")
_NO_DATA = 5  # pixels on the side of the smallest square of zeros that is no sky


@dataclass(frozen=True)
class BandOptions:
    """What the caller says about a file; None means: as the file says.

    Parameters
    ----------
    filter : str or None
        Name of the filter.
    zero_point : float or None
        Vega magnitude of one electron per second.
    exposure_time : float or None
        Seconds, all exposures together.
    pixel_scale : float or None
        Arcsec.
    unit : str or None
        Of the pixel values, one of `UNITS`.
    gain : float or None
        Electrons per count.
    hdu : int, str or None
        Extension that holds the image.

    Raises
    ------
    ParameterError
        If a value makes no sense.
    """

    filter: str | None = None
    zero_point: float | None = None
    exposure_time: float | None = None
    pixel_scale: float | None = None
    unit: str | None = None
    gain: float | None = None
    hdu: int | str | None = None

    def __post_init__(self) -> None:
        for name in ("exposure_time", "pixel_scale", "gain"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(name, value, "a positive number")
        if self.zero_point is not None and not math.isfinite(self.zero_point):
            raise ParameterError("zero_point", self.zero_point, "a magnitude")
        if self.unit is not None and self.unit not in UNITS:
            raise ParameterError("unit", self.unit, f"one of {', '.join(UNITS)}")


@dataclass(frozen=True, eq=False)
class BandImage:
    """One image in one band.

    Parameters
    ----------
    rate : (ny, nx) float32 array
        Electrons per second in each pixel, sky perhaps subtracted; NaN where unusable.
    filter : str
        For example ``"F336W"``.
    zero_point : float
        Vega magnitude of one electron per second.
    exposure_time : float
        Seconds.
    pixel_scale : float
        Arcsec; NaN if not known.
    wcs : astropy WCS or None
        Celestial, for 0-based pixels.
    instrument : str
        For example ``"WFC3"``; empty if not known.
    path : Path or None
        The file.
    meta : dict
        Programme, target and the like.
    """

    rate: Image
    filter: str
    zero_point: float
    exposure_time: float
    pixel_scale: float = math.nan
    wcs: WCS | None = None
    instrument: str = ""
    path: Path | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rate.shape[0], self.rate.shape[1]

    @property
    def label(self) -> str:
        """Name for messages."""
        return str(self.path) if self.path is not None else f"the image in {self.filter}"


def read_band_image(path: str | PathLike[str], options: BandOptions | None = None) -> BandImage:
    """Read the image of one band.

    Pixels that are NaN, have no weight (extension WHT) or lie in squares of 5 x 5 zeros, which
    drizzling leaves where nothing was observed, are unusable.

    Parameters
    ----------
    path : path-like
        FITS: ``drc``, ``drz``, a mosaic or a piece of one. The image is extension SCI, or the
        first that holds one. Used keywords: BUNIT, EXPTIME, FILTER or PHOTMODE, PHOTFLAM,
        PHOTPLAM, the WCS.
    options : BandOptions, optional
        Takes precedence over the header.

    Returns
    -------
    BandImage

    Raises
    ------
    InputFileError
        If the file cannot be used, or does not say what must be known.
    """
    path, options = Path(path), options or BandOptions()
    with open_fits(path) as hdus:
        hdu, where = _image_hdu(path, hdus, options.hdu)
        image = image_plane(path, hdu.data, where)
        header = hdu.header if hdu is hdus[0] else chip_header(hdus[0].header, hdu.header)
        bad = _without_data(hdus, image)
        wcs = celestial_wcs(hdu.header, hdus)
    if bad.all():
        raise InputFileError(path, "no pixel has data", "an image with values")
    instrument = _instrument(header)
    band = options.filter or _filter(header)
    if not band:
        raise InputFileError(path, "no filter", "a keyword FILTER or PHOTMODE", "give --filter")
    time = options.exposure_time or number_from(header, *TIME_KEYWORDS)
    if time is None or time <= 0:
        raise InputFileError(
            path, "no exposure time", "a keyword EXPTIME", "give --exptime (seconds)"
        )
    factor, gain = _to_rate(path, header, options, time)
    image *= np.float32(factor)
    image[bad] = np.nan
    return BandImage(
        rate=image,
        filter=band,
        zero_point=_zero_point(path, header, options, instrument, band, gain),
        exposure_time=float(time),
        pixel_scale=options.pixel_scale or scale_of(wcs),
        wcs=wcs,
        instrument=instrument,
        path=path,
        meta=credits(header),
    )


def _image_hdu(path: Path, hdus: Any, wanted: int | str | None) -> tuple[Any, str]:
    if wanted is not None:
        try:
            return hdus[wanted], f"extension {wanted}"
        except (KeyError, IndexError) as error:
            names = ", ".join(f"{i} {h.name}".strip() for i, h in enumerate(hdus))
            raise InputFileError(path, f"no extension {wanted}", f"one of {names}") from error
    images = [(i, h) for i, h in enumerate(hdus) if h.is_image and h.header.get("NAXIS", 0) > 1]
    if not images:
        raise InputFileError(path, "no image in any extension", "a two-dimensional image")
    named = [(i, h) for i, h in images if h.name.upper() == "SCI"]
    if len(named) > 1:
        advice = "drizzle it, or name an extension by --hdu"
        raise InputFileError(path, f"{len(named)} extensions SCI", "one image", advice)
    number, hdu = (named or images)[0]
    return hdu, f"extension {number}"


def _without_data(hdus: Any, image: Image) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_opening

    bad = ~np.isfinite(image)
    weights = [h.data for h in hdus if h.name.upper() == "WHT" and h.data is not None]
    if len(weights) == 1 and weights[0].shape == image.shape:
        return np.asarray(bad | ~(weights[0] > 0), bool)
    zero = image == 0
    if zero.any():
        bad |= binary_opening(zero, structure=np.ones((_NO_DATA, _NO_DATA)))
    return np.asarray(bad, bool)


def _instrument(header: Any) -> str:
    """INSTRUME, or the first word of PHOTMODE where pieces of mosaics lack the former."""
    mode = re.split(r"[\s,]+", text_from(header, "PHOTMODE"))[0]
    return (text_from(header, "INSTRUME") or mode).upper()


def _filter(header: Any) -> str:
    name = filter_name(header)
    if name:
        return name
    found = _FILTER.search(text_from(header, "PHOTMODE").upper().replace(",", " "))
    return found.group() if found else ""


def _unit(header: Any, options: BandOptions) -> str:
    if options.unit is not None:
        return options.unit
    text = text_from(header, "BUNIT").upper().replace(" ", "")
    bare = _RATE.sub("", text).rstrip("*/")
    unit = _SPELLINGS.get(bare, "")
    return f"{unit}/s" if unit in ("electrons", "counts") and bare != text else unit


def _to_rate(path: Path, header: Any, options: BandOptions, time: float) -> tuple[float, float]:
    """Factor from pixel values to electrons per second, and electrons per count (1 if not used)."""
    unit = _unit(header, options)
    if not unit:
        shown = text_from(header, "BUNIT")
        found = f"BUNIT = {shown!r}" if shown else "no BUNIT"
        raise InputFileError(path, found, "ELECTRONS/S, ELECTRONS or COUNTS", "give --unit")
    gain = 1.0
    if unit.startswith("counts"):
        known = options.gain or number_from(header, *GAIN_KEYWORDS)
        if known is None or known <= 0:
            raise InputFileError(
                path, "counts and no gain", f"a keyword {', '.join(GAIN_KEYWORDS)}",
                "give --gain (electrons per count)",
            )  # fmt: skip
        gain = known
    return gain / (1.0 if unit.endswith("/s") else time), gain


def _zero_point(
    path: Path, header: Any, options: BandOptions, instrument: str, band: str, gain: float
) -> float:
    if options.zero_point is not None:
        return options.zero_point
    flam, plam = number_from(header, "PHOTFLAM"), number_from(header, "PHOTPLAM")
    advice = "give --zero-point (Vega magnitude of 1 electron/s)"
    if flam is None or plam is None or flam <= 0 or plam <= 0:
        raise InputFileError(path, "no zero point", "keywords PHOTFLAM and PHOTPLAM", advice)
    if not knows_filter(instrument, band):
        found = f"the Vega zero point of {instrument or 'an unnamed camera'} {band} is not known"
        raise InputFileError(path, found, "", advice)
    # PHOTFLAM is that of one count per second.
    return vega_zero_point(instrument, band, flam, plam) + 2.5 * math.log10(gain)
