"""Which labelled stars become stamps, and writing them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.flags import Flag
from filar.frames.labels import Places
from filar.frames.starlist import SPOILT, StarList
from filar.measure.labelling import LabelledChip
from filar.measure.parts import ChipPart
from filar.stamps.labels import Labels
from filar.stamps.settings import StampSettings
from filar.stamps.split import split_by_stamp, split_by_star
from filar.stamps.stamps import Stamps
from filar.stamps.writer import StampWriter

FEWEST_STARS = 30
"""Stars below which there is nothing to divide into parts."""
FARTHEST = 1.5
"""Pixels from the detection beyond which a label is of another star."""

_CHIP_NUMBERS = 10**9
_NO_STAMPS = int(SPOILT | Flag.EXTENDED)


@dataclass(frozen=True, eq=False)
class Chosen:
    """The stars of a chip that become stamps.

    Parameters
    ----------
    labelled : LabelledChip
        All labels.
    keep : list of int arrays
        Rows of each exposure's places.
    dropped : Counter
        How many labels were dropped, by the first reason for it.
    """

    labelled: LabelledChip
    keep: list[NDArray[np.int64]]
    dropped: Counter[str]

    @classmethod
    def of(cls, labelled: LabelledChip, settings: StampSettings) -> Chosen:
        """Apply the settings' limits.

        Parameters
        ----------
        labelled : LabelledChip
            All labels of a chip.
        settings : StampSettings
            The limits.

        Returns
        -------
        Chosen

        Raises
        ------
        InputFileError
            If fewer than `FEWEST_STARS` stars are left.
        """
        dropped: Counter[str] = Counter()
        keep = [_wanted(part, places, settings, dropped) for part, places in labelled.places]
        chosen = cls(labelled, keep, dropped)
        stars = len(np.unique(chosen.stars()))
        if stars < FEWEST_STARS:
            why = ", ".join(f"{number} {reason}" for reason, number in dropped.most_common())
            part = labelled.places[0][0]
            found = f"chip {part.chip}: {stars} stars with labels are left"
            if why:
                found += f" (left out were {why})"
            raise InputFileError(part.facts["source"], found, f"{FEWEST_STARS} or more")
        return chosen

    def stars(self) -> NDArray[np.int64]:
        """Star of each stamp, exposure after exposure."""
        both = zip(self.labelled.places, self.keep, strict=True)
        nothing = np.zeros(0, np.int64)
        return np.concatenate([nothing, *(places.star[rows] for (_, places), rows in both)])

    def write(
        self, writer: StampWriter, settings: StampSettings, number: int, seed: int = 0
    ) -> None:
        """Divide the stamps into parts and write them.

        Parameters
        ----------
        writer : StampWriter
            Where they go.
        settings : StampSettings
            How they are divided.
        number : int
            Of the chip, which makes its stars different ones from other chips'.
        seed : int
            Of the division.
        """
        stars, seeds = self.stars(), (seed, number)
        if settings.split == "star":
            part = split_by_star(stars, settings.fractions, seeds)
        else:
            part = split_by_stamp(len(stars), settings.fractions, seeds)
        done = 0
        for (chip, places), rows in zip(self.labelled.places, self.keep, strict=True):
            own, classic = places[rows], self.labelled.classic.get(chip.exposure)
            stamps, labels = chip.stamps()
            stamps, labels = stamps[own.row], labels[own.row]
            if classic is not None:
                labels = _with_classic(labels, stamps, classic[0][classic[1][rows]])
            labels = replace(
                labels,
                x=(own.x - stamps.corner_x).astype(np.float32),
                y=(own.y - stamps.corner_y).astype(np.float32),
                x_err=own.x_err.astype(np.float32),
                y_err=own.y_err.astype(np.float32),
                star=own.star + number * _CHIP_NUMBERS,
                part=part[done : done + len(own)],
            )
            done += len(own)
            writer.append(stamps, labels)

    def facts(self) -> dict[str, Any]:
        """Numbers for the meta data."""
        stars = self.stars()
        return {
            "exposures": len(self.keep),
            "stars": len(np.unique(stars)),
            "stamps": len(stars),
            "dropped": dict(self.dropped),
        }


def _wanted(
    part: ChipPart, places: Places, settings: StampSettings, dropped: Counter[str]
) -> NDArray[np.int64]:
    """Rows of the places that the settings let pass."""
    stars, row = part.star_list()[places.row], places.row
    isolation = np.minimum(part.detection("isolation")[row], places.isolation)
    away = np.maximum(
        np.abs(places.x - part.detection("x_init")[row]),
        np.abs(places.y - part.detection("y_init")[row]),
    )
    keep = np.ones(len(places), bool)
    for reason, good in (
        ("saturated", settings.saturated | ((stars.flags & int(Flag.SATURATED)) == 0)),
        ("spoilt or extended", (stars.flags & _NO_STAMPS) == 0),
        (f"with a neighbour within {settings.isolation:g} pixels", isolation >= settings.isolation),
        ("outside of the limits of q", _within(stars.q, settings.q)),
        ("outside of the limits of signal to noise", _within(stars.snr, settings.snr)),
        ("too far from where they were found", away <= FARTHEST),
    ):
        lost = int(np.count_nonzero(keep & ~good))
        if lost:
            dropped[reason] += lost
        keep &= good
    return np.flatnonzero(keep)


def _within(values: Any, limits: tuple[float, float]) -> NDArray[np.bool_]:
    return np.asarray((values >= limits[0]) & (values <= limits[1]))


def _with_classic(labels: Labels, stamps: Stamps, stars: StarList) -> Labels:
    """Put another program's positions in the place of our fit's."""
    return replace(
        labels,
        x_classic=(stars.x - stamps.corner_x).astype(np.float32),
        y_classic=(stars.y - stamps.corner_y).astype(np.float32),
        x_classic_err=stars.x_err.astype(np.float32),
        y_classic_err=stars.y_err.astype(np.float32),
    )
