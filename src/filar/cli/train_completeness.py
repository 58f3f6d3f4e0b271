"""``filar train completeness``: artificial stars in, a model of the recovery probability out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console, starfiles, training
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.completeness.estimator import CompletenessModel
    from filar.completeness.table import ArtificialStars
    from filar.learn.recipe import Recipe

NONE = "none"


def completeness(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Artificial stars: written by filar asts, DOLPHOT's .fake, a matchfake table, or "
            "any table by its columns' names.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL", help="Model file: .safetensors.")
    ],
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="Training set-up: filar-completeness, cointoss, logistic, or a TOML file.",
        ),
    ] = "filar-completeness",
    magnitudes: Annotated[
        str | None,
        typer.Option(
            metavar="input|measured",
            help="Learn from the magnitudes put in, or from those measured and, for lost stars, "
            "those put in. Default: the recipe's, input.",
            show_default=False,
        ),
    ] = None,
    covariates: Annotated[
        str | None,
        typer.Option(
            metavar="A,B|none",
            help="What else recovery depends on; x and y are the positions. Default: the recipe's, "
            "all covariates that the table has.",
            show_default=False,
        ),
    ] = None,
    errors: Annotated[
        bool | None,
        typer.Option(
            "--errors/--no-errors",
            help="Learn bias and scatter of the measured magnitudes too. Default: the recipe's.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same model on the same machine.")
    ] = 0,
    format: starfiles.Format = "auto",
    columns: starfiles.Columns = None,
    bands: starfiles.Bands = None,
    cuts: starfiles.Cut = None,
    columns_file: starfiles.ColumnsFile = None,
    images: starfiles.Images = None,
    stars: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOG",
            help="Real stars of the same images: measure the crowding by them; needs --fwhm.",
        ),
    ] = None,
    fwhm: starfiles.Fwhm = None,
    crowding_limit: starfiles.CrowdingLimit = None,
) -> None:
    """Train a model that gives the probability that a star is recovered.

    Example: filar train completeness asts.parquet -o completeness.safetensors
    """
    chosen = _checked(table, output, recipe)
    asked: dict[str, Any] = {
        "magnitudes": magnitudes,
        "covariates": _names(covariates),
        "errors": errors,
    }
    given = starfiles.options(
        format=format, columns=columns, bands=bands, columns_file=columns_file, images=images
    )
    crowding = _crowding(stars, fwhm, crowding_limit, bands)
    found = _read(table, {**given, **crowding, "cuts": starfiles.cuts(cuts)})
    model = _train(chosen, found, output, {"seed": seed, **asked}, resume=resume)
    model.save(output)
    _tell(model, found, output)


def _checked(table: Path, output: Path, recipe: str) -> Recipe:
    """The recipe; all that can be known to fail is refused before the work is done."""
    from filar.catalogfile import check_output
    from filar.completeness.model import check_keepable, check_recipe
    from filar.learn.recipe import load_recipe

    check_output(output, (".safetensors",))
    if output.resolve() == table.resolve():
        raise ParameterError("output", str(output), "another name than the table's")
    chosen = load_recipe(recipe)
    check_recipe(chosen)
    check_keepable(chosen)
    return chosen


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    return [] if names == [NONE] else names


def _crowding(
    stars: Path | None, fwhm: float | None, limit: float | None, bands: str | None
) -> dict[str, Any]:
    """What measures the crowding, as the reader takes it."""
    from filar.completeness.readers import read_real_stars

    if stars is None:
        if fwhm is not None or limit is not None:
            raise ParameterError("fwhm", fwhm or limit, "none without --stars to count")
        return {}
    if fwhm is None:
        raise ParameterError("stars", str(stars), "--fwhm with it: the PSF's width in pixels")
    named = starfiles.options(bands=bands)["bands"]
    return {"detections": read_real_stars(stars, bands=named), "fwhm": fwhm, "limit": limit}


def _read(table: Path, options: dict[str, Any]) -> ArtificialStars:
    from filar.completeness.readers import read_artificial_stars

    return read_artificial_stars(table, **options)


def _train(
    recipe: Recipe,
    stars: ArtificialStars,
    output: Path,
    options: dict[str, Any],
    *,
    resume: bool,
) -> CompletenessModel:
    """Train, showing how it goes."""
    from filar.completeness.estimator import CompletenessModel

    folder = output.with_name(output.stem + "_training")
    model = CompletenessModel(recipe, **options)
    with training.progress() as progress:
        return model.fit(stars, folder=folder, resume=resume, progress=progress)


def _tell(model: CompletenessModel, stars: ArtificialStars, output: Path) -> None:
    """Say in a few lines what was made from what, and how good it is."""
    card, figures = model.card_, model.card_.figures
    told = ", ".join(model.inputs_.covariates) or "no covariates"
    epochs = f"{len(model.history_)} epochs in " if model.history_ else ""
    lines = [
        f"{len(stars)} artificial stars in {' '.join(card.bands)}, "
        f"{100 * stars.recovered.mean():.1f} % recovered; {card.magnitudes} magnitudes, {told}",
        f"{card.recipe.name}: {epochs}{model.seconds_:.1f} s",
    ]
    if figures:
        lines.append(
            f"{figures['number']:.0f} held-out stars: log loss {figures['log_loss']:.4f}, Brier "
            f"score {figures['brier']:.4f}, accuracy {100 * figures['accuracy']:.1f} %, "
            f"calibration error {100 * figures['calibration_error']:.2f} % "
            f"({100 * figures['chance_calibration_error']:.2f} % by chance)"
        )
    if model.errors_ is not None:
        lines.append("with the errors of measured magnitudes")
    elif card.notes:
        lines.append(card.notes)
    lines.append(str(output))
    show = console.messages()
    for line in lines:
        show.print(line, markup=False, soft_wrap=True)
