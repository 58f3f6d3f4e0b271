"""Centres by network on dithered sets with truth: over the Cramer-Rao bound, without pixel phase.

For each filter a set of `filar simulate dithers`, for each chip the label chain and the default
recipe with mean labels and with perfect ones, all as `filar train centering` does it. Beside them
the classic centres of the same measures: with a library that is 4 microns off in focus, with the
PSF fitted to each exposure, and by the packaged model, which has never seen the set. Judged are
stars held out of the training, after a cubic map per exposure: all, and those whose true neighbours
do not matter, since the bound knows of none.

    python -m benchmarks.centering -o DIR [--filters F555W F814W] [--chips PC WF3] [--vgg8 10]

What is in DIR is kept, so that a second run only judges anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from experiments.c23_labels.centres import write_library
from filar.catalogfile import read_catalog
from filar.centering.estimator import StarCenterer
from filar.centering.evaluate import half_dex_bins, phase_semi_amplitude
from filar.centering.packaged import packaged_model
from filar.frames.read import read_catalog_lists
from filar.frames.truth import Truth
from filar.learn.recipe import load_recipe, override
from filar.measure import Settings, measure_files
from filar.measure.heldlists import positions_of
from filar.measure.heldout import CenterErrors, Measured, errors_of, measure_store
from filar.measure.labels import make_stamps
from filar.simulate.dither_files import write_dither_set
from filar.simulate.dither_settings import DitherSettings
from filar.stamps.store import StampStore

FOCUS_ERROR = 4.0
MOST_NEIGHBOURS = 0.01
"""Light of true neighbours within 5 pixels over a star's own, up to which it counts as apart."""
OURS, PERFECT, PACKAGED, VGG8 = "ours", "ours, perfect labels", "packaged", "VGG8"
NAMES = {"classic": "classic, own PSF", "library": "classic, library"}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--filters", nargs="+", default=["F555W", "F814W"])
    parser.add_argument("--chips", nargs="+", default=["PC", "WF3"])
    parser.add_argument("--exposures", type=int, default=100)
    parser.add_argument("--stars", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--vgg8", type=float, default=0, help="minutes to train C24's VGG8")
    given = parser.parse_args()
    results = {}
    for filter_name in given.filters:
        settings = DitherSettings(
            exposures=given.exposures, stars=given.stars, filter=filter_name,
            chips=("PC", "WF3"), seed=given.seed,
        )  # fmt: skip
        folder = given.output / filter_name
        write_dither_set(settings, folder, workers=given.workers)
        files = sorted(folder.glob("*_c0m.fits"))
        truth = Truth.from_table(read_catalog(folder / "truth.parquet"))
        for chip in given.chips:
            label = f"{chip} {filter_name}"
            measured = measure_chip(files, settings, chip, given)
            for name, share in (("all", np.inf), ("apart", MOST_NEIGHBOURS)):
                found = errors_of(measured, (chip, filter_name), truth=truth, max_neighbours=share)
                results[f"{label} {name}"] = judge(found)
                print(table(f"{label} {name}", results[f"{label} {name}"]), flush=True)
    (given.output / "centering.json").write_text(json.dumps(results, indent=1))


def measure_chip(
    files: list[Path], settings: DitherSettings, chip: str, given: argparse.Namespace
) -> Measured:
    """Measure a set's stamps by all methods."""
    work = given.output / f"{chip}-{settings.filter}"
    work.mkdir(exist_ok=True)
    recipe = load_recipe("filar-centering")
    started = perf_counter()
    options = {"data": recipe.data, "chips": [chip], "workers": given.workers}
    store = make_stamps(files, work / "stamps", parts=work / "parts", **options)
    print(f"{chip} {settings.filter}: {len(store)} stamps, labels in "
          f"{perf_counter() - started:.0f} s", flush=True)  # fmt: skip
    perfect = make_stamps(files, work / "stamps-perfect", parts=work / "parts",
                          labels=files[0].parent / "truth.parquet", **options)  # fmt: skip
    networks = {OURS: trained(store, work / "ours"), PERFECT: trained(perfect, work / "perfect")}
    own = packaged_model("WFPC2", chip, settings.filter)
    if own is not None and StarCenterer.load(own).card_.size == store.size:
        networks[PACKAGED] = StarCenterer.load(own)
    if given.vgg8:
        networks[VGG8] = trained(store, work / "vgg8", "c24-vgg8", {
            "optimiser.lr": 1e-3, "budget.batch_size": 64, "budget.steps_per_epoch": 500,
            "budget.max_minutes": given.vgg8,
        })  # fmt: skip
    measured = measure_store(store, networks)
    lists = read_catalog_lists(library_centres(files, settings, chip, work, given.workers))
    return replace(measured, methods={**measured.methods, "library": positions_of(measured, lists)})


def trained(
    store: StampStore, path: Path, recipe: str = "filar-centering",
    changes: Mapping[str, float] | None = None,
) -> StarCenterer:  # fmt: skip
    """Train a recipe, or take the model that is there."""
    file = path.with_suffix(".safetensors")
    if not file.exists():
        started = perf_counter()
        chosen = override(load_recipe(recipe), dict(changes or {}))
        model = StarCenterer(chosen).fit(store, folder=path)
        model.save(file)
        epochs = [row["seconds"] for row in model.history_]
        print(f"{path.name}: trained in {perf_counter() - started:.0f} s, {len(epochs)} epochs of "
              f"{np.median(epochs):.1f} s", flush=True)  # fmt: skip
    return StarCenterer.load(file)


def library_centres(
    files: list[Path], settings: DitherSettings, chip: str, work: Path, workers: int
) -> Path:
    """Classic catalogue with a PSF library off in focus."""
    catalog = work / "library.parquet"
    if not catalog.exists():
        psf = work / "library.fits"
        write_library(replace(settings, chips=(chip,)), settings.focus + FOCUS_ERROR, psf)
        from filar.instruments.options import ReadOptions

        measure_files(files, catalog, Settings(psf=psf, method="psf"), workers=workers,
                      read=ReadOptions(chips=(chip,)))  # fmt: skip
    return catalog


def judge(found: Mapping[str, CenterErrors]) -> dict[str, object]:
    """Figures of all methods: bins of flux, and the wave over the pixel phase."""
    result: dict[str, object] = {}
    for name, errors in found.items():
        keep = errors.judged & np.isfinite(errors.dx)
        both = [np.stack(pair, 1)[keep] for pair in (
            (errors.dx, errors.dy), (errors.x_bound, errors.y_bound), (errors.x_err, errors.y_err)
        )]  # fmt: skip
        bins = half_dex_bins(errors.flux[keep], *both)
        waves = [phase_semi_amplitude(e[keep], p[keep])
                 for e, p in ((errors.dx, errors.x), (errors.dy, errors.y))]  # fmt: skip
        result[NAMES.get(name, name)] = {
            "bins": [asdict(one) for one in bins],
            "phase": [[1000 * wave.amplitude, 1000 * wave.error] for wave in waves],
        }
    return result


def table(label: str, results: Mapping[str, object]) -> str:
    """The figures as text."""
    lines = [
        f"{label}: error over the bound (pull) by log10 flux; phase semi-amplitude x, y (mpix)"
    ]
    for name, one in results.items():
        bins = "  ".join(
            f"{np.log10(b['low']):.1f}: {b['ratio']:.3f} ({b['pull']:.2f}, n {b['number']})"
            for b in one["bins"]
        )
        waves = ", ".join(f"{a:.2f} +- {e:.2f}" for a, e in one["phase"])
        lines.append(f"  {name:22s} {bins}   phase {waves}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
