"""Dithered sets whose PSFs come from the second optical program of `benchmarks.truth`.

The sky, the pointings and the detector are those of `filar simulate dithers`; the PSFs are not:
brute-force optics with polishing errors and aberrations that vary over the chip, charge diffusion
by another law, made at six values of the focus and interpolated to each exposure's. The classic
library is the same program's PSF 4 microns away, as good as a library can be but for its epoch.
Printed: errors of the mean catalogue against the truth, robust rms after a cubic map, S/N >= 30.

    python -m benchmarks.dither_truth [--exposures 60] [--stars 2500] [--fit]
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.truth import make_truth
from benchmarks.truth_fields import true_psf
from experiments.c23_labels.growth import growth, table
from filar.catalogfile import read_catalog, write_catalog
from filar.frames.read import read_catalog_lists
from filar.frames.starlist import StarList
from filar.frames.truth import Truth
from filar.measure import Settings, measure_exposure
from filar.psf.model import FieldPSF
from filar.simulate.dither_settings import DitherSettings
from filar.simulate.dither_truth import dither_truth
from filar.simulate.dithers import expose_chip, view_chip

KNOTS = np.array([-5.0, -2.5, 0.0, 2.5, 5.0, 7.5])
LAWS = {"PC": "exponential", "WF3": "gauss"}
FOCUS_ERROR = 4.0
SURFACE = 31  # seed of the polishing errors


@lru_cache(maxsize=12)
def knot(chip: str, band: str, number: int, seed: int) -> FieldPSF:
    """The program's PSF at one of the foci."""
    law = LAWS.get(chip, "kernel")
    return true_psf(make_truth(chip, band, focus=float(KNOTS[number]), seed=seed, law=law, nodes=5))


def psf_at(chip: str, band: str, focus: float, seed: int) -> FieldPSF:
    """The program's PSF at any focus, interpolated by a polynomial through the six."""
    psfs = [knot(chip, band, n, seed) for n in range(len(KNOTS))]
    weights = [
        np.prod((focus - np.delete(KNOTS, n)) / (KNOTS[n] - np.delete(KNOTS, n)))
        for n in range(len(KNOTS))
    ]
    transforms = sum(w * psf.transforms for w, psf in zip(weights, psfs, strict=True))
    name = f"second program, {focus:+.1f} microns"
    return psfs[0].replace(transforms=transforms.astype(np.complex64), name=name)


def one_exposure(
    key: tuple[str, int], settings: DitherSettings, fit: bool, folder: Path
) -> tuple[Path, dict[str, Path]]:
    """Simulate and measure one chip of one exposure: files of its truth and its catalogues."""
    chip, number = key
    view = view_chip(settings, chip, number)
    view = replace(view, psf=psf_at(chip, settings.filter, view.pointing.focus, SURFACE))
    exposure = expose_chip(view)
    centres: dict[str, str | FieldPSF] = {
        "library": psf_at(chip, settings.filter, settings.focus + FOCUS_ERROR, SURFACE),
        "true": view.psf,
    }
    if fit:
        centres["own"] = "fit"
    paths = {}
    for method, psf in centres.items():
        paths[method] = folder / f"{method}_{chip}_{number:03d}.parquet"
        write_catalog(
            measure_exposure(exposure, Settings(psf=psf, method="psf")).catalog, paths[method]
        )
    truth = folder / f"truth_{chip}_{number:03d}.parquet"
    write_catalog(dither_truth([view]), truth)
    return truth, paths


def joined(paths: list[Path]) -> Truth:
    """The truth of all exposures."""
    tables = [read_catalog(path) for path in paths]
    names = tables[0].colnames
    return Truth.from_table(
        {
            name: np.concatenate([np.asarray(getattr(t[name], "value", t[name])) for t in tables])
            for name in names
        }
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exposures", type=int, default=60)
    parser.add_argument("--stars", type=int, default=2500)
    parser.add_argument("--filter", default="F555W")
    parser.add_argument("--chips", default="PC,WF3")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--fit", action="store_true", help="fit each exposure's PSF too: slow")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    settings = DitherSettings(
        exposures=given.exposures, stars=given.stars, filter=given.filter, seed=given.seed,
        chips=tuple(given.chips.split(",")),
    )  # fmt: skip
    keys = [(chip, n) for chip in settings.chips for n in range(1, settings.exposures + 1)]
    with tempfile.TemporaryDirectory() as name:
        task = partial(one_exposure, settings=settings, fit=given.fit, folder=Path(name))
        with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
            done = list(pool.map(task, keys))
        truth = joined([path for path, _ in done])
        lists: dict[str, list[StarList]] = {}
        for _, paths in done:
            for method, path in paths.items():
                lists.setdefault(method, []).extend(read_catalog_lists(path))
    print(table(growth(lists, truth, (10, 20, 40, 60))))


if __name__ == "__main__":
    main()
