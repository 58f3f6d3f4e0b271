"""``filar simulate dithers``: many exposures of the same stars."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar import simulate

EXAMPLE = (
    "Example: filar simulate dithers -o set --exposures 200 --chips PC,WF3 --stars 2500 --seed 1 "
    "writes set/dither_001_c0m.fits, set/dither_001_c1m.fits, ..., set/truth.parquet and "
    "set/exposures.ecsv. The same command again goes on where it was interrupted."
)


class Magnitudes(StrEnum):
    """Luminosity functions."""

    natural = "natural"
    bright_enhanced = "bright-enhanced"


Effects = Annotated[
    str,
    typer.Option(
        metavar="LIST",
        help="Effects of the detector: all, none or default, then names, with a minus sign to "
        "leave one out, e.g. default,rows,cti or all,-bleeding.",
    ),
]
CosmicRays = Annotated[bool, typer.Option(help="With or without cosmic rays.")]


def dithers(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    exposures: Annotated[int, typer.Option(help="Number of exposures.")] = 200,
    chips: Annotated[str, typer.Option(help="Chips, separated by commas.")] = "PC,WF3",
    filter_name: Annotated[str, typer.Option("--filter", help="Filter.")] = "F555W",
    stars: Annotated[int, typer.Option(help="Stars on the usable part of each chip.")] = 2500,
    magnitudes: Annotated[
        Magnitudes, typer.Option(help="A globular cluster's core, or many bright stars.")
    ] = Magnitudes.natural,
    flux: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Faintest, brightest star in electrons. Default: 300,1e6; bright: 1000,2e5.",
        ),
    ] = None,
    core_radius: Annotated[
        float | None,
        typer.Option(help="Concentrate the stars: core radius in pixels. Default: evenly spread."),
    ] = None,
    separation: Annotated[float, typer.Option(help="Smallest distance of two stars, pixels.")] = 0,
    focus: Annotated[float, typer.Option(help="Mean secondary despace in microns.")] = 0.0,
    breathing: Annotated[
        float, typer.Option(help="Amplitude of the focus wave of one orbit, microns.")
    ] = 2.0,
    jitter: Annotated[float, typer.Option(help="Mean jitter, mas rms per axis.")] = 7.0,
    jitter_spread: Annotated[
        float, typer.Option(help="Its standard deviation from exposure to exposure, mas.")
    ] = 2.0,
    aberrations: Annotated[
        float, typer.Option(help="Fixed low-order aberrations besides focus, waves rms.")
    ] = 0.0,
    offset: Annotated[float, typer.Option(help="Largest offset per axis, PC pixels.")] = 2.0,
    roll: Annotated[float, typer.Option(help="Rms of the roll, degrees.")] = 0.002,
    scale: Annotated[float, typer.Option(help="Rms of the relative change of scale.")] = 1e-5,
    exposure_time: Annotated[float, typer.Option(help="Seconds.")] = 160.0,
    sky: Annotated[float, typer.Option(help="Electrons per pixel.")] = 20.0,
    gain: Annotated[int, typer.Option(help="ATODGAIN: 7 or 15.")] = 7,
    effects: Effects = "default",
    cosmic_rays: CosmicRays = True,
    calibration_noise: Annotated[
        bool, typer.Option(help="Calibrated with frames as noisy as real ones, or ideal.")
    ] = True,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes. Default: one per core.")
    ] = None,
) -> None:
    """Simulate many exposures of the same stars, the telescope pointing a little elsewhere.

    Offsets, roll, scale, focus and jitter differ from exposure to exposure; the truth is written
    beside the files. An interrupted run goes on with the same command, and a set can be extended.
    """
    from filar.measure.files import available_cores
    from filar.simulate.dither_files import write_dither_set
    from filar.simulate.dithers import DitherSettings

    settings = DitherSettings(
        exposures, parse_chips(chips), filter_name, stars, magnitudes.value,
        None if flux is None else parse_limits(flux), core_radius, separation, focus, breathing,
        jitter, jitter_spread, aberrations, offset, roll, scale, exposure_time, sky, gain,
        parse_effects(effects, cosmic_rays), calibration_noise, seed,
    )  # fmt: skip
    with console.progress() as progress:
        made = write_dither_set(
            settings, output, workers=workers or available_cores(), progress=progress
        )
    kept = f", {made.kept} kept as they were" if made.kept else ""
    messages = console.messages()
    text = f"{made.made} exposures made{kept} (seed {seed}): {made.files[0]} ..."
    messages.print(text, markup=False, soft_wrap=True)
    for path in (made.truth, made.exposures):
        messages.print(f"  {path}", markup=False, soft_wrap=True)


def parse_chips(text: str) -> tuple[str, ...]:
    """Read a list of WFPC2's chips."""
    from filar.instruments.wfpc2_facts import CHIPS

    chips = tuple(chip.strip().upper() for chip in text.split(","))
    if not set(chips) <= set(CHIPS) or len(set(chips)) != len(chips):
        raise ParameterError("--chips", text, f"different ones of {','.join(CHIPS)}")
    return chips


def parse_effects(text: str, cosmic_rays: bool) -> simulate.Effects:
    """Read a list of effects; without cosmic rays if they are not wanted."""
    from dataclasses import replace

    from filar.simulate import Effects

    effects = Effects.parse(text)
    return effects if cosmic_rays else replace(effects, cosmic_rays=0.0)


def parse_limits(text: str) -> tuple[float, float]:
    """Read two rising fluxes."""
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not 0 < low <= high < float("inf"):
        raise ParameterError("--flux", text, "two rising positive numbers, e.g. 200,500000")
    return low, high
