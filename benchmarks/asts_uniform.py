"""Artificial against true stars where nothing but the insertion could differ.

Simulated WF3 images in F555W with an even sky and the true PSF known; stars from well below to well
above the detection limit. True stars, and artificial ones of the same fluxes at other places.

    python -m benchmarks.asts_uniform [--images 4] [--stars 1500]
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from filar.asts.band import Band, measure_band
from filar.asts.cuts import Cuts
from filar.asts.recover import recover, star_light
from filar.measure import Settings
from filar.psf.library import default_psf_for
from filar.simulate import Effects, StarField, simulate_exposure

LIMITS = {20.0: (60.0, 750.0), 800.0: (200.0, 3000.0)}
"""Sky, electrons per pixel, and the fluxes of the stars, electrons."""
MATCH = 1.5  # pixels
BRIGHT = 60  # stars per image that only help to measure it


def true_ones(band: Band, stars: StarField) -> NDArray[np.bool_]:
    """Which true stars are recovered."""
    good = band.stars.select(band.stars.passing(Cuts()))
    tree = cKDTree(np.c_[good.x, good.y])
    distance, row = tree.query(np.c_[stars.x, stars.y], distance_upper_bound=MATCH)
    close = np.isfinite(distance)
    return np.asarray(close & (good.flux[np.where(close, row, 0)] <= 2 * stars.flux))


def one_image(psf: Any, sky: float, number: int, seed: int) -> NDArray[np.float64]:
    """Flux, whether the true star and whether the artificial star of it is recovered: (n, 3)."""
    rng = np.random.default_rng(seed)
    low, high = LIMITS[sky]
    x, y = rng.uniform(60, 795, (2, number))
    flux = 10 ** rng.uniform(np.log10(low), np.log10(high), number)
    flux[:BRIGHT] = rng.uniform(1e4, 3e4, BRIGHT)
    stars = StarField(x, y, flux)
    exposure = simulate_exposure(
        psf, stars, chip="WF3", sky=sky, seed=seed + 10,
        effects=Effects.parse("default,-cosmic_rays,-hot_pixels"),
    )  # fmt: skip
    band = measure_band(exposure, Settings(psf=psf), 25.0, "F555W")
    u, v = rng.uniform(60, 795, (2, number))
    result = recover(band, u, v, flux, star_light(band, u, v, flux, rng))
    found = result.found & result.stars.passing(Cuts())
    return np.stack([flux, true_ones(band, stars), found], axis=1)[BRIGHT:]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--stars", type=int, default=1500)
    options = parser.parse_args()
    psf = default_psf_for("WFPC2", "WF3", "F555W")
    for sky in LIMITS:
        rows = np.concatenate(
            [one_image(psf, sky, options.stars, s) for s in range(options.images)]
        )
        edges = np.quantile(rows[:, 0], np.linspace(0, 1, 6))
        print(f"sky {sky:g} electrons: electrons, stars, true recovered, artificial recovered")
        for low, high in [*pairwise(edges), (edges[0], edges[-1])]:
            part = rows[(rows[:, 0] >= low) & (rows[:, 0] <= high)]
            true, made = part[:, 1].mean(), part[:, 2].mean()
            error = np.sqrt((true * (1 - true) + made * (1 - made)) / len(part))
            print(f"  {low:5.0f} to {high:5.0f}  {len(part):5d}  {true:.3f}  {made:.3f}"
                  f"  difference {made - true:+.3f} +- {error:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
