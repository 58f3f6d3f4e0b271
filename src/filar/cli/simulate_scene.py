"""``filar simulate scene``: a field in two filters, for tests of completeness."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from filar.cli import console

EXAMPLE = (
    "Example: filar simulate scene halo -o scene --seed 1 writes scene/halo_F555W_c0m.fits, "
    "scene/halo_F814W_c0m.fits, their c1m files and scene/halo_truth.ecsv. Then: filar asts "
    "scene/halo_F814W_c0m.fits scene/halo_F555W_c0m.fits -o asts.parquet --mag 21.5 26.8 "
    "--color -2.4 -0.6"
)


class SceneName(StrEnum):
    """What is shown."""

    galaxy = "galaxy"
    halo = "halo"


def scene(
    name: Annotated[
        SceneName,
        typer.Argument(help="Star clusters about a giant galaxy, or red giants of a halo."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    stars: Annotated[
        int | None, typer.Option(min=1, help="Stars. Default: 5000; halo: 20000.")
    ] = None,
    chip: Annotated[str, typer.Option(help="Chip.")] = "WF3",
    exposure_time: Annotated[float, typer.Option(help="Seconds in each filter.")] = 2000.0,
    sky: Annotated[float, typer.Option(min=0, help="Electrons per pixel.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
) -> None:
    """Simulate a field in F555W and F814W, written as WFPC2 files with its truth.

    The galaxy's light is a steep background; the halo's crowding changes twentyfold across it.
    """
    from filar.simulate.scene_files import write_scene
    from filar.simulate.scenes import SCENES

    given = {} if stars is None else {"number": stars}
    made = SCENES[name.value](
        **given, chip=chip.upper(), exposure_time=exposure_time, sky=sky, seed=seed
    )
    paths = write_scene(made, output, seed=seed)
    messages = console.messages()
    messages.print(f"{len(made)} stars in {' and '.join(made.bands)} (seed {seed}):", markup=False)
    for path in paths:
        messages.print(f"  {path}", markup=False, soft_wrap=True)
