"""How much a cluster model's answers are off where images or stars are not those trained on.

One thing is changed at a time: wider and sharper stars, other isochrones, metals, profiles, dust,
positions, exposures, a zero point, the noise of drizzled images. Clusters and galaxies are the same
ones as far as can be, so that differences are surer than the figures themselves.

    python -m experiments.cluster_systematics --model MODEL -o DIR [--clusters 1500] [--workers 2]

What is in the folder already is not done again. Sets do not depend on the model: another one can be
tried in the same folder, and table and figure are then its.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from experiments.cluster_systematics.figure import draw_figure
from experiments.cluster_systematics.judge import Judged, judge
from experiments.cluster_systematics.plan import TRAINED, variants
from experiments.cluster_systematics.table import notes, ranking, whole_table
from experiments.cluster_systematics.told import digest, like_trained, told
from experiments.trials.folder import claim, write_json
from experiments.w24.__main__ import plain, say
from filar.clusters.estimator import ClusterModel
from filar.errors import ParameterError
from filar.wholefile import whole_file

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "isochrones"
"""PARSEC's tables as the web form gives them, where they are at hand."""


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=Path("cluster_systematics"))
    parser.add_argument("--clusters", type=int, default=1500, help="of each variant")
    parser.add_argument("--scenes", type=int, default=12, help="galaxies of each variant")
    parser.add_argument("--scene-size", type=int, default=512, help="pixels on their sides")
    parser.add_argument(
        "--isochrones", nargs="*", default=sorted(str(path) for path in SHARED.glob("*.dat.gz")),
        help="files of the variant with other isochrones",
    )  # fmt: skip
    parser.add_argument(
        "--own-isochrones", nargs="*", default=[], help="files trained with; default: packaged"
    )
    parser.add_argument("--only", nargs="*", default=[], help="names of variants; default: all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    given = arguments(words)
    folder: Path = given.output
    model = ClusterModel.load(given.model)
    fixed = ("clusters", "scenes", "scene_size", "isochrones", "own_isochrones", "seed")
    claim(folder, {name: getattr(given, name) for name in fixed})
    trained = like_trained(
        model, given.clusters, given.scenes, given.scene_size, tuple(given.own_isochrones),
        # a training set of the same seed would have the same clusters
        given.seed + 2_000_000,
    )  # fmt: skip
    makers = variants(trained, tuple(given.isochrones))
    unknown = [name for name in given.only if name not in makers]
    if unknown:
        raise ParameterError("--only", unknown[0], ", ".join(makers))
    if not given.isochrones:
        say("No files of other isochrones: that variant is left out (--isochrones).")
    answers = folder / "answers" / digest(given.model)
    judged: list[Judged] = []
    first = None
    for name, make in makers.items():
        if given.only and name not in (TRAINED, *given.only):
            continue
        variant = make()
        found = told(variant, model, folder / "sets", answers, given.workers, given.seed, say)
        first = first or found
        judged.append(judge(name, variant.about, *found, first))
    _conclude(folder, judged)


def _conclude(folder: Path, judged: list[Judged]) -> None:
    """Write tables, numbers and the figure."""
    text = "\n\n".join([
        whole_table(judged), notes(judged), "By what they do, worst first:", ranking(judged),
    ])  # fmt: skip
    with whole_file(folder / "table.md") as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    write_json(folder / "table.json", plain([one.figures() for one in judged]))
    draw_figure(judged, folder / "figure.png")
    say(f"{text}\n\n{folder / 'table.md'}")


if __name__ == "__main__":
    main()
