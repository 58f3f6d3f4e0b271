"""``filar evaluate completeness``: artificial stars and models in, a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console, starfiles
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filar.completeness.estimator import CompletenessModel
    from filar.completeness.inputs import Kind
    from filar.report.completeness_facts import CompletenessFacts

AUTO = "auto"


def completeness(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Artificial stars: written by filar asts, DOLPHOT's .fake, matchfake, or any "
            "table by its columns' names.",
        ),
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
            help="Model of filar train completeness; may be given again. Of the table that it was "
            "trained on, its test part judges it; of another, all stars do.",
            show_default=False,
        ),
    ] = None,
    recipes: Annotated[
        str | None,
        typer.Option(
            metavar="R,R,...",
            help="Recipes to train on the spot, besides logistic regression, which always is. "
            "Default without models: boosting,filar-completeness.",
            show_default=False,
        ),
    ] = None,
    magnitudes: Annotated[
        str | None,
        typer.Option(
            metavar="input|measured",
            help="Magnitudes that recipes are given; each recipe's own by default.",
        ),
    ] = None,
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="auto|N,N,...",
            help="Learning curve: train the recipes on so many artificial stars too (auto: 200, "
            "500, 1000, 3000, ...).",
        ),
    ] = None,
    stars: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOG",
            help="Real stars that passed the same cuts, as of filar asts --stars: their corrected "
            "luminosity functions are drawn too.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn by chance.")] = 0,
    format: starfiles.Format = "auto",
    columns: starfiles.Columns = None,
    bands: starfiles.Bands = None,
    cut: starfiles.Cut = None,
    columns_file: starfiles.ColumnsFile = None,
    images: starfiles.Images = None,
) -> None:
    """Judge recovery probabilities: accuracy, calibration, completeness curves; a page of figures.

    Example: filar evaluate completeness asts.parquet --model mine.safetensors -o mine.html
    """
    from filar.catalogfile import check_output
    from filar.completeness.readers import read_artificial_stars, read_real_stars
    from filar.report.completeness_gather import DEFAULT_RECIPES, Material, gather_from_models
    from filar.report.completeness_page import write_completeness_report

    check_output(output, (".html", ".htm"))
    paths = _named(model or [])
    wanted = tuple(name.strip() for name in (recipes or "").split(",") if name.strip())
    if not wanted and not paths:
        wanted = DEFAULT_RECIPES
    _check_recipes(wanted)
    kind, numbers = _kind(magnitudes), _numbers(curve)
    asked = starfiles.cuts(cut)
    options = starfiles.options(
        format=format, columns=columns, bands=bands, columns_file=columns_file, images=images
    )
    artificial = read_artificial_stars(table, cuts=asked, **options)
    real = None
    if stars is not None:
        same = {"bands": options["bands"], "images": options["images"]}
        real = read_real_stars(stars, cuts=asked, **same)
    models = {name: _load(path) for name, path in paths.items()}
    material = Material(table.name, artificial, models, wanted, kind, numbers, seed, real)
    with console.progress() as progress:
        facts = gather_from_models(material, progress)
    write_completeness_report(output, facts)
    _tell(facts, output)


def _named(given: Sequence[str]) -> dict[str, Path]:
    """Split NAME=MODEL; a model without a name has its file's."""
    named: dict[str, Path] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign:
            name, path = Path(text).stem, text
        name = name.strip()
        if not (name and path):
            raise ParameterError("--model", text, "NAME=FILE")
        if name in named:
            raise ParameterError("--model", text, f"another name than {name}, which is taken")
        named[name] = Path(path)
        if not named[name].is_file():
            advice = "make it with filar train completeness"
            raise InputFileError(path, "there is no such file", "a model of completeness", advice)
    return named


def _load(path: Path) -> CompletenessModel:
    from filar.completeness.estimator import CompletenessModel

    return CompletenessModel.load(path)


def _check_recipes(names: Sequence[str]) -> None:
    """Refuse, before the work is done, recipes that there are not or that are another job's."""
    from filar.completeness.estimator import JOB
    from filar.learn.recipe import load_recipe

    for name in names:
        job = load_recipe(name).job
        if job != JOB:
            raise ParameterError("--recipes", f"{name}, which is for {job}", f"recipes for {JOB}")


def _kind(text: str | None) -> Kind | None:
    if text is None:
        return None
    if text not in ("input", "measured"):
        raise ParameterError("--magnitudes", text, "input or measured")
    return "input" if text == "input" else "measured"


def _numbers(text: str | None) -> tuple[int, ...] | None:
    from filar.completeness.learning_curve import NUMBERS

    if text is None or text == AUTO:
        return NUMBERS if text else None
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = (0,)
    if min(numbers) < 1:
        raise ParameterError("--curve", text, "auto, or numbers of stars with commas")
    return numbers


def _tell(facts: CompletenessFacts, output: Path) -> None:
    """Say the main figures in a line per model."""
    messages = console.messages()
    for remark in facts.remarks:
        messages.print(f"filar: warning: {remark}", markup=False, soft_wrap=True)
    messages.print(f"{len(facts.stars)} stars judge. {facts.rule}", markup=False, soft_wrap=True)
    for one in facts.models:
        own = one.scores
        text = (
            f"{one.name}: accuracy {100 * own.accuracy:.1f}%, log loss {own.log_loss:.4f}, Brier "
            f"score {own.brier:.4f}, calibration error {100 * own.calibration_error:.2f}% "
            f"(by chance {100 * own.chance_calibration_error:.2f}%)"
        )
        messages.print(text, markup=False, soft_wrap=True)
    messages.print(f"report in {output}", markup=False, soft_wrap=True)
