"""C23's section 4: how well VGG6 centres simulated stars, by the size of the raster.

Images of a chip with one PSF and true positions: a natural sample of 4648 stars and one of 8493 in
which bright stars are many. Rasters of 4 to 12 pixels; C23's networks V1 and V2, and filar's own
recipe on the same stamps; the classic fit; and the Cramer-Rao bound. For 6 x 6 pixels, the
division into parts is repeated and the scatter is the error bar, as in C23.

The classic fit and filar's recipe are told a PSF: the true one, as C23's hst1pass is, or one
fitted to the image. The latter is wrong here: the fit knows how the telescope's optics vary over
the chip, and in these images, as in C23's, they do not.

    python -m experiments.c23 -o c23 [--workers 2] [--seed 1]
    python -m experiments.c23 -o c23_full --full --accelerator gpu

By default, the papers' networks are shown far fewer stamps, at higher learning rates, than in C23,
so that all is done within half an hour on two cores. With --full they are trained as C23 says:
1000 epochs, all sizes, five repeats. What is in the folder already is not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from experiments.c23.figure import draw
from experiments.c23.results import Row, comparisons, trial_row
from experiments.c23.sample import (
    FILTER,
    PAPERS,
    SAMPLES,
    ZERO_POINT,
    Made,
    Sample,
    make_sample,
    trial_store,
)
from experiments.c23.table import NAMES, OWN_FITTED, OWN_TRUE, table
from experiments.trials.folder import claim, write_json
from experiments.trials.training import OURS, Budget, Trial, in_processes, train_all
from filar.wholefile import whole_file

NETWORKS = ("c23-v1", "c23-v2", OWN_TRUE, OWN_FITTED)
REPEATED = 6
SCALED = {"sizes": "4,6,8,10,12", "repeats": 3, "passes": 60_000, "own_epochs": 20}
FULL = {"sizes": "4,5,6,7,8,9,10,11,12", "repeats": 5, "passes": 0, "own_epochs": 0}


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("c23"))
    parser.add_argument("--full", action="store_true", help="as long as C23, for a GPU")
    parser.add_argument("--samples", default=",".join(SAMPLES))
    parser.add_argument("--chips", default="PC,WF3")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--sizes", help="of the rasters, pixels, with commas")
    parser.add_argument("--repeats", type=int, help="of the division into parts, for 6 x 6")
    parser.add_argument("--stars", type=int, help="instead of C23's numbers")
    parser.add_argument("--passes", type=int, help="stamps that each VGG6 is shown in all")
    parser.add_argument("--lr", type=float, default=2e-3, help="largest learning rate of VGG6")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--own-epochs", type=int, help="of filar's recipe")
    parser.add_argument("--accelerator", default="cpu", help="Lightning's: cpu, gpu")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    for name, value in (FULL if given.full else SCALED).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    return given


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    given = arguments(words)
    budget = Budget(given.passes, given.lr, given.batch_size, given.own_epochs)
    folder, models = given.output, given.output / "models"
    claim(folder, {"stars": given.stars, "seed": given.seed, "budget": asdict(budget)})
    sizes = [int(size) for size in given.sizes.split(",")]
    plans = [plan for sample in samples(given) for plan in planned(sample, sizes, given)]
    train_all(
        [plan.trial(folder, given.seed) for plan in plans], models, budget,
        workers=given.workers, accelerator=given.accelerator, tell=say,
    )  # fmt: skip
    rows = [plan.row(folder) for plan in plans]
    for made in dict.fromkeys(plan.made for plan in plans):
        rows += comparisons(made, sizes)
    text = "\n".join([heading(given, budget), "", table(rows), "", speeds(rows)])
    with whole_file(folder / "table.txt") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    write_json(folder / "table.json", {
        "ours": [asdict(row) for row in rows], "paper": dict(PAPERS), "how": heading(given, budget),
    })  # fmt: skip
    draw(rows, folder / "figure.png")
    print(f"{text}\n\n{folder / 'table.txt'}, {folder / 'table.json'}, {folder / 'figure.png'}")


def say(text: str) -> None:
    """Print at once, also into a file."""
    print(text, flush=True)


def samples(given: argparse.Namespace) -> list[Made]:
    """Make the samples, in several processes."""
    wanted = [
        Sample(law, chip, given.stars or PAPERS[law]["stars"], given.seed)
        for law in given.samples.split(",")
        for chip in given.chips.split(",")
    ]
    for made in in_processes(partial(make_sample, folder=given.output), wanted, given.workers):
        say(f"{made.sample.name}: {len(made.stamps)} stars")
    return [make_sample(sample, given.output) for sample in wanted]


@dataclass(frozen=True, eq=False)
class Plan:
    """One network, one size of raster, one division into parts."""

    made: Made
    method: str
    size: int
    repeat: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.made.sample.name}-{self.size}-{self.method}-{self.repeat}"

    @property
    def paper(self) -> bool:
        """Whether the network is C23's."""
        return self.method not in (OWN_TRUE, OWN_FITTED)

    def store(self, folder: Path) -> Path:
        """Where its stamps are."""
        kind = "as-filed" if self.paper else self.method.removeprefix(f"{OURS}-")
        return folder / "stamps" / f"{self.made.sample.name}-{self.size}-{self.repeat}-{kind}"

    def trial(self, folder: Path, seed: int) -> Trial:
        """Write its stamps."""
        store, seed = self.store(folder), 100 * seed + self.repeat
        source = self.made.with_truth if self.method == OWN_TRUE else self.made.stamps
        trial_store(self.made, source, store, self.size, seed, as_filed=self.paper)
        return Trial(self.name, self.method if self.paper else OURS, store, seed)

    def row(self, folder: Path) -> Row:
        """Judge it."""
        return trial_row(
            self.made, self.store(folder), folder / "models", self.name,
            method=self.method, size=self.size, repeat=self.repeat,
        )  # fmt: skip


def planned(made: Made, sizes: Sequence[int], given: argparse.Namespace) -> list[Plan]:
    """All networks for a sample; only one size is repeated."""
    return [
        Plan(made, method, size, repeat)
        for method in given.networks.split(",")
        for size in sizes
        for repeat in range(given.repeats if size == REPEATED else 1)
    ]


def heading(given: argparse.Namespace, budget: Budget) -> str:
    """What was done, and what was not done as in C23."""
    stars = "C23's numbers of stars" if given.stars is None else f"{given.stars} stars per image"
    own = f"{budget.own_epochs} epochs" if budget.own_epochs else "its own number of epochs"
    lines = [
        f"C23, section 4: differences from the truth, 3 sigma clipped; {stars}; {FILTER}.",
        f"{'As in C23' if not budget.passes else 'Scaled down'}: {budget.text()}",
        "(C23: 1000 epochs, 3.3 and 5.9 million stamps shown; learning rate 1e-5).",
        f"filar's recipe: {own}; told the true PSF, or one fitted to the image. That one is wrong:",
        "the fit knows how the optics vary over a chip, and as in C23 they do not.",
        f"Repeats for {REPEATED} x {REPEATED}: {given.repeats} (C23: 5). Magnitude of an electron:"
        f" {ZERO_POINT:g}, ours: C23's is not known.",
        "Classic fits: after a cubic map. Bound: Gaussian errors at the Cramer-Rao bound.",
    ]
    return "\n".join(lines)


def speeds(rows: Sequence[Row]) -> str:
    """How fast the networks were trained."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.method in NAMES and row.size == REPEATED:
            found.setdefault(row.method, []).append(row.speed)
    text = ", ".join(f"{NAMES[name]} {median(all_):.0f}" for name, all_ in found.items())
    return f"stamps trained per second and process, {REPEATED} x {REPEATED}: {text}"


if __name__ == "__main__":
    main()
