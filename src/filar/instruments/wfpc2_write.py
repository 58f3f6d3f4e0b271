"""Writing exposures in WFPC2's ``c0m``/``c1m`` layout, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import OutputFileError, ParameterError
from filar.exposure import Exposure
from filar.instruments import wfpc2_facts as facts

_CREDITS = {"TARGNAME": "target", "PROPOSID": "programme", "PR_INV_L": "investigator"}
_EDGE_BIT = 2
_BAD_BIT = 32


def write_wfpc2(exposures: Sequence[Exposure], path: str | PathLike[str]) -> tuple[Path, Path]:
    """Write chips of one exposure as a pair of science and quality file.

    What :func:`filar.instruments.read_exposures` reads back has the same pixels, masks, noise
    model, time and WCS. (The reader counts the pixels beyond either end of a bleed trail as
    saturated, and takes the border from the chip's shape.)

    Parameters
    ----------
    exposures : sequence of Exposure
        One per chip, named ``"PC"``, ``"WF2"``, ``"WF3"``, ``"WF4"``, of one filter and exposure
        time. Pixel values are divided by the gain: DN, as BUNIT COUNTS says.
    path : path-like
        The science file; its name ends in ``_c0m.fits``. The quality file, ``_c1m.fits``, goes
        beside it: bit 8 for saturated pixels, 2 for the border, 32 for others that are masked.

    Returns
    -------
    Path, Path
        The science file and the quality file.

    Raises
    ------
    ParameterError
        If the chips are none of WFPC2's, come twice, or do not belong together, or the name ends
        otherwise.
    OutputFileError
        If a file cannot be written.
    """
    science_path = Path(path)
    if not science_path.name.endswith("_c0m.fits"):
        raise ParameterError("path", str(path), "a name that ends in _c0m.fits")
    quality_path = science_path.with_name(science_path.name.removesuffix("_c0m.fits") + "_c1m.fits")
    _check(exposures)
    # The science file goes last: where it is, its quality file is too.
    _write(_quality_hdus(exposures), quality_path)
    try:
        _write(_science_hdus(exposures, science_path), science_path)
    except OutputFileError:
        quality_path.unlink(missing_ok=True)
        raise
    return science_path, quality_path


def _check(exposures: Sequence[Exposure]) -> None:
    chips = [exposure.chip for exposure in exposures]
    if not chips or len(set(chips)) != len(chips) or not set(chips) <= set(facts.CHIPS):
        raise ParameterError("exposures", chips, f"different chips of {', '.join(facts.CHIPS)}")
    for name in ("filter", "exposure_time"):
        values = {repr(getattr(exposure, name)) for exposure in exposures}
        if len(values) > 1:
            raise ParameterError(name, sorted(values), "one and the same for all chips")


def _write(hdus: Any, path: Path) -> None:
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".fits")
        os.close(handle)
        hdus.writeto(temporary, overwrite=True)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # noqa: PTH101 - mkstemp made it private
        os.replace(temporary, path)  # noqa: PTH105
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise OutputFileError(path, error.strerror or str(error)) from error


def _science_hdus(exposures: Sequence[Exposure], path: Path) -> Any:
    from astropy.io import fits

    first = exposures[0]
    primary = fits.PrimaryHDU()
    header = primary.header
    header["ORIGIN"] = ("filar", "written by filar")
    header["FILENAME"] = path.name
    header["FILETYPE"] = ("SCI", "type of data")
    header["INSTRUME"] = "WFPC2"
    header["ROOTNAME"] = str(first.meta.get("rootname", first.name))[:60]
    header["NEXTEND"] = len(exposures)
    header["FILTNAM1"] = (first.filter, "filter")
    header["ATODGAIN"] = (float(_setting(first)), "setting of the converter's gain")
    if np.isfinite(first.exposure_time):
        header["EXPTIME"] = (first.exposure_time, "exposure time (s)")
    if first.time is not None:
        header["EXPSTART"] = (first.time.utc.mjd, "start of the exposure (MJD, UTC)")
        header["DATE-OBS"], _, header["TIME-OBS"] = first.time.utc.isot.partition("T")
    for keyword, name in _CREDITS.items():
        if name in first.meta:
            header[keyword] = first.meta[name]
    hdus = [_science_hdu(exposure, number + 1) for number, exposure in enumerate(exposures)]
    return fits.HDUList([primary, *hdus])


def _setting(exposure: Exposure) -> int:
    """The setting of the converter's gain that is closest to an exposure's gain."""
    setting = exposure.meta.get("gain_setting")
    if setting in facts.GAINS:
        return int(setting)
    return 7 if exposure.gain < 10 else 15


def _science_hdu(exposure: Exposure, version: int) -> Any:
    from astropy.io import fits

    data = (exposure.data / np.float32(exposure.gain)).astype(np.float32)
    hdu = fits.ImageHDU(data, name="SCI", ver=version)
    header = hdu.header
    header["DETECTOR"] = (facts.CHIPS.index(exposure.chip) + 1, exposure.chip)
    header["BUNIT"] = ("COUNTS", "DN")
    header["GAIN"] = (exposure.gain, "electrons per DN")
    header["RDNOISE"] = (exposure.read_noise, "electrons")
    if np.isfinite(exposure.saturation):
        bias = facts.DIGITAL_LIMIT - exposure.saturation / exposure.gain
        header["DEZERO"] = (bias, "bias subtracted (DN)")
    for keyword, value in (("PHOTFLAM", exposure.photflam), ("PHOTPLAM", exposure.photplam)):
        if np.isfinite(value):
            header[keyword] = value
    if exposure.wcs is not None:
        header.extend(exposure.wcs.to_header(relax=True), update=True)
    return hdu


def _quality_hdus(exposures: Sequence[Exposure]) -> Any:
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header["INSTRUME"] = "WFPC2"
    primary.header["FILETYPE"] = ("DQF", "type of data")
    primary.header["NEXTEND"] = len(exposures)
    hdus = [primary]
    for number, exposure in enumerate(exposures):
        bits = np.zeros(exposure.shape, dtype=np.int16)
        bits[exposure.saturated] |= facts.SATURATED_BIT
        bits[exposure.edge] |= _EDGE_BIT
        bits[exposure.mask & ~exposure.edge] |= _BAD_BIT
        hdu = fits.ImageHDU(bits, name="SCI", ver=number + 1)
        hdu.header["DETECTOR"] = facts.CHIPS.index(exposure.chip) + 1
        hdus.append(hdu)
    return fits.HDUList(hdus)
