"""``filar measure``: FITS exposures in, a catalogue of stars out."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console, reading
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from filar.measure import ChipSummary, FileResult, Measurement, Summary

app = typer.Typer()

SHOWN = 5
"""Files that are told of one by one although there is nothing to remark; with ``-v`` all are."""


class Sky(StrEnum):
    """Where the sky under a star comes from."""

    annulus = "annulus"
    fit = "fit"


class Method(StrEnum):
    """Whose positions the catalogue gives."""

    auto = "auto"
    psf = "psf"
    network = "network"


class MagSystem(StrEnum):
    """Magnitude systems."""

    instrumental = "instrumental"
    vega = "vega"
    st = "st"
    ab = "ab"


@app.command()
def measure(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="FITS exposures.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="CATALOG", help="Catalogue: .ecsv, .fits or .parquet."
        ),
    ],
    psf: Annotated[
        str,
        typer.Option(
            metavar="fit|default|FILE",
            help="Fit the PSF to the exposure's own stars, take the camera's, or read a file.",
        ),
    ] = "fit",
    method: Annotated[
        Method,
        typer.Option(
            help="Positions by the PSF fit, by a network, or star by star by the network "
            "where it was trained for the star."
        ),
    ] = Method.auto,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="M",
            help="Model of filar train centering; may be given again, for other chips. Default: "
            "filar's own for the chip.",
            show_default=False,
        ),
    ] = None,
    saturated: Annotated[
        Path | None,
        typer.Option(
            metavar="M",
            help="Model of filar train saturation: magnitudes of saturated stars by it.",
            show_default=False,
        ),
    ] = None,
    positions: Annotated[
        Path | None,
        typer.Option(
            metavar="LIST",
            help="With --saturated: stars with ra and dec (Gaia's, say), where saturated ones are.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=1.0, help="Detection limit, standard deviations of the noise.")
    ] = 5.0,
    box: Annotated[
        int | None,
        typer.Option(
            help="Odd size of the fitted box, pixels; as the PSF demands if not given.",
            show_default=False,
        ),
    ] = None,
    sky: Annotated[
        Sky, typer.Option(help="Sky from an annulus, or free in each star's fit.")
    ] = Sky.annulus,
    passes: Annotated[
        int,
        typer.Option(min=1, max=3, help="1: each star alone; 2, 3: again, neighbours subtracted."),
    ] = 2,
    mag_system: Annotated[
        MagSystem, typer.Option(help="System of the magnitudes.")
    ] = MagSystem.instrumental,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    exposure_time: reading.ExposureTime = None,
    filter_name: reading.Filter = None,
    pixel_scale: reading.PixelScale = None,
    chips: reading.Chips = None,
    hdu: reading.Extension = None,
    quality: reading.Quality = None,
    xym: Annotated[
        Path | None, typer.Option(metavar="LIST", help="Write an hst1pass-like list too.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT.html", help="Write a page of figures; one per file if many."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Files measured at the same time.")] = 1,
) -> None:
    """Measure the stars of exposures: positions, magnitudes and their errors.

    Example: filar measure u40x010hm_c0f.fits -o omega.ecsv --report omega.html
    """
    from filar.measure import Settings, measure_files
    from filar.measure.network import load_network
    from filar.measure.saturation import load_judge

    settings = Settings(
        psf=psf_choice(psf),
        threshold=threshold,
        box=box,
        sky=sky.value,
        passes=passes,
        mag_system=mag_system.value,
        method=method.value,
        model=tuple(model) if model else None,
        saturated=saturated,
        positions=positions,
    )
    for path in model or []:
        load_network(path)  # what is wrong with it is told once, before the work
    if saturated is not None:
        load_judge(saturated)
    read = reading.read_options(
        chips,
        hdu,
        gain=gain,
        read_noise=read_noise,
        saturation=saturation,
        exposure_time=exposure_time,
        filter=filter_name,
        pixel_scale=pixel_scale,
        quality=quality,
    )
    inspect = None if report is None else _reporter(report, files, output, xym)
    with console.progress() as progress:
        summary = measure_files(
            files,
            output,
            settings,
            read=read,
            workers=workers,
            xym=xym,
            inspect=inspect,
            progress=progress,
        )
    if report is not None and len(files) > 1 and summary.output:
        from filar.report import write_index

        write_index(report, summary)
    _tell(summary)
    if not summary.complete:
        raise typer.Exit(1)


def psf_choice(psf: str) -> str | Path:
    """Check what ``--psf`` names."""
    if psf in ("fit", "default"):
        return psf
    path = Path(psf)
    if not path.is_file():
        raise InputFileError(path, "there is no such PSF file", "fit, default or a PSF's file")
    return path


def _reporter(
    report: Path, files: list[Path], output: Path, xym: Path | None
) -> Callable[[Path, list[Measurement]], None]:
    """Check the report's name; give what writes the page of a file."""
    from filar.catalogfile import check_output
    from filar.report import write_file_report

    check_output(report, (".html", ".htm"))
    others = [*files, output, *([xym] if xym else [])]
    if report.resolve() in {other.resolve() for other in others}:
        raise ParameterError("report", str(report), "another name than the other files'")
    return partial(write_file_report, report, len(files) > 1)


def _tell(summary: Summary) -> None:
    """Write what became of each file and chip to stderr."""
    messages = console.messages()
    smooth = [result for result in summary.files if not _has_remarks(result)]
    hidden = smooth[SHOWN:] if console.verbosity() < 1 else []
    for result in (one for one in summary.files if one not in hidden):
        for text in result.warnings:
            messages.print(f"filar: warning: {text}", markup=False, soft_wrap=True)
        for line in _file_lines(result):
            messages.print(line, markup=False, soft_wrap=True)
        for text in result.errors:
            console.error(text)
    if hidden:
        messages.print(f"and {len(hidden)} more files, without remarks (-v tells of each)")
    if summary.output is None:
        console.error("nothing could be measured: no catalogue was written")
    else:
        text = f"{summary.n_rows} rows in {summary.output}"
        messages.print(text, markup=False, soft_wrap=True)


def _has_remarks(result: FileResult) -> bool:
    return bool(result.errors or result.warnings or any(chip.messages for chip in result.chips))


def _file_lines(result: FileResult) -> list[str]:
    if not result.chips:
        return []
    return [f"{result.path}: {result.seconds:.1f} s", *map(_chip_line, result.chips)]


def _chip_line(chip: ChipSummary) -> str:
    parts = [f"{chip.n_stars} stars", f"{chip.n_saturated} saturated"]
    if chip.n_psf_stars:
        parts.append(f"PSF from {chip.n_psf_stars} stars")
    if chip.n_network:
        outside = f", {chip.n_outside} outside of its domain" if chip.n_outside else ""
        parts.append(f"{chip.n_network} placed by network{outside}")
    parts += [*chip.messages, f"{chip.seconds:.1f} s"]
    return f"  {chip.label}: " + ", ".join(parts)
