"""``filar demo``: the whole story on simulated exposures, offline, in minutes."""

from __future__ import annotations

import shlex
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from filar.cli import console
from filar.errors import ParameterError

app = typer.Typer()

FEWEST_EXPOSURES = 8
FEWEST_STARS = 200


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")] = Path(
        "demo"
    ),
    exposures: Annotated[int, typer.Option(help="Exposures, at least 8.")] = 30,
    stars: Annotated[int, typer.Option(help="Stars in each, at least 200.")] = 1000,
    chip: Annotated[str, typer.Option(help="WFPC2's chip: PC, WF2, WF3 or WF4.")] = "WF3",
    focus: Annotated[
        float, typer.Option(help="Microns by which the telescope's focus differs from the library.")
    ] = 4.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
) -> None:
    """Simulate dithered exposures, measure them with a wrong PSF, train a network, measure again.

    Everything is done by filar's other commands, which are shown. The network learns from the
    exposures alone; the truth is only used in the end, to judge it by stars that it has not seen.

    Example: filar demo --output demo
    """
    from filar.measure.files import available_cores

    for name, value, least in (
        ("--exposures", exposures, FEWEST_EXPOSURES),
        ("--stars", stars, FEWEST_STARS),
    ):
        if value < least:
            raise ParameterError(name, value, f"{least} or more")
    started = perf_counter()
    workers = min(4, available_cores())
    images = output / "set"
    files = [images / f"dither_{number:03d}_c0m.fits" for number in range(1, exposures + 1)]
    library, model, report = (
        output / name for name in ("library.fits", "model.safetensors", "report.html")
    )
    camera = ("--chip", chip, "--filter", "F555W")
    output.mkdir(parents=True, exist_ok=True)

    _say(f"{exposures} exposures of {stars} stars, the telescope {focus:g} microns out of focus")
    _run("simulate", "dithers", "-o", images, "--exposures", exposures, "--stars", stars,
         "--chips", chip, "--focus", focus, "--breathing", 0.5, "--separation", 8,
         "--magnitudes", "bright-enhanced", "--flux", "1000,100000", "--seed", seed,
         "--workers", workers)  # fmt: skip
    _say("A library of PSFs that knows nothing of it, and the classic measurement with it")
    if not library.exists():  # the same demo again goes on where it was interrupted
        _run("psf", "build", "-o", library, "--instrument", "WFPC2", *camera)
    _measure(files, output / "classic.parquet", workers, "--psf", library, "--method", "psf")
    _say("A network learns from the mean places of the stars in these exposures")
    _run("train", "centering", *files, "-o", model, "--psf", library, "--remove-phase-bias",
         "--workers", workers, "--epochs", 20, "--resume")  # fmt: skip
    _say("The same exposures measured by the network")
    _measure(files, output / "network.parquet", workers, "--psf", library, "--method", "network",
             "--model", model)  # fmt: skip
    _say("All exposures tied together: rms of the measures, before and after")
    _run("mean", output / "classic.parquet", "-o", output / "mean.ecsv", "--report",
         output / "mean.html", "--compare", f"network={output / 'network.parquet'}")  # fmt: skip
    _say("Judged by the truth, on stars that the training has not seen")
    _run("evaluate", "centering", output / "model_training" / "stamps", "--model", model,
         "--truth", images / "truth.parquet", "-o", report)  # fmt: skip
    minutes, seconds = divmod(round(perf_counter() - started), 60)
    console.output().print(
        f"Done in {minutes} min {seconds} s. Open {report}: the curves before and after.",
        markup=False,
        soft_wrap=True,
    )


def _say(text: str) -> None:
    console.messages().print(f"\n# {text}", markup=False, soft_wrap=True)


def _measure(files: list[Path], output: Path, workers: int, *options: object) -> None:
    _run("measure", *files, "-o", output, "--workers", workers, *options)


def _run(*arguments: object) -> None:
    """Run another command as if it had been typed, and say so."""
    from filar.cli import main

    words = [str(argument) for argument in arguments]
    console.messages().print(f"$ filar {shlex.join(_short(words))}", markup=False, soft_wrap=True)
    command: Any = typer.main.get_command(main.app)
    status = command.main(words, prog_name="filar", standalone_mode=False)
    if status:
        raise typer.Exit(status)


def _short(words: list[str]) -> list[str]:
    """Command line with many exposures written as the shell's pattern."""
    images = [word for word in words if word.endswith("_c0m.fits")]
    if len(images) < 2:
        return words
    first = words.index(images[0])
    pattern = str(Path(images[0]).parent / "*_c0m.fits")
    return [*words[:first], pattern, *words[first + len(images) :]]
