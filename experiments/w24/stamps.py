"""From a survey to samples of its stars."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.w24.plan import Part
from filar.saturation.data import Samples
from filar.saturation.store import load_samples, save_samples
from filar.simulate.survey.files import write_survey

MAGNITUDES = "g_mag"
"""Column of the survey's catalogue."""

EDGE = 50.0
"""Pixels from the chip's edges: the paper's."""


def samples_of(part: Part, folder: Path, workers: int, tell: Callable[[str], None]) -> Samples:
    """Simulate a survey and measure its stars, or read what is there.

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
        Of its targets.
    """
    from filar.measure.saturation_samples import Collecting, collect_samples

    done = folder / f"{part.name}.safetensors"
    if not done.exists():
        survey = write_survey(part.settings, folder / part.name, workers=workers)
        tell(f"{part.name}: {len(survey.files)} images")
        how = Collecting(
            survey.stars, mag=MAGNITUDES, folder=folder / f"{part.name}_samples", resume=True
        )
        found = collect_samples(survey.files, how, workers=workers)
        save_samples(done, found.samples)
        for message in found.messages:
            tell(f"{part.name}: {message}")
        tell(f"{part.name}: {len(found.samples)} stamps")
    return load_samples(done)


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
    from filar.catalogfile import read_catalog

    light = read_catalog(folder / part.name / "light.parquet")
    names = np.array(samples.images, np.str_)[samples.image]
    there = set(zip(samples.star.tolist(), names.tolist(), strict=True))
    seen = np.array([
        (int(star), str(image)) in there
        for star, image in zip(light["id"], light["image"], strict=True)
    ])  # fmt: skip
    x, y = (np.asarray(light[name].value) for name in ("x", "y"))
    high = part.settings.size - 1 - EDGE
    inside = (np.minimum(x, y) >= EDGE) & (np.maximum(x, y) <= high)
    saturated = np.asarray(light["saturated"], bool)
    return {
        name: float(seen[rows].mean()) if rows.any() else float("nan")
        for name, rows in (("saturated", inside & saturated), ("unsaturated", inside & ~saturated))
    }
