"""Stetson's standard fields: magnitudes in ``NAME.pho``, positions in ``NAME.pos``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.table import Table

SUFFIXES = (".pho", ".pos")

# Right ascension and declination in degrees; the sign may stand apart, as in "- 0.862".
_POSITION = re.compile(r"\s*(\d+\.\d*)\s*([+-]?)\s*(\d+\.\d*)\s.*?(\S+)\s*")
_PER_BAND = 4  # magnitude, its error, and two numbers of observations


def read_stetson(path: Path) -> Table:
    """Read a pair of files.

    Parameters
    ----------
    path : Path
        Either of the two; the other lies beside it under the same name.

    Returns
    -------
    Table
        ``name``, ``ra`` and ``dec`` (degrees), for each band B a column ``B`` and its error
        ``B_err``, and ``vary?``, the star's own variation as he gives it. Stars that are in both
        files. 99.999 stays.

    Raises
    ------
    InputFileError
        If one of the files is not there, cannot be understood, or they have no star in common.
    """
    from astropy.table import Table

    pair = {suffix: _beside(path, suffix) for suffix in SUFFIXES}
    places = _positions(pair[".pos"])
    bands, names, values = _photometry(pair[".pho"])
    both = [i for i, name in enumerate(names) if name in places]
    if not both:
        found = f"no star is also in {pair['.pos'].name}"
        raise InputFileError(pair[".pho"], found, "the same names in both files")
    table = Table({"name": [names[i] for i in both]})
    table["ra"], table["dec"] = np.array([places[names[i]] for i in both]).T
    for number, band in enumerate(bands):
        table[band] = values[both, _PER_BAND * number]
        table[f"{band}_err"] = values[both, _PER_BAND * number + 1]
    table["vary?"] = values[both, -1]
    return table


def _beside(path: Path, suffix: str) -> Path:
    for other in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if other.is_file():
            return other
    raise InputFileError(
        path, f"there is no {path.with_suffix(suffix).name} beside it",
        "Stetson's two files, .pho and .pos",
    )  # fmt: skip


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "a text file") from error
    return [line for line in lines if line.strip()]


def _positions(path: Path) -> dict[str, tuple[float, float]]:
    """Names to right ascensions and declinations, degrees."""
    places = {}
    for line in _lines(path):
        match = _POSITION.fullmatch(line)
        if match is None:
            found = f"a line without position and name: {line.strip()[:60]!r}"
            raise InputFileError(path, found, "degrees, degrees, ..., a name")
        ra, sign, dec, name = match.groups()
        places[name] = float(ra), float(sign + dec)
    return places


def _photometry(path: Path) -> tuple[list[str], list[str], np.ndarray[tuple[int, int], np.dtype]]:
    """Bands, names of n stars, and their numbers: four for each band, and the variation."""
    lines = _lines(path)
    words = lines[0].split() if lines else []
    bands = words[1:-1:_PER_BAND]
    if len(words) != _PER_BAND * len(bands) + 2 or not bands or words[2:3] != ["sigma"]:
        expected = "a first line: Reference, and for each band its name, sigma, N, n; vary?"
        raise InputFileError(path, "its first line does not name the bands", expected)
    names, rows = [], []
    for line in lines[1:]:
        name, *numbers = line.split()
        try:
            row = [float(number) for number in numbers]
        except ValueError:
            row = []
        if len(row) != _PER_BAND * len(bands) + 1:
            found = f"a line with other fields than the first names: {line.strip()[:60]!r}"
            raise InputFileError(path, found, f"a name and {_PER_BAND * len(bands) + 1} numbers")
        names.append(name)
        rows.append(row)
    return bands, names, np.array(rows).reshape(len(rows), -1)
