"""The options of every command that reads images: what the header does not say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from filar.instruments.options import ReadOptions

_POSITIVE = 1e-9

Gain = Annotated[float | None, typer.Option(min=_POSITIVE, help="Electrons per DN.")]
ReadNoise = Annotated[float | None, typer.Option(min=0, help="Read noise, electrons.")]
Saturation = Annotated[
    float | None, typer.Option(min=_POSITIVE, help="Saturation level, electrons.")
]
ExposureTime = Annotated[
    float | None, typer.Option("--exptime", min=_POSITIVE, help="Exposure time, seconds.")
]
Filter = Annotated[str | None, typer.Option("--filter", help="Name of the filter.")]
PixelScale = Annotated[float | None, typer.Option(min=_POSITIVE, help="Arcsec per pixel.")]
Chips = Annotated[str | None, typer.Option(metavar="PC,WF3", help="Only these chips, with commas.")]
Extension = Annotated[
    str | None,
    typer.Option("--hdu", help="Extension that holds the image: number or name."),
]
Quality = Annotated[
    Path | None,
    typer.Option(help="WFPC2's quality or SDSS's fpM file, where it is not beside the image."),
]


def read_options(chips: str | None = None, hdu: str | None = None, **given: Any) -> ReadOptions:
    """Gather what was given on the command line.

    Parameters
    ----------
    chips : str or None
        Names with commas.
    hdu : str or None
        Number or name of an extension.
    **given
        Further fields of :class:`~filar.instruments.options.ReadOptions`.

    Returns
    -------
    ReadOptions
        Its values.

    Raises
    ------
    ParameterError
        If a value makes no sense.
    """
    from filar.instruments.options import ReadOptions

    names = None if chips is None else tuple(c.strip() for c in chips.split(",") if c.strip())
    extension = int(hdu) if hdu is not None and hdu.isdigit() else hdu
    return ReadOptions(chips=names, hdu=extension, **given)
