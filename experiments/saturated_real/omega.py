"""Saturated stars of omega Cen with WFPC2, on the relation that its unsaturated stars show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.saturated_real.scaled import write_scaled
from filar.instruments import read_exposures
from filar.measure.chip import Settings, measure_exposure
from filar.measure.saturation import candidates, samples_of, stars_of
from filar.measure.saturation_samples import Collecting, collect_samples
from filar.saturation.chain import measure_scene
from filar.saturation.data import classic
from filar.saturation.estimator import SaturationModel
from filar.saturation.scene import Scene
from filar.saturation.windows import cut, distances

FloatArray = NDArray[np.float64]
FILE = "wfpc2/u40x010hm_c0f.fits"
CHIP = "WF3"
FRAMES, STARS = 6, 60
RING = (7.0, 11.0)
"""Radii of the far ring whose light is compared, pixels."""
PAIRS = (("wings", "trail"), ("ours", "wings"), ("ours", "trail"))
BRIGHT = 1.5
"""Magnitudes below saturation down to which unsaturated stars tell the relation."""


@dataclass(frozen=True, eq=False)
class Relation:
    """Stars of a chip.

    Parameters
    ----------
    saturated : (n,) bool array
        Which of them are saturated.
    log_n, log_n_err : dict
        By method: (n,) arrays.
    ring, ring_err : (n,) float64 arrays
        Light in the far ring and its error, electrons.
    """

    saturated: NDArray[np.bool_]
    log_n: dict[str, FloatArray]
    log_n_err: dict[str, FloatArray]
    ring: FloatArray
    ring_err: FloatArray


def run(
    shared: Path, folder: Path, recipe: str, seed: int, say: Callable[[str], None]
) -> tuple[dict[str, Any], Relation]:
    """Measure a chip, train on its own stars scaled up, and compare."""
    (exposure,) = read_exposures(shared / FILE, chips=CHIP)
    measured = measure_exposure(exposure, Settings(method="psf"))
    stars = stars_of(measured)
    scene = measure_scene(exposure, measured.psf, stars)
    if not (folder / "scaled" / "stars.ecsv").is_file():
        write_scaled(
            scene, stars, folder / "scaled", full_well=float(exposure.meta["full_well"]),
            frames=FRAMES, number=STARS, seed=seed,
        )  # fmt: skip
    how = Collecting(
        folder / "scaled" / "stars.ecsv", mag="mag", settings=Settings(method="psf"),
        folder=folder / "parts", resume=True,
    )  # fmt: skip
    paths = sorted((folder / "scaled").glob("*_c0m.fits"))
    training = collect_samples(
        paths, how, progress=lambda done, of: say(f"omega Cen: {done} of {of}")
    ).samples
    model = SaturationModel(recipe, seed=seed).fit(training, test=False)
    chosen = candidates(measured, stars)
    samples = samples_of(measured, stars, chosen)
    answer = model.predict(samples)
    found = {name: classic(samples, name) for name in ("psf", "wings", "trail")}
    found["ours"] = (answer.log_n, answer.log_n_err)
    ring, ring_err = far_light(scene, chosen)
    relation = Relation(
        stars.saturated[chosen],
        {name: np.asarray(value, float) for name, (value, _) in found.items()},
        {name: np.asarray(error, float) for name, (_, error) in found.items()},
        ring,
        ring_err,
    )
    return {"training": len(training), **figures(relation)}, relation


def far_light(scene: Scene, stars: NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Light in a far ring by the median of its pixels, and its error, electrons."""
    half = int(RING[1]) + 1
    x, y = scene.x[stars], scene.y[stars]
    own = scene.psf.stamps(x, y, half) * scene.flux[stars, None, None]
    others = np.maximum(cut(scene.light, x, y, half) - own, 0)
    rest = cut(scene.exposure.data - scene.sky, x, y, half) - others
    r = distances(x, y, half)
    usable = (r >= RING[0]) & (r < RING[1]) & ~cut(scene.spoilt, x, y, half, True)
    usable &= others < 0.5 * own + cut(scene.noise, x, y, half)
    area = np.pi * (RING[1] ** 2 - RING[0] ** 2)
    light, error = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for i in range(len(x)):
        pixels = rest[i][usable[i]]
        if len(pixels) > 0.3 * area:
            light[i] = np.median(pixels) * area
            spread = 1.4826 * np.median(np.abs(pixels - np.median(pixels)))
            error[i] = 1.25 * spread / np.sqrt(len(pixels)) * area
    return light, error


def log_light(relation: Relation) -> tuple[FloatArray, FloatArray]:
    """log10 of the light in the far ring where it is seen, and its error, dex."""
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = relation.ring > 2 * relation.ring_err
        light = np.where(seen, relation.ring, np.nan)
        return np.log10(light), relation.ring_err / light / np.log(10)


def figures(relation: Relation) -> dict[str, Any]:
    """How the methods agree, and where saturated stars lie on the relation of the others."""
    saturated = relation.saturated
    out: dict[str, Any] = {"saturated": int(saturated.sum())}
    for first, second in PAIRS:
        difference = 2.5 * (relation.log_n[first] - relation.log_n[second])[saturated]
        sigma = 2.5 * np.hypot(relation.log_n_err[first], relation.log_n_err[second])[saturated]
        known = np.isfinite(difference)
        d, s = difference[known], np.maximum(sigma[known], 1e-4)
        middle = float(np.median(d))
        out[f"{first} - {second}"] = {
            "stars": len(d), "median": middle,
            "robust": 1.4826 * float(np.median(np.abs(d - middle))),
            "pull": 1.4826 * float(np.median(np.abs(d) / s)),
            "within 2 errors": float(np.mean(np.abs(d) < 2 * s)),
        }  # fmt: skip
    # Linear, so that noise below zero counts as that above.
    ratio = relation.ring / 10 ** relation.log_n["psf"]
    bright = ~saturated & np.isfinite(ratio)
    bright &= relation.log_n["psf"] > np.nanmax(relation.log_n["psf"][~saturated]) - 0.4 * BRIGHT
    middle = float(np.median(ratio[bright]))
    spread = 1.4826 * float(np.median(np.abs(ratio[bright] - middle))) / middle
    constant = float(np.log10(middle))
    out["relation"] = {
        "constant": constant, "unsaturated": int(bright.sum()), "scatter": 1.086 * spread,
        "error": 1.086 * 1.25 * spread / np.sqrt(max(int(bright.sum()), 1)),
    }  # fmt: skip
    ring = log_light(relation)[0]
    for name in ("wings", "trail", "ours"):
        d = 2.5 * (relation.log_n[name] + constant - ring)[saturated]
        d = d[np.isfinite(d)]
        out["relation"][name] = {
            "stars": len(d), "median": float(np.median(d)),
            "robust": 1.4826 * float(np.median(np.abs(d - np.median(d)))),
        }  # fmt: skip
    return out
