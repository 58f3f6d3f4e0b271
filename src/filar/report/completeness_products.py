"""What follows from completeness: limits, bin jumping, corrected luminosity functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.completeness.curves import CompletenessCurves, completeness_curves
from filar.completeness.limits import (
    LEVELS,
    Limits,
    Probabilities,
    limiting_magnitude,
    places_along,
    places_on_grid,
    typical_place,
)
from filar.completeness.luminosity import (
    LuminosityFunction,
    corrected_luminosity_function,
    weighted_luminosity_function,
)
from filar.completeness.reliability import FloatArray, even_edges
from filar.completeness.table import ArtificialStars, RealStars
from filar.robust import robust_rms

_CURVE_STEP, _LEAST_PER_BIN, _LEAST_BINS = 0.2, 60, 8
_LUMINOSITY_STEPS = 0.25, 0.5  # magnitudes; as the errors near the limit allow
_ERRORS_PER_STEP = 1.5
LEAST_WEIGHTED = 0.05
"""Probability below which stars are not counted as one over it: a single one could outweigh all."""
_COLOURS = 4  # bins that a luminosity function tells apart
_GRID, _ALONG = 24, 25  # nodes of maps, along each axis; places of a curve


@dataclass(frozen=True, eq=False)
class LimitCurve:
    """Limiting magnitudes of one model along one quantity.

    Parameters
    ----------
    model : str
        Its name.
    along : str
        Name of the quantity as an axis, such as ``V - I`` or ``crowding``.
    values : (n,) array
        Of the quantity.
    limits : Limits
        At these places.
    """

    model: str
    along: str
    values: FloatArray
    limits: Limits


@dataclass(frozen=True, eq=False)
class LimitMap:
    """Limiting magnitudes of one model over the image.

    Parameters
    ----------
    model : str
        Its name.
    edges : (array, array)
        Of the cells along x and y, pixels.
    limits : Limits
        At their centres, x fastest.
    """

    model: str
    edges: tuple[FloatArray, FloatArray]
    limits: Limits


@dataclass(frozen=True, eq=False)
class CorrectedCounts:
    """A luminosity function by several methods.

    Parameters
    ----------
    corrected : LuminosityFunction
        By maximum likelihood, with the artificial stars' changes of bin.
    weighted : dict
        From the names of the first and the main model to numbers and errors of counts weighted by
        1/p.
    """

    corrected: LuminosityFunction
    weighted: Mapping[str, tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Products:
    """What models and artificial stars are used for.

    Parameters
    ----------
    curves : tuple of CompletenessCurves
        By band: against input and measured magnitude.
    along : tuple of LimitCurve
        Against colour and covariates.
    maps : tuple of LimitMap
        Over the image.
    counts : tuple of CorrectedCounts
        By band, of real stars.
    kinds : dict
        From a model's name to the magnitudes it is given, "input" or "measured".
    """

    curves: tuple[CompletenessCurves, ...]
    along: tuple[LimitCurve, ...] = ()
    maps: tuple[LimitMap, ...] = ()
    counts: tuple[CorrectedCounts, ...] = ()
    kinds: Mapping[str, str] | None = None


def gather_products(
    stars: ArtificialStars,
    models: Mapping[str, Probabilities],
    main: str = "",
    *,
    real: RealStars | None = None,
    kinds: Mapping[str, str] | None = None,
) -> Products:
    """Work out limits, curves and luminosity functions.

    Parameters
    ----------
    stars : ArtificialStars
        All of a table.
    models : mapping of str to a trained model
        Whose limits are shown.
    main : str
        The one whose limits are mapped; the last by default.
    real : RealStars, optional
        For luminosity functions.
    kinds : mapping of str to str
        Magnitudes that the models are given.

    Returns
    -------
    Products

    Raises
    ------
    ParameterError
        If the real stars are in other bands, or lack a covariate of a model.
    """
    curves = tuple(_curves(stars, band) for band in stars.bands)
    along: list[LimitCurve] = []
    for name, model in models.items():
        along += _along(stars, name, model)
    main = main or (list(models)[-1] if models else "")
    maps = _maps(stars, main, models[main]) if main else []
    counts = []
    if real is not None:
        shown = {name: models[name] for name in models if name in (main, next(iter(models)))}
        counts = [_counts(stars, real, shown, band) for band in stars.bands]
    return Products(curves, tuple(along), tuple(maps), tuple(counts), dict(kinds or {}))


def product_numbers(products: Products) -> dict[str, Any]:
    """Numbers of products, for JSON.

    Parameters
    ----------
    products : Products
        What was worked out.

    Returns
    -------
    dict
    """
    return {
        "limits_of_the_counts": [
            {
                "band": one.band,
                "level": level,
                "input": one.limit(level, against="input"),
                "measured": one.limit(level, against="measured"),
                "largest_excess": float(np.nanmax(one.excess, initial=0.0)),
            }
            for one in products.curves
            for level in LEVELS
        ],
        "limits_over_the_image": [
            {
                "model": one.model,
                "band": one.limits.band,
                "level": one.limits.level,
                "quantiles_0_16_50_84_100": _quantiles(one.limits.mag),
            }
            for one in products.maps
        ],
        "luminosity_functions": [
            {
                name: getattr(one.corrected, name)
                for name in ("band", "edges", "observed", "number", "field_err", "number_err",
                             "efficiency", "reliable", "facts")
            }
            for one in products.counts
        ],
    }  # fmt: skip


def _quantiles(values: FloatArray) -> list[float]:
    good = values[np.isfinite(values)]
    return np.quantile(good, (0.0, 0.16, 0.5, 0.84, 1.0)).tolist() if len(good) else []


def _curves(stars: ArtificialStars, band: str) -> CompletenessCurves:
    """Bins of 0.2 mag, wider where there are few stars."""
    mag = stars.mag_in[:, stars.bands.index(band)]
    reach = even_edges(mag, 1, 1.0)
    most = max(_LEAST_BINS, len(stars) // _LEAST_PER_BIN)
    bins = int(np.clip(np.ceil((reach[1] - reach[0]) / _CURVE_STEP), _LEAST_BINS, most))
    return completeness_curves(stars, even_edges(mag, bins, 1.0), band=band)


def _along(stars: ArtificialStars, name: str, model: Probabilities) -> list[LimitCurve]:
    """Limits against colour in every band, against covariates in the first."""
    place = typical_place(stars)
    lines: list[tuple[str, str, FloatArray, Sequence[str]]] = []
    if len(stars.bands) > 1:
        colour = stars.mag_in[:, 0] - stars.mag_in[:, -1]
        label = f"{stars.bands[0]} - {stars.bands[-1]}"
        lines.append(("color", label, _spread(colour), stars.bands))
    lines += [
        (covariate, covariate, _spread(values), stars.bands[:1])
        for covariate, values in place.covariates.items()
        if np.isfinite(values).all()
        for values in (stars.covariates[covariate],)
        if np.nanmax(values) > np.nanmin(values)
    ]
    return [
        LimitCurve(name, label, values, _limits(stars, model, places_along(place, key, values),
                                                band, level))
        for key, label, values, bands in lines
        for band in bands
        for level in LEVELS
    ]  # fmt: skip


def _spread(values: NDArray[Any]) -> FloatArray:
    """Places from the 2nd to the 98th percentile."""
    low, high = np.nanquantile(values, (0.02, 0.98))
    return np.linspace(low, high, _ALONG)


def _limits(
    stars: ArtificialStars, model: Probabilities, places: RealStars, band: str, level: float
) -> Limits:
    """Search where there are artificial stars."""
    mag = stars.mag_in[:, stars.bands.index(band)]
    search = (float(np.nanmin(mag)), float(np.nanmax(mag)))
    return limiting_magnitude(model, places, band=band, level=level, search=search)


def _maps(stars: ArtificialStars, name: str, model: Probabilities) -> list[LimitMap]:
    """Maps, if the model knows anything of the place."""
    if not stars.covariates or not np.isfinite(stars.x + stars.y).any():
        return []
    edges = even_edges(stars.x, _GRID, 1.0), even_edges(stars.y, _GRID, 1.0)
    x, y = (0.5 * (one[1:] + one[:-1]) for one in edges)
    places = places_on_grid(stars, x, y)
    return [
        LimitMap(name, edges, _limits(stars, model, places, band, level))
        for level in LEVELS
        for band in (stars.bands[0], stars.bands[-1])[: len(stars.bands)]
    ]


def _counts(
    stars: ArtificialStars, real: RealStars, models: Mapping[str, Probabilities], band: str
) -> CorrectedCounts:
    mag = stars.mag_in[:, stars.bands.index(band)]
    low, high = even_edges(mag, 1, 1.0)
    step = _luminosity_step(stars, band)
    edges = np.arange(low, high + step, step)
    colours = None
    if len(stars.bands) > 1:
        own = real.mag[:, 0] - real.mag[:, -1]
        colours = np.nanquantile(own, np.linspace(0, 1, _COLOURS + 1))
        every = np.r_[own, stars.mag_in[:, 0] - stars.mag_in[:, -1]]
        colours[[0, -1]] = np.nanmin(every) - 1.0, np.nanmax(every) + 1.0
        colours = np.unique(colours)
    found = corrected_luminosity_function(real, stars, edges, band=band, colour_edges=colours)
    measured = real.mag[:, real.bands.index(band)]
    weighted = {}
    for name, model in models.items():
        p = model.p_recovered(real)
        p = np.where(p >= LEAST_WEIGHTED, p, 0.0)
        weighted[name] = weighted_luminosity_function(measured, p, edges)
    return CorrectedCounts(found, weighted)


def _luminosity_step(stars: ArtificialStars, band: str) -> float:
    """Width of bins: much narrower ones than the errors cannot be told apart."""
    delta = stars.delta[:, stars.bands.index(band)]
    good = stars.recovered & np.isfinite(delta)
    if not good.any():
        return _LUMINOSITY_STEPS[0]
    mag = stars.mag_in[:, stars.bands.index(band)]
    faint = good & (mag >= np.quantile(mag[good], 0.75))
    return float(np.clip(_ERRORS_PER_STEP * robust_rms(delta[faint]), *_LUMINOSITY_STEPS))
