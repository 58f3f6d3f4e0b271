"""``filar train centering``: exposures in, a model out; the other trainings join its group."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console, reading, training
from filar.cli.measure import psf_choice
from filar.cli.train_clusters import clusters
from filar.cli.train_completeness import completeness
from filar.cli.train_saturation import saturation
from filar.errors import FilarError, InputFileError, ParameterError
from filar.threads import torch_threads

if TYPE_CHECKING:
    from filar.centering.estimator import StarCenterer
    from filar.learn.recipe import Recipe
    from filar.learn.search import SearchProgress
    from filar.stamps.store import StampStore

app = typer.Typer(no_args_is_help=True)


@app.callback()
def train() -> None:
    """Train networks on your own data."""


@app.command()
def centering(
    exposures: Annotated[
        list[Path],
        typer.Argument(
            metavar="EXPOSURES...",
            help="FITS exposures of one field and filter, or one folder of stamps made before.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL", help="Model file: .safetensors.")
    ],
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Training set-up: filar-centering, c23-v1, c23-v2, c24-vgg8, or a TOML file. "
            "Default: filar-centering; with --from, that of the model.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="mean|TRUTH|LIST",
            help="True places: mean positions over the exposures, the truth.parquet of a simulated "
            "set, or hst1pass lists (give the option once for each). Default: mean.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="MODEL", help="Continue from this model.", exists=False),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="The same seed gives the same model on the same machine.")
    ] = 0,
    chips: reading.Chips = None,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    filter_name: reading.Filter = None,
    psf: Annotated[
        str,
        typer.Option(
            metavar="fit|default|FILE",
            help="PSF of the classic centres, and the one that the network is told: fitted to each "
            "exposure, the camera's, or a file's.",
        ),
    ] = "fit",
    remove_phase_bias: Annotated[
        bool,
        typer.Option(
            "--remove-phase-bias",
            help="With mean places: first take out of the centres the pixel-phase bias that the "
            "set itself shows; for PSFs that are not the exposures' own.",
        ),
    ] = False,
    stamps: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep the stamps here, or take them from here. Default: in the training's folder.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that measure or search.")] = 1,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many; the recipe's.", show_default=False),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Stop training after so many; the recipe's.", show_default=False),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(min=1, help="Stamps per step; the recipe's.", show_default=False),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(min=1, help="Threads of an operation on the CPU; small networks want one."),
    ] = 1,
    accelerator: Annotated[str, typer.Option(help="Lightning's: auto, cpu, gpu ...")] = "auto",
    devices: Annotated[str, typer.Option(help="Lightning's: auto, a number, or a list.")] = "auto",
    strategy: Annotated[str, typer.Option(help="Lightning's: auto, ddp ...")] = "auto",
    search: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="First search the recipe's space by N trials; keeps the best."
        ),
    ] = 0,
) -> None:
    """Train a network that gives star centres, on exposures dithered by fractions of a pixel.

    Example: filar train centering set/*_c0m.fits -o mine.safetensors --chips PC
    """
    job = Job.checked(exposures, output, recipe, start, {
        "budget.epochs": epochs, "budget.max_minutes": minutes, "budget.batch_size": batch,
    })  # fmt: skip
    hardware: dict[str, Any] = {
        "accelerator": accelerator,
        "devices": _devices(devices),
        "strategy": strategy,
    }
    store = job.stamps(
        stamps,
        labels=_labels(labels or ["mean"]),
        psf=psf_choice(psf),
        read=reading.read_options(
            chips, gain=gain, read_noise=read_noise, saturation=saturation, filter=filter_name
        ),
        remove_bias=remove_phase_bias,
        workers=workers,
        seed=seed,
    )
    chosen = job.recipe
    with torch_threads(threads):
        if search:
            alike = {name: hardware[name] for name in ("accelerator", "devices")}
            chosen = job.searched(store, search, seed=seed, workers=workers, **alike)
        centerer = job.train(chosen, store, seed=seed, resume=resume, **hardware)
    centerer.save(output)
    _tell(job, centerer, store)


app.command()(clusters)
app.command()(completeness)
app.command()(saturation)


@dataclass(frozen=True)
class Job:
    """What is to be trained and where it goes.

    Parameters
    ----------
    sources : tuple of Path
        Exposures, or one folder of stamps.
    output : Path
        The model.
    recipe : Recipe
        With the changes of the command line.
    start : StarCenterer or None
        The model to continue from.
    """

    sources: tuple[Path, ...]
    output: Path
    recipe: Recipe
    start: StarCenterer | None = None

    @classmethod
    def checked(
        cls,
        sources: list[Path],
        output: Path,
        recipe: str | None,
        start: Path | None,
        changes: dict[str, Any],
    ) -> Job:
        """See that all that is asked for can be done, before hours of work."""
        from filar.catalogfile import check_output
        from filar.learn.recipe import load_recipe, override

        check_output(output, (".safetensors",))
        given = {path.resolve() for path in sources} | ({start.resolve()} if start else set())
        if output.resolve() in given:
            raise ParameterError("output", str(output), "another name than an input's")
        model = None
        if start is not None:
            from filar.centering.estimator import StarCenterer

            if not start.is_file():
                raise InputFileError(start, "there is no such model file")
            model = StarCenterer.load(start)
        base = model.card_.recipe if model is not None and recipe is None else None
        chosen = base or load_recipe(recipe or "filar-centering")
        if chosen.job != "centering":
            raise ParameterError("recipe", chosen.name, "a recipe for centering")
        wanted = {name: value for name, value in changes.items() if value is not None}
        return cls(tuple(sources), output, override(chosen, wanted), model)

    @property
    def folder(self) -> Path:
        """Where checkpoints, logs and stamps go."""
        return self.output.with_name(self.output.stem + "_training")

    def stamps(self, folder: Path | None, **how: Any) -> StampStore:
        """Make the stamps, or open those that were made before."""
        from filar.measure.labels import make_stamps
        from filar.stamps.store import StampStore

        if any(source.is_dir() for source in self.sources):
            if len(self.sources) > 1:
                allowed = "FITS exposures, or one folder of stamps"
                raise ParameterError("exposures", " ".join(map(str, self.sources)), allowed)
            return StampStore.open(self.sources[0])
        if folder is None:
            self.folder.mkdir(exist_ok=True)
            folder = self.folder / "stamps"
        try:
            with console.progress() as progress:
                store = make_stamps(
                    self.sources, folder, data=self.recipe.data, progress=progress, **how
                )
        except FilarError:
            with suppress(OSError):  # what was measured stays for another try
                self.folder.rmdir()
            raise
        for text in store.meta.get("messages", []):
            console.messages().print(f"filar: warning: {text}", markup=False, soft_wrap=True)
        return store

    def searched(self, store: StampStore, trials: int, **how: Any) -> Recipe:
        """Search the recipe's space; the best recipe is written beside the model."""
        from filar.centering.search import search_centering
        from filar.learn.recipe import save_recipe

        if self.start is not None:
            raise ParameterError("--search", trials, "a training that begins anew, without --from")
        self.folder.mkdir(exist_ok=True)
        with console.progress() as bar:

            def tell(now: SearchProgress) -> None:
                if bar is not None:
                    text = f"trial {now.done} of {now.trials}, best {now.best:.5g}"
                    bar(now.done / now.trials, text)

            found = search_centering(
                self.recipe, store, self.folder / "search", trials=trials, progress=tell, **how
            )
        best = self.output.with_suffix(".toml")
        save_recipe(best, found.recipe)
        text = f"best of {len(found.trials)} trials, validation loss {found.value:.5g}: {best}"
        console.messages().print(text, markup=False, soft_wrap=True)
        return found.recipe

    def train(
        self, recipe: Recipe, store: StampStore, *, seed: int, **options: Any
    ) -> StarCenterer:
        """Train, showing how it goes."""
        from filar.centering.estimator import StarCenterer

        with training.progress() as progress:
            return StarCenterer(recipe, seed=seed).fit(
                store, folder=self.folder, start=self.start, progress=progress, **options
            )


def _labels(given: list[str]) -> Any:
    """What `make_stamps` takes: a word, a truth table, or star lists."""
    if given == ["mean"]:
        return "mean"
    paths = [Path(text) for text in given]
    for path in paths:
        if not path.is_file():
            raise InputFileError(path, "there is no such file", "mean, a truth table or star lists")
    if paths[0].suffix.lower() == ".parquet":
        if len(paths) > 1:
            raise ParameterError("--labels", " ".join(given), "one truth table")
        return paths[0]
    return paths


def _devices(text: str) -> str | int | list[int]:
    """Lightning's devices: a number is a count, numbers with commas are which."""
    if text == "auto":
        return text
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise ParameterError("--devices", text, "auto, a number, or numbers with commas") from None
    return numbers if "," in text else numbers[0]


def _tell(job: Job, centerer: StarCenterer, store: StampStore) -> None:
    """Say in a few lines what was made from what, and how good it is."""
    card, figures = centerer.card_, centerer.card_.figures
    names = " ".join([card.instrument, "/".join(card.chips), "/".join(card.filters)]).strip()
    exposures = len({group.exposure for group in store.groups})
    stars = len(set(store.column("star").tolist()))
    seconds = sum(row["seconds"] for row in centerer.history_)
    lines = [
        f"{len(store)} stamps of {stars} stars in {exposures} exposures, {names}: {store.path}",
        f"{card.recipe.name}: {len(centerer.history_)} epochs in {seconds:.0f} s",
    ]
    if "sigma_x" in figures:
        x, y = (1000 * figures[f"sigma_{axis}"] for axis in "xy")
        lines.append(
            f"{figures['stamps']:.0f} test stamps of {figures['stars']:.0f} stars: "
            f"sigma_x {x:.1f}, sigma_y {y:.1f} mpix against the labels; "
            f"pulls {figures['pull_x']:.2f}, {figures['pull_y']:.2f}"
        )
    lines.append(f"{job.output}; history and checkpoint in {job.folder}")
    show = console.messages()
    for line in lines:
        show.print(line, markup=False, soft_wrap=True)
