"""``filar simulate saturated``: a survey of the bright sky, most of its stars saturated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filar.cli import console

EXAMPLE = (
    "Example: filar simulate saturated -o survey --cameras a,b --fields 2 --epochs 20 --seed 1 "
    "writes survey/images/*.fits, survey/stars.ecsv, survey/images.ecsv and survey/light.parquet. "
    "The same command again goes on where it was interrupted."
)


def saturated(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    cameras: Annotated[
        str, typer.Option(help="Names of the cameras, separated by commas; each is different.")
    ] = "a,b,c",
    filters: Annotated[str, typer.Option(help="Filters: g, V or both.")] = "g",
    fields: Annotated[int, typer.Option(help="Fields, each with its own stars.")] = 2,
    first_field: Annotated[
        int,
        typer.Option(
            help="Number of the first. Other fields of the same seed: other stars, same cameras."
        ),
    ] = 0,
    epochs: Annotated[
        int, typer.Option(help="Epochs of each field by each camera in each filter.")
    ] = 10,
    exposures: Annotated[int, typer.Option(help="Exposures of an epoch.")] = 3,
    cadence: Annotated[float, typer.Option(help="Days between epochs.")] = 5.0,
    size: Annotated[int, typer.Option(help="Rows and columns.")] = 1024,
    targets: Annotated[
        int | None,
        typer.Option(
            help="Stars of g = 4.5 to 14.5 in a field. Default: 120 per 1024 x 1024 pixels."
        ),
    ] = None,
    variables: Annotated[float, typer.Option(help="Part of them that are variable.")] = 0.25,
    latitude: Annotated[
        float, typer.Option(help="Galactic latitude, degrees: how crowded the fields are.")
    ] = 30.0,
    faintest: Annotated[
        float, typer.Option(help="Faintest single star, g; the light of fainter ones is even.")
    ] = 17.5,
    sky: Annotated[float, typer.Option(help="Mean counts per pixel.")] = 200.0,
    bit_depth: Annotated[
        int, typer.Option(help="Of the converter, 8 to 16; 32 for none, floating-point numbers.")
    ] = 16,
    full_well: Annotated[
        float | None,
        typer.Option(
            help="Over 60,000 counts; above 1.09, a 16-bit converter ends first. Default: each "
            "camera's own, 1.04 to 1.08."
        ),
    ] = None,
    pixel_response: Annotated[
        float, typer.Option(help="Rms of the pixels' sensitivities.")
    ] = 0.005,
    flat_fielded: Annotated[
        bool, typer.Option(help="Divide vignetting and pixel response out, or leave them.")
    ] = False,
    correct: Annotated[
        bool, typer.Option(help="With or without the survey pipeline's correction of trails.")
    ] = False,
    damage: Annotated[
        bool, typer.Option(help="With or without bright pixels that overflowed to exactly 1.")
    ] = False,
    gaia_saturation: Annotated[
        bool, typer.Option(help="With or without Gaia's own saturation in its magnitudes.")
    ] = True,
    gaia_scatter: Annotated[
        float, typer.Option(help="Rms of g about what the Gaia colours say, mag.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same survey.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. Default: one per core.")
    ] = None,
) -> None:
    """Simulate a survey camera's images of stars up to 7 mag above saturation.

    Small cameras of 8 arcsec pixels see the same fields again and again: constant and variable
    stars, clouds, vignetting, charge that bleeds along columns. The truth is written beside the
    images. An interrupted run goes on with the same command, and a survey can get more epochs.
    """
    from filar.measure.files import available_cores
    from filar.simulate.survey.files import write_survey
    from filar.simulate.survey.settings import SurveySettings

    settings = SurveySettings(
        cameras=_names(cameras), filters=_names(filters), fields=fields, first_field=first_field,
        epochs=epochs, exposures=exposures, cadence=cadence, size=size, targets=targets,
        variables=variables, latitude=latitude, faintest=faintest, sky=sky, bit_depth=bit_depth,
        full_well=full_well, pixel_response=pixel_response, flat_fielded=flat_fielded,
        correct=correct, damage=damage, gaia_saturation=gaia_saturation,
        gaia_scatter=gaia_scatter, seed=seed,
    )  # fmt: skip
    with console.progress() as progress:
        made = write_survey(
            settings, output, workers=workers or available_cores(), progress=progress
        )
    kept = f", {made.kept} kept as they were" if made.kept else ""
    messages = console.messages()
    text = f"{made.made} images made{kept} (seed {seed}): {made.files[0]} ..."
    messages.print(text, markup=False, soft_wrap=True)
    for path in (made.stars, made.images, made.light):
        messages.print(f"  {path}", markup=False, soft_wrap=True)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
