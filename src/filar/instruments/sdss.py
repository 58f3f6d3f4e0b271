"""SDSS frames: calibrated, sky-subtracted images with what it takes to undo both."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.instruments import sdss_facts as facts
from filar.instruments.assemble import make_exposure
from filar.instruments.fits import image_plane, number_from, open_fits, text_from, warn
from filar.instruments.hst import celestial_wcs, credits, exposure_name
from filar.instruments.options import ReadOptions
from filar.instruments.sdss_mask import read_mask

if TYPE_CHECKING:
    from astropy.time import Time

_SUFFIXES = ("", ".gz", ".bz2")
_SECONDS_PER_DAY = 86400.0
_LAYOUT = "an SDSS frame: image, calibration vector, sky"


@dataclass(frozen=True)
class _Field:
    """Which frame this is."""

    run: int
    column: int
    field: int
    filter: str


def is_frame(hdus: Any) -> bool:
    """Whether an open FITS file is an SDSS frame: of that origin, in nanomaggies."""
    header = hdus[0].header
    unit = text_from(header, "BUNIT").lower()
    return text_from(header, "ORIGIN").upper() == "SDSS" and unit.startswith("nanomagg")


def read(path: Path, hdus: Any, options: ReadOptions) -> list[Exposure]:
    """Read the image of an open SDSS frame.

    The sky is put back and nanomaggies become electrons of a flat-fielded image: every pixel by
    the same factor, the mean of the calibration vector. The mask file (fpM) gives saturated
    pixels, which the survey has replaced by interpolated values, and those interpolated for other
    reasons, which are masked. It is looked for beside the frame, as is the run's photoField
    table, whose gain, dark variance and saturation level take precedence over the published ones.

    Parameters
    ----------
    path : Path
        The file, whose layout the frame's data model gives.
    hdus : astropy.io.fits.HDUList
        The open file.
    options : ReadOptions
        What the caller says; `quality` is the mask file.

    Returns
    -------
    list of Exposure
        One, whose chip is the CCD: filter and camera column, e.g. ``"r2"``. ``meta`` has
        ``ab_zeropoint``, the magnitude of one electron in the whole exposure, and
        ``saturated_values``: ``"interpolated"`` where the mask was read.

    Raises
    ------
    InputFileError
        If calibration or sky is missing or of the wrong shape, or a file beside it is damaged.

    Warns
    -----
    UserWarning
        If there is no mask file: saturated stars then look like fainter ones.
    """
    frame = _field(path, hdus[0].header)
    chip = f"{frame.filter}{frame.column}"
    if not options.wants(chip):
        return []
    header = hdus[0].header
    image = image_plane(path, hdus[0].data, "the frame")
    calibration = _calibration(path, hdus, image.shape[1])
    sky = _sky(path, hdus, (image.shape[0], image.shape[1]))
    gain, variance, level = _detector(path, frame)
    if math.isinf(level):  # simulated frames carry theirs
        level = number_from(header, "SATURATE") or math.inf
    gain = options.gain or gain
    unit = float(calibration.mean())
    # The sky is in raw counts, so the flat field is applied to it as it was to the image.
    electrons = ((image + sky * calibration) * (gain / unit)).astype(np.float32)
    saturated, bad, quality = _masks(path, frame, options, electrons.shape)
    if options.saturation is not None:
        level = options.saturation / gain
        saturated |= electrons >= options.saturation
    wcs = celestial_wcs(header)
    noise = math.sqrt(variance) * gain if options.read_noise is None else options.read_noise
    return [
        make_exposure(
            path,
            electrons,
            bad=bad,
            saturated=saturated,
            edge=np.zeros(electrons.shape, dtype=bool),
            facts={
                "gain": gain,
                "read_noise": noise,
                "saturation": level * gain,
                "exposure_time": number_from(header, "EXPTIME") or math.nan,
                "instrument": "SDSS",
                "chip": chip,
                "filter": frame.filter,
                "name": exposure_name(path),
                "time": _time(header),
                "wcs": wcs,
                "pixel_scale": facts.PIXEL_SCALE,
                "meta": credits(header)
                | {
                    "quality": quality,
                    "units": text_from(header, "BUNIT").upper(),
                    "ab_zeropoint": facts.NANOMAGGY_MAG - 2.5 * math.log10(unit / gain),
                    "saturated_values": "interpolated" if quality else "",
                    "run": frame.run,
                    "field": frame.field,
                },
            },
            options=options,
            grow=False,
        )
    ]


def _field(path: Path, header: Any) -> _Field:
    numbers = [number_from(header, name) for name in ("RUN", "CAMCOL", "FRAME")]
    name = text_from(header, "FILTER").lower()
    if None in numbers or name not in facts.FILTERS or len(name) != 1:
        raise InputFileError(
            path, "which frame it is cannot be told", "RUN, CAMCOL, FRAME and FILTER (ugriz)"
        )
    run, column, field = (int(number or 0) for number in numbers)
    if not 1 <= column <= 6:
        raise InputFileError(path, f"CAMCOL = {column}", "1 to 6")
    return _Field(run, column, field, name)


def _calibration(path: Path, hdus: Any, columns: int) -> NDArray[np.float64]:
    """Nanomaggies per count of every column, the flat field included."""
    data = hdus[1].data if len(hdus) > 1 else None
    if not isinstance(data, np.ndarray) or data.dtype.fields or data.shape != (columns,):
        raise InputFileError(path, "no calibration vector in extension 1", _LAYOUT)
    vector = np.asarray(data, dtype=float)
    if not (np.isfinite(vector) & (vector > 0)).all():
        raise InputFileError(
            path, "a calibration vector with values that are not positive", _LAYOUT
        )
    return vector


def _sky(path: Path, hdus: Any, shape: tuple[int, int]) -> NDArray[np.float64]:
    """The sky that was subtracted, counts: a coarse image and where each pixel lies in it."""
    from scipy.ndimage import map_coordinates

    table = hdus[2].data if len(hdus) > 2 else None
    names = {name.lower(): name for name in getattr(table, "names", None) or ()}
    if not {"allsky", "xinterp", "yinterp"} <= names.keys() or table is None or not len(table):
        raise InputFileError(path, "no sky in extension 2", _LAYOUT)
    coarse = np.squeeze(np.asarray(table[names["allsky"]][0], dtype=float))
    x, y = (np.asarray(table[names[n]][0], dtype=float).ravel() for n in ("xinterp", "yinterp"))
    if coarse.ndim != 2 or (len(y), len(x)) != shape or not np.isfinite(coarse).all():
        raise InputFileError(
            path, f"a sky of shape {coarse.shape} for {len(y)} x {len(x)} pixels", f"{shape}"
        )
    # Off its edges the coarse image goes on with its last values.
    at = np.meshgrid(y, x, indexing="ij")
    return np.asarray(map_coordinates(coarse, at, order=1, mode="nearest"))


def _detector(path: Path, frame: _Field) -> tuple[float, float, float]:
    """Gain (electrons per DN), dark variance (DN squared), saturation level (DN)."""
    published = (
        facts.gain(frame.filter, frame.column, frame.run),
        facts.dark_variance(frame.filter, frame.column, frame.run),
        math.inf,
    )
    table_path = _beside(path, [f"photoField-{frame.run:06d}-{frame.column}.fits"])
    if table_path is None:
        return published
    with open_fits(table_path) as hdus:
        table = hdus[1].data if len(hdus) > 1 else None
        names = {name.lower(): name for name in getattr(table, "names", None) or ()}
        if table is None or not {"field", "gain", "dark_variance"} <= names.keys():
            raise InputFileError(table_path, "no table of fields", "FIELD, GAIN, DARK_VARIANCE")
        rows = np.flatnonzero(np.asarray(table[names["field"]]) == frame.field)
        if not len(rows):
            return published
        band = facts.FILTERS.index(frame.filter)
        columns = [names.get(name) for name in ("gain", "dark_variance", "saturation_level")]
        found = [math.nan if c is None else float(table[c][rows[0]][band]) for c in columns]
    gain, variance, level = (
        value if value > 0 else known for value, known in zip(found, published, strict=True)
    )
    return gain, variance, level


def _masks(
    path: Path, frame: _Field, options: ReadOptions, shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], str]:
    """Saturated pixels, bad ones, and the name of the file that says so."""
    name = f"fpM-{frame.run:06d}-{frame.filter}{frame.column}-{frame.field:04d}.fit"
    mask_path = options.quality or _beside(path, [name, f"{name}s"])
    if mask_path is None:
        warn(path, f"no mask file ({name}): saturated stars look like fainter ones")
        return np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool), ""
    planes = read_mask(mask_path, (shape[0], shape[1]), ("SATUR", "INTERP", "CR"))
    saturated = planes["SATUR"]
    return saturated, (planes["INTERP"] | planes["CR"]) & ~saturated, mask_path.name


def _beside(path: Path, names: Iterable[str]) -> Path | None:
    """A file of the survey in the frame's folder, whatever was put before its name."""
    for name in names:
        for suffix in _SUFFIXES:
            for found in sorted(path.parent.glob(f"*{name}{suffix}")):
                return found
    return None


def _time(header: Any) -> Time | None:
    """When the first row was read, from atomic time in seconds since MJD 0."""
    from astropy.time import Time

    seconds = number_from(header, "TAI")
    if seconds is None or seconds <= 0:
        return None
    return Time(seconds / _SECONDS_PER_DAY, format="mjd", scale="tai").utc
