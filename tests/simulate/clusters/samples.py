"""A file of toy isochrones, and settings of sets that take no time."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.settings import MockSettings
from filar.simulate.clusters.store import SetSettings
from tests.populations.samples import toy_isochrones

BANDS = ("F438W", "F814W")


@cache
def _rows(bands: tuple[str, ...]) -> str:
    ages = tuple(np.round(np.arange(6.4, 10.11, 0.2), 2))
    stars = toy_isochrones(bands, z=(0.0152,), log_ages=ages, phases=False)
    sizes = np.diff(stars.start)
    columns = [
        np.repeat(stars.group_z, sizes), np.repeat(stars.group_log_age, sizes), stars.mass,
        np.log10(stars.teff), stars.logg, *stars.mags.T,
    ]  # fmt: skip
    return "\n".join(" ".join(f"{one:.5f}" for one in row) for row in zip(*columns, strict=True))


def write_isochrones(path: Path, bands: tuple[str, ...] = BANDS) -> Path:
    """Write toy isochrones in the form of PARSEC's tables."""
    header = "# Z logAge Mini logTe logg " + " ".join(bands)
    path.write_text(f"{header}\n{_rows(bands)}\n")
    return path


def tiny(isochrones: Path, **changes: Any) -> SetSettings:
    """Settings of a small set of two bands."""
    mock = MockSettings(camera=preset_camera("m83", BANDS), size=16, log_mass=(3.0, 3.5))
    values: dict[str, Any] = {
        "clusters": 7, "scenes": 2, "scene_size": 48, "mock": mock,
        "isochrones": (str(isochrones),), "seed": 3,
    }  # fmt: skip
    return replace(SetSettings(**values), **changes)
