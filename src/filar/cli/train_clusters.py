"""``filar train clusters``: mock clusters and galaxies in, a model of clusters out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console, training
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.clusters.data import SetFolder
    from filar.clusters.estimator import ClusterModel
    from filar.learn.recipe import Recipe


def clusters(
    data: Annotated[
        Path,
        typer.Argument(metavar="SET", help="Folder that filar simulate clusters wrote."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL", help="Model file: .safetensors.")
    ],
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE", help="Training set-up: filar-clusters, b20, or a TOML file."
        ),
    ] = "filar-clusters",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same model on the same machine.")
    ] = 0,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many; the recipe's.", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Stop after so many; the recipe's.", show_default=False),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="Cutouts per step; the recipe's.", show_default=False),
    ] = None,
    accelerator: Annotated[str, typer.Option(help="Lightning's: cpu, gpu, auto ...")] = "cpu",
) -> None:
    """Train a model that tells what star clusters are from their images, on mock clusters.

    Example: filar simulate clusters -o mocks && filar train clusters mocks -o clusters.safetensors
    """
    from filar.clusters.data import SetFolder

    chosen = _checked(output, recipe, {
        "budget.epochs": epochs, "budget.max_minutes": minutes, "budget.batch_size": batch,
    })  # fmt: skip
    mocks = SetFolder(data)
    folder = output.with_name(output.stem + "_training")
    model = _train(chosen, mocks, folder, seed=seed, resume=resume, accelerator=accelerator)
    model.save(output)
    _tell(model, mocks, output)


def _checked(output: Path, recipe: str, changes: dict[str, Any]) -> Recipe:
    """The recipe; all that can be known to fail is refused before the work is done."""
    from filar.catalogfile import check_output
    from filar.clusters.networks import check_recipe
    from filar.learn.recipe import load_recipe, override

    check_output(output, (".safetensors",))
    if output.is_dir():
        raise ParameterError("output", str(output), "a file, not a folder")
    wanted = {name: value for name, value in changes.items() if value is not None}
    chosen = override(load_recipe(recipe), wanted)
    check_recipe(chosen)
    return chosen


def _train(recipe: Recipe, data: SetFolder, folder: Path, *, seed: int, **how: Any) -> ClusterModel:
    """Train, showing how it goes."""
    from filar.clusters.estimator import ClusterModel

    with training.progress() as progress:
        return ClusterModel(recipe, seed=seed).fit(data, folder=folder, progress=progress, **how)


def _tell(model: ClusterModel, data: SetFolder, output: Path) -> None:
    """Say in a few lines what was made from what, and how good it is."""
    card, figures, facts = model.card_, model.card_.figures, data.facts
    what = f"{facts.camera} {'/'.join(facts.bands)}, {facts.size} x {facts.size} pixels"
    lines = [
        f"{len(data)} mock clusters, {len(data.scenes)} scenes, {what}",
        f"{card.recipe.name}: {len(model.history_)} epochs, {model.seconds_:.0f} s",
    ]
    if "rms_log_age" in figures:
        names = {"log_age": "log age", "a_v": "A_V", "log_mass": "log mass", "log_r_h": "log r_h"}
        rms = ", ".join(f"{text} {figures[f'rms_{name}']:.3f}" for name, text in names.items())
        lines.append(f"held-out clusters: rms of {rms}")
    if "accuracy" in figures:
        lines.append(f"clusters and backgrounds told apart: {100 * figures['accuracy']:.1f} %")
    lines.append(str(output))
    show = console.messages()
    for line in lines:
        show.print(line, markup=False, soft_wrap=True)
