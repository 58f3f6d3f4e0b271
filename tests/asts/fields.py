"""A small crowded field in one or two bands, measured with its own PSF."""

from functools import lru_cache

import numpy as np

from filar.asts.band import Band, measure_band
from filar.asts.field import Field, make_field
from filar.exposure import Exposure
from filar.measure import Settings
from filar.psf.library import default_psf_for
from filar.simulate import StarField, draw_stars, simulate_exposure

SHAPE = (200, 220)
SHIFT = (3.3, -1.2)
ZERO = 25.0


@lru_cache
def psf_of(name: str):
    return default_psf_for("WFPC2", "WF3", name)


def exposure_of(name: str, shift=(0.0, 0.0), seed: int = 2) -> Exposure:
    """Part of a simulated chip."""
    stars = draw_stars(2500, limits=(150, 100_000), slope=1.5, seed=1)
    stars = StarField(stars.x + shift[0], stars.y + shift[1], stars.flux)
    whole = simulate_exposure(
        psf_of(name), stars, chip="WF3", filter_name=name, cosmic_ray_rate=0, seed=seed
    )
    part = slice(300, 300 + SHAPE[0]), slice(300, 300 + SHAPE[1])
    images = {key: getattr(whole, key)[part] for key in ("data", "mask", "saturated", "edge")}
    return whole.replace(**images, wcs=None)


@lru_cache
def band_of(name: str = "F555W", shift=(0.0, 0.0), seed: int = 2) -> Band:
    psf = psf_of(name)
    return measure_band(exposure_of(name, shift, seed), Settings(psf=psf), ZERO, name)


@lru_cache
def field_of(*names: str) -> Field:
    shifts = {0: (0.0, 0.0), 1: SHIFT}
    return make_field([band_of(n, shifts[i], 2 + i) for i, n in enumerate(names)], "given")


def places(number: int, seed: int = 0, low: float = 0.0):
    """Random places and fluxes of artificial stars."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(low, SHAPE[1] - low, number), rng.uniform(low, SHAPE[0] - low, number)
    return x, y, 10 ** rng.uniform(2.0, 4.7, number)
