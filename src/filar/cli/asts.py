"""``filar asts``: artificial stars into images, a table of what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console, reading
from filar.cli.measure import Sky, psf_choice
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.asts.cuts import Cuts

app = typer.Typer()


@app.command()
def asts(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="FITS images of one field, one per filter."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="TABLE", help="Table: .parquet, .ecsv or .fits."),
    ],
    stars: Annotated[
        Path | None,
        typer.Option(
            metavar="STARS",
            help="Write the real stars too, matched between the filters, through the same cuts and "
            "with the same covariates: what filar completeness takes.",
        ),
    ] = None,
    number: Annotated[int, typer.Option(min=1, help="Artificial stars.")] = 10_000,
    mag: Annotated[
        tuple[float, float],
        typer.Option(metavar="BRIGHT FAINT", help="Magnitudes in the first filter."),
    ] = (20.0, 28.0),
    function: Annotated[
        str, typer.Option("--lf", metavar="flat|exponential", help="Luminosity function.")
    ] = "flat",
    beta: Annotated[
        float, typer.Option(help="Slope of the exponential one: numbers rise as 10^(beta m).")
    ] = 0.8,
    color: Annotated[
        tuple[float, float],
        typer.Option(metavar="BLUE RED", help="Colour, first filter less any further one."),
    ] = (-1.0, 3.0),
    further_color: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BLUE,RED",
            help="That of the third filter where it is another, and again for more filters.",
            show_default=False,
        ),
    ] = None,
    positions: Annotated[
        str,
        typer.Option(
            metavar="uniform|stars|MAP.fits",
            help="Evenly over the field, as dense as the real stars, or by a map of weights.",
        ),
    ] = "uniform",
    mag_system: Annotated[
        str,
        typer.Option(
            metavar="auto|vega|st|ab|instrumental",
            help="System of all magnitudes; auto: vega where the images know it.",
        ),
    ] = "auto",
    zero_point: Annotated[
        list[float] | None,
        typer.Option(
            metavar="MAG", help="Magnitude of one electron; one for each file.", show_default=False
        ),
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Names of the filters instead of the headers'."),
    ] = None,
    min_snr: Annotated[float, typer.Option(min=0, help="Cut: least signal-to-noise ratio.")] = 5.0,
    max_q: Annotated[
        float | None, typer.Option(help="Cut: largest q (residuals over flux).")
    ] = None,
    max_chi2: Annotated[float | None, typer.Option(help="Cut: largest reduced chi-square.")] = None,
    sharp: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="Cut: limits of the sharpness, 1 for stars."),
    ] = None,
    reject: Annotated[
        str | None,
        typer.Option(
            metavar="FLAG,FLAG",
            help="Cut: flags that lose a star; none for no flag. Default: cosmic_ray, hot_pixel, "
            "not_converged, no_fit, non_positive, extended.",
            show_default=False,
        ),
    ] = None,
    in_bands: Annotated[
        str, typer.Option(metavar="all|N", help="Filters in which a star must be found and pass.")
    ] = "all",
    match: Annotated[
        float, typer.Option(min=0.1, help="Pixels within which a detection may be the star's.")
    ] = 1.5,
    claims: Annotated[
        str,
        typer.Option(
            metavar="light|list",
            help="A detection is a brighter star's if more than half of its light is, or if such a "
            "star was found there before.",
        ),
    ] = "light",
    psf: Annotated[
        str,
        typer.Option(metavar="fit|default|FILE", help="PSF, as for filar measure."),
    ] = "fit",
    threshold: Annotated[
        float, typer.Option(min=1.0, help="Detection limit, standard deviations of the noise.")
    ] = 5.0,
    sky: Annotated[Sky, typer.Option(help="Sky, as for filar measure.")] = Sky.annulus,
    passes: Annotated[int, typer.Option(min=1, max=3, help="As for filar measure.")] = 2,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    exposure_time: reading.ExposureTime = None,
    pixel_scale: reading.PixelScale = None,
    chips: reading.Chips = None,
    hdu: reading.Extension = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same table.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted.")
    ] = False,
) -> None:
    """Put artificial stars into images, one by one, and measure them as real stars are.

    Example: filar asts a_f555w.fits a_f814w.fits -o asts.parquet --number 100000 --mag 20 28
    """
    from filar.asts.field import read_fields
    from filar.asts.run import catalogue_of, run_asts
    from filar.asts.settings import ASTSettings
    from filar.catalogfile import write_catalog
    from filar.measure import Settings

    _check_outputs(files, output, stars)
    settings = ASTSettings(
        number=number,
        mag=mag,
        function=function,
        beta=beta,
        colors=_colors(color, further_color or [], len(files)),
        places=_places(positions),
        seed=seed,
        match=match,
        claims=claims,
        cuts=_cuts(min_snr, max_q, max_chi2, sharp, reject, in_bands),
    )
    read = reading.read_options(
        chips, hdu, gain=gain, read_noise=read_noise, saturation=saturation,
        exposure_time=exposure_time, pixel_scale=pixel_scale,
    )  # fmt: skip
    measure = Settings(
        psf=psf_choice(psf), threshold=threshold, sky=sky.value, passes=passes, method="psf"
    )
    names = None if bands is None else [b.strip() for b in bands.split(",") if b.strip()]
    with console.progress() as progress:
        fields = read_fields(
            files, measure, read=read, mag_system=mag_system, bands=names,
            zero_points=zero_point or None, progress=progress,
        )  # fmt: skip
        table = run_asts(
            fields, settings, folder=output.with_name(f"{output.stem}_asts"), resume=resume,
            workers=workers, progress=progress,
        )  # fmt: skip
    write_catalog(table, output)
    _tell(table, output)
    if stars is not None:
        real = catalogue_of(fields, settings)
        write_catalog(real, stars)
        console.messages().print(f"{len(real)} real stars in {stars}", markup=False, soft_wrap=True)


def _check_outputs(files: list[Path], output: Path, stars: Path | None) -> None:
    from filar.catalogfile import SUFFIXES, check_output

    outputs = [output] if stars is None else [output, stars]
    taken = {path.resolve() for path in files}
    for path in outputs:
        check_output(path, SUFFIXES)
        if path.resolve() in taken:
            raise ParameterError("output", str(path), "another name than the other files'")
        taken.add(path.resolve())


def _places(text: str) -> str | Path:
    if text in ("uniform", "stars"):
        return text
    path = Path(text)
    if not path.is_file():
        raise InputFileError(path, "there is no such map", "uniform, stars or a FITS image")
    return path


def _colors(
    first: tuple[float, float], further: list[str], images: int
) -> tuple[tuple[float, float], ...]:
    """Limits of colour of each filter after the first; the last given serve the rest."""
    limits = [first]
    for text in further:
        try:
            low, high = (float(part) for part in text.split(","))
        except ValueError:
            allowed = "two numbers with a comma, as in -1,3"
            raise ParameterError("--further-color", text, allowed) from None
        limits.append((low, high))
    if len(limits) > max(images - 1, 1):
        raise ParameterError("--further-color", further, f"for {images} images fewer")
    return tuple(limits + limits[-1:] * (images - 1 - len(limits)))


def _cuts(
    min_snr: float,
    max_q: float | None,
    max_chi2: float | None,
    sharp: tuple[float, float] | None,
    reject: str | None,
    in_bands: str,
) -> Cuts:
    from filar.asts.cuts import Cuts

    given: dict[str, Any] = {"min_snr": min_snr, "max_q": max_q, "max_chi2": max_chi2}
    if sharp is not None:
        given |= {"min_sharp": sharp[0], "max_sharp": sharp[1]}
    if reject is not None:
        names = [name.strip().lower() for name in reject.split(",") if name.strip()]
        given["rejected"] = () if names == ["none"] else tuple(names)
    if in_bands != "all":
        if not in_bands.isdigit() or not int(in_bands):
            raise ParameterError("--in-bands", in_bands, "all, or a number of filters")
        given["bands"] = int(in_bands)
    return Cuts(**{name: value for name, value in given.items() if value is not None})


def _tell(table: QTable, output: Path) -> None:
    """Say how many were recovered, and remark what makes a table useless."""
    show = console.messages()
    exposures = table.meta["exposures"]
    for facts in exposures:
        name = f"{facts['exposure']} {facts['chip']} {facts['band']}".replace("  ", " ")
        text = f"{name}: {facts['n_stars']} stars, {table.meta['mag_system']} magnitudes"
        show.print("; ".join([text, *facts["messages"]]), markup=False, soft_wrap=True)
    recovered = float(table["recovered"].mean())
    text = f"{len(table)} artificial stars, {100 * recovered:.1f} % recovered: {output}"
    show.print(text, markup=False, soft_wrap=True)
    if recovered in (0.0, 1.0):
        what = "no star was" if recovered == 0 else "all stars were"
        show.print(
            f"filar: warning: {what} recovered: try other --mag, or another --mag-system",
            markup=False, soft_wrap=True,
        )  # fmt: skip
