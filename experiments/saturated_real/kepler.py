"""The bleeding star of a cutout of Kepler's: its light by every method, and along its trail."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.saturated_real.scaled import write_scaled
from filar.instruments import read_exposures
from filar.instruments.ceiling import LEVEL
from filar.measure.chip import Settings, measure_exposure
from filar.measure.saturation import samples_of, stars_of
from filar.measure.saturation_samples import Collecting, collect_samples
from filar.saturation.chain import measure_scene
from filar.saturation.data import classic
from filar.saturation.estimator import SaturationModel
from filar.saturation.windows import cut

FILE = "saturated/kplr-ffi_ch01_test.fits"
BOX = (174, 189, 44, 61)
"""Columns and rows about the star and its trail, with most of its wings."""
FRAMES, STARS = 100, 4
APERTURE = 8
"""Pixels to each side that count for the light of an unsaturated star: the box's half size."""


def run(
    shared: Path, folder: Path, recipe: str, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure the star; rates in electrons per second.

    The sum along the trail is that of all pixels in a box, without the sky and other stars. The
    PSF fit's flux is that of another system: unsaturated stars tell the ratio.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        (exposure,) = read_exposures(shared / FILE)
    measured = measure_exposure(exposure, Settings(method="psf"))
    stars = stars_of(measured)
    scene = measure_scene(exposure, measured.psf, stars)
    star = np.flatnonzero(stars.saturated)
    samples = samples_of(measured, stars, star)
    rate = exposure.exposure_time
    ratio, ratio_error = _aperture_ratio(scene, stars)
    box = np.s_[BOX[2] : BOX[3], BOX[0] : BOX[1]]
    own = np.arange(len(scene.x)) == star[0]
    others = scene.changed(flux=np.where(own, 0, scene.flux)).light
    total = float(np.sum((exposure.data - scene.sky - others)[box])) / rate
    found = {
        "level": exposure.saturation / rate,
        "saturated_pixels": int(exposure.saturated.sum()),
        "trail_sum": total,
        "expected": total * ratio,
        "fit_over_aperture": ratio,
        "fit_over_aperture_error": ratio_error,
    }
    if not (folder / "scaled" / "stars.ecsv").is_file():
        write_scaled(
            scene, stars, folder / "scaled", full_well=exposure.saturation / LEVEL,
            frames=FRAMES, number=STARS, seed=seed,
        )  # fmt: skip
    paths = sorted((folder / "scaled").glob("*.fits"))
    how = Collecting(
        folder / "scaled" / "stars.ecsv", mag="mag", settings=Settings(method="psf"),
        folder=folder / "parts", resume=True,
    )  # fmt: skip
    training = collect_samples(
        paths, how, progress=lambda done, of: say(f"Kepler: {done} of {of}") if done == of else None
    ).samples
    model = SaturationModel(recipe, seed=seed).fit(training, test=False)
    answer = model.predict(samples)
    methods = {name: classic(samples, name) for name in ("trail", "aperture", "wings")}
    methods["ours"] = (answer.log_n, answer.log_n_err)
    for name, (log_n, log_n_err) in methods.items():
        found[name] = float(10 ** log_n[0]) / rate
        found[f"{name}_error"] = float(np.log(10) * log_n_err[0])
    found["in_domain"] = bool(answer.in_domain[0])
    found["training"] = len(training)
    return found


def _aperture_ratio(scene: Any, stars: Any) -> tuple[float, float]:
    """Flux of the PSF fit over the sum of pixels of bright unsaturated stars, and its error."""
    bright = np.flatnonzero(stars.reliable & (scene.flux > 0))
    bright = bright[np.argsort(-scene.flux[bright])][:30]
    x, y, flux = scene.x[bright], scene.y[bright], scene.flux[bright]
    own = scene.psf.stamps(x, y, APERTURE) * flux[:, None, None]
    others = cut(scene.light, x, y, APERTURE) - own
    light = cut(scene.exposure.data - scene.sky, x, y, APERTURE) - others
    whole = ~cut(scene.spoilt, x, y, APERTURE, True).any(axis=(1, 2))
    ratios = flux[whole] / light.sum(axis=(1, 2))[whole]
    middle = float(np.median(ratios))
    spread = 1.4826 * float(np.median(np.abs(ratios - middle)))
    return middle, 1.25 * spread / float(np.sqrt(len(ratios)))
