"""The options of every command that reads tables of stars: what the file does not say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from filar.exposure import Exposure

Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="auto|filar|matchfake|dolphot|columns",
        help="What the table is, where its name does not tell.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="KEY=NAME,...",
        help="Columns of any other table, as in mag=V,I, x=X, covariates=sky; for artificial stars "
        "mag_in, mag_out or delta, recovered. origin=1 if its pixels count from 1. May be given "
        "again.",
        show_default=False,
    ),
]
Bands = Annotated[
    str | None,
    typer.Option(metavar="B,V", help="Names of the bands, in the order of the table."),
]
Cut = Annotated[
    list[str] | None,
    typer.Option(
        "--cut",
        metavar="KEY=VALUE",
        help="What a star of DOLPHOT must pass: least snr, largest chi, sharp, round, crowd, flag, "
        "type; of any program: bands=B,V in which it must be found. May be given again.",
        show_default=False,
    ),
]
ColumnsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="DOLPHOT's list of columns, if not beside the table."),
]
Images = Annotated[
    list[Path] | None,
    typer.Option(
        "--image",
        metavar="FITS",
        help="Measure sky noise and surface brightness in the image of each band; once per band.",
        show_default=False,
    ),
]
Fwhm = Annotated[
    float | None,
    typer.Option(min=1e-9, help="Width of the PSF, pixels: measure the crowding too."),
]
CrowdingLimit = Annotated[
    float | None,
    typer.Option(help="Count detections brighter than this in the first band only."),
]


def options(
    *,
    format: str = "auto",
    columns: list[str] | None = None,
    bands: str | None = None,
    columns_file: Path | None = None,
    images: list[Path] | None = None,
) -> dict[str, Any]:
    """Gather what was given on the command line, as the readers take it.

    Parameters
    ----------
    format, columns, bands, columns_file, images
        Values of the options of this module.

    Returns
    -------
    dict of str to object
        Arguments of `read_artificial_stars` and `read_real_stars`.

    Raises
    ------
    ParameterError
        If a text is not what it must be.
    InputFileError
        If an image cannot be used.
    """
    return {
        "format": format,
        "columns": _columns(columns) if columns else None,
        "bands": _names(bands or ""),
        "columns_file": columns_file,
        "images": [_image(path) for path in images or []],
    }


def cuts(given: list[str] | None) -> dict[str, Any] | None:
    """Read the cuts.

    Parameters
    ----------
    given : list of str or None
        ``snr=4``, ``bands=B,V``.

    Returns
    -------
    dict or None
        None if none were given.

    Raises
    ------
    ParameterError
        If a text is not what it must be.
    """
    found: dict[str, Any] = {}
    for key, value in map(_pair, given or []):
        try:
            found[key] = list(_names(value)) if key == "bands" else float(value)
        except ValueError as error:
            raise ParameterError("cut", f"{key}={value}", "KEY=NUMBER") from error
    return found or None


def _columns(given: list[str]) -> dict[str, Any]:
    """Several covariates may be named ``covariates=sky_noise_V:noise,crowding``."""
    found: dict[str, Any] = {}
    for key, value in map(_pair, given):
        names = _names(value)
        if key in ("mag", "mag_in", "mag_out", "delta"):
            found[key] = list(names)
        elif key == "covariates":
            pairs = [name.partition(":") for name in names]
            found.setdefault(key, {}).update({a: b or a for a, _, b in pairs})
        elif key == "origin":
            try:
                found[key] = float(value)
            except ValueError as error:
                raise ParameterError("column", f"{key}={value}", "origin=NUMBER") from error
        else:
            found[key] = value.strip()
    return found


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise ParameterError("option", text, "KEY=VALUE")
    return key.strip(), value.strip()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _image(path: Path) -> Exposure:
    from filar.instruments import read_exposures

    exposures = read_exposures(path)
    if len(exposures) != 1:
        raise InputFileError(path, f"{len(exposures)} chips", "an image of one chip")
    return exposures[0]
