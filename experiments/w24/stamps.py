"""From a survey to samples of its stars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.w24.plan import Part
from filar.robust import median_error
from filar.saturation.data import Samples
from filar.saturation.store import load_samples, save_samples
from filar.simulate.survey.files import write_survey

MAGNITUDES = "g_mag"
"""Column of the survey's catalogue."""

EDGE = 50.0
"""Pixels from the chip's edges: the paper's."""


def samples_of(part: Part, folder: Path, workers: int, tell: Callable[[str], None]) -> Samples:
    """Simulate surveys and measure their stars, or read what is there.

    Parameters
    ----------
    part : Part
        The survey.
    folder : Path
        Of the experiment.
    workers : int
        Processes.
    tell : callable
        Told what is done.

    Returns
    -------
    Samples
        Of their stars.
    """
    from filar.measure.saturation_samples import Collecting, collect_samples

    done = folder / f"{part.name}.safetensors"
    if not done.exists():
        found = []
        for settings, place in zip(part.surveys, places(part, folder), strict=True):
            survey = write_survey(settings, place, workers=workers)
            how = Collecting(survey.stars, mag=MAGNITUDES, folder=place / "samples", resume=True)
            collected = collect_samples(survey.files, how, workers=workers)
            found.append(collected.samples)
            for message in collected.messages:
                tell(f"{place.name}: {message}")
            tell(f"{place.name}: {len(found[-1])} stamps in {len(survey.files)} images")
        save_samples(done, Samples.joined(found))
    return load_samples(done)


def places(part: Part, folder: Path) -> list[Path]:
    """Folders of a part's surveys."""
    return [folder / f"{part.name}-{k}" for k in range(len(part.surveys))]


def with_truth(part: Part, folder: Path, samples: Samples) -> Samples:
    """The targets alone, their labels replaced by their true light.

    Parameters
    ----------
    part : Part
        The survey.
    folder : Path
        Of the experiment.
    samples : Samples
        Of its images.

    Returns
    -------
    Samples
        Whose labels are true up to one factor per image, by which the PSF fit counts another part
        of a star's light: the median of labels over truth. Its standard error is the labels' error.
    """
    light = read_light(part, folder)
    true = np.array([
        np.log10(light[pair].electrons) if pair in light else np.nan for pair in _pairs(samples)
    ])  # fmt: skip
    samples, true = samples.select(np.isfinite(true)), true[np.isfinite(true)]
    offset = samples.log_n - true
    log_n, error = true.copy(), np.full(len(true), np.nan)
    for image in np.unique(samples.image):
        own = samples.image == image
        log_n[own] += np.nanmedian(offset[own])
        error[own] = median_error(offset[own])
    mag = [light[pair].mag for pair in _pairs(samples)]
    return replace(samples, log_n=log_n, log_n_err=error, mag=np.array(mag))


class Light(NamedTuple):
    """What is true of a target in an image."""

    electrons: float
    mag: float
    x: float
    y: float
    saturated: bool


def read_light(part: Part, folder: Path) -> dict[tuple[int, str], Light]:
    """The true light of every target and image."""
    from filar.catalogfile import read_catalog

    found = {}
    for place in places(part, folder):
        table = read_catalog(place / "light.parquet")
        columns = [
            np.asarray(getattr(table[name], "value", table[name])).tolist()
            for name in ("id", "image", *Light._fields)
        ]
        for star, image, *rest in zip(*columns, strict=True):
            found[star, str(image)] = Light(*rest)
    return found


def _pairs(samples: Samples) -> list[tuple[int, str]]:
    """Star and image of every sample."""
    names = np.array(samples.images, np.str_)[samples.image]
    return list(zip(samples.star.tolist(), names.tolist(), strict=True))


def share_found(part: Part, folder: Path, samples: Samples) -> dict[str, float]:
    """Parts of a survey's targets, saturated and not, that samples were made of.

    Parameters
    ----------
    part : Part
        The survey.
    folder : Path
        Of the experiment.
    samples : Samples
        Of its images.

    Returns
    -------
    dict of str to float
        "saturated", "unsaturated"; of the targets at least `EDGE` pixels from the chip's edges.
    """
    there, high = set(_pairs(samples)), part.surveys[0].size - 1 - EDGE
    seen: dict[bool, list[bool]] = {True: [], False: []}
    for pair, one in read_light(part, folder).items():
        if min(one.x, one.y) >= EDGE and max(one.x, one.y) <= high:
            seen[one.saturated].append(pair in there)
    return {
        name: float(np.mean(seen[kind])) if seen[kind] else float("nan")
        for name, kind in (("saturated", True), ("unsaturated", False))
    }
