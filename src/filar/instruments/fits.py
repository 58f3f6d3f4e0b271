"""Opening FITS files so that whatever is wrong with one is said in one clear sentence."""

from __future__ import annotations

import bz2
import gzip
import math
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError

_DAMAGED = "fetch the file again"


@contextmanager
def open_fits(path: Path) -> Iterator[Any]:
    """Open a FITS file whose header blocks and data are all there.

    Parameters
    ----------
    path : Path
        The file, plain or compressed by gzip or bzip2.

    Yields
    ------
    astropy.io.fits.HDUList
        Closed when the context ends.

    Raises
    ------
    InputFileError
        If the file is absent, a folder, unreadable, not FITS, or truncated.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning

    source, size = _whole_file(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AstropyWarning)
        try:
            hdus = fits.open(source, memmap=False)
            number = len(hdus)
        except Exception as error:  # astropy raises many kinds
            why = "" if "SIMPLE" in str(error) else f" ({error})"
            raise InputFileError(path, f"not a FITS file{why}", "a FITS image") from error
    with hdus:
        try:
            try:
                _check_complete(path, size, hdus, number, [str(w.message) for w in caught])
            except AttributeError as error:  # what astropy makes of a damaged unit lacks its parts
                found = "a header in it cannot be understood"
                raise InputFileError(path, found, "a FITS image", _DAMAGED) from error
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AstropyWarning)
                yield hdus
        except OSError as error:
            raise InputFileError(path, f"cannot be read ({error})", "", _DAMAGED) from error


def _whole_file(path: Path) -> tuple[Path | BytesIO, int]:
    """What astropy shall open, and how many bytes of FITS that is."""
    if path.is_dir():
        raise InputFileError(path, "is a folder", "a FITS file")
    try:
        with path.open("rb") as stream:
            start = stream.read(3)
            if start[:2] == b"\x1f\x8b":
                content = gzip.decompress(start + stream.read())
            elif start == b"BZh":
                content = bz2.decompress(start + stream.read())
            else:
                content = b""
    except FileNotFoundError as error:
        raise InputFileError(path, "no such file") from error
    except (EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        raise InputFileError(path, f"truncated or damaged ({error})", "", _DAMAGED) from error
    except OSError as error:
        raise InputFileError(path, f"cannot be opened ({error.strerror or error})") from error
    if not start:
        raise InputFileError(path, "the file is empty", "a FITS image", _DAMAGED)
    return (BytesIO(content), len(content)) if content else (path, path.stat().st_size)


def _check_complete(path: Path, size: int, hdus: Any, number: int, messages: list[str]) -> None:
    last = hdus[-1]
    # A file whose last block lacks only its padding is complete for our purposes, so the data's
    # own size counts.
    info = last.fileinfo()
    needed = info["datLoc"] + last.size if info else 0
    if size < needed:
        raise InputFileError(
            path, f"truncated: it has {size} bytes", f"at least {needed}", _DAMAGED
        )
    # Fewer extensions than announced alone is no damage: people cut files into parts.
    announced = hdus[0].header.get("NEXTEND")
    damaged = any("Error validating header" in message for message in messages)
    if damaged and isinstance(announced, int) and number - 1 < announced:
        raise InputFileError(
            path, f"truncated: {number - 1} extensions", f"{announced} (NEXTEND)", _DAMAGED
        )


def number_from(header: Any, *keywords: str) -> float | None:
    """First of several keywords that holds a finite number.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Where to look.
    *keywords : str
        In order of precedence.

    Returns
    -------
    float or None
        None where no keyword holds a number; numbers written as text count.
    """
    for keyword in keywords:
        value = header.get(keyword)
        if isinstance(value, bool) or value is None:
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if math.isfinite(number):
            return number
    return None


def text_from(header: Any, *keywords: str) -> str:
    """First of several keywords that holds non-blank text; ``""`` where none does."""
    for keyword in keywords:
        value = header.get(keyword)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def image_plane(path: Path, data: Any, where: str) -> NDArray[np.float32]:
    """Turn an extension's data into one native float32 image.

    Parameters
    ----------
    path : Path
        The file, for messages.
    data : array or None
        What astropy found in the extension.
    where : str
        The extension's name, for messages.

    Returns
    -------
    (ny, nx) float32 array
        A copy in native byte order.

    Raises
    ------
    InputFileError
        If there is no image or it has not two dimensions (axes of length 1 apart).
    """
    if data is None or not isinstance(data, np.ndarray) or data.dtype.fields:
        raise InputFileError(path, f"{where} holds no image", "a two-dimensional image")
    if data.ndim > 2:
        data = data.reshape([n for n in data.shape if n > 1] or [1, 1])
    if data.ndim != 2 or min(data.shape) < 2:
        raise InputFileError(
            path, f"{where} has the shape {data.shape}", "a two-dimensional image (rows, columns)"
        )
    return np.array(data, dtype=np.float32)


def warn(path: Path | str, text: str) -> None:
    """Warn about a file: the culprit first, then what follows from it."""
    warnings.warn(f"{path}: {text}", UserWarning, stacklevel=2)
