"""Saturated stars of real images, with magnitudes that are known otherwise.

M 2 (SDSS r frame, Stetson's R): the model is trained on simulations made with the frame's own PSF,
masks and crowding, in which its own saturated stars have no label; the zero point comes from its
unsaturated stars. Kepler: the light of a bleeding star against the sum of its pixels; the model is
trained on the image's own unsaturated stars, scaled up until they bleed. Omega Cen (WFPC2): the
methods against one another and on the relation between a star's light and that in a far ring.

    python -m experiments.saturated_real -o saturated_real [--shared ../shared/data]

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

from experiments.saturated_real import figures, kepler, m2, omega
from experiments.saturated_real.text import kepler_text, m2_text, omega_text
from experiments.saturated_real.training import Budget, simulated_samples, train
from experiments.trials.folder import claim, write_json
from filar.instruments import read_exposures
from filar.wholefile import whole_file

PARTS = ("m2", "kepler", "omega")


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("saturated_real"))
    shared = Path(os.environ.get("FILAR_SHARED", "../shared")) / "data"
    parser.add_argument("--shared", type=Path, default=shared, help="where the real files are")
    parser.add_argument("--frames", type=int, default=8, help="simulated frames of M 2")
    parser.add_argument("--stars", type=int, default=160, help="stars put into each")
    parser.add_argument("--models", type=int, default=3, help="trainings for M 2, of other seeds")
    parser.add_argument("--recipe", default="filar-saturation")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    options = arguments(words)
    folder: Path = options.output
    settings = {name: getattr(options, name) for name in ("frames", "stars", "recipe", "seed")}
    claim(folder, settings)
    warnings.simplefilter("ignore", UserWarning)
    started = perf_counter()

    def say(text: str) -> None:
        print(f"{perf_counter() - started:6.0f} s  {text}", flush=True)

    runs = {"m2": run_m2, "kepler": run_kepler, "omega": run_omega}
    for name in options.parts.split(","):
        text, found = runs[name](options, folder / name, say)
        write_json(folder / f"{name}.json", found)
        with whole_file(folder / f"{name}.md") as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        say(f"\n{text}\n")


def run_m2(options: argparse.Namespace, folder: Path, say: Any) -> tuple[str, dict[str, Any]]:
    """The frame of M 2."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = m2.measure_frame(m2.read_frame(options.shared))
    known = m2.known_stars(options.shared, frame)
    zero = m2.fit_zero_point(frame, known)
    budget = Budget(options.frames, options.stars, options.seed, options.workers)
    samples = simulated_samples(frame, folder, budget, say)
    models = {
        "ours" if k == 0 else f"ours, seed {options.seed + k}": train(
            samples, options.recipe, options.seed + k, folder / f"model{k}.safetensors"
        )
        for k in range(options.models)
    }
    judged = m2.judge(options.shared, frame, known, zero, models)
    figures.m2_figure(judged, m2.AT_PLACES, folder.parent / "m2.png")
    found = {
        "zero_point": zero.value, "slope": zero.slope, "scatter": zero.scatter,
        "unsaturated": zero.number, "training": len(samples), "bins": m2.figures(judged),
        "stars": m2.rows(judged),
    }  # fmt: skip
    return m2_text(found), found


def run_kepler(options: argparse.Namespace, folder: Path, say: Any) -> tuple[str, dict[str, Any]]:
    """The cutout of Kepler's."""
    folder.mkdir(parents=True, exist_ok=True)
    found = kepler.run(options.shared, folder, options.recipe, options.seed, say)
    (exposure,) = read_exposures(options.shared / kepler.FILE)
    y, x = np.argwhere(exposure.saturated).mean(axis=0).round().astype(int)
    image = exposure.data[y - 15 : y + 16, max(x - 15, 0) : x + 16] / exposure.exposure_time
    figures.kepler_figure(image, found, folder.parent / "kepler.png")
    return kepler_text(found), found


def run_omega(options: argparse.Namespace, folder: Path, say: Any) -> tuple[str, dict[str, Any]]:
    """Omega Cen."""
    folder.mkdir(parents=True, exist_ok=True)
    found, relation = omega.run(options.shared, folder, options.recipe, options.seed, say)
    figures.omega_figure(relation, found, folder.parent / "omega.png")
    return omega_text(found), found


if __name__ == "__main__":
    main()
