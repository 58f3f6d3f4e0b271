"""What training and evaluation on saturated stars share: from images or files to samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.saturation.data import Samples

Catalog = Annotated[
    Path | None,
    typer.Option(
        "--catalog",
        metavar="CATALOG",
        help="Stars of known magnitude in the sky of the images: ECSV, FITS, CSV, Parquet or "
        "VOTable with ra, dec and a magnitude in the images' filter or Gaia's magnitudes; or "
        "Stetson's NAME.pho with NAME.pos beside it.",
        show_default=False,
    ),
]
Mag = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="The catalogue's column of magnitudes. Default: the one named after the filter, or "
        "what Gaia's magnitudes give.",
        show_default=False,
    ),
]
Contamination = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="ARCSEC",
        help="Labels hold the catalogue's other stars within this radius, as Winecki & "
        "Kochanek (2024) took 8; 0: the star's own light alone.",
    ),
]
SamplesOut = Annotated[
    Path | None,
    typer.Option(
        "--samples",
        metavar="FILE",
        help="Keep the samples here, .safetensors, to be given instead of images another time.",
        show_default=False,
    ),
]


def check_data(data: list[Path], catalog: Path | None, samples: Path | None = None) -> None:
    """Refuse what cannot be read, before anything is measured.

    Parameters
    ----------
    data : list of Path
        Images, or files of samples.
    catalog : Path or None
        The catalogue for images.
    samples : Path or None
        Where the samples are to be kept.

    Raises
    ------
    ParameterError
        If images and samples are mixed, or the catalogue is missing or not needed.
    OutputFileError
        If samples could not be written.
    """
    from filar.catalogfile import check_output
    from filar.saturation.store import SUFFIX, are_samples

    made = [are_samples(path) for path in data]
    if any(made) and not all(made):
        raise ParameterError("data", " ".join(map(str, data)), "images, or samples made before")
    if all(made) and catalog is not None:
        raise ParameterError("--catalog", str(catalog), "none with samples, which have labels")
    if not any(made) and catalog is None:
        raise ParameterError("--catalog", None, "stars of known magnitude, which images need")
    if samples is not None:
        check_output(samples, (SUFFIX,))
        if samples.resolve() in {path.resolve() for path in data}:
            raise ParameterError("--samples", str(samples), "another name than an input's")


def read_data(
    data: list[Path],
    catalog: Path | None = None,
    *,
    samples: Path | None = None,
    workers: int = 1,
    **options: Any,
) -> tuple[Samples, bool]:
    """Read samples, or make them of images, showing how far it is.

    Parameters
    ----------
    data : list of Path
        Images, or files of samples.
    catalog : Path or None
        The catalogue for images.
    samples : Path or None
        Where to keep them.
    workers : int
        Processes that measure images.
    **options
        For images: see `filar.measure.saturation_samples.Collecting`.

    Returns
    -------
    Samples
        Of all images that gave some.
    bool
        Whether all did; the others were told of.

    Raises
    ------
    ParameterError
        See `check_data`.
    InputFileError
        If a file cannot be used.
    OutputFileError
        If the samples cannot be kept.
    """
    from filar.saturation.data import Samples
    from filar.saturation.store import load_samples, save_samples

    check_data(data, catalog, samples)
    complete = True
    if catalog is None:
        found = [load_samples(path) for path in data]
        whole = found[0] if len(found) == 1 else Samples.joined(found)
    else:
        from filar.measure.saturation_samples import Collecting, collect_samples

        with console.progress() as bar:

            def tell(done: int, images: int) -> None:
                if bar is not None:
                    bar(done / images, f"image {done} of {images}")

            collected = collect_samples(
                data, Collecting(catalog, **options), workers=workers, progress=tell
            )
        whole, complete = collected.samples, not collected.messages
        for text in collected.messages:
            console.messages().print(f"filar: warning: {text}", markup=False, soft_wrap=True)
    if samples is not None:
        save_samples(samples, whole)
    return whole, complete
