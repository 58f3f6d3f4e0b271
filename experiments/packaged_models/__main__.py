"""Makes the models that come with filar, for WFPC2's PC and wide-field chips in two filters.

Stars with PSFs drawn from a wide range of wavefronts, jitter and charge diffusion
(`filar.centering.ensemble`); the network is told each PSF with an error such as the fit to an
exposure makes. Then the recipe filar-centering with the budget of `EPOCHS`.

    python -m experiments.packaged_models -o FOLDER [--models wfpc2-pc-f555w ...] [--workers 2]

The files belong into src/filar/centering/models. The PC's in F814W was made with `--size 8`: in
smaller rasters bright stars would lose 4% of their precision. With `--psf common` the network is
told one and the same PSF for all stars: how much is it worth to tell it each exposure's own?
"""

from __future__ import annotations

import argparse
from pathlib import Path

from experiments.packaged_models.fit_errors import fit_errors
from filar.centering.estimator import StarCenterer
from filar.centering.simulated import StampDraw, simulate_store
from filar.learn.recipe import load_recipe, override
from filar.learn.train import Progress
from filar.stamps.store import StampStore

CHIPS = {"pc": ("PC",), "wf": ("WF2", "WF3", "WF4")}
FILTERS = ("F555W", "F814W")
EPOCHS = 6
SEED = 1


def make_model(name: str, folder: Path, given: argparse.Namespace) -> Path:
    """Make one model; what is there of fit errors and stamps is kept."""
    group, filter_name = name.split("-")[1], name.split("-")[2].upper()
    errors = fit_errors(
        folder / f"{name}-fit-errors.npy", CHIPS[group], filter_name,
        exposures=given.fits, seed=SEED, workers=given.workers,
    )  # fmt: skip
    print(f"{name}: {len(errors)} errors of PSF fits", flush=True)
    stamps = folder / f"{name}-stamps"
    if not stamps.exists():
        simulate_store(
            stamps,
            CHIPS[group],
            filter_name,
            psfs=given.psfs,
            stars=given.stars,
            seed=SEED,
            fit_errors=errors,
            draw=StampDraw(size=given.size),
        )
    store = StampStore.open(stamps)
    print(f"{name}: {len(store)} stamps", flush=True)
    changes = {"budget.epochs": given.epochs, "data.size": given.size}
    if given.psf == "common":
        changes["network.psf"] = given.psf
    recipe = override(load_recipe("filar-centering"), changes)

    def tell(progress: Progress) -> None:
        if progress.step == progress.steps:
            figures = ", ".join(f"{k} {v:.4f}" for k, v in progress.figures.items())
            print(f"{name}: {progress.epoch} of {progress.epochs}: {figures}", flush=True)

    model = StarCenterer(recipe, seed=SEED).fit(
        store, folder=folder / f"{name}-{given.psf}-run", resume=True, progress=tell
    )
    path = folder / (f"{name}.safetensors" if given.psf == "own" else f"{name}-common.safetensors")
    model.save(path)
    print(f"{name}: {model.card_.figures}", flush=True)
    return path


def main() -> None:
    """Make them."""
    names = [f"wfpc2-{group}-{filter_name.lower()}" for group in CHIPS for filter_name in FILTERS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--models", nargs="+", choices=names, default=names)
    parser.add_argument("--fits", type=int, default=16, help="exposures whose PSF is fitted")
    parser.add_argument("--psfs", type=int, default=2500)
    parser.add_argument("--stars", type=int, default=200, help="per PSF")
    parser.add_argument("--psf", choices=("own", "common"), default="own")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--size", type=int, default=6)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for name in given.models:
        print(make_model(name, given.output, given), flush=True)


if __name__ == "__main__":
    main()
