"""What a survey's own pipeline does to bright stars."""

from __future__ import annotations

from filar.simulate.survey.schedule import Visit
from filar.simulate.survey.settings import SurveySettings


def is_damaged(settings: SurveySettings, visit: Visit) -> bool:
    """Whether overflow has damaged an image."""
    return False
