"""Seven kinds of variable stars and constant ones: what light curves say against the truth.

Ideal magnitudes first: the shapes of the simulated survey, observed by three cameras in g and one
in V for three years with seasons, clouds, errors of 0.02 mag in an exposure and 0.01 in a night,
and faint outliers in 3% of the epochs. Then, with ``--measured``, a small simulated survey whose
images are measured, its unsaturated variable stars with the same judgement.

    python -m experiments.lightcurves -o lightcurves [--stars 10] [--workers 2] [--measured]

Writes ``table.md``, ``numbers.json`` and figures. What is in the folder already is not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from experiments.lightcurves.ideal import Survey, observe
from experiments.lightcurves.judge import Verdict, judge, summed, table
from experiments.lightcurves.measured import (
    MeasuredSurvey,
    dispersions_of,
    light_curves,
    make_catalog,
    verdicts,
)
from experiments.trials.folder import claim, write_json
from filar.lightcurve.settings import LightCurveSettings
from filar.simulate.survey.variables import KINDS
from filar.threads import one_blas_thread
from filar.wholefile import whole_file

ALL = (*KINDS, "constant")


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("lightcurves"))
    parser.add_argument("--stars", type=int, default=10, help="of each kind, ideal magnitudes")
    parser.add_argument("--measured", action="store_true", help="measure a simulated survey too")
    parser.add_argument("--epochs", type=int, default=60, help="of each camera, measured")
    parser.add_argument("--targets", type=int, default=40, help="stars, measured")
    parser.add_argument("--size", type=int, default=256, help="pixels of an image's side, measured")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


@one_blas_thread
def one_star(survey: Survey, seed: int, task: tuple[int, str, int]) -> Verdict:
    """Observe and judge one star."""
    kind, name, number = task
    rng = np.random.default_rng([seed, kind, number])
    return judge(observe(name, survey, rng), LightCurveSettings())


def ideal(survey: Survey, stars: int, seed: int, workers: int) -> dict[str, dict[str, Any]]:
    """Judge stars of ideal magnitudes, by kind."""
    tasks = [(k, name, i) for k, name in enumerate(ALL) for i in range(stars)]
    work = partial(one_star, survey, seed)
    if workers > 1:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            found = list(pool.map(work, tasks, chunksize=4))
    else:
        found = [work(task) for task in tasks]
    return {name: summed([one for one in found if one.kind == name]) for name in ALL}


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Judge the stars of a measured survey, by kind."""
    from filar.report.lightcurve_page import write_lightcurve_report

    survey = MeasuredSurvey(options.epochs, options.size, options.targets, seed=options.seed)
    folder = options.output / "measured"
    claim(folder, asdict(survey))
    make_catalog(folder, survey, options.workers)
    curves, chosen = light_curves(folder, survey)
    write_lightcurve_report(folder / "figures", curves)
    found = verdicts(curves, chosen)
    by_kind = {k: summed([one for one in found if one.kind == k]) for k in ALL}
    mag, width = dispersions_of(curves, chosen)
    return {
        "by_kind": {k: one for k, one in by_kind.items() if one["stars"]},
        "dispersion": {"magnitude": mag.tolist(), "dispersion": width.tolist(),
                       "median": float(np.nanmedian(width)) if len(width) else None},
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for and write the tables."""
    options = arguments(words)
    options.output.mkdir(parents=True, exist_ok=True)
    survey = Survey()
    numbers: dict[str, Any] = {"survey": asdict(survey)}
    numbers["ideal"] = ideal(survey, options.stars, options.seed, options.workers)
    text = f"Ideal magnitudes, {options.stars} stars of each kind:\n\n{table(numbers['ideal'])}"
    if options.measured:
        numbers["measured"] = measured(options)
        width = numbers["measured"]["dispersion"]["median"]
        text += f"\nMeasured images:\n\n{table(numbers['measured']['by_kind'])}"
        text += f"\nMedian dispersion of constant stars: {width:.4f} mag\n" if width else ""
    with whole_file(options.output / "table.md") as temporary:
        temporary.write_text(text, encoding="utf-8")
    write_json(options.output / "numbers.json", numbers)
    print(text)


if __name__ == "__main__":
    main()
