"""``filar evaluate clusters``: mock clusters and models in, a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filar.clusters.estimator import ClusterModel
    from filar.report.clusters_facts import ClustersFacts


def clusters(
    data: Annotated[
        Path,
        typer.Argument(metavar="SET", help="Folder that filar simulate clusters wrote."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="REPORT",
            help="Page: .html; PNG figures and a .json beside it.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]MODEL",
            help="Model of filar train clusters; may be given again. On the set that it was "
            "trained on, its test part judges it; on others, all clusters do.",
            show_default=False,
        ),
    ] = None,
    boosting: Annotated[
        Path | None,
        typer.Option(
            metavar="SET",
            help="Train gradient-boosted trees on the aperture photometry of this set, to compare "
            "with; it may be the judged set, of which they get what does not judge.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[
        int, typer.Option(min=1, help="At most so many clusters judge, and train the trees.")
    ] = 20_000,
    draws: Annotated[int, typer.Option(min=20, help="From each posterior.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the cutouts and the draws.")] = 0,
) -> None:
    """Judge ages, extinctions, masses and sizes of clusters, and how honest their posteriors are.

    Example: filar evaluate clusters mocks --model clusters.safetensors -o clusters.html
    """
    from filar.catalogfile import check_output
    from filar.clusters.data import SetFolder
    from filar.report.clusters_gather import Material, gather_from_models
    from filar.report.clusters_page import write_clusters_report

    check_output(output, (".html", ".htm"))
    paths = named(model or [])
    if not paths and boosting is None:
        raise ParameterError("--model", "none", "a model, or --boosting SET for the baseline alone")
    models = {name: _load(path) for name, path in paths.items()}
    trees = None if boosting is None else SetFolder(boosting)
    material = Material(data.name or str(data), SetFolder(data), models, trees, most, draws, seed)
    with console.progress() as progress:
        facts = gather_from_models(material, progress)
    write_clusters_report(output, facts)
    _tell(facts, output)


def named(given: Sequence[str]) -> dict[str, Path]:
    """Split NAME=MODEL; a model without a name has its file's."""
    from filar.report.clusters_gather import TREES

    found: dict[str, Path] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign:
            name, path = Path(text).stem, text
        name = name.strip()
        if not (name and path):
            raise ParameterError("--model", text, "NAME=FILE")
        if name in found or name == TREES:
            raise ParameterError("--model", text, f"another name than {name}, which is taken")
        found[name] = Path(path)
        if not found[name].is_file():
            advice = "make it with filar train clusters"
            raise InputFileError(path, "there is no such file", "a model of clusters", advice)
    return found


def _load(path: Path) -> ClusterModel:
    from filar.clusters.estimator import ClusterModel

    return ClusterModel.load(path)


def _tell(facts: ClustersFacts, output: Path) -> None:
    """Say the main figures: a line per method, a line per criterion of each model."""
    from filar.clusters.posterior import PARAMETERS
    from filar.report.clusters_facts import WORDS

    messages = console.messages()

    def tell(text: str) -> None:
        messages.print(text, markup=False, soft_wrap=True)

    for remark in facts.remarks:
        tell(f"filar: warning: {remark}")
    clusters = int(facts.truth.cluster.sum())
    tell(f"{clusters} clusters and {len(facts.truth) - clusters} backgrounds judge. {facts.rule}")
    for one in facts.methods:
        parts = [
            f"{WORDS[name][0]} rms {rms:.3f} {WORDS[name][1]}"
            for name, rms in zip(PARAMETERS, one.whole.rms, strict=True)
        ]
        if one.detection is not None:
            parts.append(f"{100 * one.detection.accuracy:.1f} % told rightly")
        tell(f"{one.name}: {', '.join(parts)}")
    for name, verdicts in facts.verdicts.items():
        if name == facts.baseline:
            continue
        for verdict in verdicts:
            tell(f"{name}: {verdict.what}: {verdict.word} ({verdict.found})")
    tell(f"report in {output}")
