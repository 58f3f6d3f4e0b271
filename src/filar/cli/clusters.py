"""``filar clusters``: images in several bands in, a catalogue of star clusters out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from filar.clusters.estimator import ClusterModel
    from filar.clusters.images import ClusterImages
    from filar.clusters.measure import Measured, Progress
    from filar.instruments.bandimage import BandOptions

app = typer.Typer()


@app.command()
def clusters(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="FITS images, one per band of the model."),
    ],
    model: Annotated[Path, typer.Option(metavar="MODEL", help="Model of filar train clusters.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="CATALOG", help="Catalogue: .ecsv, .fits or .parquet."
        ),
    ],
    positions: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST",
            help="Where the clusters are: a table with ra and dec or x and y, or text of two "
            "columns, x and y.",
            show_default=False,
        ),
    ] = None,
    detect: Annotated[
        bool, typer.Option("--detect", help="Find the clusters, in place of a list.")
    ] = False,
    threshold: Annotated[
        float,
        typer.Option(
            help="With --detect: least p_cluster. It counts on as many clusters as other things, "
            "as in training; in a whole image there are more of these: be strict."
        ),
    ] = 0.95,
    pixels: Annotated[
        bool, typer.Option("--pixels", help="Take the list's x and y although it has ra and dec.")
    ] = False,
    origin: Annotated[
        int, typer.Option(min=0, max=1, help="What the list calls the first pixel, 0 or 1.")
    ] = 0,
    recentre: Annotated[
        bool, typer.Option("--recentre", help="Move the list's positions onto the light there.")
    ] = False,
    posterior: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Write all draws from the joint posteriors: .fits or .parquet.",
            show_default=False,
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=10, help="Draws from each posterior.")] = 1000,
    filter_name: Annotated[
        str | None,
        typer.Option("--filter", metavar="F336W,...", help="Filters of the files, in order."),
    ] = None,
    zero_point: Annotated[
        str | None,
        typer.Option(
            metavar="M,...", help="Vega magnitude of 1 electron/s, one for each file or for all."
        ),
    ] = None,
    exposure_time: Annotated[
        str | None, typer.Option("--exptime", metavar="T,...", help="Exposure times, seconds.")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="U,...", help="Of pixel values: electrons/s, electrons, counts/s, counts."
        ),
    ] = None,
    gain: Annotated[str | None, typer.Option(metavar="G,...", help="Electrons per count.")] = None,
    pixel_scale: Annotated[
        float | None, typer.Option(min=1e-9, help="Arcsec per pixel, where no WCS tells.")
    ] = None,
    hdu: Annotated[
        str | None,
        typer.Option("--hdu", metavar="N,...", help="Extensions that hold the images."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
) -> None:
    """Measure star clusters: age, extinction, mass, size, and whether they are clusters.

    Example: filar clusters m83_f336w.fits m83_f438w.fits m83_f814w.fits --positions list.ecsv
    --model clusters.safetensors -o catalog.ecsv
    """
    _check(files, model, output, positions, posterior, detect)
    if not 0 < threshold < 1:
        raise ParameterError("threshold", threshold, "a probability between 0 and 1")
    options = band_options(
        len(files), filter=filter_name, zero_point=zero_point, exposure_time=exposure_time,
        unit=unit, gain=gain, hdu=hdu, pixel_scale=pixel_scale,
    )  # fmt: skip
    trained = _load(model)
    places = Places(positions, pixels, origin, recentre, threshold)
    with console.progress() as progress:
        images = _images(files, trained, options)
        found = _measure(images, trained, places, draws, seed, posterior is not None, progress)
    facts = {"model": model.name, "distance_mpc": _distance(trained)}
    _write(found, output, posterior, facts)
    _tell(found, output, posterior)


@dataclass(frozen=True)
class Places:
    """Where the user says that clusters are; without a list they are looked for."""

    path: Path | None
    pixels: bool
    origin: int
    recentre: bool
    threshold: float


def _check(
    files: list[Path], model: Path, output: Path, positions: Path | None,
    posterior: Path | None, detect: bool,
) -> None:  # fmt: skip
    """All that can be known to fail is refused before the work is done."""
    from filar.catalogfile import check_output
    from filar.clusters.catalog import SUFFIXES

    if detect == (positions is not None):
        raise ParameterError("positions", str(positions), "either --positions LIST or --detect")
    inputs = {path.resolve() for path in (*files, model, positions) if path is not None}
    outputs = [check_output(output)]
    if posterior is not None:
        outputs.append(check_output(posterior, SUFFIXES))
    for path in outputs:
        if path.resolve() in inputs:
            raise ParameterError("output", str(path), "another name than an input's")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise ParameterError("posterior", str(posterior), "another name than the catalogue's")


def band_options(
    number: int, *, pixel_scale: float | None = None, **given: str | None
) -> list[BandOptions]:
    """Options of each file from texts with commas: one value for all, or one for each.

    Parameters
    ----------
    number : int
        Files.
    pixel_scale : float or None
        Arcsec, of all.
    **given
        Fields of `filar.instruments.bandimage.BandOptions`.

    Returns
    -------
    list of BandOptions
        One for each file.

    Raises
    ------
    ParameterError
        If there are more or fewer values than files, or one makes no sense.
    """
    from filar.instruments.bandimage import BandOptions

    texts = {name: text for name, text in given.items() if text is not None}
    values = {name: _values(name, text, number) for name, text in texts.items()}
    return [
        BandOptions(pixel_scale=pixel_scale, **{name: each[k] for name, each in values.items()})
        for k in range(number)
    ]


def _values(name: str, text: str, number: int) -> list[Any]:
    pieces = [piece.strip() for piece in text.split(",")]
    if len(pieces) not in (1, number):
        allowed = f"one value, or one for each of {number} files"
        raise ParameterError(name, text, allowed)
    if name in ("zero_point", "exposure_time", "gain"):
        try:
            found: list[Any] = [float(piece) for piece in pieces]
        except ValueError as error:
            raise ParameterError(name, text, "numbers with commas") from error
    elif name == "hdu":
        found = [int(piece) if piece.isdigit() else piece for piece in pieces]
    else:
        found = list(pieces)
    return found * number if len(found) == 1 else found


def _load(path: Path) -> ClusterModel:
    from filar.clusters.estimator import ClusterModel

    if not path.is_file():
        advice = "make it with filar train clusters"
        raise InputFileError(path, "there is no such file", "a model of clusters", advice)
    return ClusterModel.load(path)


def _images(files: list[Path], model: ClusterModel, options: list[BandOptions]) -> ClusterImages:
    from filar.clusters.images import read_images

    takes = model.inputs_
    return read_images(files, takes.bands, options, pixel_scale=takes.pixel_scale)


def _measure(
    images: ClusterImages, model: ClusterModel, places: Places,
    draws: int, seed: int, keep: bool, progress: Progress | None,
) -> Measured:  # fmt: skip
    from filar.clusters import detect, measure, positions

    how: dict[str, Any] = {"draws": draws, "seed": seed, "keep": keep, "progress": progress}
    if places.path is None:
        least = min(places.threshold, detect.THRESHOLD)
        found = measure.detect(images, model, threshold=least, progress=progress)
        measured = measure.measure(images, model, found.x, found.y, extra={"p_map": found.p}, **how)
        return measured.select(measured.table["p_cluster"] >= places.threshold)
    listed = positions.read_positions(places.path, origin=places.origin)
    x, y = positions.place(listed, images, pixels=places.pixels).T
    if places.recentre:
        x, y = detect.recentred(images, x, y)
    extra: dict[str, NDArray[np.str_]] = {"name": listed.name} if listed.name.any() else {}
    return measure.measure(images, model, x, y, id=listed.id, extra=extra, **how)


def _distance(model: ClusterModel) -> float | None:
    """The distance for which masses are true, Mpc."""
    known = model.card_.normalisation.get("distance_mpc")
    return float(known) if isinstance(known, int | float) else None


def _write(found: Measured, output: Path, posterior: Path | None, facts: dict[str, Any]) -> None:
    import numpy as np

    from filar.catalog import versions
    from filar.catalogfile import write_catalog
    from filar.clusters.catalog import write_posterior

    facts = facts | {"versions": versions()}
    found.table.meta.update(facts)
    write_catalog(found.table, output)
    if posterior is not None and found.samples is not None:
        write_posterior(posterior, np.asarray(found.table["id"]), found.samples, facts)


def _tell(found: Measured, output: Path, posterior: Path | None) -> None:
    import numpy as np

    from filar.flags import Flag

    table, messages = found.table, console.messages()
    flags = np.asarray(table["flags"])
    off = int(np.count_nonzero(flags & int(Flag.OFF_IMAGE)))
    likely = int(np.count_nonzero(np.asarray(table["p_cluster"]) >= 0.5))
    inside = int(np.count_nonzero(table["in_domain"]))
    text = f"{len(table)} places: {likely} likely clusters (p_cluster 0.5 or more), "
    text += f"{inside} in the model's domain"
    if off:
        text += f", {off} off the images (not measured)"
    messages.print(text, markup=False, soft_wrap=True)
    where = f"{output}" + (f", all draws in {posterior}" if posterior is not None else "")
    messages.print(f"catalogue in {where}", markup=False, soft_wrap=True)
