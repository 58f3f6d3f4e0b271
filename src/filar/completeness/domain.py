"""What a model of completeness was trained on, and which stars lie within."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from filar.completeness.inputs import Inputs, star_covariates
from filar.completeness.table import ArtificialStars, RealStars

FloatArray = NDArray[np.float64]
Ranges = dict[str, tuple[float, float]]
TAIL = 0.0005
"""Part of the training stars beyond each end of a range."""
MARGIN_MAG, MARGIN_COLOR, MARGIN_COVARIATE = 0.25, 0.15, 0.05
"""How far beyond a model may be trusted: magnitudes; of a covariate, part of its range."""


def learn_domain(inputs: Inputs, stars: ArtificialStars) -> Ranges:
    """Say what the training stars cover.

    Parameters
    ----------
    inputs : Inputs
        Of the model.
    stars : ArtificialStars
        Those that it was trained on.

    Returns
    -------
    dict of str to (low, high)
        ``mag B``, ``color B - C`` of neighbouring bands, covariates as the model takes them (the
        logarithm of sky noise); margins included.
    """
    ranges = {}
    for name, values in _numbers(inputs, stars).items():
        good = values[np.isfinite(values)]
        if len(good):
            low, high = np.quantile(good, [TAIL, 1 - TAIL]).tolist()
            margin = _margin(name, high - low)
            ranges[name] = (low - margin, high + margin)
    return ranges


def in_domain(
    inputs: Inputs,
    ranges: Mapping[str, tuple[float, float]],
    stars: ArtificialStars | RealStars,
    missing: bool = False,
) -> NDArray[np.bool_]:
    """Mark the stars that are like those in the training data.

    Parameters
    ----------
    inputs : Inputs
        Of the model.
    ranges : mapping
        From `learn_domain`.
    stars : ArtificialStars or RealStars
        n stars.
    missing : bool
        Whether the model knows what to do with stars of which something is missing; one magnitude
        at least is always needed.

    Returns
    -------
    (n,) bool array
    """
    inside = np.ones(len(stars), bool)
    known = np.zeros(len(stars), bool)
    for name, values in _numbers(inputs, stars).items():
        finite = np.isfinite(values)
        if name.startswith("mag "):
            known |= finite
        low, high = ranges.get(name, (-np.inf, np.inf))
        within = (values >= low) & (values <= high)
        inside &= (within | ~finite) if missing else within
    return inside & known


def _margin(name: str, width: float) -> float:
    if name.startswith("mag "):
        return MARGIN_MAG
    return MARGIN_COLOR if name.startswith("color ") else MARGIN_COVARIATE * width


def _numbers(inputs: Inputs, stars: ArtificialStars | RealStars) -> dict[str, FloatArray]:
    """What has a range, by name: (n,) arrays."""
    mag = stars.magnitudes(inputs.magnitudes)[:, inputs.columns(stars)]
    numbers = {f"mag {band}": mag[:, k] for k, band in enumerate(inputs.bands)}
    for k, (blue, red) in enumerate(zip(inputs.bands, inputs.bands[1:], strict=False)):
        numbers[f"color {blue} - {red}"] = mag[:, k] - mag[:, k + 1]
    values = star_covariates(stars, inputs.covariates)
    return numbers | {name: values[:, k] for k, name in enumerate(inputs.covariates)}
