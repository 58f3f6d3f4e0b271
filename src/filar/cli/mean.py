"""``filar mean``: catalogues of many exposures in, one catalogue of mean positions out."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console
from filar.errors import FilarError, InputFileError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.frames.corrections import Corrections
    from filar.frames.frame import Frame
    from filar.frames.settings import FrameSettings
    from filar.frames.starlist import StarList
    from filar.frames.truth import Truth

app = typer.Typer()
Progress = Callable[[float, str], None]


class Positions(StrEnum):
    """Which positions of an hst1pass list are taken."""

    auto = "auto"
    xy = "xy"
    uv = "uv"
    XY = "XY"


@app.command()
def mean(
    catalogs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CATALOG...", help="Catalogues of filar measure, or star lists of hst1pass."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="MEAN", help="Catalogue: .ecsv, .fits, .parquet."),
    ],
    order: Annotated[
        int, typer.Option(min=1, max=5, help="Order of the polynomial transformations.")
    ] = 3,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="K",
            help="Exposure whose system is taken: its number, from 1, or name. By default the "
            "first that the others can be tied to.",
            show_default=False,
        ),
    ] = None,
    filter_name: Annotated[
        str | None,
        typer.Option("--filter", help="Only this filter; otherwise that of most exposures."),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Only what this method measured, e.g. psf-fit.")
    ] = None,
    chips: Annotated[
        str | None, typer.Option(metavar="PC,WF3", help="Only these chips, with commas.")
    ] = None,
    positions: Annotated[
        Positions,
        typer.Option(help="Of an hst1pass list: the first of xy, uv, XY that it has, or one."),
    ] = Positions.auto,
    min_snr: Annotated[
        float, typer.Option(help="Stars that define transformations: signal-to-noise ratio.")
    ] = 30.0,
    mag: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", help="Stars that define transformations: magnitudes."),
    ] = None,
    max_q: Annotated[
        float, typer.Option("--max-q", help="Stars that define transformations: largest q.")
    ] = 1.0,
    max_offset: Annotated[
        float, typer.Option(help="Exposures further from the reference are left out, pixels.")
    ] = 100.0,
    radius: Annotated[
        float, typer.Option(help="Largest distance of a measure from its star, pixels.")
    ] = 1.0,
    clip: Annotated[
        float, typer.Option(help="Measures further from the mean are left out, deviations.")
    ] = 3.0,
    min_measures: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Exposures that must have found a star; by default 2, and a fifth of those "
            "that cover it.",
            show_default=False,
        ),
    ] = None,
    row34: Annotated[
        bool, typer.Option("--row34/--no-row34", help="Correct WFPC2's narrow rows first.")
    ] = False,
    first_row: Annotated[
        float, typer.Option(help="With --row34: where the first narrow row lies in your data.")
    ] = 20.0,
    distortion: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Correct geometric distortion first: TOML file."),
    ] = None,
    remove_phase_bias: Annotated[
        bool,
        typer.Option(
            "--remove-phase-bias",
            help="Measure the pixel-phase bias on the set itself and take it out.",
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Write a page of figures.")
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CATALOG",
            help="Other centres of the same exposures, for the report; may be given again.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="TRUTH", help="True positions of a simulated set, for the report."),
    ] = None,
) -> None:
    """Tie exposures of one field together and average the places of their stars.

    Example: filar mean set.parquet -o mean.ecsv --report mean.html
    """
    from filar.frames.corrections import Corrections, Distortion
    from filar.frames.phasebias import lists_without_phase_bias
    from filar.frames.settings import FrameSettings
    from filar.frames.starlist import Selection
    from filar.frames.table import mean_table

    others = _named(compare or [])
    _check(catalogs, output, report, others, truth)
    true_stars = None if truth is None else _read_truth(truth)
    if remove_phase_bias or row34 or distortion:
        positions = _of_the_detector(positions)
    selection = Selection(min_snr=min_snr, q=(0.0, max_q), mag=_limits(mag))
    settings = FrameSettings(
        order=order,
        selection=selection,
        reference=reference,
        filter=filter_name,
        max_offset=max_offset,
        radius=radius,
        clip=clip,
        min_measures=min_measures,
    )
    corrections = Corrections(row34, Distortion.read(distortion) if distortion else None, first_row)
    reading = {"positions": positions.value, "method": method}
    with console.progress() as progress:
        lists, errors = _read(catalogs, reading, progress)
        if not lists:
            raise FilarError("no star list could be read: no mean catalogue was written")
        lists = _of_chips(lists, chips)
        if remove_phase_bias:
            lists = lists_without_phase_bias(lists, settings, progress=progress)
        frames = _solve(lists, settings, corrections, progress)
    complete = _tell(frames) and not errors
    _write(mean_table(frames, settings, corrections, phase_bias_removed=remove_phase_bias), output)
    if report is not None:
        methods = {_name_of(frames, others): frames}
        for name, path in others.items():
            reading["method"] = None
            with console.progress() as progress:
                theirs, _ = _read([path], reading, progress)
                if theirs:
                    theirs = _of_chips(theirs, chips)
                    alike = _alike(settings, frames, theirs)
                    methods[name] = _solve(theirs, alike, corrections, progress)
            complete = name in methods and _tell(methods[name], name) and complete
        complete = _write_report(report, methods, truth, true_stars) and complete
    if not complete:
        raise typer.Exit(1)


def _of_the_detector(positions: Positions) -> Positions:
    """Pixel phases, narrow rows and distortion are those of positions as measured."""
    if positions in (Positions.uv, Positions.XY):
        allowed = "xy with --remove-phase-bias, --row34 or --distortion"
        raise ParameterError("positions", positions.value, allowed)
    return Positions.xy


def _named(compare: list[str]) -> dict[str, Path]:
    """Split NAME=CATALOG."""
    named: dict[str, Path] = {}
    for text in compare:
        name, sign, path = text.partition("=")
        if not (sign and name.strip() and path):
            raise ParameterError("compare", text, "NAME=CATALOG")
        if name.strip() in named:
            raise ParameterError("compare", text, "each name once")
        named[name.strip()] = Path(path)
    return named


def _limits(mag: str | None) -> tuple[float, float]:
    if mag is None:
        return (-float("inf"), float("inf"))
    try:
        low, high = map(float, mag.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise ParameterError("mag", mag, "two magnitudes with a comma, the brighter one first")
    return low, high


def _check(
    catalogs: list[Path],
    output: Path,
    report: Path | None,
    others: dict[str, Path],
    truth: Path | None,
) -> None:
    """Refuse, before the work is done, what cannot be written or makes no sense."""
    from filar.catalogfile import check_output

    check_output(output)
    inputs = {path.resolve() for path in [*catalogs, *others.values(), *([truth] if truth else [])]}
    if output.resolve() in inputs:
        raise ParameterError("output", str(output), "another name than the input files'")
    if len({path.resolve() for path in catalogs}) < len(catalogs):
        raise ParameterError("CATALOG", [str(path) for path in catalogs], "each file once")
    if report is not None:
        check_output(report, (".html", ".htm"))
    elif others or truth:
        allowed = "a page, OUT.html, for --compare and --truth to appear in"
        raise ParameterError("--report", "nothing", allowed)
    for path in [*others.values(), *([truth] if truth else [])]:
        if not path.is_file():
            raise InputFileError(path, "there is no such file", "a catalogue")


def _read(
    paths: list[Path],
    how: dict[str, str | None],
    progress: Progress | None,
) -> tuple[list[StarList], list[str]]:
    """Read lists; tell what cannot be read."""
    from filar.frames.read import read_lists

    lists, errors = read_lists(
        paths, positions=how["positions"] or "auto", method=how["method"], progress=progress
    )
    for text in errors:
        console.error(text)
    return lists, errors


def _of_chips(lists: list[StarList], chips: str | None) -> list[StarList]:
    if chips is None:
        return lists
    wanted = [name.strip() for name in chips.split(",")]
    known = list(dict.fromkeys(stars.chip for stars in lists))
    if missing := [name for name in wanted if name not in known]:
        raise ParameterError("chips", ", ".join(missing), f"some of {', '.join(known)}")
    return [stars for stars in lists if stars.chip in wanted]


def _read_truth(path: Path) -> Truth:
    """Read the truth before the work is done: a wrong file is told at once."""
    from filar.catalogfile import read_catalog
    from filar.frames.truth import Truth

    try:
        return Truth.from_table(read_catalog(path))
    except ParameterError as error:
        expected = "the truth.parquet of filar simulate dithers"
        raise InputFileError(path, f"it is {error.value}", expected) from error


def _solve(
    lists: list[StarList],
    settings: FrameSettings,
    corrections: Corrections,
    progress: Progress | None,
) -> list[Frame]:
    from filar.frames.mean import solve_frames

    return solve_frames([corrections.apply(stars) for stars in lists], settings, progress=progress)


def _alike(settings: FrameSettings, frames: list[Frame], lists: list[StarList]) -> FrameSettings:
    """The same settings and, where it is among the others, the same reference."""
    from dataclasses import replace

    references = {frame.reference for frame in frames}
    known = {stars.exposure for stars in lists}
    if len(references) == 1 and references <= known:
        return replace(settings, reference=references.pop())
    return settings


def _name_of(frames: list[Frame], others: dict[str, Path]) -> str:
    """What the report calls the catalogues themselves."""
    name = frames[0].method or "classic"
    return f"{name} (first)" if name in others else name


def _tell(frames: list[Frame], name: str = "") -> bool:
    """Write what became of each chip and exposure to stderr; whether everything was used."""
    import numpy as np

    messages = console.messages()
    complete = True
    for frame in frames:
        label = " ".join(part for part in (name, frame.label) if part)
        used = [tie for tie in frame.ties if tie.used]
        text = f"{label}: {len(frame)} stars, {len(used)} of {len(frame.ties)} exposures used"
        if used:
            rms = 1000 * np.nanmedian(np.concatenate([frame.x_rms, frame.y_rms]))
            errors = [e for tie in used for e in (tie.error_x, tie.error_y)]
            error = 1000 * np.nanmedian(errors)
            text += f", reference {frame.reference}, median rms of a measure {rms:.1f} mpix"
            text += f", standard error of a transformation {error:.1f} mpix"
        messages.print(text, markup=False, soft_wrap=True)
        for tie in frame.ties:
            if not tie.used:
                complete = False
                console.error(f"{label}: {tie.stars.exposure} left out: {tie.reason}")
            elif tie.remark:
                text = f"  {tie.stars.exposure}: {tie.remark}"
                messages.print(text, markup=False, soft_wrap=True)
    return complete


def _write(table: QTable, output: Path) -> None:
    from filar.catalogfile import write_catalog

    if not len(table):
        raise FilarError("no exposures could be tied together: no mean catalogue was written")
    write_catalog(table, output)
    console.messages().print(f"{len(table)} stars in {output}", markup=False, soft_wrap=True)


def _write_report(
    report: Path, methods: dict[str, list[Frame]], path: Path | None, truth: Truth | None
) -> bool:
    """Write the page; whether the truth, if there is one, is that of these exposures."""
    from filar.report.frames_page import write_frames_report

    fits = write_frames_report(report, methods, truth)
    if not fits:
        console.error(f"{path}: not the truth of these exposures; nothing is compared with it")
    console.messages().print(f"report in {report}", markup=False, soft_wrap=True)
    return fits
