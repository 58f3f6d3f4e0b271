"""Which stars become stamps, and how the stamps are cut and divided."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from filar.errors import ParameterError
from filar.stamps.split import FRACTIONS, SPLITS, Split, check_fractions
from filar.stamps.stamps import SIZES


@dataclass(frozen=True)
class StampSettings:
    """Choices of a set of stamps; the defaults are C23's.

    Parameters
    ----------
    size : int
        Side of the rasters, 4 to 12 pixels.
    isolation : float
        Stars with another one nearer than this are left out, pixels.
    q : (float, float)
        Limits of hst1pass's q, ends included.
    snr : (float, float)
        Limits of the signal-to-noise ratio of the classic fit's flux, ends included.
    split : {"star", "stamp"}
        What training, validation and test parts are made of.
    fractions : (float, float, float)
        Of training, validation and test.
    subtract_neighbours : bool
        Whether the light of other stars is taken off the rasters.
    saturated : bool
        Whether saturated stars are taken too.

    Raises
    ------
    ParameterError
        If a value makes no sense.
    """

    size: int = 6
    isolation: float = 5.0
    q: tuple[float, float] = (0.0001, 1.0)
    snr: tuple[float, float] = (0.0, 1e9)
    split: Split = "star"
    fractions: tuple[float, float, float] = FRACTIONS
    subtract_neighbours: bool = False
    saturated: bool = False

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ParameterError("size", self.size, f"{SIZES[0]} to {SIZES[-1]} pixels")
        if not self.isolation >= 0:
            raise ParameterError("isolation", self.isolation, "pixels, 0 or more")
        for name in ("q", "snr"):
            low, high = getattr(self, name)
            if not low < high:
                raise ParameterError(name, (low, high), "two rising limits")
        if self.split not in SPLITS:
            raise ParameterError("split", self.split, "one of " + ", ".join(SPLITS))
        check_fractions(self.fractions)

    @classmethod
    def like(cls, others: Any) -> Self:
        """Take what settings of another kind, such as a recipe's, say about stamps.

        Parameters
        ----------
        others : object
            With some attributes of the names here.

        Returns
        -------
        StampSettings
            The rest by default.
        """
        names = [one.name for one in fields(cls) if hasattr(others, one.name)]
        return cls(**{name: getattr(others, name) for name in names})

    def facts(self) -> dict[str, Any]:
        """The settings as plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
