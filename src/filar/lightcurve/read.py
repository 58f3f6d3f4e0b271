"""Reading the catalogues of `filar measure`: which images they hold, when and with what."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filar.catalogfile import read_catalog, read_meta
from filar.errors import FilarError, InputFileError
from filar.frames.columns import Columns, read_columns
from filar.lightcurve.images import Images, Measures

Progress = Callable[[float, str], None]
Facts = Mapping[str, Any]
_NEEDED = ["exposure", "x_fit", "y_fit", "mag"]
_WANTED = ["chip", "filter", "method", "ra", "dec", "mag_err", "flux_fit", "flags"]
_NO_TIME = "start and length of exposures in their headers, or --images TABLE"


@dataclass(frozen=True, eq=False)
class Observed:
    """All that was read.

    Parameters
    ----------
    images : Images
        The images.
    measures : Measures
        Their rows; ``star`` is -1 everywhere.
    errors : tuple of str
        A line for each file, or image of one, that cannot be used.
    """

    images: Images
    measures: Measures
    errors: tuple[str, ...] = ()


def read_observed(
    paths: Sequence[str | os.PathLike[str]],
    *,
    method: str | None = None,
    facts: Mapping[str, Facts] | None = None,
    progress: Progress | None = None,
) -> Observed:
    """Read the catalogues of any number of exposures, cameras and filters.

    Parameters
    ----------
    paths : sequence of path-like
        Catalogues of `filar measure`: ``.ecsv``, ``.fits`` or ``.parquet``.
    method : str, optional
        Take only what this method measured.
    facts : mapping, optional
        Exposure to what is known of it (``mjd``, ``camera``, ``filter``), see `read_facts`; takes
        precedence over the catalogues.
    progress : callable, optional
        Called with the part done, 0 to 1, and a text.

    Returns
    -------
    Observed
        An image without a time, and one that was given before, is left out with a line.
    """
    parts: list[tuple[dict[str, Any], Measures]] = []
    errors: list[str] = []
    seen: dict[tuple[str, ...], str] = {}
    for i, path in enumerate(map(Path, paths)):
        if progress is not None:
            progress(i / len(paths), f"reading {path.name}")
        try:
            found = _read_file(path, method, facts or {})
        except FilarError as error:
            errors.append(str(error))
            continue
        untimed = [one["name"] for one, _ in found if not np.isfinite(one["mjd"])]
        if untimed:
            errors.append(str(_without_time(path, untimed)))
        for one, rows in found:
            key = (one["name"], one["camera"], one["filter"])
            if key in seen:
                errors.append(f"{path}: exposure {one['name']} is in {seen[key]} already")
            elif np.isfinite(one["mjd"]):
                seen[key] = str(path)
                parts.append((one, rows))
    return Observed(*_joined(parts), tuple(errors))


def _without_time(path: Path, names: list[str]) -> InputFileError:
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return InputFileError(path, f"the time of {some} is not known", _NO_TIME)


def _joined(parts: list[tuple[dict[str, Any], Measures]]) -> tuple[Images, Measures]:
    names = ("name", "camera", "filter", "source")
    texts = {key: tuple(str(one[key]) for one, _ in parts) for key in names}
    numbers = {key: np.array([one[key] for one, _ in parts], float) for key in ("mjd", "scale")}
    numbered = []
    for i, (_, rows) in enumerate(parts):
        rows.image[:] = i
        numbered.append(rows)
    empty = _measures({name: np.zeros(0) for name in _NEEDED}, slice(0, 0))
    images = Images(
        texts["name"], texts["camera"], texts["filter"], numbers["mjd"], numbers["scale"],
        texts["source"],
    )  # fmt: skip
    return images, Measures.joined([empty, *numbered])


def _read_file(
    path: Path, method: str | None, known: Mapping[str, Facts]
) -> list[tuple[dict[str, Any], Measures]]:
    columns = read_columns(path, _NEEDED, _WANTED)
    if not len(columns["x_fit"]):
        raise InputFileError(path, "it holds no stars", "one or more")
    rows = np.arange(len(columns["x_fit"]))
    if method is not None:
        rows = np.flatnonzero(_texts(columns, "method") == method)
        if not len(rows):
            found = ", ".join(sorted({str(v) for v in columns.get("method:values", []) if v}))
            raise InputFileError(path, f"nothing in it was measured by {method}", f"one of {found}")
    entries = [e for e in read_meta(path).get("exposures", []) if isinstance(e, Mapping)]
    about = {(e.get("exposure", ""), e.get("chip", "")): e for e in entries}
    several = len({chip for _, chip in about}) > 1
    exposure, chip, band = (_texts(columns, name)[rows] for name in ("exposure", "chip", "filter"))
    keys, inverse = np.unique(np.stack([exposure, chip, band]), axis=1, return_inverse=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    borders = np.searchsorted(inverse.ravel()[order], np.arange(keys.shape[1] + 1))
    images = []
    for k in range(keys.shape[1]):
        name, chip_name, filter_name = (str(text) for text in keys[:, k])
        facts = about.get((name, chip_name), {})
        mine = rows[order[borders[k] : borders[k + 1]]]
        image = _image(facts, known.get(name, {}), name, chip_name, filter_name, several)
        images.append((image | {"source": str(path)}, _measures(columns, mine)))
    return images


def _image(
    facts: Facts, known: Facts, name: str, chip: str, band: str, several: bool
) -> dict[str, Any]:
    instrument = str(facts.get("instrument") or "")
    camera = " ".join(part for part in (instrument, chip) if part)
    return {
        "name": f"{name} {chip}".strip() if several else name,
        "camera": str(known.get("camera") or camera),
        "filter": str(known.get("filter") or band or facts.get("filter") or ""),
        "mjd": float(known.get("mjd", np.nan)) if "mjd" in known else _mid_mjd(facts),
        "scale": _number(facts.get("pixel_scale_arcsec")),
    }


def _mid_mjd(facts: Facts) -> float:
    """Middle of an exposure by the catalogue's facts, MJD (UTC); NaN where unknown."""
    from astropy.time import Time

    text, shift = str(facts.get("mid_time") or ""), 0.0
    if not text:
        text = str(facts.get("time") or "")
        length = _number(facts.get("exposure_time_s"))
        shift = length / 2 / 86400 if np.isfinite(length) else 0.0
    try:
        return float(Time(text, scale="utc").mjd) + shift if text else float("nan")
    except ValueError:
        return float("nan")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _texts(columns: Columns, name: str) -> Any:
    """Texts of a column, empty where there is none: (n,) array."""
    if name not in columns:
        return np.full(len(columns["x_fit"]), "")
    return columns[f"{name}:values"][columns[name]]


def _measures(columns: Columns, rows: Any) -> Measures:
    def take(name: str, kind: Any, missing: float = np.nan) -> Any:
        if name not in columns:
            return np.full(len(columns["x_fit"][rows]), missing, kind)
        return np.asarray(columns[name][rows], kind)

    x, y = take("x_fit", np.float32), take("y_fit", np.float32)
    mag, flux = take("mag", float), take("flux_fit", float)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = np.where(flux > 0, -2.5 * np.log10(flux), np.nan)
    # Both in one system: most magnitudes are those of flux_fit.
    zero = mag - plain
    plain = plain + (np.median(zero[np.isfinite(zero)]) if np.isfinite(zero).any() else 0.0)
    return Measures(
        np.zeros(len(x), np.int32),
        x,
        y,
        take("ra", float),
        take("dec", float),
        mag,
        take("mag_err", float),
        plain,
        take("flags", np.int32, 0),
        np.full(len(x), -1, np.int64),
    )


def read_facts(path: str | os.PathLike[str]) -> dict[str, Facts]:
    """Read a table of facts about exposures, where catalogues do not tell them.

    Parameters
    ----------
    path : path-like
        ``.ecsv``, ``.fits`` or ``.parquet`` with a column ``exposure`` or ``name`` and one or more
        of ``mjd`` (middle of the exposure, UTC), ``camera`` and ``filter``.

    Returns
    -------
    dict
        Exposure to its facts.

    Raises
    ------
    InputFileError
        If it cannot be read or has none of the columns.
    """
    table = read_catalog(path)
    key = next((name for name in ("exposure", "name") if name in table.colnames), None)
    told = [name for name in ("mjd", "camera", "filter") if name in table.colnames]
    if key is None or not told:
        expected = "exposure (or name), and mjd, camera or filter"
        found = ", ".join(table.colnames)
        raise InputFileError(path, f"its columns are {found}", expected)
    values = {name: np.asarray(getattr(table[name], "value", table[name])) for name in told}
    return {
        str(exposure): {name: values[name][i].item() for name in told}
        for i, exposure in enumerate(table[key])
    }
