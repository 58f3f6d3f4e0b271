"""Several models as one: each chip and filter is measured by the model that is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from filar.errors import InputFileError, ParameterError
from filar.measure.heldout import Centerer, Positions
from filar.stamps.stamps import Group, Stamps
from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from filar.learn.modelfile import Card


@dataclass(frozen=True)
class Member:
    """A model and what it is made for.

    Parameters
    ----------
    path : Path
        Its file.
    centerer : Centerer
        The estimator.
    card : Card
        Its card.
    """

    path: Path
    centerer: Centerer
    card: Card

    def fits(self, group: Group) -> bool:
        """Whether it is made for the chip and filter of stamps."""
        card = self.card
        return (
            (not card.instrument or not group.instrument or card.instrument == group.instrument)
            and (not card.chips or group.chip in card.chips)
            and (not card.filters or group.filter in card.filters)
        )


@dataclass(frozen=True)
class Assembly:
    """Models of one method; the first that is made for a chip and filter measures it.

    Parameters
    ----------
    members : tuple of Member
        One or more.

    Raises
    ------
    ParameterError
        If there is none.
    """

    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ParameterError("members", self.members, "one model or more")

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Assembly:
        """Load models.

        Parameters
        ----------
        paths : sequence of Path
            Model files of ``filar train centering``.

        Returns
        -------
        Assembly

        Raises
        ------
        InputFileError
            If a file is missing, damaged or something else.
        """
        from filar.centering.estimator import StarCenterer

        models = [(path, StarCenterer.load(path)) for path in paths]
        return cls(tuple(Member(path, model, model.card_) for path, model in models))

    def check(self, store: StampStore) -> None:
        """See that all stamps of a store can be measured.

        Parameters
        ----------
        store : StampStore
            The stamps.

        Raises
        ------
        InputFileError
            If a chip and filter has no model, or its model wants rasters of another size.
        """
        for group in store.groups:
            member = self._member(group)
            if member is None:
                first = self.members[0]
                found = ", ".join(
                    f"{'/'.join(m.card.chips) or 'any chip'} {'/'.join(m.card.filters)}".strip()
                    for m in self.members
                )
                wanted = " ".join(filter(None, (group.instrument, group.chip, group.filter)))
                raise InputFileError(
                    first.path, f"made for {found}", f"a model for {wanted}, as in {store.path}",
                    "give a model for it",
                )  # fmt: skip
            if member.card.size != store.size:
                raise InputFileError(
                    member.path, f"a model for rasters of {member.card.size} pixels",
                    f"{store.size} pixels, as in {store.path}", "make the stamps again",
                )  # fmt: skip

    def _member(self, group: Group) -> Member | None:
        return next((member for member in self.members if member.fits(group)), None)

    def predict(self, stamps: Stamps) -> Positions:
        """Measure stamps.

        Parameters
        ----------
        stamps : Stamps
            n rasters.

        Returns
        -------
        Positions
            NaN, and out of domain, where no model is made for the chip and filter.
        """
        found = np.full((4, len(stamps)), np.nan)
        inside = np.zeros(len(stamps), bool)
        chosen = [self._member(group) for group in stamps.groups]
        for member in self.members:
            mine = np.array([one is member for one in chosen], bool)
            rows = np.flatnonzero(mine[stamps.group])
            if not len(rows):
                continue
            whole = len(rows) == len(stamps)
            centers = member.centerer.predict(stamps if whole else stamps[rows])
            for k, name in enumerate(("x", "y", "x_err", "y_err")):
                found[k, rows] = getattr(centers, name)
            inside[rows] = centers.in_domain
        return Positions(found[0], found[1], found[2], found[3], inside)
