"""Which surveys are simulated, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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
    train, test : int
        Fields that each camera trains or is tested on; no two cameras see the same, since other
        stars tell more than other images of a star.
    epochs : int
        Of such a field, one exposure each.
    curves, curve_epochs, exposures : int
        Fields whose light curves are made, their epochs, and exposures of an epoch.
    corrected : int
        Fields that are tested with the pipeline's correction of trails, by one camera, which trains
        on as many as without; 0: none.
    """

    pixels: int
    targets: int
    train: int
    test: int
    epochs: int
    curves: int
    curve_epochs: int
    exposures: int
    corrected: int


SIZES = {
    "quick": Size(512, 60, 3, 1, 1, 1, 10, 1, 1),
    "default": Size(1024, 120, 12, 12, 1, 1, 12, 3, 6),
    "large": Size(1024, 120, 60, 40, 2, 4, 50, 3, 30),
}


@dataclass(frozen=True)
class Part:
    """Surveys, and what they are for.

    Parameters
    ----------
    name : str
        Of their folders.
    regime : str
        `RAW` bleeding, or `CORRECTED` by the pipeline: each has models of its own.
    role : str
        What their stars are for.
    about : str
        In words.
    surveys : tuple of SurveySettings
        What they are like.
    """

    name: str
    regime: str
    role: Role
    about: str
    surveys: tuple[SurveySettings, ...]


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

    def surveys(cameras: tuple[str, ...], first: int, fields: int, **changes: Any) -> Any:
        """One survey per camera, with fields of its own."""
        given: dict[str, Any] = {
            "filters": ("g",), "fields": fields, "epochs": size.epochs, "exposures": 1,
            "size": size.pixels, "targets": size.targets, "variables": 0.0, "seed": seed,
        }  # fmt: skip
        given |= changes
        return tuple(
            SurveySettings(cameras=(name,), first_field=first + k * fields, **given)
            for k, name in enumerate(cameras)
        )

    test = size.train * len(KNOWN)
    new = test + size.test * len(KNOWN)
    curves = new + size.test * len(NEW)
    series = {"epochs": size.curve_epochs, "exposures": size.exposures}
    found = [
        Part("train", RAW, "train", "raw bleeding", surveys(KNOWN, 0, size.train)),
        Part("test", RAW, "test", "raw bleeding", surveys(KNOWN, test, size.test)),
        Part("camera", RAW, "test", "a camera not trained with", surveys(NEW, new, size.test)),
        Part("curves", RAW, "curves", "light curves, known and new camera", tuple(
            survey for name in (KNOWN[0], *NEW)
            for survey in surveys((name,), curves, size.curves, **series))),
    ]  # fmt: skip
    if not size.corrected:
        return found
    one, moved = KNOWN[:1], "trails moved by the pipeline"
    return [
        *found,
        Part("train-corrected", CORRECTED, "train", moved,
             surveys(one, 0, size.train, correct=True)),
        Part("test-corrected", CORRECTED, "test", moved,
             surveys(one, test, size.corrected, correct=True)),
        Part("test-damaged", CORRECTED, "test", f"{moved}, overflow damage",
             surveys(one, test, size.corrected, correct=True, damage=True)),
    ]  # fmt: skip
