"""Calibration of the real tables with every star held out once: a fifth alone is too few to tell.

Of 19,200 stars even perfect probabilities have a calibration error of some 0.65% in 20 bins. Here
five models are trained, each on four fifths; what each says of its own fifth is judged together.

    python -m experiments.ast_tables.folds -o folds [--data ../shared/data] [--recipes boosting,...]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.ast_tables.__main__ import TABLES, say
from experiments.ast_tables.judged import DRAWS
from experiments.ast_tables.text import OURS
from experiments.trials.folder import claim, read_json, write_json
from filar.completeness.estimator import CompletenessModel
from filar.completeness.evaluate import scores
from filar.completeness.readers import read_artificial_stars
from filar.completeness.table import ArtificialStars
from filar.threads import torch_threads

FOLDS = 5


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("folds"))
    default = os.environ.get("FILAR_SHARED", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--recipes", default=f"boosting,{OURS}")
    parser.add_argument("--limit", type=int, default=0, help="rows of each table, for a quick look")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def out_of_fold(stars: ArtificialStars, recipe: str, seed: int) -> np.ndarray:
    """Probability of every star by a model that has not seen it."""
    fold = np.random.default_rng(seed).permutation(len(stars)) % FOLDS
    p = np.empty(len(stars))
    for number in range(FOLDS):
        model = CompletenessModel(recipe, seed=seed)
        model.fit(stars.select(fold != number), test=False)
        p[fold == number] = model.p_recovered(stars.select(fold == number))
    return p


def main(words: Sequence[str] | None = None) -> None:
    """Run and print a table."""
    given = arguments(words)
    claim(given.output, {"limit": given.limit, "seed": given.seed, "folds": FOLDS})
    say("| table | recipe | stars | log loss | Brier | ECE % | by chance % (95%) | worst tenth % |")
    say("|---|---|---:|---:|---:|---:|---:|---:|")
    with torch_threads(1):
        for name in given.tables.split(","):
            for recipe in given.recipes.split(","):
                path = given.output / f"{name}-{recipe}.json"
                if not path.exists():
                    stars = read_artificial_stars(given.data / TABLES[name])
                    stars = stars.select(slice(given.limit or len(stars)))
                    p = out_of_fold(stars, recipe, given.seed)
                    found = scores(p, stars.recovered, draws=DRAWS, seed=given.seed)
                    write_json(path, {
                        "stars": len(stars), "log_loss": found.log_loss, "brier": found.brier,
                        "ece": found.calibration_error, "worst": found.worst_decile,
                        "chance": found.chance_calibration_error,
                        "chance_95": found.chance_calibration_error_95,
                    })  # fmt: skip
                row = read_json(path)
                say(
                    f"| {name} | {recipe} | {row['stars']} | {row['log_loss']:.4f} | "
                    f"{row['brier']:.4f} | {100 * row['ece']:.2f} | {100 * row['chance']:.2f} "
                    f"({100 * row['chance_95']:.2f}) | {100 * row['worst']:+.2f} |"
                )


if __name__ == "__main__":
    main()
