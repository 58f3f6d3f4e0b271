"""Tables of bare magnitudes, as the matchfake files of the DOLPHOT pipelines: in1 in2 d1 d2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from filar.completeness.table import ArtificialStars, RealStars
from filar.completeness.tables import found_magnitudes, has_magnitude, read_numbers
from filar.errors import InputFileError, ParameterError

_FILTER = re.compile(r"(?<![A-Z0-9])F\d{3,4}(?:LP|[WMNXQ]\d?)(?![A-Z0-9])")


def read_matchfake(
    path: Path, bands: Sequence[str] = (), need: Sequence[str] = ()
) -> ArtificialStars:
    """Read artificial stars: a row has b input magnitudes, then b differences output - input.

    Parameters
    ----------
    path : Path
        Text, numbers between blanks. A difference that is not finite or beyond 9 says "lost".
    bands : sequence of str
        Names of the b bands; by default the filters that the file's name has in it, or
        ``mag1, mag2, ...``.
    need : sequence of str
        Bands in which a star must be found to be recovered; all by default.

    Returns
    -------
    ArtificialStars

    Raises
    ------
    InputFileError
        If the file is missing, empty or ragged, holds text, or not two columns for each band.
    ParameterError
        If a band that is needed is none of them.
    """
    numbers = read_numbers(path)
    if numbers.shape[1] % 2:
        found = f"{numbers.shape[1]} columns"
        raise InputFileError(path, found, "an input magnitude and a difference for each band")
    names = band_names(path, numbers.shape[1] // 2, bands)
    mag_in, delta = np.hsplit(numbers, 2)
    mag_in = np.where(has_magnitude(mag_in), mag_in, np.nan)
    mag_out = found_magnitudes(mag_in, mag_in + delta)
    if unknown := [band for band in need if band not in names]:
        raise ParameterError("cuts", unknown, f"some of the bands {', '.join(names)}")
    needed = [names.index(band) for band in need or names]
    recovered = np.asarray(np.isfinite(mag_out[:, needed]).all(axis=1))
    meta = {"source": path.name, "cuts": {"bands": list(need or names)}}
    return ArtificialStars(names, mag_in, mag_out, recovered, meta=meta)


def read_magnitudes(path: Path, bands: Sequence[str] = ()) -> RealStars:
    """Read real stars: a row has a magnitude for each band.

    Parameters
    ----------
    path, bands
        As in `read_matchfake`.

    Returns
    -------
    RealStars

    Raises
    ------
    InputFileError
        If the file is missing, empty or ragged, or holds text.
    """
    numbers = read_numbers(path)
    names = band_names(path, numbers.shape[1], bands)
    mag = np.where(has_magnitude(numbers), numbers, np.nan)
    return RealStars(names, mag, meta={"source": path.name})


def filters_in(name: str) -> tuple[str, ...]:
    """Find the names of HST's and JWST's filters in the name of a file or column."""
    return tuple(_FILTER.findall(name.upper()))


def band_names(path: Path, number: int, bands: Sequence[str] = ()) -> tuple[str, ...]:
    """Give names to the bands of a file that does not say them.

    Parameters
    ----------
    path : Path
        The file; its name may have the filters in it, as in ``_F555W-F814W.gst.matchfake``.
    number : int
        Number of bands.
    bands : sequence of str
        Their names, if they are known.

    Returns
    -------
    tuple of str

    Raises
    ------
    InputFileError
        If other than that number of names is given.
    """
    if bands:
        if len(bands) != number:
            advice = "name each of the bands once"
            raise InputFileError(path, f"{number} bands", f"{len(bands)}: {list(bands)}", advice)
        return tuple(bands)
    told = filters_in(path.name)
    if len(told) == number and len(set(told)) == number:
        return told
    return tuple(f"mag{i}" for i in range(1, number + 1))
