"""The list of columns that DOLPHOT writes: what stands where in its photometry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filar.errors import InputFileError

_SHARED = {
    "x": "Object X position",
    "y": "Object Y position",
    "chi": "Chi for fit",
    "snr": "Signal-to-noise",
    "sharp": "Object sharpness",
    "round": "Object roundness",
    "crowd": "Crowding",
    "type": "Object type",
}
_MEASURED = {
    "counts": "(?:Measured|Total) counts",
    "sky": "(?:Measured|Total) sky level",
    "rate": "Normalized count rate",
    "rate_err": "Normalized count rate uncertainty",
    "mag": "Instrumental (?:[A-Z]+ )?magnitude",
    "mag_err": "Magnitude uncertainty",
    "chi": "Chi",
    "snr": "Signal-to-noise",
    "sharp": "Sharpness",
    "round": "Roundness",
    "crowd": "Crowding",
    "fwhm": "PSF FWHM",
    "flag": "Photometry quality flag",
}
_IMAGE = re.compile(r"(?P<name>.*?)\s*\((?:(?P<filter>[^(),]+),\s*)?[^(),]* sec\)")


@dataclass(frozen=True)
class Columns:
    """What stands in which column of DOLPHOT's photometry.

    Parameters
    ----------
    number : int
        Number of columns.
    shared : dict of str to int
        Columns of the object as such, from 0: ``x, y, chi, snr, sharp, round, crowd, type``.
    bands : dict of str to dict of str to int
        For each band ``mag, mag_err, snr, sky, flag`` and the like. Bands are the filters where
        DOLPHOT has combined the images of a filter, else the images.
    images : tuple of str
        For each image, in order, the band that it belongs to.
    mag_system : str
        "vega" or "instrumental".
    texts : tuple of str
        What the list says of each column.
    """

    number: int
    shared: dict[str, int]
    bands: dict[str, dict[str, int]]
    images: tuple[str, ...]
    mag_system: str
    texts: tuple[str, ...] = ()


def read_columns(path: Path) -> Columns:
    """Read the list of columns that DOLPHOT writes beside its photometry.

    Parameters
    ----------
    path : Path
        Lines such as ``16. Instrumental magnitude, img1 (1000.0 sec)`` or, where a filter's images
        were combined, ``17. Instrumental VEGAMAG magnitude, WFPC2_F555W``.

    Returns
    -------
    Columns

    Raises
    ------
    InputFileError
        If there is no such file, its lines are others, or no magnitude is among them.
    """
    if not path.is_file():
        advice = "name DOLPHOT's list of columns"
        raise InputFileError(path, "there is no such file", "the list of columns", advice)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "DOLPHOT's columns") from error
    texts: list[str] = []
    for line in filter(str.strip, lines):
        match = re.fullmatch(r"\s*(\d+)\.\s*(.*\S)\s*", line)
        if not match or int(match.group(1)) != len(texts) + 1:
            expected = f'column {len(texts) + 1}, as in "3. Object X position ..."'
            raise InputFileError(path, f"the line {line[:60]!r}", expected)
        texts.append(match.group(2))
    shared = {
        key: i for key, start in _SHARED.items() for i, t in enumerate(texts) if _is(t, start)
    }
    blocks, systems = _blocks(texts)
    missing = [key for key in ("x", "y") if key not in shared]
    if missing or not any("mag" in block for block in blocks.values()):
        found = f"no column of {'position' if missing else 'magnitudes'} among {len(texts)}"
        raise InputFileError(path, found, "the columns of DOLPHOT's photometry")
    bands, images = _bands(blocks)
    system = "vega" if systems == {"VEGAMAG"} else "instrumental"
    return Columns(len(texts), shared, bands, images, system, tuple(texts))


def _is(text: str, start: str) -> bool:
    """Whether a column is one of the object as such: only those have no label after a comma."""
    return text == start or text.startswith((f"{start} (", f"{start} on "))


def _blocks(texts: Sequence[str]) -> tuple[dict[str, dict[str, int]], set[str]]:
    """Columns by label (filter or image) and quantity; words before "magnitude"."""
    blocks: dict[str, dict[str, int]] = {}
    systems = set()
    for i, text in enumerate(texts):
        for key, pattern in _MEASURED.items():
            match = re.fullmatch(rf"{pattern}, (.+)", text)
            if match:
                blocks.setdefault(match.group(1), {})[key] = i
        system = re.match(r"Instrumental ([A-Z]+) magnitude", text)
        if system:
            systems.add(system.group(1))
    return blocks, systems


def _bands(
    blocks: dict[str, dict[str, int]],
) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """Tell filters' blocks from images'; name the band of each image."""
    images = {label: m for label in blocks if (m := _IMAGE.fullmatch(label))}
    filters = [label for label in blocks if label not in images]
    if not filters:
        names = [m["name"] for m in images.values()]
        unique = names if len(set(names)) == len(names) else list(images)
        return {n: blocks[label] for n, label in zip(unique, images, strict=True)}, tuple(unique)
    bare = [label.rsplit("_", 1)[-1] for label in filters]
    names = bare if len(set(bare)) == len(bare) else filters
    known = dict(zip(filters, names, strict=True)) | dict(zip(names, names, strict=True))
    of_images = tuple(known.get(str(m["filter"]).strip(), "") for m in images.values())
    return {n: blocks[label] for n, label in zip(names, filters, strict=True)}, of_images
