"""By how much PSF fits miss: fitted minus true PSFs of simulated exposures."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from filar.centering.ensemble import draw_state
from filar.detect import detect_stars
from filar.psf.fitted import fit_psf
from filar.psf.model import FieldGrid
from filar.psf.samples import STEP, sample_psf
from filar.simulate.exposure import simulate_exposure
from filar.simulate.field import draw_stars
from filar.wholefile import whole_file

RADIUS = 5.0  # pixels: for rasters of up to 8
WEIGHT_FLOOR = 0.01  # of the light: where the wings' noise stops counting


def fit_error(number: int, chips: tuple[str, ...], filter_name: str, seed: int) -> np.ndarray:
    """Differences at the nodes of one exposure's fit: (nodes, samples, samples), shifts removed."""
    rng = np.random.default_rng([seed, number])
    chip, state = draw_state(chips, filter_name, rng)
    truth = state.psf(FieldGrid.chebyshev(state.shape, 7))
    count = int(np.exp(rng.uniform(np.log(300), np.log(3000))))
    field = draw_stars(count, state.shape, seed=rng)
    exposure = simulate_exposure(truth, field, chip=chip, filter_name=filter_name,
                                 sky=float(np.exp(rng.uniform(np.log(5), np.log(100)))),
                                 seed=int(rng.integers(2**31)))  # fmt: skip
    fit = fit_psf(exposure, detect_stars(exposure))
    if fit.fallback:
        side = 2 * round(RADIUS / STEP) + 1
        return np.zeros((0, side, side), np.float32)
    true, found = sample_psf(truth, RADIUS), sample_psf(fit.psf, RADIUS)
    return without_shift(found.values - true.values, true.values, true.step)


def without_shift(error: np.ndarray, psf: np.ndarray, step: float) -> np.ndarray:
    """Errors of PSFs without what is but a shift: that is a smooth change of positions."""
    by_y, by_x = (np.gradient(psf, step, axis=axis) for axis in (1, 2))
    result = np.empty_like(error)
    for k in range(len(error)):
        root = 1 / np.sqrt(np.maximum(psf[k], 0) + WEIGHT_FLOOR)
        slopes = np.stack([(by_x[k] * root).ravel(), (by_y[k] * root).ravel()], 1)
        shift = np.linalg.lstsq(slopes, (error[k] * root).ravel(), rcond=None)[0]
        result[k] = error[k] - shift[0] * by_x[k] - shift[1] * by_y[k]
    return result.astype(np.float32)


def fit_errors(
    path: Path, chips: tuple[str, ...], filter_name: str, *, exposures: int, seed: int, workers: int
) -> np.ndarray:
    """Errors of many fits: (n, samples, samples); kept in a file."""
    if path.exists():
        return np.load(path, allow_pickle=False)
    task = partial(fit_error, chips=chips, filter_name=filter_name, seed=seed)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = np.concatenate(list(pool.map(task, range(exposures))))
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, found)
    return found
