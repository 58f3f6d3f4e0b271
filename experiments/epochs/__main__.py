"""Networks trained at one focus, on a set taken at another: C23's finding, and two ways out.

Two dithered sets, 4 microns of focus apart. Trained on the first with mean labels: C23's V1, our
network told one PSF for all exposures (the mean of the training set's), and our network told each
exposure's own. Judged against the truth, on stars of the second set that were held out: error over
the bound and semi-amplitude of the pixel-phase bias. Then each is continued on 30 exposures of the
second set, as `filar train centering --from` does it, and judged again.

    python -m experiments.epochs -o DIR [--chip WF3] [--exposures 30] [--stars 2500]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from filar.catalogfile import read_catalog
from filar.centering.estimator import StarCenterer
from filar.centering.evaluate import phase_semi_amplitude
from filar.frames.truth import Truth
from filar.learn.recipe import Recipe, load_recipe, override
from filar.measure.heldout import CenterErrors, errors_of, measure_store
from filar.measure.labels import make_stamps
from filar.robust import robust_rms
from filar.simulate.dither_files import write_dither_set
from filar.simulate.dither_settings import DitherSettings
from filar.stamps.store import StampStore

APART = 4.0  # microns
MOST_NEIGHBOURS = 0.01
BRIGHT = 5000.0  # electrons: where bias shows above the noise
CLASSIC = "classic, own PSF"


def recipes(epochs: int) -> dict[str, Recipe]:
    """What is trained: C23's V1 at a rate that gets somewhere in minutes, and ours in two ways."""
    ours = override(load_recipe("filar-centering"), {"budget.epochs": epochs})
    paper = override(load_recipe("c23-v1"), {
        "budget.epochs": 2 * epochs, "budget.batch_size": 256, "optimiser.lr": 1e-3,
        "optimiser.schedule": "cosine", "data.subtract_neighbours": True, "data.snr": (10.0, 1e9),
    })  # fmt: skip
    return {
        "C23 V1": paper,
        "ours, one PSF": override(ours, {"network.psf": "common"}),
        "ours": ours,
    }


def make_set(folder: Path, settings: DitherSettings, workers: int) -> StampStore:
    """Simulate and measure a set; what is there is kept."""
    write_dither_set(settings, folder, workers=workers)
    files = sorted(folder.glob("*_c0m.fits"))
    data = load_recipe("filar-centering").data
    return make_stamps(files, folder / "stamps", data=data, workers=workers)


def trained(path: Path, recipe: Recipe, store: StampStore, start: StarCenterer | None = None):
    """Train, or take the model that is there."""
    file = path.with_suffix(".safetensors")
    if not file.exists():
        StarCenterer(recipe).fit(store, folder=path, start=start).save(file)
    return StarCenterer.load(file)


def judge(errors: CenterErrors) -> dict[str, float]:
    """Error over the bound, and phase bias of bright stars in mpix; both axes."""
    keep = errors.judged & np.isfinite(errors.dx)
    ratio = np.stack([errors.dx / errors.x_bound, errors.dy / errors.y_bound])[:, keep]
    bright = keep & (errors.flux > BRIGHT)
    waves = [phase_semi_amplitude(e[bright], p[bright])
             for e, p in ((errors.dx, errors.x), (errors.dy, errors.y))]  # fmt: skip
    return {
        "n": int(keep.sum()), "ratio": robust_rms(ratio.ravel()),
        "phase_x": 1000 * waves[0].amplitude, "phase_y": 1000 * waves[1].amplitude,
        "phase_error": 1000 * waves[0].error,
    }  # fmt: skip


def main() -> None:
    """Print the table, write it as JSON and as a figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--chip", default="WF3")
    parser.add_argument("--filter", default="F555W")
    parser.add_argument("--exposures", type=int, default=30)
    parser.add_argument("--stars", type=int, default=2500)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=61)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    base = DitherSettings(
        exposures=given.exposures, stars=given.stars, chips=(given.chip,), filter=given.filter,
        seed=given.seed, breathing=1.0,
    )  # fmt: skip
    there = replace(base, focus=APART, seed=given.seed + 1)
    given.output.mkdir(parents=True, exist_ok=True)
    stores = [make_set(given.output / name, settings, given.workers)
              for name, settings in (("first", base), ("second", there))]  # fmt: skip
    kinds = recipes(given.epochs)
    before = {name: trained(given.output / f"first-{name}", recipe, stores[0])
              for name, recipe in kinds.items()}  # fmt: skip
    after = {f"{name}, continued": trained(given.output / f"second-{name}", kinds[name], stores[1],
                                           model) for name, model in before.items()}  # fmt: skip
    results = {}
    for number, (place, store) in enumerate(zip(("first", "second"), stores, strict=True)):
        truth = Truth.from_table(read_catalog(given.output / place / "truth.parquet"))
        networks = before if number == 0 else before | after
        errors = errors_of(measure_store(store, networks), (given.chip, given.filter), truth=truth,
                           max_neighbours=MOST_NEIGHBOURS)  # fmt: skip
        results[place] = {CLASSIC if name == "classic" else name: judge(one)
                          for name, one in errors.items()}  # fmt: skip
        print(table(f"{given.chip} {given.filter}, judged on the {place} set", results[place]))
    (given.output / "epochs.json").write_text(json.dumps(results, indent=1))
    draw(results, given.output / "epochs.png")


def table(title: str, results: dict[str, dict[str, float]]) -> str:
    """The figures as text."""
    lines = [f"{title}: error over the bound; pixel-phase bias x, y above {BRIGHT:g} e- (mpix)"]
    for name, one in results.items():
        waves = f"{one['phase_x']:6.2f} {one['phase_y']:6.2f} +- {one['phase_error']:.2f}"
        lines.append(f"  {name:26s} {one['n']:6d}  {one['ratio']:6.3f}   {waves}")
    return "\n".join(lines)


def draw(results: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Bars of the phase bias: at the training's focus, at another, and after continuing there."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    names = list(results["first"])
    cases = (
        ("trained here", "first", "", "#0072B2"),
        ("4 microns away", "second", "", "#D55E00"),
        ("continued there", "second", ", continued", "#009E73"),
    )
    for k, (label, place, suffix, colour) in enumerate(cases):
        rows = [(n, results[place].get(name + suffix)) for n, name in enumerate(names)]
        at = [n + 0.26 * (k - 1) for n, one in rows if one]
        height = [np.hypot(one["phase_x"], one["phase_y"]) / np.sqrt(2) for _, one in rows if one]
        axis.bar(at, height, 0.24, color=colour, label=label)
    axis.set_xticks(range(len(names)), names, fontsize=9)
    axis.set_ylabel("semi-amplitude of the\npixel-phase bias (mpix)")
    axis.legend(fontsize=8)
    figure.savefig(path, dpi=140)


if __name__ == "__main__":
    main()
