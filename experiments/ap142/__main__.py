"""AP 142, a cluster of M 31, in one band: whether it is found, with the published stars' size.

The cutout of the PHAT survey in F475W. Published: the photometry of the stars in and around the
cluster, of which the half-light radius is computed here. The model: trained on mock clusters at
M 31's distance on simulated pieces of its disc, in F475W alone, the image's pixels added up two by
two. Mocks of the cluster's published age, extinction and mass in the same image say what to expect.

    python -m experiments.ap142 -o ap142 [--shared ../shared/data]

What is in the folder already is not done again.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from experiments.ap142 import published
from experiments.ap142.figure import draw_figure
from experiments.ap142.image import fitted_radii, read_image, sky_noise
from experiments.ap142.injection import Injected, inject
from experiments.ap142.network import Looked, look
from experiments.ap142.text import LEAST_P, report
from experiments.ap142.training import Budget, set_settings, trained_model
from experiments.trials.folder import claim, write_json
from filar.instruments.bandimage import BandImage
from filar.simulate.clusters.sources import load_isochrones
from filar.wholefile import whole_file

RESAMPLINGS = 40


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("ap142"))
    shared = Path(os.environ.get("FILAR_SHARED", "../shared")) / "data"
    parser.add_argument("--shared", type=Path, default=shared, help="where the real files are")
    parser.add_argument(
        "--isochrones", type=Path, nargs="*", default=[], help="with F475W; the packaged ones"
    )
    parser.add_argument("-n", "--number", type=int, default=8000, help="mock clusters")
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--scene-size", type=int, default=384)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--models", type=int, default=2, help="trainings of other seeds")
    parser.add_argument("--injected", type=int, default=60, help="mocks put into the image")
    parser.add_argument("--half", action="store_true", help="convolutions in bfloat16")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    options = arguments(words)
    names = ("number", "scenes", "scene_size", "epochs", "seed", "half")
    claim(options.output, {name: getattr(options, name) for name in names})
    warnings.simplefilter("ignore")
    started = perf_counter()

    def say(text: str) -> None:
        print(f"{perf_counter() - started:6.0f} s  {text}", flush=True)

    folder = options.shared / "clusters"
    image = read_image(folder)
    found = measure_published(folder, image, options.seed)
    say(f"published: {found['published']}")
    looks: list[tuple[Looked, Injected]] = []
    for k in range(options.models):
        budget = Budget(
            options.number, options.scenes, options.scene_size, options.epochs, options.seed,
            options.workers, options.seed + k, options.half,
        )  # fmt: skip
        model = trained_model(options.output, budget, options.isochrones, say)
        looked = look(model, image, (found["centre"][0], found["centre"][1]), options.seed)
        wanted = set_settings(budget, options.isochrones)
        stars = load_isochrones(wanted.isochrones, wanted.camera.filters)
        injected = inject(model, image, stars, found["centre"], options.injected, options.seed)
        looks.append((looked, injected))
        found["models"].append(facts(looked, injected))
    draw_figure(image, *looks[0], found, options.output / "ap142.png")
    write_json(options.output / "ap142.json", found)
    with whole_file(options.output / "ap142.md") as temporary:
        temporary.write_text(report(found) + "\n", encoding="utf-8")
    say(f"\n{report(found)}\n")


def measure_published(folder: Path, image: BandImage, seed: int) -> dict[str, Any]:
    """Size of the cluster in the published photometry and in the image's rings.

    Parameters
    ----------
    folder : Path
        Of the files.
    image : BandImage
        The image.
    seed : int
        Of the resamplings.

    Returns
    -------
    dict
        Plain values; ``models`` is empty.
    """
    scale = image.pixel_scale
    stars = published.read_stars(folder, image.wcs)
    best = published.fit_profile(stars)

    def measure(some: published.Stars) -> np.ndarray[Any, Any]:
        fitted = published.fit_profile(some, best)
        growth = published.growth_radius(some, fitted.x, fitted.y)
        return np.array([growth * scale, fitted.r_h * scale])

    middle = (published.growth_radius(stars, best.x, best.y) * scale, best.r_h * scale)
    again = published.resampled(stars, measure, RESAMPLINGS, seed)
    low, high = np.quantile(again, (0.16, 0.84), axis=0)
    noise = sky_noise(image.rate)
    return {
        "centre": [float(best.x), float(best.y)], "stars": len(stars.x),
        "published": {
            "growth": [float(middle[0]), float(low[0]), float(high[0])],
            "profile": [float(middle[1]), float(low[1]), float(high[1])],
            "gamma": float(best.gamma),
        },
        "image": {f"{slope:g}": value * scale for slope, value in
                  fitted_radii(image.rate, best.x, best.y, published.SLOPES).items()},
        "sky": {"level": noise.level, "sigma": noise.sigma, "as_seen": noise.as_seen,
                "exposure_time": noise.exposure_time},
        "exposure_time": image.exposure_time, "models": [],
    }  # fmt: skip


def facts(looked: Looked, injected: Injected) -> dict[str, Any]:
    """What the report tells of one model."""
    ratio = np.log10(injected.median / injected.true)
    inside = (injected.low <= injected.true) & (injected.true <= injected.high)
    return {
        "r_h": list(looked.r_h), "p_there": looked.p_there, "elsewhere": looked.elsewhere,
        "x": looked.x, "y": looked.y, "p": float(looked.answer.p_cluster[0]),
        "in_domain": bool(looked.answer.in_domain[0]),
        "median": looked.answer.median()[0].tolist(),
        "injected": {
            "number": len(ratio), "found": float(np.mean(injected.p_with > LEAST_P)),
            "false": float(np.mean(injected.p_without > LEAST_P)),
            "ratio": float(10 ** np.median(ratio)), "scatter": float(ratio.std()),
            "within": float(inside.mean()),
        },
    }  # fmt: skip


if __name__ == "__main__":
    main()
