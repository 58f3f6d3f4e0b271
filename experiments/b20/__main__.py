"""Bialopetravičius & Narbutis (2020) on mock clusters, and beyond it.

Clusters of the paper's ranges are simulated star by star at M 83's distance, in front of simulated
galaxies, in the paper's three bands. On them are trained filar's own network, the paper's with a
quarter of its channels, and trees on aperture photometry; other clusters in front of other galaxies
judge them. The paper's network in its full width needs a GPU: --full --accelerator gpu.

    python -m experiments.b20 -o b20 [--workers 2] [--quick | --full] [--isochrones FILES]

What is in the folder already is not done again; an interrupted training goes on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.b20 import table
from experiments.b20.models import DRAWS, boosted, composed_test, trained
from experiments.b20.plan import ABOUT, BOOSTING, OURS, SIZES, recipe_of
from experiments.b20.sets import sets_of
from experiments.trials.folder import claim, read_json, write_json
from experiments.w24.__main__ import plain
from filar.clusters.evaluate import Answer
from filar.report.clusters_facts import ClustersFacts, Given, gather_clusters
from filar.report.clusters_page import report_numbers, write_clusters_report
from filar.wholefile import whole_file

QUARTERS = ("log_age", "log_mass", "log_snr")


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("b20"))
    parser.add_argument("--quick", action="store_const", const="quick", dest="size")
    parser.add_argument("--full", action="store_const", const="full", dest="size")
    parser.add_argument("--accelerator", default="cpu", help="Lightning's: cpu, gpu, auto")
    parser.add_argument(
        "--half", action="store_true",
        help="our network computes in bfloat16: twice as fast where the processor knows it",
    )  # fmt: skip
    parser.add_argument("--isochrones", nargs="*", default=[], help="files; default: packaged")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    given.size = given.size or "default"
    return given


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    given = arguments(words)
    folder, size, began = given.output, SIZES[given.size], time.perf_counter()
    names = ("size", "half", "seed", "isochrones")
    claim(folder, {name: getattr(given, name) for name in names})
    train, test = sets_of(size, folder, given.seed, given.isochrones, given.workers, say)
    cutouts, truth = composed_test(test, recipe_of(OURS, size), given.seed)
    answers: dict[str, Answer] = {}
    telling: dict[str, float] = {}
    for name in size.methods:
        recipe = recipe_of(name, size, given.half)
        model = trained(name, recipe, train, folder, given.seed, given.accelerator, say)
        started = time.perf_counter()
        answers[name] = model.predict(cutouts, DRAWS, seed=given.seed)
        telling[name] = time.perf_counter() - started
    recipe = recipe_of(OURS, size)
    answers[BOOSTING] = boosted(train, recipe, cutouts, folder, size.rounds, given.seed, say)
    telling[BOOSTING] = float(read_json(folder / f"{BOOSTING}.json")["told"])
    training = {name: float(read_json(folder / f"{name}.json")["seconds"]) for name in answers}
    about = {
        name: Given(ABOUT[name], f"{size.clusters} mock clusters", telling[name])
        for name in answers
    }
    facts = gather_clusters(
        f"{size.test} mock cutouts at M 83's distance", truth, answers, given=about,
        baseline=BOOSTING, seed=given.seed,
    )  # fmt: skip
    write_clusters_report(folder / "report.html", facts)
    _conclude(folder, facts, training, telling, time.perf_counter() - began)


def _conclude(
    folder: Path,
    facts: ClustersFacts,
    training: dict[str, float],
    telling: dict[str, float],
    seconds: float,
) -> None:
    """Write tables and numbers."""
    methods = facts.methods
    text = "\n\n".join([
        f"{facts.label}, {len(facts.values)} of them clusters. {table.PAPER}",
        table.parameters(methods),
        *(f"In quarters of {by}:\n\n{table.quarters(methods, by)}" for by in QUARTERS),
        "Clusters and backgrounds:", table.detection(methods),
        "What is to be shown:", table.criteria(facts.verdicts),
        table.times(training, telling, len(facts.truth)), table.missing(list(training)),
        f"Altogether {seconds / 60:.1f} minutes, without what was there before.",
    ])  # fmt: skip
    with whole_file(folder / "table.md") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    write_json(folder / "table.json", plain({
        **report_numbers(facts), "training_seconds": training, "telling_seconds": telling,
        "seconds": seconds,
    }))  # fmt: skip
    say(f"{text}\n\n{folder / 'table.md'}")


def say(text: str) -> None:
    """Tell the user."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
