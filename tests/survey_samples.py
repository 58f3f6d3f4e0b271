"""A tiny simulated survey for tests: a few images, made within seconds."""

from pathlib import Path
from typing import Any

from filar.simulate.survey.files import Survey, write_survey
from filar.simulate.survey.settings import SurveySettings

TINY: dict[str, Any] = {
    "cameras": ("a",),
    "fields": 1,
    "epochs": 2,
    "exposures": 1,
    "size": 192,
    "targets": 24,
    "latitude": 60.0,
}


def tiny_survey(folder: Path, **changes: Any) -> Survey:
    """Write a survey of two images of 192 x 192 pixels; `changes` are other settings."""
    return write_survey(SurveySettings(**(TINY | changes)), folder)
