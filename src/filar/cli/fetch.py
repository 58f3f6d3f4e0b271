"""``filar fetch``: what archives have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.archive import Field

app = typer.Typer(no_args_is_help=True, help="Fetch from archives.")

_EXAMPLE = (
    "Example: filar fetch gaia --ra 323.362 --dec -0.823 --radius 0.2 --faintest 17 -o m2.ecsv"
)
_EXAMPLE_ISOCHRONES = (
    "Example: filar fetch isochrones --system wfc3 --z 0.0152 --z 0.03 -o parsec.dat.gz"
)


@app.callback()
def fetch() -> None:
    """Fetch from archives; Gaia's through astroquery (pip install 'filar[fetch]').

    Example: filar fetch gaia --image frame.fits -o stars.ecsv
    """


@app.command(epilog=_EXAMPLE)
def gaia(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="TABLE", help="Table: .ecsv, .fits, .parquet."),
    ],
    ra: Annotated[
        str | None,
        typer.Option(help="Right ascension of the middle: degrees, or hours as 21:33:27."),
    ] = None,
    dec: Annotated[
        str | None, typer.Option(help="Declination of the middle: degrees, or -00:49:24.")
    ] = None,
    radius: Annotated[
        float | None, typer.Option(help="Radius of the field, degrees, at most 10.")
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Take the field from the WCS of this FITS image, with an arcmin around it; may "
            "be given several times.",
        ),
    ] = None,
    brightest: Annotated[float | None, typer.Option(help="Only stars fainter than this G.")] = None,
    faintest: Annotated[float | None, typer.Option(help="Only stars brighter than this G.")] = None,
) -> None:
    """Fetch Gaia DR3's stars of a field, as filar train saturation and others take them.

    Magnitudes in g, r, i, V, R and I are computed from the table where it is read. It is written
    whole, or not at all.
    """
    from filar.archive import fetch_gaia
    from filar.catalogfile import check_output, write_catalog

    check_output(output)
    field = _field(ra, dec, radius, image or [])
    with console.progress() as progress:
        table = fetch_gaia(field, brightest=brightest, faintest=faintest, progress=progress)
    write_catalog(table, output)
    text = (
        f"{len(table)} stars within {field.radius:.4g} degrees of RA {field.ra:.5f}, "
        f"Dec {field.dec:+.5f} in {output}"
    )
    console.messages().print(text, markup=False, soft_wrap=True)


@app.command(epilog=_EXAMPLE_ISOCHRONES)
def isochrones(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="TABLE", help="Text table, .gz to compress it."),
    ],
    system: Annotated[str, typer.Option(help="Filters of: wfc3, acs, wfpc2, or ubvri.")] = "wfc3",
    z: Annotated[
        list[float] | None,
        typer.Option(help="Mass fraction of metals; may be given several times. [default: 0.0152]"),
    ] = None,
    log_age: Annotated[
        tuple[float, float, float],
        typer.Option(help="First and last log10 of the age in years, and the step."),
    ] = (6.6, 10.1, 0.05),
) -> None:
    """Fetch PARSEC isochrones from their authors' web form, for star clusters.

    Not needed for the default isochrones, which come with pip install 'filar[isochrones]'. The
    table is read before it is kept, and written whole or not at all.
    """
    from filar.populations.webform import fetch_isochrones

    with console.progress() as progress:
        found = fetch_isochrones(
            output, system=system, z=z or (0.0152,), log_ages=log_age, progress=progress
        )
    metals = ", ".join(f"{value:g}" for value in found.metallicities)
    text = (
        f"{len(found.log_ages)} ages of Z = {metals} in {len(found.bands)} bands "
        f"({', '.join(found.bands)}) in {output}"
    )
    console.messages().print(text, markup=False, soft_wrap=True)


def _field(ra: str | None, dec: str | None, radius: float | None, images: list[Path]) -> Field:
    from filar.archive import Field
    from filar.instruments import read_exposures

    given = [name for name, value in (("ra", ra), ("dec", dec), ("radius", radius)) if value]
    if images:
        if given:
            raise ParameterError("--image", str(images[0]), f"none together with --{given[0]}")
        # only the WCS matters here: the noise need not be known
        chips = [one for path in images for one in read_exposures(path, gain=1.0, read_noise=0.0)]
        return Field.around(chips)
    if ra is None or dec is None or radius is None:
        raise ParameterError("field", ", ".join(given), "--ra, --dec and --radius, or --image")
    return Field(_angle("--ra", ra, hours=True) % 360, _angle("--dec", dec), radius)


def _angle(name: str, text: str, *, hours: bool = False) -> float:
    from astropy import units
    from astropy.coordinates import Angle

    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(Angle(text, units.hourangle if hours else units.deg).deg)
    except Exception as error:  # astropy's parser raises several kinds
        raise ParameterError(name, text, "degrees, or 21:33:27 and -00:49:24") from error
