"""``filar simulate``: make exposures with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from filar.cli import (
    console,
    simulate_clusters,
    simulate_dithers,
    simulate_saturated,
    simulate_scene,
)
from filar.errors import ParameterError

app = typer.Typer(no_args_is_help=True, help="Simulate exposures with known truth.")
app.command(epilog=simulate_dithers.EXAMPLE)(simulate_dithers.dithers)
app.command(epilog=simulate_scene.EXAMPLE)(simulate_scene.scene)
app.command(epilog=simulate_saturated.EXAMPLE)(simulate_saturated.saturated)
app.command(epilog=simulate_clusters.EXAMPLE)(simulate_clusters.clusters)

_EXAMPLE = (
    "Example: filar simulate field -o sim --chips PC,WF3 --stars 1500 --focus 2 --seed 1 "
    "writes sim/field_c0m.fits, sim/field_c1m.fits and sim/field_truth.ecsv."
)


@app.callback()
def simulate() -> None:
    """Simulate exposures with known truth.

    Example: filar simulate field -o sim --chips PC,WF3 --seed 1
    """


@app.command(epilog=_EXAMPLE)
def field(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    chips: Annotated[str, typer.Option(help="Chips, separated by commas.")] = "PC,WF2,WF3,WF4",
    filter_name: Annotated[str, typer.Option("--filter", help="Filter.")] = "F555W",
    stars: Annotated[int, typer.Option(min=0, help="Stars per chip.")] = 1500,
    flux: Annotated[str, typer.Option(help="Faintest,brightest star in electrons.")] = "200,500000",
    slope: Annotated[float, typer.Option(help="dN/dF is proportional to F^-slope.")] = 1.6,
    core_radius: Annotated[
        float | None,
        typer.Option(help="Concentrate the stars: core radius in pixels. Default: evenly spread."),
    ] = None,
    separation: Annotated[
        float, typer.Option(min=0, help="Smallest distance of two stars, pixels.")
    ] = 0,
    exposure_time: Annotated[float, typer.Option(help="Seconds.")] = 100.0,
    sky: Annotated[float, typer.Option(min=0, help="Electrons per pixel.")] = 20.0,
    focus: Annotated[float, typer.Option(help="Secondary despace in microns.")] = 0.0,
    jitter: Annotated[
        float | None, typer.Option(help="Jitter in pixels, 1 sigma. Default: the camera's own.")
    ] = None,
    gain: Annotated[int, typer.Option(help="ATODGAIN: 7 or 15.")] = 7,
    effects: simulate_dithers.Effects = "default",
    cosmic_rays: simulate_dithers.CosmicRays = True,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    name: Annotated[str, typer.Option(help="Stem of the files' names.")] = "field",
) -> None:
    """Simulate one WFPC2 exposure of a star field, written as c0m and c1m files with its truth."""
    from filar.simulate.files import prepare_folder, truth_table, write_simulation

    settings = {
        "chips": list(simulate_dithers.parse_chips(chips)), "filter": filter_name,
        "stars": stars, "flux": simulate_dithers.parse_limits(flux),
        "slope": slope, "core_radius": core_radius, "separation": separation,
        "exposure_time": exposure_time, "sky": sky, "focus": focus, "jitter": jitter,
        "gain": gain, "effects": str(simulate_dithers.parse_effects(effects, cosmic_rays)),
        "seed": seed, "name": name,
    }  # fmt: skip
    for option, value in (("--exposure-time", exposure_time), ("--core-radius", core_radius)):
        if value is not None and not value > 0:
            raise ParameterError(option, value, "a positive number")
    if gain not in (7, 15):
        raise ParameterError("--gain", gain, "7 or 15")
    prepare_folder(output, name)
    exposures, fields = _make(settings)
    parameters = {key: value for key, value in settings.items() if value is not None}
    paths = write_simulation(exposures, truth_table(fields, parameters), output, name)
    total = sum(len(one) for one in fields.values())
    messages = console.messages()
    messages.print(f"{total} stars on {len(fields)} chips (seed {seed}):", markup=False)
    for path in paths:
        messages.print(f"  {path}", markup=False)


def _make(settings: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Simulate each chip, with a progress bar on a terminal."""
    import numpy as np
    from rich.progress import Progress

    from filar.instruments.wfpc2_facts import CHIPS
    from filar.psf.library import default_psf_for
    from filar.simulate import Effects, draw_stars, simulate_exposure

    chips = settings["chips"]
    messages = console.messages()
    # One stream per chip of the camera: a chip does not depend on which others are simulated.
    streams = dict(zip(CHIPS, np.random.SeedSequence(settings["seed"]).spawn(4), strict=True))
    exposures, fields = [], {}
    with Progress(console=messages, transient=True, disable=not messages.is_terminal) as progress:
        for chip in progress.track(chips, description="simulating"):
            where, light = streams[chip].spawn(2)
            fields[chip] = draw_stars(
                settings["stars"],
                limits=settings["flux"],
                slope=settings["slope"],
                core_radius=settings["core_radius"],
                separation=settings["separation"],
                seed=where,
            )
            psf = default_psf_for(
                "WFPC2",
                chip,
                settings["filter"],
                focus=settings["focus"],
                jitter=settings["jitter"],
            )
            exposures.append(
                simulate_exposure(
                    psf,
                    fields[chip],
                    chip=chip,
                    filter_name=settings["filter"],
                    exposure_time=settings["exposure_time"],
                    sky=settings["sky"],
                    gain_setting=settings["gain"],
                    effects=Effects.parse(settings["effects"]),
                    name=settings["name"],
                    seed=light,
                )
            )
    return exposures, fields
