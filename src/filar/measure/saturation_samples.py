"""Training samples of saturated stars from images and a catalogue of true magnitudes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import FilarError, InputFileError, ParameterError
from filar.instruments import read_exposures
from filar.instruments.options import ReadOptions
from filar.measure.chip import Settings, measure_exposure
from filar.measure.saturation import (
    candidates,
    central_light,
    samples_of,
    stars_of,
    without_damage,
)
from filar.saturation.blobs import held_charge

if TYPE_CHECKING:
    from filar.exposure import Exposure
    from filar.measure.chip import Measurement
    from filar.psf.fitted import NearFit
    from filar.saturation.catalogs import CatalogStars
    from filar.saturation.data import Samples

Known = dict[tuple[str, str, str], "NearFit"]
"""PSF fits by instrument, chip and filter."""
LEAST_SNR = 20.0
"""Of a star that tells of the zero point."""
FEWEST = 5
LEAST_PEAK = 0.2
"""Of the saturation level: what a star's brightest pixel must reach at least to be full."""
LESSONS, FAILURES = "psf_fits", "failures"
"""In the meta of one file's samples: for similar exposures, and chips that gave none."""
VERSION = 2
"""Raised when samples that were kept would no longer be made the same."""


@dataclass(frozen=True)
class Collecting:
    """How samples are made of images; it crosses to other processes.

    Parameters
    ----------
    catalog : path
        Stars with true magnitudes, see `filar.saturation.catalogs.read_star_catalog`.
    mag : str or None
        Its column of magnitudes; by default that of each image's filter.
    contamination : float
        Radius in arcsec within which the light of the catalogue's other stars, less what there is
        of it everywhere, belongs to the label (Winecki & Kochanek 2024: 8); 0: the star's alone.
    settings : Settings
        How the images are measured.
    read : ReadOptions
        How they are read.
    folder : path or None
        Where the samples of each image are kept.
    resume : bool
        Whether those already there are taken.
    """

    catalog: Path
    mag: str | None = None
    contamination: float = 0.0
    settings: Settings = field(default_factory=lambda: Settings(method="psf"))
    read: ReadOptions = field(default_factory=ReadOptions)
    folder: Path | None = None
    resume: bool = False


@dataclass(frozen=True, eq=False)
class Collected:
    """Samples of many images.

    Parameters
    ----------
    samples : Samples
        Of all images.
    messages : tuple of str
        Images or chips that gave none, and why.
    """

    samples: Samples
    messages: tuple[str, ...]


def collect_samples(
    paths: Sequence[str | os.PathLike[str]],
    how: Collecting,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Collected:
    """Measure images, find the catalogue's stars in them and cut their stamps.

    Parameters
    ----------
    paths : sequence of path-like
        FITS images.
    how : Collecting
        Catalogue and settings.
    workers : int
        Processes.
    progress : callable, optional
        Told how many images of how many are done.

    Returns
    -------
    Collected
        Samples in the order of the files, however many processes there are.

    Raises
    ------
    ParameterError
        If there is no image.
    InputFileError
        If the catalogue cannot be used, or no image gives a sample.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise ParameterError("images", "none", "one or more FITS files")
    found: dict[int, Outcome] = {}
    known: Known = {}
    # the first of each camera and filter teaches the others its PSF, whatever the processes do
    teachers, pupils = _teachers(files, how.read)
    for some in (teachers, pupils):
        for number, outcome in _each([(k, files[k]) for k in some], how, known, workers):
            found[number] = outcome
            if progress is not None:
                progress(len(found), len(files))
        for number in some:
            for near in found[number].lessons:
                known.setdefault((near.instrument, near.chip, near.filter), near)
    return _collected([found[number] for number in range(len(files))], how)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a file.

    Parameters
    ----------
    samples : Samples or None
        Those of all its chips that gave some.
    messages : tuple of str
        What is wrong with it, or with some of its chips.
    lessons : tuple of NearFit
        PSF fits of its chips, for similar exposures.
    """

    samples: Samples | None
    messages: tuple[str, ...] = ()
    lessons: tuple[NearFit, ...] = ()


def _collected(outcomes: Sequence[Outcome], how: Collecting) -> Collected:
    from filar.saturation.data import Samples

    samples = [outcome.samples for outcome in outcomes if outcome.samples is not None]
    messages = tuple(text for outcome in outcomes for text in outcome.messages)
    if not any(len(part) for part in samples):
        why = messages[0] if messages else "no star of the catalogue is bright enough"
        found = f"no sample in {len(outcomes)} images: {why}"
        raise InputFileError(how.catalog, found, "a catalogue of the stars in the images")
    return Collected(Samples.joined(samples), messages)


def _teachers(files: Sequence[Path], read: ReadOptions) -> tuple[list[int], list[int]]:
    """Numbers of the first file of each camera and filter, and of the others."""
    seen: set[tuple[str, str, str]] = set()
    first: list[int] = []
    others: list[int] = []
    for number, path in enumerate(files):
        try:
            chips = {(e.instrument, e.chip, e.filter) for e in read_exposures(path, read)}
        except FilarError:
            chips = set()  # what is wrong with it is said when it is measured
        (first if chips - seen else others).append(number)
        seen |= chips
    return first, others


def _each(
    files: Sequence[tuple[int, Path]], how: Collecting, known: Known, workers: int
) -> Iterator[tuple[int, Outcome]]:
    """Number and outcome of every file, in whatever order they are ready."""
    if workers <= 1 or len(files) <= 1:
        for number, path in files:
            yield number, _of_file(path, how, known)
        return
    with ProcessPoolExecutor(min(workers, len(files)), get_context("spawn")) as pool:
        jobs = {pool.submit(_of_file, path, how, known): number for number, path in files}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _of_file(path: Path, how: Collecting, known: Known) -> Outcome:
    """Samples of one file, kept or new."""
    from filar.psf.fitted import NearFit
    from filar.saturation.store import load_samples, save_samples

    try:
        kept = None
        if how.folder is not None:
            kept = how.folder / f"{path.stem}-{_key(path, how, known)}.samples"
            how.folder.mkdir(parents=True, exist_ok=True)
        if kept is not None and how.resume and kept.is_file():
            samples = load_samples(kept)
        else:
            samples = _of_chips(path, how, known)
            if kept is not None:
                save_samples(kept, samples)
    except FilarError as error:
        return Outcome(None, (str(error),))
    meta = dict(samples.meta)
    lessons = tuple(NearFit(**facts) for facts in meta.pop(LESSONS, []))
    failures = tuple(meta.pop(FAILURES, []))
    return Outcome(replace(samples, meta=meta), failures, lessons)


def _of_chips(path: Path, how: Collecting, known: Known) -> Samples:
    """New samples of a file's chips; those that give none are told in the meta."""
    from filar.saturation.data import Samples

    parts: list[Samples] = []
    lessons: list[dict[str, Any]] = []
    failures: list[FilarError] = []
    for exposure in read_exposures(path, how.read):
        try:
            part = samples_of_exposure(exposure, how, known)
        except FilarError as error:
            failures.append(error)
            continue
        lessons += part.meta.get(LESSONS, [])
        parts.append(part)
    if failures and not parts:
        raise failures[0]
    samples = Samples.joined(parts)
    told = {LESSONS: lessons, FAILURES: [str(error) for error in failures]}
    return replace(samples, meta=samples.meta | told)


def _key(path: Path, how: Collecting, known: Known) -> str:
    """Tells samples apart that were made of other files or in other ways."""
    facts = [
        VERSION,
        how.mag,
        how.contamination,
        how.settings.facts(),
        repr(how.read),
        sorted(map(repr, known.items())),
    ]
    for file in (path, how.catalog):
        try:
            status = file.stat()
        except OSError as error:
            raise InputFileError(file, error.strerror or str(error), "a file") from error
        facts += [str(file.resolve()), status.st_size, status.st_mtime_ns]
    return sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]


def samples_of_exposure(exposure: Exposure, how: Collecting, known: Known | None = None) -> Samples:
    """Samples of one chip.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    how : Collecting
        Catalogue and settings.
    known : dict, optional
        PSF fits of similar exposures by instrument, chip and filter.

    Returns
    -------
    Samples
        With labels: log10 of the electrons that the star has in the image according to the
        catalogue and the zero point of the image's own unsaturated stars.

    Raises
    ------
    InputFileError
        If the catalogue's stars are not in the image, or too few are unsaturated.
    """
    from filar.saturation.catalogs import read_star_catalog
    from filar.saturation.overlap import check_overlap
    from filar.saturation.skymatch import match_to_sky

    catalog = read_star_catalog(how.catalog, mag=how.mag, filter=exposure.filter)
    if exposure.time is not None:
        catalog = catalog.at(float(exposure.time.jyear))
    check_overlap(catalog, exposure.wcs, exposure.shape, exposure.label, FEWEST)
    exposure = without_damage(exposure)
    key = (exposure.instrument, exposure.chip, exposure.filter)
    measured = measure_exposure(exposure, how.settings, near=(known or {}).get(key))
    stars = stars_of(measured)
    assert exposure.wcs is not None
    match = match_to_sky(
        catalog, exposure.wcs, stars.x, stars.y, exposure.shape, flux=stars.flux,
        saturated=stars.saturated,
    )  # fmt: skip
    chosen = candidates(measured, stars)
    chosen = chosen[match.row[chosen] >= 0]
    samples = samples_of(measured, stars, chosen)
    labelled = _labelled(samples, measured, catalog, match.row, how.contamination)
    solved = None if measured.psf_fit is None else measured.psf_fit.solved
    if solved is None:
        return labelled
    return replace(labelled, meta=labelled.meta | {LESSONS: [asdict(solved)]})


def _labelled(
    samples: Samples,
    measured: Measurement,
    catalog: CatalogStars,
    row: NDArray[np.int64],
    radius: float,
) -> Samples:
    """The samples with the light that the catalogue gives their stars."""
    from filar.saturation.contamination import sky_contamination
    from filar.saturation.labels import make_labels
    from filar.saturation.zeropoint import fit_zero_point

    stars, exposure = stars_of(measured), measured.exposure
    matched = stars.reliable & (row >= 0) & (stars.flux > LEAST_SNR * stars.error)
    steady = np.flatnonzero(matched)
    steady = steady[~catalog.variable[row[steady]] & np.isfinite(catalog.mag[row[steady]])]
    if len(steady) < FEWEST:
        found = f"{len(steady)} unsaturated stars of the catalogue"
        raise InputFileError(exposure.label, found, f"{FEWEST} or more, for the zero point")
    point = fit_zero_point(
        stars.x[steady], stars.y[steady], stars.flux[steady], stars.error[steady],
        catalog.mag[row[steady]], exposure.shape, mag_err=catalog.mag_err[row[steady]],
    )  # fmt: skip
    own = catalog.select(row[samples.star])
    light = None
    if radius:
        rows = row[samples.star]
        light = sky_contamination(catalog.ra, catalog.dec, catalog.mag, rows, radius=radius)
    labels = make_labels(own, point, samples.x, samples.y, contamination=light)
    error, mistaken = labels.log_n_err, _mistaken(samples, measured, labels.log_n)
    return replace(
        samples, star=own.id, mag=np.where(mistaken, np.nan, own.mag),
        log_n=np.where(mistaken, np.nan, labels.log_n),
        log_n_err=np.where(np.isfinite(error), error, 0.0),
        zero_point=point(samples.x, samples.y).astype(np.float32),
        meta=samples.meta | {"variable": sorted({int(i) for i in own.id[own.variable]})},
    )  # fmt: skip


def _mistaken(
    samples: Samples, measured: Measurement, log_n: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Saturated stars that are too faint for that: the pixels are full of another one's charge."""
    own = 10**log_n * central_light(measured.psf, measured.exposure.shape)
    middle = samples.size // 2
    centre = samples.saturated[:, middle - 1 : middle + 2, middle - 1 : middle + 2]
    full = np.asarray(centre.any(axis=(1, 2)))
    with np.errstate(invalid="ignore"):
        return np.asarray(full & (own < LEAST_PEAK * held_charge(measured.exposure)))
