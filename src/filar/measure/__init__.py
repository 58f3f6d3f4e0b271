"""The pipeline: exposures in, a catalogue out."""

from filar.measure.chip import Measurement, Settings, measure_exposure
from filar.measure.files import (
    ChipSummary,
    FileResult,
    Summary,
    measure_file,
    measure_files,
)

__all__ = [
    "ChipSummary",
    "FileResult",
    "Measurement",
    "Settings",
    "Summary",
    "measure_exposure",
    "measure_file",
    "measure_files",
]
