"""A field: the same chip of one, two or more images, and how positions go between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.band import Band, measure_band
from filar.asts.surroundings import Surroundings
from filar.catalog import MAG_SYSTEMS, zero_point
from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.frames.frame import Tie
from filar.frames.polynomial import Polynomial
from filar.frames.settings import FrameSettings
from filar.frames.starlist import DOUBTFUL, SPOILT, Selection, StarList
from filar.frames.tie import GoodStars, tie_to_reference
from filar.instruments.options import ReadOptions
from filar.measure import Settings

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
AUTO = "auto"
LADDER = ((30.0, int(DOUBTFUL)), (10.0, int(DOUBTFUL)), (5.0, int(SPOILT)))
"""Least signal-to-noise ratio, and flags that exclude: of stars that tie images to each other."""
AS_THE_FILE_SAYS = ReadOptions()


@dataclass(frozen=True, eq=False)
class Field:
    """One chip in b bands.

    Parameters
    ----------
    chip : str
        Its name.
    bands : tuple of Band
        The first one's pixels are those of all positions.
    from_first : tuple of Polynomial
        From the first band's pixels to each band's.
    surroundings : Surroundings
        What the covariates need.
    mag_system : str
        System of the magnitudes.
    """

    chip: str
    bands: tuple[Band, ...]
    from_first: tuple[Polynomial, ...]
    surroundings: Surroundings
    mag_system: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bands."""
        return tuple(band.name for band in self.bands)

    def allowed(self) -> BoolArray:
        """Pixels of the first image that lie in the field of view of all images: (ny, nx)."""
        first = self.bands[0].exposure
        view = ~first.edge
        y, x = (a.ravel().astype(float) for a in np.mgrid[: first.shape[0], : first.shape[1]])
        for band, transform in zip(self.bands[1:], self.from_first[1:], strict=True):
            u, v = (np.rint(p).astype(np.int64) for p in transform(x, y))
            ny, nx = band.exposure.shape
            inside = (u >= 0) & (u < nx) & (v >= 0) & (v < ny)
            edge = band.exposure.edge[np.clip(v, 0, ny - 1), np.clip(u, 0, nx - 1)]
            view &= (inside & ~edge).reshape(first.shape)
        return np.asarray(view)


def read_fields(
    paths: Sequence[str | Path],
    settings: Settings,
    *,
    read: ReadOptions = AS_THE_FILE_SAYS,
    mag_system: str = AUTO,
    bands: Sequence[str] | None = None,
    zero_points: Sequence[float] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> list[Field]:
    """Read images of one field and measure their stars.

    Parameters
    ----------
    paths : sequence of path-like
        FITS files, one per band.
    settings : Settings
        How to measure.
    read : ReadOptions
        What takes precedence over the headers.
    mag_system : str
        One of `filar.catalog.MAG_SYSTEMS`; "auto": Vega magnitudes where all images know their zero
        point, else instrumental ones.
    bands : sequence of str, optional
        Names of the bands instead of the headers' filters.
    zero_points : sequence of float, optional
        Magnitude of a star of one electron in each image, instead of a magnitude system.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    list of Field
        One per chip that all files have.

    Raises
    ------
    InputFileError
        If a file cannot be read, has no stars, or shows another field.
    ParameterError
        If names or zero points are not as many as files, or there is no zero point.
    """
    from filar.instruments import read_exposures

    _check_count(paths, bands=bands, zero_points=zero_points)
    files = [{e.chip: e for e in read_exposures(path, read)} for path in paths]
    chips = [chip for chip in files[0] if all(chip in one for one in files)]
    if not chips:
        found = " and ".join(
            f"{p}: {', '.join(f) or 'none'}" for p, f in zip(paths, files, strict=True)
        )
        raise InputFileError(paths[0], f"no chip in common ({found})", "images of the same chips")
    groups = [[one[chip] for one in files] for chip in chips]
    system, zeros = _zeros(groups, mag_system, zero_points)
    names = _names(groups[0], bands)
    total, fields = len(groups) * len(paths), []
    for number, (group, zero) in enumerate(zip(groups, zeros, strict=True)):
        measured = []
        for i, exposure in enumerate(group):
            if progress is not None:
                progress((number * len(paths) + i) / total, f"measuring {exposure.label}")
            measured.append(measure_band(exposure, settings, zero[i], names[i]))
        fields.append(make_field(measured, system))
    return fields


def make_field(bands: Sequence[Band], mag_system: str) -> Field:
    """Tie the images of a chip to the first of them.

    Parameters
    ----------
    bands : sequence of Band
        At least one.
    mag_system : str
        What their zero points mean.

    Returns
    -------
    Field

    Raises
    ------
    InputFileError
        If an image has too few stars in common with the first one.
    """
    first = _star_list(bands[0])
    transforms = [Polynomial.identity()]
    for band in bands[1:]:
        tie = _tie(first, _star_list(band))
        if tie.to_frame is None:
            found = f"cannot be tied to {bands[0].exposure.label}: {tie.reason}"
            raise InputFileError(band.exposure.label, found, "images of the same field")
        transforms.append(tie.to_frame)
    surroundings = Surroundings.of(bands)
    return Field(bands[0].exposure.chip, tuple(bands), tuple(transforms), surroundings, mag_system)


def _tie(first: StarList, stars: StarList) -> Tie:
    """Tie by good stars; where they are too few, as in a faint halo, by ever poorer ones."""
    for min_snr, reject in LADDER:
        settings = FrameSettings(selection=Selection(min_snr=min_snr, reject=reject))
        good, reference = (GoodStars.of(one, settings) for one in (first, stars))
        tie = tie_to_reference(good, reference, settings)
        if tie.to_frame is not None:
            break
    return tie


def _star_list(band: Band) -> StarList:
    stars = band.stars
    return StarList.build(
        stars.x, stars.y, mag=band.mag(stars.flux), snr=stars.snr, q=stars.qfit, flags=stars.flags,
        exposure=band.exposure.name, chip=band.exposure.chip, filter=band.exposure.filter,
    )  # fmt: skip


def _check_count(paths: Sequence[Any], **given: Sequence[Any] | None) -> None:
    if not paths:
        raise ParameterError("files", [], "at least one image")
    for name, values in given.items():
        if values is not None and len(values) != len(paths):
            raise ParameterError(name, list(values), f"{len(paths)}, one for each image")


def _names(exposures: Sequence[Exposure], given: Sequence[str] | None) -> list[str]:
    """Names of the bands: the filters, numbered where two are the same or unknown."""
    names = list(given or [e.filter or f"image{i}" for i, e in enumerate(exposures, start=1)])
    seen: Counter[str] = Counter()
    for i, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[i] = f"{name}_{seen[name]}"
    return names


def _zeros(
    groups: Sequence[Sequence[Exposure]], system: str, given: Sequence[float] | None
) -> tuple[str, list[list[float]]]:
    """Magnitude system and zero points, chip by chip."""
    if given is not None:
        return "given", [list(given) for _ in groups]
    if system != AUTO and system not in MAG_SYSTEMS:
        allowed = "one of " + ", ".join([AUTO, *MAG_SYSTEMS])
        raise ParameterError("mag_system", system, allowed)
    for wanted in ("vega", "instrumental") if system == AUTO else (system,):
        zeros = [[zero_point(exposure, wanted) for exposure in group] for group in groups]
        if np.isfinite(zeros).all():
            break
    return wanted, zeros
