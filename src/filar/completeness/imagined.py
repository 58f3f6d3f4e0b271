"""Artificial stars that a model makes up: as many as wanted, where few were tested."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.completeness.curves import band_index
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.completeness.estimator import CompletenessModel

FloatArray = NDArray[np.float64]


def imagined_stars(
    model: CompletenessModel,
    like: ArtificialStars | RealStars,
    number: int,
    *,
    band: str | None = None,
    colors: RealStars | None = None,
    limits: tuple[float, float] | None = None,
    seed: int | np.random.Generator = 0,
) -> ArtificialStars:
    """Draw stars and what becomes of them from a model and its errors of the magnitudes.

    Parameters
    ----------
    model : CompletenessModel
        Trained with input magnitudes and ``errors=True``.
    like : ArtificialStars or RealStars
        Each star has the colours, covariates and place of one of these, drawn by chance.
    number : int
        How many.
    band : str or None
        The filter in which the magnitudes are even between limits; by default the first.
    colors : RealStars or None
        Take the colours from these, by chance: where artificial stars have a wide range of colours
        and the stars of the field have not. The well-measured ones of the field do best.
    limits : (float, float) or None
        Brightest and faintest magnitude in it; by default those of the stars that are like it.
    seed : int or Generator
        The same seed gives the same stars.

    Returns
    -------
    ArtificialStars
        ``meta["source"]`` says that they were made up. Their number is no measure of how well
        things are known: what the model was trained on is.

    Raises
    ------
    ParameterError
        If the model knows no errors of the magnitudes or is of measured ones, there are no stars
        with magnitudes in all bands, the colours are of other bands, or limits or number make no
        sense.
    """
    if model.errors_ is None:
        raise ParameterError("model", "without errors of the magnitudes", "one with errors=True")
    if model.inputs_.magnitudes != "input":
        raise ParameterError("model", "of measured magnitudes", "one of input magnitudes")
    if number < 1:
        raise ParameterError("number", number, "1 or more stars")
    column = band_index(like.bands, band)
    given = like.mag_in if isinstance(like, ArtificialStars) else like.mag
    known = np.flatnonzero(np.isfinite(given).all(axis=1))
    if not len(known):
        raise ParameterError("like", "no star with all magnitudes", "some stars that have them")
    if limits is None:
        limits = float(given[known, column].min()), float(given[known, column].max())
    if not -np.inf < limits[0] < limits[1] < np.inf:
        raise ParameterError("limits", limits, "two rising magnitudes")
    rng = np.random.default_rng(seed)
    rows = known[rng.integers(len(known), size=number)]
    source = given[rows] if colors is None else _drawn(colors, like.bands, number, rng)
    mag = source + (rng.uniform(*limits, number) - source[:, column])[:, None]
    stars = RealStars(
        like.bands, mag, {name: values[rows] for name, values in like.covariates.items()},
        like.x[rows], like.y[rows], dict(like.meta),
    )  # fmt: skip
    recovered = rng.random(number) < model.p_recovered(stars)
    out = np.where(recovered[:, None], mag + model.errors_.sample(stars, rng), np.nan)
    # Where a band has no error, the star was found in the others alone.
    recovered &= np.isfinite(out).any(axis=1)
    made = ArtificialStars(
        like.bands, mag, out, recovered, stars.covariates, stars.x, stars.y, dict(like.meta)
    )
    return replace(made, meta={**made.meta, "source": "made up by a model of completeness"})


def _drawn(
    stars: RealStars, bands: tuple[str, ...], number: int, rng: np.random.Generator
) -> FloatArray:
    """Magnitudes of stars drawn by chance, for their colours."""
    known = np.flatnonzero(np.isfinite(stars.mag).all(axis=1))
    if stars.bands != bands or not len(known):
        found = f"{len(known)} stars with all of {', '.join(stars.bands)}"
        raise ParameterError("colors", found, f"some stars in {', '.join(bands)}")
    return np.asarray(stars.mag[known[rng.integers(len(known), size=number)]], float)
