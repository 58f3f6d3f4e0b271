"""How light curves are made: every choice in one place."""

from __future__ import annotations

from dataclasses import dataclass

from filar.errors import ParameterError

REJECTIONS = ("gp", "faintest", "none")
CHOICES = ("variable", "all", "none")
MOST_DEGREE = 4


@dataclass(frozen=True)
class LightCurveSettings:
    """Choices for `filar.lightcurve.make.make_light_curves`.

    Parameters
    ----------
    epoch_gap : float
        Exposures of one camera and filter within this many minutes are one epoch; 0: each is one.
    radius : float
        Largest distance of a measure from its star, pixels.
    min_images : int
        Images in which a star must have been found, unless it was asked for.
    zero_points : bool
        Whether images get zero points; otherwise magnitudes are taken as they are.
    degree : int or None
        Degree of the polynomial over the chip that an image's zero point is, 0 to 4; None: as
        high as the stars demand, camera by camera, up to 3.
    reject : {"gp", "faintest", "none"}
        How outlying epochs are found: against a Gaussian process (and a periodic curve where
        there is one), the faintest tenth as in W24, or not at all.
    clip : float
        Limit of ``reject="gp"``, standard deviations.
    processes : {"variable", "all", "none"}
        Stars whose cameras and filters are inter-calibrated by a Gaussian process; those that
        were asked for always are, unless "none". The others get weighted means.
    periods : bool
        Whether periods are searched for where variable stars have none given.
    period_range : (float, float) or None
        Limits of the periods searched for, days; by default from 0.1 to the time covered.
    workers : int
        Processes that work on stars at the same time.

    Raises
    ------
    ParameterError
        If a value makes no sense.
    """

    epoch_gap: float = 30.0
    radius: float = 2.0
    min_images: int = 3
    zero_points: bool = True
    degree: int | None = None
    reject: str = "gp"
    clip: float = 4.0
    processes: str = "variable"
    periods: bool = True
    period_range: tuple[float, float] | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if not self.epoch_gap >= 0:
            raise ParameterError("epoch_gap", self.epoch_gap, "minutes, 0 or more")
        for name in ("radius", "clip"):
            if not getattr(self, name) > 0:
                raise ParameterError(name, getattr(self, name), "a positive number")
        for name in ("min_images", "workers"):
            if getattr(self, name) < 1:
                raise ParameterError(name, getattr(self, name), "1 or more")
        if self.degree is not None and self.degree not in range(MOST_DEGREE + 1):
            raise ParameterError("degree", self.degree, f"0 to {MOST_DEGREE}")
        for name, allowed in (("reject", REJECTIONS), ("processes", CHOICES)):
            if getattr(self, name) not in allowed:
                raise ParameterError(name, getattr(self, name), "one of " + ", ".join(allowed))
        if self.period_range is not None and not 0 < self.period_range[0] < self.period_range[1]:
            raise ParameterError("period_range", self.period_range, "two rising numbers of days")
