"""``filar lightcurve``: catalogues of many exposures in, light curves out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console
from filar.errors import FilarError, ParameterError

if TYPE_CHECKING:
    from filar.lightcurve.make import LightCurves
    from filar.lightcurve.settings import LightCurveSettings

app = typer.Typer()
SHOWN = 10
"""Errors and remarks of a kind that are told one by one; with ``-v`` all are."""


class Reject(StrEnum):
    """How outlying epochs are found."""

    gp = "gp"
    faintest = "faintest"
    none = "none"


class Process(StrEnum):
    """Which stars a Gaussian process is for."""

    variable = "variable"
    all = "all"
    none = "none"


@app.command()
def lightcurve(
    catalogs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CATALOG...",
            help="Catalogues of filar measure: any exposures, cameras and filters.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="TABLE",
            help="All epochs: .ecsv, .fits or .parquet. NAME_stars, NAME_offsets and NAME_images "
            "beside it hold a row per star, per star and camera, and per image.",
        ),
    ],
    stars: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST", help="Only these stars: a table with ra, dec, perhaps id and period."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOG",
            help="Magnitudes to tie zero points to: ra, dec, and FILTER_mag or mag. Otherwise "
            "magnitudes are relative.",
        ),
    ] = None,
    reference_mag: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of --reference.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="Facts that catalogues lack: exposure, and mjd (middle, UTC), camera or filter.",
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Only what this method measured, e.g. psf-fit.")
    ] = None,
    epoch_gap: Annotated[
        float,
        typer.Option(
            min=0, help="Exposures of a camera and filter within so many minutes are one epoch."
        ),
    ] = 30.0,
    radius: Annotated[
        float, typer.Option(min=1e-3, help="Largest distance of a measure from its star, pixels.")
    ] = 2.0,
    min_images: Annotated[
        int, typer.Option(min=1, help="Images that must have found a star, if it is not in LIST.")
    ] = 3,
    zero_points: Annotated[
        bool,
        typer.Option(
            "--zero-points/--no-zero-points",
            help="Find zero points of the images, or take magnitudes as they are.",
        ),
    ] = True,
    degree: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=4,
            help="Degree of zero points over the chip; as the stars demand if not given.",
            show_default=False,
        ),
    ] = None,
    reject: Annotated[
        Reject,
        typer.Option(
            help="Outliers: against a Gaussian process and the period, the faintest tenth, none."
        ),
    ] = Reject.gp,
    clip: Annotated[
        float, typer.Option(min=1.0, help="Limit of outliers, standard deviations.")
    ] = 4.0,
    process: Annotated[
        Process,
        typer.Option(
            help="Stars to inter-calibrate by a Gaussian process: variable ones and those of LIST, "
            "all, none. The others get weighted means."
        ),
    ] = Process.variable,
    period: Annotated[
        float | None,
        typer.Option(min=1e-6, help="Period of the stars in LIST that have none, days."),
    ] = None,
    find_periods: Annotated[
        bool,
        typer.Option(
            "--find-periods/--no-find-periods", help="Search for periods of variable stars."
        ),
    ] = True,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write figures and a page: stars of LIST or variable ones, at most."
        ),
    ] = None,
    most_figures: Annotated[int, typer.Option(min=0, help="Stars with figures, at most.")] = 40,
    timeseries: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write an astropy time series (ECSV) for each star."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Stars solved at the same time.")] = 1,
) -> None:
    """Make light curves: zero points of images, epochs, cameras and filters put together.

    Example: filar lightcurve night*.parquet -o curves.parquet --stars miras.ecsv --figures curves
    """
    from filar.lightcurve.settings import LightCurveSettings

    settings = LightCurveSettings(
        epoch_gap=epoch_gap,
        radius=radius,
        min_images=min_images,
        zero_points=zero_points,
        degree=degree,
        reject=reject.value,
        clip=clip,
        processes=process.value,
        periods=find_periods,
        workers=workers,
    )
    inputs = [*catalogs, *(path for path in (stars, reference, images) if path)]
    outputs = _outputs(output, inputs)
    if period is not None and stars is None:
        raise ParameterError("period", period, "given together with --stars")
    if reference_mag is not None and reference is None:
        raise ParameterError("reference_mag", reference_mag, "given together with --reference")
    curves = _made(catalogs, settings, stars, reference, reference_mag, images, method, period)
    _write(curves, settings, outputs)
    if timeseries is not None:
        from filar.lightcurve.table import write_timeseries

        write_timeseries(curves, timeseries)
    if figures is not None:
        from filar.report.lightcurve_page import write_lightcurve_report

        write_lightcurve_report(figures, curves, most=most_figures)
    _tell(curves, output)
    if curves.errors:
        raise typer.Exit(1)


def _outputs(output: Path, inputs: list[Path]) -> dict[str, Path]:
    """Check the names of all tables before the work."""
    from filar.catalogfile import check_output

    names = {"": output} | {
        kind: output.with_name(f"{output.stem}_{kind}{output.suffix}")
        for kind in ("stars", "offsets", "images")
    }
    taken = {path.resolve() for path in inputs}
    for path in names.values():
        check_output(path)
        if path.resolve() in taken:
            raise ParameterError("output", str(path), "another name than an input's")
    return names


def _made(
    catalogs: list[Path],
    settings: LightCurveSettings,
    stars: Path | None,
    reference: Path | None,
    reference_mag: str | None,
    images: Path | None,
    method: str | None,
    period: float | None,
) -> LightCurves:
    """Read what was given and make the light curves."""
    from filar.lightcurve.lists import read_reference, read_wanted, with_period
    from filar.lightcurve.make import make_light_curves
    from filar.lightcurve.read import read_facts, read_observed

    wanted = None if stars is None else read_wanted(stars)
    if wanted is not None and period is not None:
        wanted = with_period(wanted, period)
    facts = None if images is None else read_facts(images)
    with console.progress() as progress:
        part = None if progress is None else lambda done, text: progress(done / 10, text)
        observed = read_observed(catalogs, method=method, facts=facts, progress=part)
        if not len(observed.images):
            for text in observed.errors:
                console.error(text)
            raise FilarError("no catalogue could be used: no light curves were made")
        bands = tuple(dict.fromkeys(observed.images.filter))
        tied = None if reference is None else read_reference(reference, bands, reference_mag)
        return make_light_curves(
            observed, settings, wanted=wanted, reference=tied, progress=progress
        )


def _write(curves: LightCurves, settings: LightCurveSettings, outputs: dict[str, Path]) -> None:
    from filar.catalogfile import write_catalog
    from filar.lightcurve import table

    makers = {
        "": table.epochs_table,
        "stars": table.stars_table,
        "offsets": table.offsets_table,
        "images": table.images_table,
    }
    for kind, path in outputs.items():
        write_catalog(makers[kind](curves, settings), path)


def _tell(curves: LightCurves, output: Path) -> None:
    """Write what became of everything to stderr."""
    messages = console.messages()
    most = None if console.verbosity() > 0 else SHOWN
    for text in curves.remarks[:most]:
        messages.print(text, markup=False, soft_wrap=True)
    for text in curves.errors[:most]:
        console.error(text)
    hidden = len(curves.errors[SHOWN:]) if most else 0
    if hidden:
        console.error(f"and {hidden} more (-v tells of each)")
    stars = len(curves.stars)
    periods = sum(one is not None and one.periodic is not None for one in curves.solutions)
    text = (
        f"{len(curves.images)} images, {stars} stars, {int(curves.variable.sum())} of them "
        f"variable, {periods} with a period; {len(curves.epochs)} epochs, "
        f"{int(curves.rejected.sum())} rejected, in {output}"
    )
    messages.print(text, markup=False, soft_wrap=True)
