"""Speed of the PSF fit beside photutils' PSFPhotometry, on the same stars in the same run.

Run as ``python -m benchmarks.fit_speed``. Both fit x, y and flux in 5x5 pixels with the sky of an
annulus, and start from the same positions, 0.1 pixel off. filar has the PSF itself, photutils the
STDPSF file that filar wrote of it.
"""

from __future__ import annotations

import os
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from filar.exposure import Exposure
from filar.fit import fit_stars
from filar.psf.bound import cramer_rao
from filar.psf.empirical import write_stdpsf
from filar.psf.library import default_psf_for
from filar.psf.model import FieldPSF
from filar.psf.render import render_image

SHAPE = (800, 800)
SPACING = 12.0  # pixels between the stars' mean places
SKY, READ_NOISE = 20.0, 5.2
BOX = 5
PEER_STARS = 500
REPEATS = 5
Stars = dict[str, np.ndarray]


def make_field(psf: FieldPSF, seed: int = 1) -> tuple[Exposure, Stars]:
    """Stars of 1000 to 100,000 electrons on a jittered mesh over a WF chip, in random order."""
    rng = np.random.default_rng(seed)
    mesh = np.arange(20.0, 780.0, SPACING)
    x, y = (a.ravel() + rng.uniform(-2, 2, a.size) for a in np.meshgrid(mesh, mesh))
    order = rng.permutation(x.size)
    stars = {"x": x[order], "y": y[order], "flux": 10 ** rng.uniform(3, 5, x.size)}
    expected = SKY + render_image(psf, SHAPE, stars["x"], stars["y"], stars["flux"])
    data = rng.poisson(expected) + rng.normal(0, READ_NOISE, SHAPE)
    stars["x0"], stars["y0"] = (stars[k] + rng.normal(0, 0.1, x.size) for k in "xy")
    clear = np.zeros(SHAPE, bool)
    exposure = Exposure(
        data.astype(np.float32), clear, clear, clear, gain=7.0, read_noise=READ_NOISE,
        instrument="WFPC2", chip="WF3", filter="F555W",
    )  # fmt: skip
    return exposure, stars


def ours(exposure: Exposure, psf: FieldPSF, stars: Stars) -> tuple[np.ndarray, ...]:
    fits = fit_stars(exposure, psf, stars["x0"], stars["y0"], box=BOX)
    return fits.x, fits.y, fits.flux


def peer(exposure: Exposure, path: Path) -> Callable[[Stars], tuple[np.ndarray, ...]]:
    from astropy.table import QTable
    from photutils.background import LocalBackground
    from photutils.psf import GriddedPSFModel, PSFPhotometry

    model = GriddedPSFModel.read(path, format="stdpsf")
    variance = np.maximum(exposure.data, SKY) + READ_NOISE**2
    measure = PSFPhotometry(
        model, (BOX, BOX), aperture_radius=2.5, local_bkg_estimator=LocalBackground(7, 12)
    )

    def run(stars: Stars) -> tuple[np.ndarray, ...]:
        start = QTable({"x": stars["x0"], "y": stars["y0"]})
        found = measure(exposure.data, error=np.sqrt(variance), init_params=start)
        return tuple(np.asarray(found[name]) for name in ("x_fit", "y_fit", "flux_fit"))

    return run


def subset(stars: Stars, count: int) -> Stars:
    return {name: column[:count] for name, column in stars.items()}


def timed(run: Callable[[], tuple[np.ndarray, ...]], repeats: int) -> tuple[float, float]:
    """Best wall-clock time of several runs, seconds, and peak of a further one's memory, MB."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return best, peak


def precision(found: tuple[np.ndarray, ...], stars: Stars, psf: FieldPSF) -> tuple[float, float]:
    """Rms position error per axis, mpix, and its ratio to the Cramer-Rao bound."""
    bound = cramer_rao(
        psf, stars["x"], stars["y"], stars["flux"], sky=SKY, read_noise=READ_NOISE, box=BOX
    )
    errors = np.concatenate([found[0] - stars["x"], found[1] - stars["y"]])
    limits = np.concatenate([bound.x, bound.y])
    good = np.isfinite(errors) & (np.abs(errors) < 10 * limits + 0.1)
    rms = np.sqrt(np.mean(errors[good] ** 2))
    return float(1e3 * rms), float(np.sqrt(np.mean((errors[good] / limits[good]) ** 2)))


def main() -> None:
    psf = default_psf_for("WFPC2", "WF3", "F555W", focus=2.0)
    exposure, stars = make_field(psf)
    few = subset(stars, PEER_STARS)
    count = len(stars["x"])
    psf.table(BOX)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "STDPSF_WF3_F555W.fits"
        write_stdpsf({"WF3": psf}, path, instrument="WFPC2", filter_name="F555W")
        other = peer(exposure, path)
        rows = [
            ("filar", count, timed(lambda: ours(exposure, psf, stars), REPEATS),
             precision(ours(exposure, psf, stars), stars, psf)),
            ("photutils", PEER_STARS, timed(lambda: other(few), 1),
             precision(other(few), few, psf)),
        ]  # fmt: skip
    print(f"WF3 F555W, {SHAPE[1]}x{SHAPE[0]}, {BOX}x{BOX} pixels, {os.cpu_count()} cores")
    print("program     stars   stars/s  memory MB  rms mpix  /bound")
    for name, n, (seconds, memory), (rms, ratio) in rows:
        print(f"{name:10} {n:6d} {n / seconds:9.0f} {memory:10.0f} {rms:9.2f} {ratio:7.3f}")
    speed = [n / seconds for _, n, (seconds, _), _ in rows]
    print(f"filar is {speed[0] / speed[1]:.0f} times as fast")


if __name__ == "__main__":
    main()
