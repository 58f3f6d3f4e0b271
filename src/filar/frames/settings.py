"""How frames are made: every choice in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from filar.errors import ParameterError
from filar.frames.polynomial import MAX_ORDER
from filar.frames.starlist import Selection

FEWEST_PAIRS = 10
"""Stars in common below which an exposure is left out."""


@dataclass(frozen=True)
class FrameSettings:
    """Choices for `filar.frames.mean.solve_frames`.

    Parameters
    ----------
    order : int
        Order of the transformations, 1 to 5; C23 takes the general cubic.
    selection : Selection
        Stars that define the transformations.
    reference : str, optional
        Exposure whose system the frame takes: its name, or its number from 1. By default the
        first that the others can be tied to.
    filter : str, optional
        Use only the lists of this filter; by default, chip by chip, that of most exposures.
    max_offset : float
        Exposures further from the reference than this many pixels are left out.
    radius : float
        Largest distance of a measure from its star, pixels.
    clip : float
        Measures and pairs of stars further from the mean than this many standard deviations are
        left out.
    min_measures : int, optional
        Exposures that must have found a star; by default two, and a fifth of those covering it.
    iterations : int
        Rounds of matching, transforming and averaging.

    Raises
    ------
    ParameterError
        If a value makes no sense.
    """

    order: int = 3
    selection: Selection = field(default_factory=Selection)
    reference: str | None = None
    filter: str | None = None
    max_offset: float = 100.0
    radius: float = 1.0
    clip: float = 3.0
    min_measures: int | None = None
    iterations: int = 3

    def __post_init__(self) -> None:
        if self.order not in range(1, MAX_ORDER + 1):
            raise ParameterError("order", self.order, f"1 to {MAX_ORDER}")
        for name in ("max_offset", "radius", "clip"):
            if not getattr(self, name) > 0:
                raise ParameterError(name, getattr(self, name), "a positive number")
        if self.min_measures is not None and self.min_measures < 1:
            raise ParameterError("min_measures", self.min_measures, "1 or more")
        if self.iterations < 1:
            raise ParameterError("iterations", self.iterations, "1 or more")
