"""``filar evaluate``: stamps, models and catalogues in, a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console
from filar.cli.evaluate_clusters import clusters
from filar.cli.evaluate_completeness import completeness
from filar.cli.evaluate_saturation import saturation
from filar.errors import FilarError, InputFileError, ParameterError

if TYPE_CHECKING:
    from filar.frames.starlist import StarList
    from filar.frames.truth import Truth
    from filar.measure.assembly import Assembly
    from filar.report.centering_facts import CenteringFacts, History
    from filar.stamps.store import StampStore

app = typer.Typer(no_args_is_help=True)
NETWORK = "network"


@app.callback()
def evaluate() -> None:
    """Judge models as the papers do, the classic method and the bound beside them."""


app.command()(completeness)
app.command()(saturation)
app.command()(clusters)


@app.command()
def centering(
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="REPORT",
            help="Page: .html; PNG figures and a .json beside it.",
        ),
    ],
    stamps: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="STAMPS",
            help="Folders of stamps as filar train centering makes them; the stars of their test "
            "part are judged.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]MODEL",
            help="Model file; models of one name share the work by chip and filter. Default: "
            "filar's own.",
            show_default=False,
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="TRUTH",
            help="True positions of a simulated set: errors against them after a cubic map per "
            "exposure, instead of against the labels.",
        ),
    ] = None,
    catalog: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CATALOG",
            help="Centres of the same exposures by another method, or by the same elsewhere; may "
            "be given again.",
        ),
    ] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]CSV",
            help="History of a training. Default: the one in the folder beside the model.",
            show_default=False,
        ),
    ] = None,
    mag: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Instrumental magnitudes, -2.5 log10(electrons), of the table of standard "
            "deviations. Default: -11.5,-8.5.",
            show_default=False,
        ),
    ] = None,
    max_neighbours: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0,
            help="With --truth: judge no star whose true neighbours within 5 pixels, found or not, "
            "have more than this share of its light.",
            show_default=False,
        ),
    ] = None,
    min_snr: Annotated[
        float, typer.Option(min=0, help="Signal-to-noise ratio below which nothing is judged.")
    ] = 20.0,
) -> None:
    """Judge star centres: errors, bias, pulls, coverage, what networks hang on; a page of figures.

    Example: filar evaluate centering mine_training/stamps --model mine.safetensors -o mine.html
    """
    from filar.centering.evaluate import WELL_MEASURED_MAG
    from filar.report.centering_gather import Material, gather_centering
    from filar.report.centering_page import write_centering_report

    catalogs = _named(catalog or [], "--catalog")
    models = _named(model or [], "--model", NETWORK)
    _check(stamps or [], output, catalogs, models, truth)
    if max_neighbours is not None and truth is None:
        raise ParameterError("--max-neighbours", max_neighbours, "a share of light with --truth")
    mag_range = WELL_MEASURED_MAG if mag is None else _limits(mag)
    stores = _stores(stamps or [])
    true_stars = None if truth is None else _read_truth(truth)
    networks, histories = _networks(stores, models)
    histories |= _histories(_named(history or [], "--history", NETWORK))
    lists, complete = _lists(catalogs)
    material = Material(
        stores=stores,
        networks=networks,
        catalogs=lists,
        truth=true_stars,
        history=histories,
        min_snr=min_snr,
        max_neighbours=float("inf") if max_neighbours is None else max_neighbours,
        mag_range=mag_range,
    )
    with console.progress() as progress:
        facts = gather_centering(material, progress=progress)
    write_centering_report(output, facts)
    _tell(facts, output)
    if not complete:
        raise typer.Exit(1)


def _named(given: list[str], option: str, default: str = "") -> dict[str, list[Path]]:
    """Split NAME=FILE; files without a name have the default one, if there is one."""
    named: dict[str, list[Path]] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign and default:
            name, path = default, text
        if not (name.strip() and path):
            raise ParameterError(option, text, "NAME=FILE")
        named.setdefault(name.strip(), []).append(Path(path))
    return named


def _limits(mag: str) -> tuple[float, float]:
    try:
        low, high = map(float, mag.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise ParameterError("--mag", mag, "two magnitudes with a comma, the brighter one first")
    return low, high


def _check(
    stamps: list[Path],
    output: Path,
    catalogs: dict[str, list[Path]],
    models: dict[str, list[Path]],
    truth: Path | None,
) -> None:
    """Refuse, before the work is done, what cannot be written or makes no sense."""
    from filar.catalogfile import check_output
    from filar.measure.heldout import CLASSIC

    check_output(output, (".html", ".htm"))
    if not stamps and not catalogs:
        raise ParameterError("STAMPS", "nothing", "a folder of stamps, or catalogues by --catalog")
    if models and not stamps:
        raise ParameterError("--model", "without stamps", "with the folders of stamps to measure")
    if len({path.resolve() for path in stamps}) < len(stamps):
        raise ParameterError("STAMPS", [str(path) for path in stamps], "each folder once")
    taken = [*models, *([CLASSIC, NETWORK] if stamps else [])]
    for name in catalogs:
        if name in taken:
            raise ParameterError("--catalog", name, f"another name than {', '.join(set(taken))}")
    if CLASSIC in models:
        raise ParameterError("--model", CLASSIC, "another name: that is the classic fit's")
    files = [path for paths in (*catalogs.values(), *models.values()) for path in paths]
    for path in [*files, *([truth] if truth else [])]:
        if not path.is_file():
            raise InputFileError(path, "there is no such file")


def _stores(paths: list[Path]) -> list[StampStore]:
    from filar.stamps.store import StampStore

    return [StampStore.open(path) for path in paths]


def _networks(
    stores: list[StampStore], models: dict[str, list[Path]]
) -> tuple[dict[str, Assembly], dict[str, History]]:
    """Load the models, filar's own if none is given, and the histories beside them."""
    if not stores:
        return {}, {}
    from filar.measure.assembly import Assembly

    if not models:
        models = {NETWORK: _packaged(stores)}
    networks = {name: Assembly.load(paths) for name, paths in models.items()}
    for network in networks.values():
        for store in stores:
            network.check(store)
    beside = {
        name if len(paths) == 1 else f"{name}: {path.name}": path.with_name(f"{path.stem}_training")
        for name, paths in models.items()
        for path in paths
    }
    found = {name: folder / "history.csv" for name, folder in beside.items()}
    return networks, _histories({name: [p] for name, p in found.items() if p.is_file()})


def _packaged(stores: list[StampStore]) -> list[Path]:
    from filar.centering.packaged import packaged_model

    found: list[Path] = []
    for store in stores:
        for group in store.groups:
            path = packaged_model(group.instrument, group.chip, group.filter)
            if path is None:
                names = " ".join(filter(None, (group.instrument, group.chip, group.filter)))
                raise InputFileError(
                    store.path, f"filar has no model of its own for {names}",
                    advice="give one by --model",
                )  # fmt: skip
            if path not in found:
                found.append(path)
    return found


def _histories(paths: dict[str, list[Path]]) -> dict[str, History]:
    from filar.learn.history import read_history

    return {
        name if len(files) == 1 else f"{name} {number}": read_history(path)
        for name, files in paths.items()
        for number, path in enumerate(files, 1)
    }


def _read_truth(path: Path) -> Truth:
    from filar.catalogfile import read_catalog
    from filar.frames.truth import Truth

    try:
        return Truth.from_table(read_catalog(path))
    except ParameterError as error:
        expected = "the truth.parquet of filar simulate dithers"
        raise InputFileError(path, f"it is {error.value}", expected) from error


def _lists(catalogs: dict[str, list[Path]]) -> tuple[dict[str, list[StarList]], bool]:
    """Read catalogues; tell what cannot be read."""
    from filar.frames.read import read_lists

    lists: dict[str, list[StarList]] = {}
    complete = True
    for name, paths in catalogs.items():
        with console.progress() as progress:
            found, errors = read_lists(paths, progress=progress)
        for text in errors:
            console.error(text)
        complete = complete and not errors
        if found:
            lists[name] = found
    if catalogs and not lists:
        raise FilarError("no catalogue could be read")
    return lists, complete


def _tell(facts: CenteringFacts, output: Path) -> None:
    """Say the main figures in a line per chip, filter and method."""
    from filar.report.centering_facts import summary

    messages = console.messages()
    for remark in facts.remarks:
        messages.print(f"filar: warning: {remark}", markup=False, soft_wrap=True)
    for methods in facts.judged.values():
        for judged in methods:
            row = summary(judged)
            own = row["table3"]
            waves = " / ".join(f"{row[f'phase_amplitude_{axis}_mpix']:.1f}" for axis in "xy")
            text = (
                f"{judged.label}, {judged.method}: sigma {own['sigma_x_mpix']:.1f} / "
                f"{own['sigma_y_mpix']:.1f} mpix (N = {own['number']}), worst bin "
                f"{row['worst_ratio']:.2f} of the bound, phase bias {waves} mpix"
            )
            messages.print(text, markup=False, soft_wrap=True)
    messages.print(f"report in {output}", markup=False, soft_wrap=True)
