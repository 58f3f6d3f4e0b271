"""C24's table 3: VGG8 and filar's own recipe over the full field of four chips in two filters.

A dithered set per filter is simulated and measured with the PSF fitted to each exposure; labels
are mean positions of the set itself, as in C24; 70:10:20 of the stars train, validate and are held
out. VGG8 and filar's recipe are trained on the same stamps of each chip. What is held out is
compared with the labels (table 3) and, since this is a simulation, with the truth.

    python -m experiments.c24 -o c24 [--workers 2] [--seed 1]
    python -m experiments.c24 -o c24_full --full --accelerator gpu

By default, exposures are fewer and VGG8 is shown far fewer stamps, at a higher learning rate, than
in C24, so that all is done within half an hour on two cores. With --full there are 636 and 653
exposures and 1000 epochs, as in C24. What is in the folder already is not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from experiments.c24.figure import draw
from experiments.c24.results import Judgement, Row, judge
from experiments.c24.table import PAPER, table
from experiments.trials.folder import claim, write_json
from experiments.trials.training import OURS, Budget, Trial, in_processes, train_all
from filar.centering.evaluate import WELL_MEASURED_MAG
from filar.measure.labels import make_stamps
from filar.simulate.dither_files import write_dither_set
from filar.simulate.dithers import DitherSettings
from filar.stamps.settings import StampSettings
from filar.wholefile import whole_file

VGG8 = "c24-vgg8"
SIZE = 6
SCALED = {"exposures": 20, "passes": 90_000, "own_epochs": 20}
FULL = {"exposures": 0, "passes": 0, "own_epochs": 0}


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("c24"))
    parser.add_argument("--full", action="store_true", help="as long as C24, for a GPU")
    parser.add_argument("--chips", default="PC,WF2,WF3,WF4")
    parser.add_argument("--filters", default="F555W,F814W")
    parser.add_argument("--networks", default=f"{VGG8},{OURS}")
    parser.add_argument("--exposures", type=int, help="per filter; 0: C24's numbers")
    parser.add_argument("--stars", type=int, default=2500, help="on each chip")
    parser.add_argument("--psf", default="fit", choices=("fit", "default"), help="for the labels")
    parser.add_argument("--passes", type=int, help="stamps that each VGG8 is shown in all")
    parser.add_argument("--lr", type=float, default=1e-3, help="largest learning rate of VGG8")
    parser.add_argument("--batch-size", type=int, default=64)
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
    fixed = {name: getattr(given, name) for name in ("exposures", "stars", "psf", "seed")}
    claim(folder, {**fixed, "chips": given.chips, "budget": asdict(budget)})
    trials: list[Trial] = []
    tasks: list[Judgement] = []
    for filter_name in given.filters.split(","):
        truth, stores = prepare(filter_name, given)
        for chip, store in stores.items():
            own = [
                Trial(f"{chip}-{filter_name}-{recipe}", recipe, store, given.seed)
                for recipe in given.networks.split(",")
            ]
            names = tuple((trial.recipe, trial.name) for trial in own)
            tasks.append(Judgement(filter_name, chip, store, truth, models, names))
            trials += own
    train_all(
        trials, models, budget, workers=given.workers, accelerator=given.accelerator, tell=say
    )
    rows = [row for some in in_processes(judge, tasks, given.workers) for row in some]
    write(folder, rows, heading(given, budget))


def prepare(filter_name: str, given: argparse.Namespace) -> tuple[Path, dict[str, Path]]:
    """Simulate and measure the exposures in a filter.

    Parameters
    ----------
    filter_name : str
        One of WFPC2's.
    given : argparse.Namespace
        The options.

    Returns
    -------
    truth : Path
        True positions.
    stores : dict
        From a chip to its stamps.
    """
    chips = tuple(given.chips.split(","))
    settings = DitherSettings(
        exposures=given.exposures or PAPER[filter_name]["exposures"], chips=chips,
        filter=filter_name, stars=given.stars, seed=given.seed,
    )  # fmt: skip
    dithers = write_dither_set(settings, given.output / filter_name, workers=given.workers)
    say(f"{filter_name}: {len(dithers.files)} exposures")
    stores = {chip: given.output / f"stamps-{chip}-{filter_name}" for chip in chips}
    for number, (chip, path) in enumerate(stores.items()):
        store = make_stamps(
            dithers.files, path, data=StampSettings(size=SIZE), psf=given.psf, chips=[chip],
            workers=given.workers, seed=given.seed + number,
        )  # fmt: skip
        label = 1e3 * (store.meta["chips"][chip]["median_label_error"] or float("nan"))
        say(f"{chip} {filter_name}: {len(store)} stamps, labels good to {label:.1f} mpix")
    return dithers.truth, stores


def write(folder: Path, rows: list[Row], how: str) -> None:
    """Write table and figure, and print the table."""
    rows.sort(key=lambda row: (row.filter, row.chip))
    text = f"{how}\n\n{table(rows)}"
    with whole_file(folder / "table.txt") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    ours = [asdict(row) for row in rows]
    write_json(folder / "table.json", {"ours": ours, "paper": dict(PAPER), "how": how})
    draw(rows, folder / "figure.png")
    say(f"{text}\n\n{folder / 'table.txt'}, {folder / 'table.json'}, {folder / 'figure.png'}")


def heading(given: argparse.Namespace, budget: Budget) -> str:
    """What was done, and what was not done as in C24."""
    bright, faint = WELL_MEASURED_MAG
    exposures = given.exposures or "C24's numbers of"
    own = f"{budget.own_epochs} epochs" if budget.own_epochs else "its own number of epochs"
    psf = "fitted to each exposure" if given.psf == "fit" else "of the library"
    lines = [
        f"C24, table 3, on simulated sets: {exposures} exposures per filter (C24: 636, 653 real"
        f" ones), {given.stars} stars on each chip.",
        f"{'As in C24' if not budget.passes else 'Scaled down'}: {budget.text()}",
        "(C24: 1000 epochs of 1.3 to 1.8 million stamps; learning rate 4e-5).",
        f"filar's recipe: {own}. Classic fit, labels and filar's recipe: with the PSF {psf}.",
        f"Magnitudes {bright:g} to {faint:g} (-2.5 log electrons): C24 does not tell its range.",
        "Bound: Gaussian errors at the Cramer-Rao bound; against labels, with the labels' errors.",
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """Print at once, also into a file."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
