"""What the PSF fits of a set have taught, for those that follow.

Which fit a later one begins with depends on the order of the files alone, not on which of them was
measured first: a chip and filter is open until a fit of it has succeeded or `TRIES` have failed,
and files with something open are measured one after the other, as they are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from filar.exposure import Exposure

if TYPE_CHECKING:
    from filar.measure.chip import Measurement
    from filar.psf.fitted import NearFit

TRIES = 3
"""Exposures of a chip and filter whose PSF cannot be fitted, after which none is waited for."""

Key = tuple[str, str, str]
"""Instrument, chip and filter."""

Lesson = tuple[Key, "NearFit | None"]
"""What one measured chip teaches: its fit, if there is one."""


@dataclass(frozen=True)
class Known:
    """The fits to begin with.

    Parameters
    ----------
    learning : bool
        Whether more are wanted.
    fits : dict
        By instrument, chip and filter.
    tries : dict
        How many exposures could not be fitted.
    """

    learning: bool = False
    fits: dict[Key, NearFit] = field(default_factory=dict)
    tries: dict[Key, int] = field(default_factory=dict)

    @classmethod
    def of(cls, near: Sequence[NearFit], learning: bool = False) -> Known:
        """Begin with what is known; of two of the same chip and filter, the first."""
        return cls(learning, {(n.instrument, n.chip, n.filter): n for n in reversed(near)})

    def near(self, exposure: Exposure) -> NearFit | None:
        """The fit for an exposure to begin with."""
        return self.fits.get(_key(exposure))

    def is_open(self, exposures: Iterable[Exposure]) -> bool:
        """Whether any of the exposures may yet teach something."""
        return self.learning and any(self._open(_key(exposure)) for exposure in exposures)

    def learn(self, lessons: Iterable[Lesson]) -> Known:
        """Add what a file's chips taught, in their order."""
        fits, tries = dict(self.fits), dict(self.tries)
        for key, fit in lessons:
            if not self.learning or not self._open(key) or key in fits:
                continue
            if fit is None:
                tries[key] = tries.get(key, 0) + 1
            else:
                fits[key] = fit
        return replace(self, fits=fits, tries=tries)

    def _open(self, key: Key) -> bool:
        return key not in self.fits and self.tries.get(key, 0) < TRIES


def _key(exposure: Exposure) -> Key:
    return exposure.instrument, exposure.chip, exposure.filter


def lessons_of(measurements: Iterable[Measurement]) -> tuple[Lesson, ...]:
    """What measured chips teach.

    Parameters
    ----------
    measurements : iterable of Measurement
        The chips of a file.

    Returns
    -------
    tuple of Lesson
    """
    return tuple(
        (_key(m.exposure), None if m.psf_fit is None else m.psf_fit.solved) for m in measurements
    )
