"""Harris & Speagle (2024) on simulated fields whose truth is known.

Two scenes shaped like theirs: star clusters about a giant galaxy (F555W and F814W, a steep gradient
of the sky) and red giants of a halo whose crowding changes twentyfold across the chip. Each is
simulated several times and measured with filar's pipeline; artificial stars go through the same.
All recipes are trained and judged by artificial stars held out, with measured magnitudes as in the
paper; our recipe also by the true stars: predicted against true recovered fraction, and corrected
luminosity functions against the true ones.

    python -m experiments.h24 -o h24 [--workers 2] [--galaxies 12 --halos 6]

What is in the folder already is not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from experiments.ast_tables import judged
from experiments.ast_tables.text import OURS, markdown
from experiments.h24 import figures
from experiments.h24.fields import Task, joined, read_artificial, realise, steep
from experiments.h24.statements import statements
from experiments.h24.truth import Functions, calibration, functions, outermost, truth_text
from experiments.trials.folder import claim, write_json
from experiments.trials.training import in_processes
from filar.completeness.curves import CompletenessCurves, completeness_curves
from filar.completeness.estimator import CompletenessModel
from filar.completeness.table import ArtificialStars
from filar.threads import torch_threads
from filar.wholefile import whole_file

SCENES = ("galaxy", "halo")
SIZES = (300, 1000, 3000, 10_000)
BIN = 0.2
"""Of the curves, as in H24's figures 6 and 11."""


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("h24"))
    parser.add_argument("--galaxies", type=int, default=6, help="realisations")
    parser.add_argument("--halos", type=int, default=3, help="realisations")
    parser.add_argument("--artificial", default="8000,16000", help="in each galaxy, each halo")
    parser.add_argument("--stars", type=int, default=0, help="true stars in each; 0: the scene's")
    parser.add_argument("--recipes", default=f"logistic,boosting,{OURS},cointoss")
    parser.add_argument("--cointoss", type=int, default=10_000, help="stars it gets; 0: all")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="of learning curves")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    given = arguments(words)
    folder = given.output
    claim(folder, {"stars": given.stars, "artificial": given.artificial, "seed": given.seed})
    tasks = _tasks(given)
    for done in in_processes(realise, [t for own in tasks.values() for t in own], given.workers):
        say(f"{done.scene} {done.number}: simulated, measured, tested")
    rows: list[judged.Row] = []
    calibrated: dict[str, list[dict[str, Any]]] = {}
    curves: dict[str, CompletenessCurves] = {}
    found: dict[str, Functions] = {}
    with torch_threads(1):
        for scene, own in tasks.items():
            artificial = _mixed(own, given.seed)
            rows += _trained(scene, artificial, given)
            model = CompletenessModel(OURS, errors=True, seed=given.seed)
            model.fit(artificial, test=False)
            calibrated[scene] = calibration(model, read_artificial(own, "truth"), seed=given.seed)
            outer = steep(artificial.select(outermost(scene, artificial)), given.seed)
            edges = np.arange(outer.mag_in[:, 0].min(), outer.mag_in[:, 0].max(), BIN)
            curves[scene] = completeness_curves(outer, edges)
            found[scene] = functions(scene, own, artificial, model)
            _diagram(scene, artificial, given)
    figures.curves(curves, folder / "curves.png")
    figures.truth(calibrated, folder / "truth.png")
    figures.luminosity(found, folder / "luminosity.png")
    _conclude(folder, rows, calibrated, curves, found)


def _tasks(given: argparse.Namespace) -> dict[str, list[Task]]:
    artificial = dict(zip(SCENES, map(int, given.artificial.split(",")), strict=True))
    times = dict(zip(SCENES, (given.galaxies, given.halos), strict=True))
    return {
        scene: [
            Task(scene, k, artificial[scene], given.stars, given.output, given.seed)
            for k in range(times[scene])
        ]
        for scene in SCENES
        if times[scene]
    }


def _mixed(tasks: Sequence[Task], seed: int) -> ArtificialStars:
    """All realisations' artificial stars in an order by chance."""
    stars = joined([read_artificial([task]) for task in tasks])
    return stars.select(np.random.default_rng(seed).permutation(len(stars)))


def _trained(scene: str, stars: ArtificialStars, given: argparse.Namespace) -> list[judged.Row]:
    """All recipes on all stars, and learning curves of logistic regression and ours."""
    most = int(0.8 * len(stars))
    sizes = [size for size in map(int, given.sizes.split(",")) if size < most]
    limited = given.cointoss if given.cointoss < most else 0
    wanted = [
        (recipe, limited if recipe == "cointoss" else 0) for recipe in given.recipes.split(",")
    ]
    wanted += [(recipe, size) for size in sizes for recipe in ("logistic", OURS)]
    rows = []
    for recipe, size in wanted:
        task = judged.Task(
            f"{scene}-{len(stars)}", recipe, size, given.seed, {"table.magnitudes": "measured"}
        )
        row = judged.judge(task, stars, 0.2, given.output)
        say(f"{task.name}: accuracy {100 * row.accuracy:.1f}%, {row.seconds:.1f} s")
        rows.append(row)
    return rows


def _diagram(scene: str, stars: ArtificialStars, given: argparse.Namespace) -> None:
    """The CMD of stars held out from logistic regression and our recipe."""
    train, test = judged.split(stars, 0.4, given.seed)
    models = {
        name: CompletenessModel(recipe, magnitudes="measured", seed=given.seed)
        .fit(train, test=False)
        .p_recovered(test)
        for name, recipe in (("logistic regression", "logistic"), ("filar", OURS))
    }
    figures.cmd(test, models, given.output / f"cmd-{scene}.png")


def _conclude(
    folder: Path,
    rows: list[judged.Row],
    calibrated: dict[str, list[dict[str, Any]]],
    curves: dict[str, CompletenessCurves],
    found: dict[str, Functions],
) -> None:
    """Write tables and numbers."""
    rows.sort(key=lambda row: (row.table, row.size != 0, row.size, row.recipe))
    parts = [
        "Held-out artificial stars, measured magnitudes as in the paper:", markdown(rows),
        statements(rows, curves), "True stars, by our recipe trained on artificial ones:",
        truth_text(calibrated), _functions_text(found),
    ]  # fmt: skip
    with whole_file(folder / "table.md") as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    write_json(
        folder / "table.json",
        {
            "rows": [asdict(row) for row in rows],
            "truth": calibrated,
            "luminosity": {scene: one.figures() for scene, one in found.items()},
            "limits": {
                scene: {kind: one.limit(0.5, against=kind) for kind in ("input", "measured")}
                for scene, one in curves.items()
            },
        },
    )
    say("\n\n".join(parts) + f"\n\n{folder / 'table.md'}")


def _functions_text(found: dict[str, Functions]) -> str:
    lines = ["Corrected luminosity functions against the true ones (pull: for the field):"]
    for scene, one in found.items():
        told = one.figures()
        pulls = f"pulls {told['pull_mean']:+.2f} +- {told['pull_width']:.2f} in {told['bins']} bins"
        lines.append(f"- {scene}: {pulls} of {told['realisations']} realisations; found over true:")
        for name in ("observed", "one over p", "corrected"):
            values = [
                f"{edge:.1f}: {value:.3f}"
                for edge, value in zip(told["edges"], told["over_true"][name], strict=False)
                if np.isfinite(value)
            ]
            lines.append(f"  - {name}: " + ", ".join(values))
    return "\n".join(lines)


def say(text: str) -> None:
    """Print at once, also into a file."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
