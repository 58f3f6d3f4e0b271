"""Winecki & Kochanek (2024) on a simulated survey, and beyond it.

Surveys like the paper's are simulated: cameras with bleeding, vignetting and clouds. On some fields
the paper's network and filar's own recipe are trained; others, with other stars and nights, judge
them, in the same cameras and in one that they have never seen; light curves of constant stars are
made of epochs of three exposures. The same again with the survey pipeline's correction of trails,
and with its overflow damage. What is told stands beside the paper's numbers. Models learn from
labels as for real stars, from a catalogue and each image's own zero point; the truth judges them.

    python -m experiments.w24 -o w24 [--workers 2] [--quick | --large]

The paper's 24 trainings go on all the way only with --whole; otherwise the worse two thirds of them
end after 5, 15 and 50 epochs, and where trails are moved only six begin. What is in the folder
already is not done again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.trials.folder import claim, write_json
from experiments.w24 import table
from experiments.w24.models import OURS, PAPERS, recipe_of, trained, training_seconds
from experiments.w24.plan import RAW, SIZES, Part, plan
from experiments.w24.results import Result, judge
from experiments.w24.stamps import samples_of, share_found, with_truth
from filar.report.saturation_facts import verdicts
from filar.saturation.criteria import Verdict
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel
from filar.wholefile import whole_file

BOTH = "both"
"""Name of the test on known and new cameras together."""

CURVES = "curves"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("w24"))
    parser.add_argument("--quick", action="store_const", const="quick", dest="size")
    parser.add_argument("--large", action="store_const", const="large", dest="size")
    parser.add_argument("--whole", action="store_true", help="all 24 trainings to their end")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    given.size = given.size or "default"
    return given


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    given = arguments(words)
    folder, began = given.output, time.perf_counter()
    claim(folder, {"size": given.size, "whole": given.whole, "seed": given.seed})
    parts = plan(SIZES[given.size], given.seed)
    samples: dict[str, Samples] = {}
    found: dict[str, dict[str, float]] = {}
    for part in parts:
        own = samples_of(part, folder, given.workers, say)
        found[part.name] = share_found(part, folder, own)
        samples[part.name] = own if part.role == "train" else with_truth(part, folder, own)
    models = {
        part.regime: _models(samples[part.name], part, given)
        for part in parts if part.role == "train"
    }  # fmt: skip
    results = []
    for name, about, regime, own in _judged(parts, samples):
        share = found.get(name, {})
        results.append(judge(name, about, regime, own, models[regime], folder, given.seed, share))
        say(f"{name}: judged")
    _conclude(folder, parts, results, time.perf_counter() - began)


def _models(samples: Samples, part: Part, given: argparse.Namespace) -> dict[str, SaturationModel]:
    found = {}
    for name in (OURS, PAPERS):
        recipe = recipe_of(name, given.size == "quick", not given.whole, part.regime)
        found[name] = trained(
            name, recipe, samples, given.output, part.regime, given.seed, given.workers, say
        )
    return found


def _judged(
    parts: Sequence[Part], samples: dict[str, Samples]
) -> list[tuple[str, str, str, Samples]]:
    """What is judged: every held-out survey, and those of known and new cameras together."""
    found = [(p.name, p.about, p.regime, samples[p.name]) for p in parts if p.role != "train"]
    raw = [p.name for p in parts if p.role == "test" and p.regime == RAW]
    together = Samples.joined([samples[name] for name in raw])
    return [(BOTH, f"{' and '.join(raw)} together", RAW, together), *found]


def _shown(results: Sequence[Result]) -> dict[str, list[Verdict]]:
    """What had to be shown: bias and pulls on test surveys, light curves on theirs."""
    shown = {}
    curves = next(one for one in results if one.name == CURVES)
    for one in results:
        for method in one.facts.methods:
            if method.name not in (OURS, PAPERS):
                continue
            medians = curves.facts.medians if one.name == BOTH else {}
            own = verdicts(method, medians)
            shown[f"{method.name}, {one.name}"] = list(own if medians else own[:2])
    return shown


def _conclude(
    folder: Path, parts: Sequence[Part], results: Sequence[Result], seconds: float
) -> None:
    """Write tables and numbers."""
    shown = _shown(results)
    text = "\n\n".join([
        "Predicted minus true magnitude on held-out surveys:", table.summary(results),
        "Light curves of constant stars (half of the 15-85% range of the epochs' medians, mag):",
        table.dispersions(results),
        *(f"{one.name} ({one.about}), by magnitude:\n\n{table.bins(one)}" for one in results),
        "What is to be shown:", table.criteria(shown), _times(folder, parts, results, seconds),
    ])  # fmt: skip
    with whole_file(folder / "table.md") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    write_json(folder / "table.json", {
        "paper": table.PAPER,
        "results": {one.name: plain(one.numbers()) for one in results},
        "criteria": {name: [plain(v.figures()) for v in own] for name, own in shown.items()},
        "seconds": seconds,
    })  # fmt: skip
    say(f"{text}\n\n{folder / 'table.md'}")


def _times(folder: Path, parts: Sequence[Part], results: Sequence[Result], seconds: float) -> str:
    lines = [f"Altogether {seconds / 60:.1f} minutes, without what was there before."]
    for part in parts:
        if part.role == "train":
            told = ", ".join(
                f"{name} {training_seconds(folder, name, part.regime):.0f} s"
                for name in (OURS, PAPERS)
            )
            lines.append(f"Training on {part.name}: {told}.")
    first = results[0].facts
    rates = ", ".join(
        f"{name} {len(first.judged) / known.seconds:.0f}" for name, known in first.models.items()
    )
    return "\n".join([*lines, f"Stamps per second: {rates}."])


def plain(value: object) -> object:
    """The same with plain lists and numbers."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.tolist() if hasattr(value, "tolist") else value


def say(text: str) -> None:
    """Print at once, also into a file."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
