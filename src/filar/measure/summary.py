"""What became of files and chips that were to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filar.flags import Flag
from filar.measure.chip import Measurement
from filar.measure.network import BY_NETWORK


@dataclass(frozen=True)
class ChipSummary:
    """What is told about one measured chip.

    Parameters
    ----------
    label : str
        Exposure and chip.
    n_stars, n_saturated : int
        Stars in the catalogue, and how many of them are saturated.
    n_psf_stars : int
        Stars that the PSF was fitted to; 0 if none was.
    messages : tuple of str
        What the user should know.
    seconds : float
        Time it took.
    n_network, n_outside : int
        Stars whose position is a network's, and how many of them are outside of its domain.
    """

    label: str
    n_stars: int
    n_saturated: int
    n_psf_stars: int
    messages: tuple[str, ...]
    seconds: float
    n_network: int = 0
    n_outside: int = 0


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Parameters
    ----------
    path : Path
        The file.
    chips : tuple of ChipSummary
        The chips that were measured.
    errors : tuple of str
        Why the file, or some of its chips, could not be measured.
    warnings : tuple of str
        What was odd about the file.
    seconds : float
        Time it took.
    """

    path: Path
    chips: tuple[ChipSummary, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Summary:
    """What became of all files.

    Parameters
    ----------
    files : tuple of FileResult
        One per file, in the order given.
    n_rows : int
        Rows of the catalogue.
    output : Path or None
        The catalogue; None if nothing could be measured, and nothing was written.
    """

    files: tuple[FileResult, ...]
    n_rows: int
    output: Path | None

    @property
    def complete(self) -> bool:
        """Whether every chip of every file was measured."""
        return not any(result.errors for result in self.files)


def summarise(measurement: Measurement) -> ChipSummary:
    """Say what is told about a measured chip."""
    flags = np.asarray(measurement.catalog["flags"])
    fit = measurement.psf_fit
    return ChipSummary(
        measurement.exposure.label,
        len(flags),
        int(np.count_nonzero(flags & Flag.SATURATED)),
        0 if fit is None or fit.fallback else int(fit.n_stars),
        measurement.messages,
        sum(measurement.seconds.values()),
        int(np.count_nonzero(np.asarray(measurement.catalog["method"]) == BY_NETWORK)),
        int(np.count_nonzero(flags & Flag.OUTSIDE_DOMAIN)),
    )
