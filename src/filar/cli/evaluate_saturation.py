"""``filar evaluate saturation``: stars of known brightness and models in, a report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filar.cli import console, reading, saturationdata
from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filar.report.saturation_facts import SaturationFacts
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
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="REPORT",
            help="Page: .html; PNG figures and a .json beside it.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]MODEL",
            help="Model of filar train saturation; may be given again. On the samples that it was "
            "trained on, its test part judges it; on others, all stars do. Default: the classic "
            "estimators alone.",
            show_default=False,
        ),
    ] = None,
    catalog: saturationdata.Catalog = None,
    mag: saturationdata.Mag = None,
    contamination: saturationdata.Contamination = 0.0,
    filter_name: reading.Filter = None,
    gain: reading.Gain = None,
    read_noise: reading.ReadNoise = None,
    saturation: reading.Saturation = None,
    samples: saturationdata.SamplesOut = None,
    epochs: Annotated[
        int, typer.Option(min=2, help="Least number of epochs of a light curve that is judged.")
    ] = 10,
    workers: Annotated[int, typer.Option(min=1, help="Processes that measure.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the stars drawn anew for errors.")] = 0,
) -> None:
    """Judge magnitudes of saturated stars: bias, scatter, pulls, light curves; a page of figures.

    Example: filar evaluate saturation *.fits --catalog stars.ecsv --model my.safetensors -o my.html
    """
    from filar.catalogfile import check_output
    from filar.report.saturation_gather import Material, gather_from_models
    from filar.report.saturation_page import write_saturation_report

    check_output(output, (".html", ".htm"))
    saturationdata.check_data(data, catalog, samples)
    models = {name: _load(path) for name, path in _named(model or []).items()}
    found, complete = saturationdata.read_data(
        data, catalog, samples=samples, mag=mag, contamination=contamination, workers=workers,
        read=reading.read_options(
            gain=gain, read_noise=read_noise, saturation=saturation, filter=filter_name
        ),
    )  # fmt: skip
    label = data[0].name if len(data) == 1 else f"{len(data)} files"
    material = Material(label, found, models, epochs, seed)
    with console.progress() as progress:
        facts = gather_from_models(material, progress)
    write_saturation_report(output, facts)
    _tell(facts, output)
    if not complete:
        raise typer.Exit(1)


def _named(given: Sequence[str]) -> dict[str, Path]:
    """Split NAME=MODEL; a model without a name has its file's."""
    from filar.saturation.data import CLASSIC

    named: dict[str, Path] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign:
            name, path = Path(text).stem, text
        name = name.strip()
        if not (name and path):
            raise ParameterError("--model", text, "NAME=FILE")
        if name in named or name in CLASSIC:
            raise ParameterError("--model", text, f"another name than {name}, which is taken")
        named[name] = Path(path)
        if not named[name].is_file():
            advice = "make it with filar train saturation"
            raise InputFileError(path, "there is no such file", "a model of saturation", advice)
    return named


def _load(path: Path) -> SaturationModel:
    from filar.saturation.estimator import SaturationModel

    return SaturationModel.load(path)


def _tell(facts: SaturationFacts, output: Path) -> None:
    """Say the main figures: a line per method, a line per criterion of each model."""
    messages = console.messages()

    def tell(text: str) -> None:
        messages.print(text, markup=False, soft_wrap=True)

    for remark in facts.remarks:
        tell(f"filar: warning: {remark}")
    tell(f"{len(facts.judged)} stamps judge. {facts.rule}")
    for one in facts.methods:
        whole = one.whole
        tell(
            f"{one.name}: bias {whole.bias:+.4f}, 68% {whole.half68:.4f}, 95% {whole.half95:.3f}, "
            f"rms {whole.rms:.3f} mag, pulls {whole.pull:.2f}, {100 * whole.told:.1f}% told"
        )
    for name, verdicts in facts.verdicts.items():
        for verdict in verdicts:
            tell(f"{name}: {verdict.what}: {verdict.word} ({verdict.found})")
    tell(f"report in {output}")
