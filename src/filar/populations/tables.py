"""Reader of isochrone tables as the PARSEC/CMD web form writes them, 2.7 and later."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.populations.isochrone import IsochroneSet, make_set
from filar.populations.labels import phase_from_labels

FloatArray = NDArray[np.float64]
StrPath = str | PathLike[str]
EXPECTED = "a table of isochrones of the PARSEC/CMD web form (columns Zini logAge Mini logTe ...)"
ADVICE = "make one at http://stev.oapd.inaf.it/cmd, or let 'filar fetch isochrones' do it"
NAMES = {
    "z": ("zini", "z"),
    "log_age": ("logage", "log(age/yr)", "log(age)"),
    "age": ("age", "age/yr", "age(yr)"),
    "mass": ("mini", "m_ini", "m_initial"),
    "log_teff": ("logte", "logteff", "log_te"),
    "logg": ("logg", "log_g"),
    "label": ("label", "stage"),
}
"""What is read, and the names that it has had in the versions of the form, without case."""
NEEDED = ("z", "mass", "log_teff", "logg")
LAST_LABEL = 8
"""Stars of later phases (9, beyond the asymptotic giant branch) are as good as dead."""
FAINTEST = 60.0
"""Fainter magnitudes stand for missing ones (99)."""


def read_isochrones(
    paths: StrPath | Sequence[StrPath], bands: Sequence[str] | None = None
) -> IsochroneSet:
    """Read isochrones from tables of the PARSEC/CMD web form.

    Parameters
    ----------
    paths : path-like or sequence of them
        Text tables, plain or gzipped, of one or several metallicities each; their header, the
        last line that starts with ``#`` before the stars, names the columns.
    bands : sequence of str, optional
        Filters to read, those that all the tables have by default. ``F336W`` is found as
        ``F336Wmag`` too. Magnitudes are taken as they are: absolute, Vega.

    Returns
    -------
    IsochroneSet
        With phases, and so interpolated in age, where the tables have PARSEC's labels.

    Raises
    ------
    InputFileError
        If a file is no such table, or lacks a column or band.
    """
    given = [paths] if isinstance(paths, str | PathLike) else list(paths)
    tables = [_read(Path(path)) for path in given]
    if not tables:
        raise InputFileError("isochrones", "no file was given", EXPECTED, ADVICE)
    shared = [name for name in tables[0].bands if all(name in one.bands for one in tables)]
    wanted = list(bands) if bands is not None else shared
    for table in tables:
        absent = [band for band in wanted if band not in table.bands]
        if absent or not wanted:
            found = f"no magnitudes in {', '.join(absent) or 'bands that all the tables have'}"
            raise InputFileError(table.path, found, f"some of {', '.join(table.bands)}", ADVICE)
    labelled = all("label" in table.columns for table in tables)
    keys = [*NEEDED, "log_age", *(["label"] if labelled else [])]
    joined = {key: np.concatenate([table.columns[key] for table in tables]) for key in keys}
    mags = np.concatenate([table.mags(wanted) for table in tables])
    good = np.isfinite(mags).all(axis=1) & (mags < FAINTEST).all(axis=1)
    if labelled:
        good &= joined["label"] <= LAST_LABEL
    joined = {key: values[good] for key, values in joined.items()}
    source = ", ".join(dict.fromkeys(table.source for table in tables))
    columns = {"mass": joined["mass"], "mags": mags[good], "logg": joined["logg"]}
    columns["teff"] = 10 ** joined["log_teff"]
    if labelled:
        phase = phase_from_labels(joined["z"], joined["log_age"], joined["mass"], joined["label"])
        columns["phase"] = phase
    try:
        return make_set(wanted, source, joined["z"], joined["log_age"], columns)
    except ValueError as error:
        raise InputFileError(tables[0].path, f"too few stars ({error})", EXPECTED) from error


class _Table:
    """The columns of one file."""

    def __init__(self, path: Path, source: str, names: list[str], values: FloatArray) -> None:
        self.path, self.source, self._names, self._values = path, source, names, values
        plain = [name.lower() for name in names]
        self.columns: dict[str, FloatArray] = {}
        for key, known in NAMES.items():
            here = next((plain.index(name) for name in known if name in plain), None)
            if here is not None:
                self.columns[key] = values[:, here]
        if "log_age" not in self.columns and "age" in self.columns:
            self.columns["log_age"] = np.log10(self.columns["age"])
        absent = [key for key in (*NEEDED, "log_age") if key not in self.columns]
        if absent:
            wanted = " and ".join(" or ".join(NAMES[key]) for key in absent)
            found = f"columns {' '.join(names)}; none named {wanted}"
            raise InputFileError(path, found, EXPECTED, ADVICE)
        self.bands = _bands(names)

    def mags(self, bands: Sequence[str]) -> FloatArray:
        """Give magnitudes (rows, bands)."""
        chosen = [self._names.index(self.bands[band]) for band in bands]
        return self._values[:, chosen]


_NO_BANDS = {
    "mact", "m_act", "mass", "logl", "logl/lo", "int_imf", "flum", "mcoretp", "c_o", "c/o",
    "pmode", "mloss", "tau1m", "x", "y", "xc", "xn", "xo", "cexcess",
    "z", "mh", "mbol", "mbolmag", "m_hec", "pm", "logmdot", "mdot",
}  # fmt: skip


def _bands(names: Sequence[str]) -> dict[str, str]:
    """Name the filters, and the columns that have them."""
    other = {name for known in NAMES.values() for name in known} | _NO_BANDS
    found = {}
    for name in names:
        plain = re.sub("mag$", "", name)
        if name.lower() not in other and not re.match("bc_|period", name):
            found[plain] = name
    return found


def _read(path: Path) -> _Table:
    lines = _lines(path)
    first = next((i for i, line in enumerate(lines) if line and not line.startswith("#")), None)
    if first is None:
        raise InputFileError(path, "no line of numbers", EXPECTED, ADVICE)
    names = _header(path, lines[:first])
    rows = [line for line in lines[first:] if line and not line.startswith("#")]
    # a stage without a name (2.x) leaves a line shorter: what stands last is then no number
    stage = names[-1].lower() == "stage"
    names = names[:-1] if stage else names
    extra = len(rows[0].split()) - len(names)
    found = f"lines that do not hold the {len(names)} numbers of the header"
    if extra not in ({0, 1} if stage else {0}):
        raise InputFileError(path, found, EXPECTED, ADVICE)
    try:
        values = np.loadtxt(rows, dtype=float, usecols=range(len(names)), ndmin=2)
    except (ValueError, IndexError) as error:
        raise InputFileError(path, f"{found} ({error})", EXPECTED, ADVICE) from error
    return _Table(path, _source(path, lines[:first]), names, values)


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputFileError(path, f"cannot be read ({error})", EXPECTED) from error
    text = data.decode("utf-8", errors="replace")
    return [line.strip() for line in text.splitlines()]


def _header(path: Path, lines: Sequence[str]) -> list[str]:
    """Find the names of the columns: the last comment that has a mass and a temperature."""
    for line in reversed(lines):
        names = line.lstrip("# \t").split()
        plain = {name.lower() for name in names}
        if plain & set(NAMES["mass"]) and plain & set(NAMES["log_teff"]):
            return names
    found = "no line '# Zini logAge Mini ... logTe ...' before the first line of numbers"
    raise InputFileError(path, found, EXPECTED, ADVICE)


def _source(path: Path, lines: Sequence[str]) -> str:
    for line in lines:
        text = line.lstrip("# \t")
        if re.search("PARSEC|CMD|COLIBRI|Padova", text):
            return text.split(",")[0].split(";")[0].strip()
    return path.name
