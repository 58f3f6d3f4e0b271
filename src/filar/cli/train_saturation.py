"""``filar train saturation``: images and a catalogue in, a model of stars' light out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console, reading, saturationdata, training
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.learn.recipe import Recipe
    from filar.learn.search import SearchProgress
    from filar.saturation.data import Samples
    from filar.saturation.estimator import SaturationModel


def saturation(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGES...",
            help="FITS images of stars, saturated and not; or samples made of such before.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL", help="Model file: .safetensors.")
    ],
    catalog: saturationdata.Catalog = None,
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="Training set-up: filar-saturation, w24, or a TOML file.",
        ),
    ] = "filar-saturation",
    mag: saturationdata.Mag = None,
    contamination: saturationdata.Contamination = 0.0,
    filter_name: reading.Filter = None,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    samples: saturationdata.SamplesOut = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same model on the same machine.")
    ] = 0,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that measure, train side by side, or search.")
    ] = 1,
    trainings: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Train so many times, from different beginnings, and keep the best; the recipe's.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many; the recipe's.", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0, help="Stop each training after so many; the recipe's.", show_default=False
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="Stamps per step; the recipe's.", show_default=False),
    ] = None,
    accelerator: Annotated[str, typer.Option(help="Lightning's: cpu, gpu, auto ...")] = "cpu",
    search: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="First search the recipe's space by N trials; keeps the best."
        ),
    ] = 0,
) -> None:
    """Train a model that gives the light of stars, however saturated, on stars of known magnitude.

    Example: filar train saturation survey/images/*.fits --catalog survey/stars.ecsv -o
    bright.safetensors
    """
    chosen = _checked(output, recipe, {
        "budget.epochs": epochs, "budget.max_minutes": minutes, "budget.batch_size": batch,
        "network.trainings": trainings,
    })  # fmt: skip
    saturationdata.check_data(data, catalog, samples)
    if output.resolve() in {path.resolve() for path in (*data, *([samples] if samples else []))}:
        raise ParameterError("output", str(output), "another name than an input's or the samples'")
    folder = output.with_name(output.stem + "_training")
    found, complete = saturationdata.read_data(
        data, catalog, samples=samples, mag=mag, contamination=contamination,
        folder=folder / "samples", resume=resume, workers=workers, read=reading.read_options(
            gain=gain, read_noise=read_noise, saturation=saturation, filter=filter_name
        ),
    )  # fmt: skip
    how: dict[str, Any] = {"seed": seed, "accelerator": accelerator}
    if search:
        chosen = _searched(chosen, found, output, folder, search, workers=workers, **how)
    model = _train(chosen, found, folder, resume=resume, workers=workers, **how)
    model.save(output)
    _tell(model, found, output)
    if not complete:
        raise typer.Exit(1)


def _checked(output: Path, recipe: str, changes: dict[str, Any]) -> Recipe:
    """The recipe; all that can be known to fail is refused before the work is done."""
    from filar.catalogfile import check_output
    from filar.learn.recipe import load_recipe, override
    from filar.saturation.networks import check_recipe

    check_output(output, (".safetensors",))
    wanted = {name: value for name, value in changes.items() if value is not None}
    chosen = override(load_recipe(recipe), wanted)
    check_recipe(chosen)
    return chosen


def _searched(
    recipe: Recipe,
    samples: Samples,
    output: Path,
    folder: Path,
    trials: int,
    **how: Any,
) -> Recipe:
    """Search the recipe's space; the best recipe is written beside the model."""
    from filar.learn.recipe import save_recipe
    from filar.saturation.search import search_saturation

    folder.mkdir(exist_ok=True)
    with console.progress() as bar:

        def tell(now: SearchProgress) -> None:
            if bar is not None:
                text = f"trial {now.done} of {now.trials}, best {now.best:.5g}"
                bar(now.done / now.trials, text)

        found = search_saturation(
            recipe, samples, folder / "search", trials=trials, progress=tell, **how
        )
    best = output.with_suffix(".toml")
    save_recipe(best, found.recipe)
    text = f"best of {len(found.trials)} trials, validation loss {found.value:.5g}: {best}"
    console.messages().print(text, markup=False, soft_wrap=True)
    return found.recipe


def _train(
    recipe: Recipe, samples: Samples, folder: Path, *, seed: int, **how: Any
) -> SaturationModel:
    """Train, showing how it goes."""
    from filar.saturation.estimator import SaturationModel

    with training.progress() as progress:
        return SaturationModel(recipe, seed=seed).fit(
            samples, folder=folder, progress=progress, **how
        )


def _tell(model: SaturationModel, samples: Samples, output: Path) -> None:
    """Say in a few lines what was made from what, and how good it is."""
    card, figures, parts = model.card_, model.card_.figures, model.parts_
    assert parts is not None
    left_out = [f"{count} {reason}" for reason, count in parts.rejected.items() if count]
    used = sum(len(rows) for rows in (parts.train, parts.validation, parts.test))
    names = " ".join([card.instrument, "/".join(card.filters)]).strip()
    stars = len(set(samples.star.tolist()))
    lines = [
        f"{len(samples)} stamps of {stars} stars in {len(samples.images)} images, {names}; "
        f"{used} used" + (f", left out: {', '.join(left_out)}" if left_out else ""),
        f"{card.recipe.name}: {len(model.history_)} epochs, {model.seconds_:.0f} s"
        + (f"; {card.notes}" if card.notes else ""),
    ]
    for name, what in (("_saturated", "saturated"), ("_unsaturated", "unsaturated")):
        if f"bias{name}" in figures:
            lines.append(
                f"held-out {what} stars: bias {figures[f'bias{name}']:+.4f}, 68 % within "
                f"{figures[f'half68{name}']:.4f}, 95 % within {figures[f'half95{name}']:.4f}, rms "
                f"{figures[f'rms{name}']:.4f} mag; pulls {figures[f'pull{name}']:.2f}"
            )
    lines.append(str(output))
    show = console.messages()
    for line in lines:
        show.print(line, markup=False, soft_wrap=True)
