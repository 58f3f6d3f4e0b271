"""``filar completeness``: a catalogue and a model in, a recovery probability for every star out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import completeness_products, console, starfiles
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.completeness.estimator import CompletenessModel
    from filar.completeness.recovery import Recovery

app = typer.Typer()


@app.command()
def completeness(
    catalog: Annotated[
        Path,
        typer.Argument(
            metavar="CATALOG",
            help="Stars with their magnitudes in all bands: written by filar asts --stars, "
            "DOLPHOT's photometry, or any table by its columns' names.",
        ),
    ],
    model: Annotated[
        Path, typer.Option(metavar="MODEL", help="Model of filar train completeness.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="Catalogue: .ecsv, .fits, .parquet."),
    ],
    force: Annotated[
        bool,
        typer.Option("--force", help="Even if the stars were cut in another way than the model's."),
    ] = False,
    asts: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Artificial stars of the same images, for --lf."),
    ] = None,
    lf: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Write the luminosity function in the first band, corrected for stars that were "
            "lost and for those that changed bins.",
        ),
    ] = None,
    limits: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Write limiting magnitudes (50, 80 %) over the image, or by colour."
        ),
    ] = None,
    format: starfiles.Format = "auto",
    columns: starfiles.Columns = None,
    bands: starfiles.Bands = None,
    columns_file: starfiles.ColumnsFile = None,
    images: starfiles.Images = None,
    fwhm: starfiles.Fwhm = None,
    crowding_limit: starfiles.CrowdingLimit = None,
) -> None:
    """Give every star of a catalogue the probability that it would have been found.

    Adds the columns p_recovered and in_domain.

    Example: filar completeness stars.parquet --model m.safetensors -o p.parquet
    """
    from filar.catalogfile import check_output, write_catalog
    from filar.completeness.readers import read_star_catalog
    from filar.completeness.recovery import add_recovery, check_catalog
    from filar.completeness.surroundings import add_crowding

    check_output(output)
    completeness_products.check_products(asts, lf, limits, [catalog, model, output])
    if output.resolve() in (catalog.resolve(), model.resolve()):
        raise ParameterError("output", str(output), "another name than an input's")
    trained = _load(model)
    options = starfiles.options(
        format=format, columns=columns, bands=bands, columns_file=columns_file, images=images
    )
    table, stars = read_star_catalog(catalog, **options)
    if fwhm is not None:
        stars = add_crowding(stars, stars, fwhm=fwhm, limit=crowding_limit)
    elif crowding_limit is not None:
        raise ParameterError("crowding_limit", crowding_limit, "none without --fwhm")
    if output.suffix.lower() == ".parquet":
        _refuse_rows_of_values(table, output)
    told = check_catalog(stars, trained, catalog, force=force)
    recovery = add_recovery(table, stars, trained, model.name)
    write_catalog(table, output)
    for text in told:
        line = f"filar: warning: {catalog}: {text}"
        console.messages().print(line, markup=False, soft_wrap=True)
    _tell(recovery, output)
    completeness_products.write_products(trained, stars, asts, lf, limits)


def _refuse_rows_of_values(table: QTable, output: Path) -> None:
    several = [name for name in table.colnames if table[name].ndim > 1]
    if several:
        allowed = f".ecsv or .fits: column {several[0]} has several values in a row"
        raise ParameterError("output", str(output), allowed)


def _load(path: Path) -> CompletenessModel:
    from filar.completeness.estimator import CompletenessModel

    if not path.is_file():
        advice = "make it with filar train completeness"
        raise InputFileError(path, "there is no such file", "a model of completeness", advice)
    return CompletenessModel.load(path)


def _tell(recovery: Recovery, output: Path) -> None:
    messages = console.messages()
    text = f"{recovery.number} stars, {recovery.inside} in the model's domain"
    if recovery.inside:
        text += f": median p_recovered {recovery.median:.3f}, {recovery.likely} of 0.5 or more"
    if recovery.likely:
        text += f" stand for {recovery.stand_for:.0f} (sum of 1/p)"
    messages.print(text, markup=False, soft_wrap=True)
    text = f"p_recovered and {recovery.in_domain} in {output}"
    messages.print(text, markup=False, soft_wrap=True)
