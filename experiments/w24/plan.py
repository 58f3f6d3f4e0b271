"""Which surveys are simulated, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from filar.simulate.survey.settings import SurveySettings

Role = Literal["train", "test", "curves"]
RAW, CORRECTED = "raw", "corrected"
KNOWN, NEW = ("a", "b"), ("c",)
"""Cameras that models are trained with, and one that they have never seen."""


@dataclass(frozen=True)
class Size:
    """How much is simulated.

    Parameters
    ----------
    pixels : int
        Rows and columns of an image.
    targets : int
        Stars of each field, evenly spread in magnitude.
    train, test, curves : int
        Fields, each with its own stars.
    epochs : int
        Of a field that is trained on or tested; one exposure each.
    curve_epochs, exposures : int
        Of a field whose light curves are made.
    corrected : int
        Fields that are trained on with the pipeline's correction of trails; 0: none. One camera.
    """

    pixels: int
    targets: int
    train: int
    test: int
    curves: int
    epochs: int
    curve_epochs: int
    exposures: int
    corrected: int


SIZES = {
    "quick": Size(512, 60, 4, 3, 1, 1, 10, 1, 4),
    "default": Size(1024, 120, 10, 8, 1, 1, 10, 3, 10),
    "large": Size(1024, 120, 60, 40, 4, 2, 50, 3, 60),
}


@dataclass(frozen=True)
class Part:
    """A survey, and what it is for.

    Parameters
    ----------
    name : str
        Of its folder.
    regime : str
        `RAW` bleeding, or `CORRECTED` by the pipeline: each has models of its own.
    role : str
        What its stars are for.
    about : str
        In words.
    settings : SurveySettings
        What it is like.
    """

    name: str
    regime: str
    role: Role
    about: str
    settings: SurveySettings


def plan(size: Size, seed: int) -> list[Part]:
    """All surveys: the same cameras (one seed), different stars and nights.

    Parameters
    ----------
    size : Size
        How much.
    seed : int
        Of everything.

    Returns
    -------
    list of Part
        Those to be trained on first.
    """

    def part(
        name: str, regime: str, role: Role, about: str, *, first: int, fields: int,
        epochs: int = size.epochs, exposures: int = 1, cameras: tuple[str, ...] = KNOWN,
        damage: bool = False,
    ) -> Part:  # fmt: skip
        settings = SurveySettings(
            cameras=cameras, filters=("g",), first_field=first, fields=fields, epochs=epochs,
            exposures=exposures, size=size.pixels, targets=size.targets, variables=0.0,
            correct=regime == CORRECTED, damage=damage, seed=seed,
        )  # fmt: skip
        return Part(name, regime, role, about, settings)

    test, curves = size.train, size.train + size.test
    found = [
        part("train", RAW, "train", "raw bleeding", first=0, fields=size.train),
        part("test", RAW, "test", "raw bleeding", first=test, fields=size.test),
        part("camera", RAW, "test", "a camera not trained with", first=test, fields=size.test,
             cameras=NEW),
        part("curves", RAW, "curves", "light curves", first=curves, fields=size.curves,
             epochs=size.curve_epochs, exposures=size.exposures, cameras=(KNOWN[0], *NEW)),
    ]  # fmt: skip
    if size.corrected:
        found += [
            part("train-corrected", CORRECTED, "train", "trails moved by the pipeline", first=0,
                 fields=size.corrected, cameras=KNOWN[:1]),
            part("test-corrected", CORRECTED, "test", "trails moved by the pipeline", first=test,
                 fields=size.test, cameras=KNOWN[:1]),
            part("test-damaged", CORRECTED, "test", "trails moved, with overflow damage",
                 first=test, fields=size.test, cameras=KNOWN[:1], damage=True),
        ]  # fmt: skip
    return found
