"""Simulated stamps for the tests of centering."""

from __future__ import annotations

from functools import cache

import numpy as np

from filar.centering.simulated import StampDraw, simulate_stamps, simulate_store
from filar.psf.library import default_psf_for
from filar.psf.model import FieldPSF
from filar.psf.samples import sample_psf
from filar.stamps.labels import Labels
from filar.stamps.stamps import Group, Stamps
from filar.stamps.store import StampStore

CLEAN = StampDraw(neighbours=0, cosmic_rays=0, bad_pixels=0, sky_error=0)


@cache
def psf(chip: str = "PC", focus: float = 0.0) -> FieldPSF:
    return default_psf_for("WFPC2", chip, "F555W", focus=focus)


def stamps(
    count: int, *, chip: str = "PC", focus: float = 0.0, told: float | None = None, seed: int = 1,
    draw: StampDraw = CLEAN, place: tuple[float, float] = (300.0, 500.0),
) -> tuple[Stamps, Labels]:  # fmt: skip
    """Stars of one focus (microns), said to be of another."""
    samples = sample_psf(psf(chip, focus if told is None else told), draw.size / 2 + 1)
    group = Group("made", chip, "F555W", "WFPC2", (800, 800), samples)
    rng = np.random.default_rng(seed)
    return simulate_stamps(psf(chip, focus), group, np.array(place), count, rng, draw)


def store(path, *, psfs: int = 30, stars: int = 40, seed: int = 3, size: int = 6) -> StampStore:
    return simulate_store(
        path, ["PC"], "F555W", psfs=psfs, stars=stars, seed=seed, draw=StampDraw(size=size)
    )
