"""Learning rates as pure functions of the progress, so that resuming needs no state."""

from __future__ import annotations

import math

from filar.learn.settings import OptimiserSettings


def rate_factor(settings: OptimiserSettings, progress: float) -> float:
    """The learning rate as a fraction of the largest.

    Parameters
    ----------
    settings : OptimiserSettings
        "constant" stays at 1; "cosine" falls to `floor` along half a cosine; "one-cycle" rises
        along one, from a 25th, over the `warmup` (3/10 of the training if that is 0) and then falls
        to `floor`. With the first two the `warmup` is a straight rise from 0.
    progress : float
        0 at the beginning of the training, 1 at its end.

    Returns
    -------
    float
        0 to 1.

    Notes
    -----
    Cosine: Loshchilov & Hutter 2017 (without restarts); one cycle: Smith & Topin 2018.
    """
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


def _between(start: float, end: float, part: float) -> float:
    """From start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
