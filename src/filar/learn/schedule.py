"""Learning rates as pure functions of the progress, so that resuming needs no state."""

from __future__ import annotations

import math
from functools import lru_cache

from filar.learn.settings import OptimiserSettings


def rate_factor(settings: OptimiserSettings, progress: float) -> float:
    """The learning rate as a fraction of the largest.

    Parameters
    ----------
    settings : OptimiserSettings
        "constant" stays at 1; "cosine" falls to `floor` along half a cosine; "one-cycle" rises
        along one, from a 25th, over the `warmup` (3/10 of the training if that is 0) and then falls
        to `floor`. With the first two the `warmup` is a straight rise from 0. "stepped" has a
        rate for each epoch, by its phases.
    progress : float
        0 at the beginning of the training, 1 at its end.

    Returns
    -------
    float
        0 to 1.

    Notes
    -----
    Stepped: Harris & Speagle 2024, section 6.3. Cosine: Loshchilov & Hutter 2017 (without
    restarts); one cycle: Smith & Topin 2018.
    """
    if settings.schedule == "stepped":
        total = len(_stages(settings))
        # a hair more, so that the quotient's rounding does not hold an epoch back
        return stage(settings, min(int(progress * total + 1e-6), total - 1))[1] / settings.lr
    warmup = settings.warmup
    if settings.schedule == "one-cycle":
        warmup = warmup or 0.3
        if progress < warmup:
            return _between(1 / 25, 1.0, progress / warmup)
    elif progress < warmup:
        return progress / warmup
    if settings.schedule == "constant":
        return 1.0
    return _between(1.0, settings.floor, min(1.0, (progress - warmup) / (1 - warmup)))


def stage(settings: OptimiserSettings, epoch: int) -> tuple[float, float]:
    """What an epoch of a training is like.

    Parameters
    ----------
    settings : OptimiserSettings
        Of any schedule.
    epoch : int
        Counted from 0.

    Returns
    -------
    part, rate : float
        Which part of the training rows is used (all of them, but for "stepped"), and the learning
        rate (the largest, but for "stepped").
    """
    stages = _stages(settings)
    return stages[min(epoch, len(stages) - 1)] if stages else (1.0, settings.lr)


@lru_cache(maxsize=16)
def _stages(settings: OptimiserSettings) -> list[tuple[float, float]]:
    """Part and rate of each epoch of a stepped training."""
    stages = []
    for phase in settings.phases:
        first, last = phase.rates
        for step in range(phase.steps):
            share = step / max(phase.steps - 1, 1)
            rate = first ** (1 - share) * last**share
            stages += [(phase.part, min(rate, settings.lr))] * phase.epochs
    return stages


def _between(start: float, end: float, part: float) -> float:
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
