"""Artificial stars of real images: how well each recipe tells which are recovered.

Four tables (three clusters of the Large Magellanic Cloud, about 96,000 artificial stars each, and
Crater, 33,000; two bands, no positions). A fifth of each is held out; logistic regression,
boosting, cointoss (Harris & Speagle 2024) and filar's own recipe are trained on the rest and on
3000 of it.
DOLPHOT's artificial stars of a synthetic field are compared with what our recipe predicts, by
magnitude and sky.

    python -m experiments.ast_tables -o ast_tables [--data ../shared/data] [--tables crater]

cointoss takes ten minutes and more for each of the large tables. What is in the folder already is
not done again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from experiments.ast_tables.dolphot import check, text
from experiments.ast_tables.judged import Row, Task, judge
from experiments.ast_tables.text import OURS, markdown, verdicts
from experiments.trials.folder import claim, read_json, write_json
from filar.completeness.readers import read_artificial_stars
from filar.errors import InputFileError
from filar.threads import torch_threads
from filar.wholefile import whole_file

TABLES = {
    "NGC 1644": "ast/9891_NGC1644_F555W-F814W.gst.matchfake",
    "NGC 1795": "ast/9891_NGC1795_F555W-F814W.gst.matchfake",
    "HODGE 2": "ast/12257_HODGE2_F475W-F814W.gst.matchfake",
    "Crater": "ast/crater.fake.dat",
}
RECIPES = ("logistic", "boosting", OURS, "cointoss")


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = os.environ.get("FILAR_SHARED", "../shared/data")
    parser.add_argument("-o", "--output", type=Path, default=Path("ast_tables"))
    parser.add_argument("--data", type=Path, default=Path(default), help="folder of ast/, dolphot/")
    parser.add_argument("--tables", default=",".join(TABLES), help="some of them, with commas")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--sizes", default="0,3000", help="stars to train on; 0: all")
    parser.add_argument("--held-out", type=float, default=0.2)
    parser.add_argument("--limit", type=int, default=0, help="rows of each table, for a quick look")
    parser.add_argument("--no-dolphot", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    given = arguments(words)
    folder = given.output
    claim(folder, {name: getattr(given, name) for name in ("held_out", "limit", "seed")})
    wanted = [name.strip() for name in given.tables.split(",")]
    sizes = [int(size) for size in given.sizes.split(",")]
    with torch_threads(1):
        # The slowest recipe last: the others' rows are there early.
        for recipe in given.recipes.split(","):
            for name in wanted:
                for size in sizes:
                    _train(Task(name, recipe, size, given.seed), given)
        if not given.no_dolphot:
            rows = check(
                given.data / "dolphot", OURS, given.seed, folder / f"dolphot-{given.seed}.json"
            )
            _write(folder / "dolphot.md", text(rows))
    _conclude(folder)


def _train(task: Task, given: argparse.Namespace) -> None:
    if task.table not in TABLES:
        raise InputFileError(task.table, "no table of this name", "one of " + ", ".join(TABLES))
    path = given.output / f"{task.name}.json"
    if path.exists():
        return
    stars = read_artificial_stars(given.data / TABLES[task.table])
    if given.limit:
        stars = stars.select(slice(given.limit))
    row = judge(task, stars, given.held_out, given.output)
    say(f"{task.name}: log loss {row.log_loss:.4f}, {row.seconds:.1f} s")


def _conclude(folder: Path) -> None:
    """Table of all rows that there are."""
    rows = []
    for name in TABLES:
        for recipe in RECIPES:
            for path in sorted(folder.glob(f"{name}-{recipe}-*.json")):
                rows.append(Row(**read_json(path)))
    rows.sort(key=lambda row: (list(TABLES).index(row.table), row.size, RECIPES.index(row.recipe)))
    lines = [markdown(rows), "", *verdicts(rows)]
    _write(folder / "table.md", "\n".join(lines))
    write_json(folder / "table.json", [asdict(row) for row in rows])


def _write(path: Path, content: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(content + "\n", encoding="utf-8")
    say(f"{content}\n\n{path}\n")


def say(words: str) -> None:
    """Print at once, also into a file."""
    print(words, flush=True)


if __name__ == "__main__":
    main()
